"""Scikit-learn estimators that train small, group-sparse neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING

from skgroupnet._version import __version__, show_versions
from skgroupnet.config import config_context

if TYPE_CHECKING:
    from skgroupnet import datasets, model_selection, penalties, plotting
    from skgroupnet.estimators import (
        GroupSparseLinearRegression,
        GroupSparseLogisticRegression,
        GroupSparseMLPClassifier,
        GroupSparseMLPRegressor,
        GroupSparsePoissonRegressor,
    )
    from skgroupnet.model_selection import (
        GroupSparseLinearRegressionCV,
        GroupSparseLogisticRegressionCV,
        GroupSparseMLPClassifierCV,
        GroupSparseMLPRegressorCV,
        GroupSparsePoissonRegressorCV,
    )
    from skgroupnet.network import Network
    from skgroupnet.pruning import Pruned, prune

__all__ = [
    "GroupSparseLinearRegression",
    "GroupSparseLinearRegressionCV",
    "GroupSparseLogisticRegression",
    "GroupSparseLogisticRegressionCV",
    "GroupSparseMLPClassifier",
    "GroupSparseMLPClassifierCV",
    "GroupSparseMLPRegressor",
    "GroupSparseMLPRegressorCV",
    "GroupSparsePoissonRegressor",
    "GroupSparsePoissonRegressorCV",
    "Network",
    "Pruned",
    "__version__",
    "config_context",
    "datasets",
    "model_selection",
    "penalties",
    "plotting",
    "prune",
    "show_versions",
]

# Imported on first use: a Network can be loaded and predict without scikit-learn,
# which takes most of the time that importing the estimators takes.
_HOMES = {
    "GroupSparseLinearRegression": "skgroupnet.estimators",
    "GroupSparseLinearRegressionCV": "skgroupnet.model_selection",
    "GroupSparseLogisticRegression": "skgroupnet.estimators",
    "GroupSparseLogisticRegressionCV": "skgroupnet.model_selection",
    "GroupSparseMLPClassifier": "skgroupnet.estimators",
    "GroupSparseMLPClassifierCV": "skgroupnet.model_selection",
    "GroupSparseMLPRegressor": "skgroupnet.estimators",
    "GroupSparseMLPRegressorCV": "skgroupnet.model_selection",
    "GroupSparsePoissonRegressor": "skgroupnet.estimators",
    "GroupSparsePoissonRegressorCV": "skgroupnet.model_selection",
    "Network": "skgroupnet.network",
    "Pruned": "skgroupnet.pruning",
    "prune": "skgroupnet.pruning",
}
_PACKAGES = ("datasets", "model_selection", "penalties", "plotting")


def __getattr__(name: str) -> object:
    if name in _PACKAGES:
        return import_module(f"skgroupnet.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'skgroupnet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
