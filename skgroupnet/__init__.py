"""Scikit-learn estimators that train small, group-sparse neural networks."""

from importlib import import_module
from typing import TYPE_CHECKING

from skgroupnet._version import __version__, show_versions
from skgroupnet.config import config_context

if TYPE_CHECKING:
    from skgroupnet import penalties
    from skgroupnet.estimators import (
        GroupSparseLogisticRegression,
        GroupSparseMLPClassifier,
        GroupSparseMLPRegressor,
    )
    from skgroupnet.network import Network
    from skgroupnet.pruning import Pruned, prune

__all__ = [
    "GroupSparseLogisticRegression",
    "GroupSparseMLPClassifier",
    "GroupSparseMLPRegressor",
    "Network",
    "Pruned",
    "__version__",
    "config_context",
    "penalties",
    "prune",
    "show_versions",
]

# Imported on first use: a Network can be loaded and predict without scikit-learn,
# which takes most of the time that importing the estimators takes.
_HOMES = {
    "GroupSparseLogisticRegression": "skgroupnet.estimators",
    "GroupSparseMLPClassifier": "skgroupnet.estimators",
    "GroupSparseMLPRegressor": "skgroupnet.estimators",
    "Network": "skgroupnet.network",
    "Pruned": "skgroupnet.pruning",
    "prune": "skgroupnet.pruning",
}


def __getattr__(name: str) -> object:
    if name == "penalties":
        return import_module("skgroupnet.penalties")
    if name not in _HOMES:
        raise AttributeError(f"module 'skgroupnet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
