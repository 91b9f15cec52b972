"""Choosing lam and all else: searches, cross-validation and paths, trained at once."""

from skgroupnet.model_selection.linear_cv import GroupSparseLogisticRegressionCV
from skgroupnet.model_selection.mlp_cv import (
    GroupSparseMLPClassifierCV,
    GroupSparseMLPRegressorCV,
)
from skgroupnet.model_selection.path import RegularizationPath, regularization_path

__all__ = [
    "GroupSparseLogisticRegressionCV",
    "GroupSparseMLPClassifierCV",
    "GroupSparseMLPRegressorCV",
    "RegularizationPath",
    "regularization_path",
]
