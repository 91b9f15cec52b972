"""The engine: stacks of networks trained in torch, without scikit-learn."""

from skgroupnet.engine.certificate import lam_max, stationarity_gap
from skgroupnet.engine.fista import fista
from skgroupnet.engine.initial import initial_network
from skgroupnet.engine.losses import LOSSES
from skgroupnet.engine.problem import Epoch, Fit, Model, Problem, Settings
from skgroupnet.engine.stochastic import train
from skgroupnet.engine.updates import SGD, Adam, AdaMax, RMSprop

__all__ = [
    "LOSSES",
    "SGD",
    "AdaMax",
    "Adam",
    "Epoch",
    "Fit",
    "Model",
    "Problem",
    "RMSprop",
    "Settings",
    "fista",
    "initial_network",
    "lam_max",
    "stationarity_gap",
    "train",
]
