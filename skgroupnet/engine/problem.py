"""What is trained: a problem, its models, the settings, and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import scipy.sparse

from skgroupnet.engine.threads import check_device
from skgroupnet.engine.updates import Update
from skgroupnet.network import Network
from skgroupnet.penalties import Penalty

if TYPE_CHECKING:
    from skgroupnet.engine.admm import ADMM

Outcome = Literal[
    "converged", "max_iter", "stalled", "stopped", "interrupted", "diverged"
]


@dataclass(frozen=True, eq=False)
class Problem:
    """What all models of a stack share.

    Parameters
    ----------
    X : ndarray or scipy CSR of shape (n, n_features)
        The rows, float32 or float64; its dtype is the dtype of training.
    y : ndarray
        Class codes of shape (n,) for cross_entropy, else numbers (n, n_outputs).
    loss : {"cross_entropy", "log_loss", "squared_error", "poisson"}
        The pointwise loss, see `skgroupnet.engine.losses`.
    penalty : Penalty
        The penalty; its strength belongs to the model.
    labels : int ndarray of shape (n_features,), default=None
        Group of each input feature, negative for unpenalised ones; None: every
        feature is a group of its own.
    penalize_bias : bool, default=False
        Whether each bias is a penalised group of its own.
    device : str, default="cpu"
        A torch device.
    keep_zeros : bool, default=False
        Whether weights that start at zero stay there; then there is no penalty.
    fit_intercept : bool, default=True
        Whether the biases are trained; if not they stay as they start.
    group_sizes : tuple of ndarray of shape (n_l,), default=None
        For row i of matrix l the size of its penalty group when training started, in
        weights; None: counted from the shapes.
    columns : int ndarray, default=None
        Columns of X that the networks take, in batches; None: all of them.

    Attributes
    ----------
    moments : dict
        Mean and variance of the columns, once `LinearModel` has measured them.
    """

    X: np.ndarray | scipy.sparse.csr_array
    y: np.ndarray
    loss: str
    penalty: Penalty
    labels: np.ndarray | None = None
    penalize_bias: bool = False
    device: str = "cpu"
    keep_zeros: bool = False
    fit_intercept: bool = True
    group_sizes: tuple[np.ndarray, ...] | None = None
    columns: np.ndarray | None = None
    moments: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        check_device(self.device)

    @property
    def n_features(self) -> int:
        """Number of inputs of the networks."""
        return self.X.shape[1] if self.columns is None else len(self.columns)


@dataclass(frozen=True, eq=False)
class Model:
    """One member of a stack.

    Parameters
    ----------
    start : Network
        Initial weights; their shape is the shape that is trained.
    lam : float
        Strength of the penalty.
    rate : float
        Initial learning rate.
    random_state : RandomState
        Decides the order of the rows.
    rows : int ndarray, default=None
        Rows of X to train on; None: all of them.
    row_weight : ndarray of shape (n,), default=None
        Weights of all rows of X; rows of weight zero are left out of the batches.
    score : callable, default=None
        Early stopping: maps a Network to a number, larger is better.  Called once an
        epoch.
    state : dict of ndarray, default=None
        Optimizer state of an earlier fit, to go on from.
    factors : ndarray of shape (G,), default=None
        Relative weight of each penalty group, in the order of
        `skgroupnet.engine.group_norms`; None: all are one.
    """

    start: Network
    lam: float
    rate: float
    random_state: np.random.RandomState
    rows: np.ndarray | None = None
    row_weight: np.ndarray | None = None
    score: Callable[[Network], float] | None = None
    state: dict[str, np.ndarray] | None = None
    factors: np.ndarray | None = None

    def weighted_rows(self, n: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows that count, and their weights normalised to mean 1 (None: all equal)."""
        rows = np.arange(n) if self.rows is None else np.asarray(self.rows)
        if self.row_weight is None:
            return rows, None
        rows = rows[self.row_weight[rows] > 0]
        weight = np.asarray(self.row_weight, dtype=np.float64)[rows]
        if weight.min() == weight.max():
            return rows, None
        return rows, weight / weight.mean()


@dataclass(frozen=True)
class Settings:
    """How a network is trained by batches.

    See the estimators for the meaning of each setting.  With ``gap`` a model is done
    when its stationarity gap is at most that, measured after every epoch.
    """

    update: Update
    learning_rate: str = "constant"
    power_t: float = 0.5
    batch_size: int | Literal["auto"] = "auto"
    max_iter: int = 200
    shuffle: bool = True
    tol: float = 1e-4
    n_iter_no_change: float = 10
    gap: float | None = None

    def batch_rows(self, n: int) -> int:
        """Rows in a batch when a model trains on n rows."""
        size = 200 if self.batch_size == "auto" else self.batch_size
        return max(1, min(size, n))


@dataclass(frozen=True)
class FullBatch:
    """How a linear model is solved: to a stationarity gap of at most ``tol``.

    With ``solver="auto"`` by the Newton method on working sets where that is possible,
    else by FISTA.
    """

    max_iter: int = 1000
    tol: float = 1e-6
    solver: Literal["auto", "fista"] = "auto"


@dataclass(frozen=True, eq=False)
class Job:
    """A model to train, on which problem, and how.

    Parameters
    ----------
    problem : Problem
        Jobs of the same object can share a stack.
    model : Model
        The model.
    settings : Settings, FullBatch or ADMM
        How it is trained.
    chain : hashable, default=None
        Linear models of equal chain differ only in lam: they are solved in turn from
        the largest down and, where the penalty is convex, each from the solution of the
        one before. None: alone.
    """

    problem: Problem
    model: Model
    settings: Settings | FullBatch | ADMM
    chain: Hashable = None


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of training one model.

    Parameters
    ----------
    network : Network
        The trained network (of the best epoch, when there was a score).
    loss_curve : list of float
        Objective of each epoch.
    outcome : str
        Why training ended.
    scores : list of float
        Score of each epoch; empty without a score.
    state : dict of ndarray
        Optimizer state, to go on from; empty if training need not go on.
    history : dict of ndarray, default={}
        What a solver writes down about itself, one entry for each iteration.
    """

    network: Network
    loss_curve: list[float]
    outcome: Outcome
    scores: list[float]
    state: dict[str, np.ndarray]
    history: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def n_iter(self) -> int:
        """Number of epochs or iterations."""
        return len(self.loss_curve)


@dataclass(frozen=True, eq=False)
class Epoch:
    """The state of all models after an epoch, as a watcher sees it.

    Parameters
    ----------
    n_iter : int
        Number of the epoch, from 1.
    losses : ndarray of shape (M,)
        Objective of each model; nan for models that have ended before.
    scores : ndarray of shape (M,) or None
        Score of each model, if there is one.
    network : callable
        Maps the number of a model to its current Network.
    running : bool ndarray of shape (M,)
        Whether each model goes on after this epoch.
    report : str
        What took the steps, for the user; empty if there is only one way.
    """

    n_iter: int
    losses: np.ndarray
    scores: np.ndarray | None
    network: Callable[[int], Network]
    running: np.ndarray
    report: str = ""


Watch = Callable[[Epoch], bool]
