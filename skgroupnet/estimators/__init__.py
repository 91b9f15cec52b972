"""The scikit-learn estimators."""

from skgroupnet.estimators.linear import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from skgroupnet.estimators.mlp import GroupSparseMLPClassifier, GroupSparseMLPRegressor

__all__ = [
    "GroupSparseLinearRegression",
    "GroupSparseLogisticRegression",
    "GroupSparseMLPClassifier",
    "GroupSparseMLPRegressor",
    "GroupSparsePoissonRegressor",
]
