"""What Chen et al. 2020 tried, on which data, and what they published."""

from dataclasses import dataclass
from itertools import product

from tests.benchmarks.evidence.report_reference import OPTIMIZERS, Run

BATCH = 32
DENSE, EITHER = "dense", "group or sparse group lasso"
METHODS = {
    "l2": DENSE,
    "l1": "l1",
    "group_lasso": "group lasso",
    "sparse_group_lasso": "sparse group lasso",
}
GROUPED = ("group lasso", "sparse group lasso")


@dataclass(frozen=True)
class Data:
    """A data set, and how much to do on it.

    Parameters
    ----------
    label, title : str
        What tables and pictures call it.
    name : str
        The name of its split.
    n_seeds : int
        Seeds of the report's own procedure, which is slow.
    n_ours : int, default=5
        Seeds of this package, at most.
    n_parameters : int
        Parameters of the dense network.
    picked : int
        Parameters that the report's pick kept.
    limit : float
        A share of the parameters to choose under, next to that of the pick and all.
    logistic, dense : float
        Published test accuracies.
    published : tuple of (float, int)
        The best test accuracies, with the parameters kept, among all sparse runs.
    times : int, default=1
        Multiplies the epochs.
    """

    label: str
    title: str
    name: str
    n_seeds: int
    n_parameters: int
    picked: int
    limit: float
    logistic: float | None
    dense: float | None
    published: tuple
    times: int = 1
    n_ours: int = 5

    @property
    def limits(self):
        """Shares of the parameters to choose under, from all down."""
        return 1.0, *sorted((self.picked / self.n_parameters, self.limit), reverse=True)


_SDD = {
    "name": "sdd",
    "n_parameters": 2987,
    "picked": 1970,
    "limit": 0.2,
    "logistic": 0.6281,
    "dense": 0.92725,
    "published": ((0.9372, 1970), (0.8837, 1733)),
}
FULL = (
    Data("sdd", "SDD (sample of 2,200 rows), 20 epochs", n_seeds=5, **_SDD),
    # A thirty-second of the report's rows: an epoch has a thirty-second of its steps.
    Data(
        "sdd, as many steps",
        "SDD (sample of 2,200 rows), 640 epochs",
        n_seeds=1,
        times=32,
        **_SDD,
    ),
    Data(
        "cover",
        "COVER (sample of 92,962 rows), 20 epochs",
        "cover",
        n_seeds=1,
        n_parameters=3047,
        picked=693,
        limit=0.55,
        logistic=0.6671,
        dense=0.77266,
        published=(
            (0.7708, 2571),
            (0.7705, 2157),
            (0.7519, 1976),
            (0.7465, 1332),
            (0.6942, 1093),
            (0.6907, 950),
            (0.6831, 693),
            (0.6741, 608),
        ),
    ),
    Data(
        "mnist",
        "MNIST, 20 epochs",
        "mnist",
        n_seeds=1,
        n_ours=3,
        n_parameters=26506,
        picked=16733,
        limit=0.3,
        logistic=0.8953,
        dense=0.9723,
        published=(
            (0.9718, 26506),
            (0.9710, 22295),
            (0.9701, 22018),
            (0.9693, 21999),
            (0.9679, 21143),
            (0.9664, 20022),
            (0.9574, 16733),
        ),
    ),
)
QUICK = (
    Data("digits", "digits, 2 epochs", "digits", 1, 3466, 3000, 0.5, None, None, ()),
)


@dataclass(frozen=True)
class Grid:
    """The settings that the report tried; l1 with those of the group penalties."""

    optimizers: tuple = tuple(OPTIMIZERS)
    dense_rates: tuple = (5e-3, 1e-3, 3e-4, 1e-4)
    decays: tuple = (0.0, 1e-2, 1e-3, 1e-4, 1e-5)
    sparse_rates: tuple = (5e-3, 1e-3, 1e-4)
    lams: tuple = (1e-3, 1e-4, 1e-5)
    logistic_rates: tuple = (1e-3, 1e-4, 1e-5)
    logistic_lams: tuple = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
    n_epochs: int = 20
    logistic_epochs: int = 10

    def networks(self):
        """Runs of one optimizer, those of a learning rate one after the other."""
        sparse = [penalty for penalty in METHODS if penalty != "l2"]
        settings = [
            *product(["l2"], self.decays, self.dense_rates),
            *product(sparse, self.lams, self.sparse_rates),
        ]
        return sorted((Run(*setting) for setting in settings), key=lambda run: run.rate)

    def logistic(self):
        """Runs of logistic regression, by Adam."""
        penalties = [("l2", 0.0), *product(("l1", "l2"), self.logistic_lams)]
        return [
            Run(*penalty, rate)
            for rate, penalty in product(self.logistic_rates, penalties)
        ]


SMALL = Grid(("adam",), (5e-3,), (0.0,), (5e-3,), (1e-3,), (1e-3,), (1e-3,), 2, 1)
