"""Pictures of networks and paths, in scikit-learn's Display conventions."""

from skgroupnet.plotting.importance import FeatureImportanceDisplay
from skgroupnet.plotting.loss import LossCurveDisplay
from skgroupnet.plotting.network import NetworkDisplay
from skgroupnet.plotting.path import RegularizationPathDisplay

__all__ = [
    "FeatureImportanceDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "RegularizationPathDisplay",
]
