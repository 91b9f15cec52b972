"""Scikit-learn estimators that train small, group-sparse neural networks."""

from importlib import import_module

from skgroupnet._version import __version__, show_versions

_HOMES = {
    "GroupSparseLogisticRegression": "skgroupnet.estimators",
    "GroupSparseMLPClassifier": "skgroupnet.estimators",
    "GroupSparseMLPRegressor": "skgroupnet.estimators",
    "Network": "skgroupnet.network",
    "Pruned": "skgroupnet.pruning",
    "prune": "skgroupnet.pruning",
}

__all__ = [*_HOMES, "__version__", "penalties", "show_versions"]


def __getattr__(name):
    if name == "penalties":
        return import_module("skgroupnet.penalties")
    if name not in _HOMES:
        raise AttributeError(f"module 'skgroupnet' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__():
    return sorted(__all__)
