"""The engine: stacks of networks trained in torch, without scikit-learn."""

from skgroupnet.engine.admm import ADMM, admm
from skgroupnet.engine.certificate import (
    lam_max,
    relative_gap,
    stationarity_gap,
    stationarity_gaps,
)
from skgroupnet.engine.fista import fista
from skgroupnet.engine.initial import initial_network
from skgroupnet.engine.losses import LOSSES
from skgroupnet.engine.problem import (
    Epoch,
    Fit,
    FullBatch,
    Job,
    Model,
    Problem,
    Settings,
)
from skgroupnet.engine.shrinkage import group_norms, is_steep
from skgroupnet.engine.solve import solve
from skgroupnet.engine.stochastic import check_job, train
from skgroupnet.engine.training import bytes_in_training
from skgroupnet.engine.updates import RMDA, SGD, Adam, AdaMax, RMSprop

__all__ = [
    "ADMM",
    "LOSSES",
    "RMDA",
    "SGD",
    "AdaMax",
    "Adam",
    "Epoch",
    "Fit",
    "FullBatch",
    "Job",
    "Model",
    "Problem",
    "RMSprop",
    "Settings",
    "admm",
    "bytes_in_training",
    "check_job",
    "fista",
    "group_norms",
    "initial_network",
    "is_steep",
    "lam_max",
    "solve",
    "relative_gap",
    "stationarity_gap",
    "stationarity_gaps",
    "train",
]
