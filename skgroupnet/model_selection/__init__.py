"""Choosing lam and all else: searches, cross-validation and paths, trained at once."""

from skgroupnet.model_selection.linear_cv import (
    GroupSparseLinearRegressionCV,
    GroupSparseLogisticRegressionCV,
    GroupSparsePoissonRegressorCV,
)
from skgroupnet.model_selection.mlp_cv import (
    GroupSparseMLPClassifierCV,
    GroupSparseMLPRegressorCV,
)
from skgroupnet.model_selection.path import RegularizationPath, regularization_path
from skgroupnet.model_selection.search import (
    BatchedGridSearchCV,
    BatchedRandomizedSearchCV,
)

__all__ = [
    "BatchedGridSearchCV",
    "BatchedRandomizedSearchCV",
    "GroupSparseLinearRegressionCV",
    "GroupSparseLogisticRegressionCV",
    "GroupSparseMLPClassifierCV",
    "GroupSparseMLPRegressorCV",
    "GroupSparsePoissonRegressorCV",
    "RegularizationPath",
    "regularization_path",
]
