"""The scikit-learn estimators."""

from skgroupnet.estimators.linear import GroupSparseLogisticRegression
from skgroupnet.estimators.mlp import GroupSparseMLPClassifier, GroupSparseMLPRegressor

__all__ = [
    "GroupSparseLogisticRegression",
    "GroupSparseMLPClassifier",
    "GroupSparseMLPRegressor",
]
