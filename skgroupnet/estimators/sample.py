"""Rows with their encoded target: what is given, some of it, what is held out."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.model_selection import train_test_split

from skgroupnet.estimators.advice import warn_about_scales
from skgroupnet.estimators.tasks import Task
from skgroupnet.network import Network


@dataclass(frozen=True, eq=False)
class Sample:
    """Validated rows with their encoded target.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n, n_features)
        All rows.
    target : ndarray of shape (n,) or (n, n_outputs)
        The target as the loss takes it; arbitrary for rows that are not in the sample.
    task : Task
        What the target means.
    weight : ndarray of shape (n,) or None
        The user's weights.
    training_weight : ndarray of shape (n,) or None
        The weights of training, class weights included.
    rows : ndarray of int or None
        The rows that are in the sample; None: all.
    """

    X: np.ndarray
    target: np.ndarray
    task: Task
    weight: np.ndarray | None = None
    training_weight: np.ndarray | None = None
    rows: np.ndarray | None = None

    @property
    def numbers(self) -> np.ndarray:
        """Numbers of the rows in the sample."""
        return np.arange(self.X.shape[0]) if self.rows is None else self.rows

    def score(self, network: Network) -> float:
        """Score of a network on a sample of all rows, larger is better.

        Parameters
        ----------
        network : Network
            The network to score.

        Returns
        -------
        float
        """
        return self.task.score(network, self.X, self.target, self.weight)

    def take(self, index: np.ndarray) -> "Sample":
        """Copy some of the rows.

        Parameters
        ----------
        index : ndarray of int
            Row numbers.

        Returns
        -------
        Sample
        """
        return Sample(
            self.X[index],
            self.target[index],
            self.task,
            None if self.weight is None else self.weight[index],
            None if self.training_weight is None else self.training_weight[index],
        )

    def columns(self, index: np.ndarray) -> "Sample":
        """Take some of the columns of X.

        Parameters
        ----------
        index : ndarray of int
            Column numbers.

        Returns
        -------
        Sample
        """
        return replace(self, X=take_columns(self.X, index))


@dataclass(frozen=True, eq=False)
class Given:
    """Validated rows, targets and weights, shared by all fits to some of the rows.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n, n_features)
        The rows.
    y : ndarray of shape (n,) or (n, n_outputs)
        The targets as the user gave them.
    weight : ndarray of shape (n,) or None
        The user's weights.
    """

    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    _counting: dict = field(default_factory=dict)
    _tasks: dict = field(default_factory=dict)
    _targets: dict = field(default_factory=dict)
    _scaled: dict = field(default_factory=dict)

    def counting(self, rows: np.ndarray | None = None) -> np.ndarray | None:
        """Choose the rows of positive weight.

        Parameters
        ----------
        rows : ndarray of int, default=None
            Of these rows; None: of all.

        Returns
        -------
        ndarray of int or None
            Their numbers; None: all rows.
        """
        if self.weight is None:
            return rows
        if id(rows) not in self._counting:
            # With the rows, so that their identity stays theirs.
            self._counting[id(rows)] = _positive(self.weight, rows), rows
        return self._counting[id(rows)][0]

    def task(
        self, make_task: Callable[[Any], Task], key: Any, rows: Any = None
    ) -> Task:
        """Make the task of some rows, once for all fits to them.

        Parameters
        ----------
        make_task : callable
            Makes the task of a target.
        key : hashable
            What decides, besides the target, what the task is.
        rows : ndarray of int, default=None
            The rows; None: all.

        Returns
        -------
        Task
        """
        key = (key, id(rows))
        if key not in self._tasks:
            y = self.y if rows is None else self.y[rows]
            self._tasks[key] = make_task(y), rows
        return self._tasks[key][0]

    def target(self, task: Task, rows: np.ndarray | None, dtype: Any) -> np.ndarray:
        """Encode the target of some rows; one array serves all fits that mean the same.

        Parameters
        ----------
        task : Task
            What the target means.
        rows : ndarray of int or None
            The rows; None: all.
        dtype : dtype
            The dtype of training.

        Returns
        -------
        ndarray of shape (n,) or (n, n_outputs)
            The target; zero for other rows with values that `task` does not know.
        """
        key = (task.meaning, np.dtype(dtype))
        if key not in self._targets:
            known = None if rows is None else task.known(self.y)
            if known is not None:
                # These have to be encoded, or to raise.
                known[rows] = True
            if known is None or known.all():
                self._targets[key] = task.encode(self.y, dtype)
            else:
                encoded = task.encode(self.y[known], dtype)
                target = np.zeros((len(known), *encoded.shape[1:]), encoded.dtype)
                target[known] = encoded
                self._targets[key] = target
        return self._targets[key]

    def check_scales(self, rows: np.ndarray | None) -> None:
        """Warn, once for the same rows, if the columns differ much in scale.

        Parameters
        ----------
        rows : ndarray of int or None
            The rows; None: all.
        """
        if id(rows) not in self._scaled:
            self._scaled[id(rows)] = rows
            warn_about_scales(self.X if rows is None else self.X[rows])


def _positive(weight: np.ndarray, rows: np.ndarray | None) -> np.ndarray | None:
    """Rows of positive weight; None if they are all there are."""
    if rows is None:
        return None if weight.all() else np.flatnonzero(weight)
    chosen = weight[rows]
    if not chosen.any():
        raise ValueError(
            f"All {len(rows)} rows to fit to have a sample_weight of zero, but at "
            "least one must have a positive weight."
        )
    return rows if chosen.all() else rows[chosen > 0]


def check_nothing_masked(**arrays: Any) -> None:
    """Refuse masked arrays: their masked values would be taken for data.

    Parameters
    ----------
    **arrays : array-like or None
        What the user passed, by its name.
    """
    for name, array in arrays.items():
        if np.ma.is_masked(array):
            raise ValueError(
                f"{name} is a masked array, of which {np.ma.count_masked(array)} "
                "values are masked. Leave them out, or fill them, for example with "
                f"{name}.filled(0)."
            )


def training_dtype(own: np.dtype, default: type, other: type) -> np.dtype:
    """Choose the dtype of training by that of the rows.

    Parameters
    ----------
    own : dtype
        That of the rows, in any byte order.
    default, other : dtype
        The dtype of training, unless the rows have the other one. Rows in more than
        double precision count as double.

    Returns
    -------
    dtype
    """
    native = own.newbyteorder("=")
    if native == np.longdouble:
        native = np.dtype(np.float64)
    return np.dtype(other if native == other else default)


def rows_for_training(X: Any, dtype: np.dtype) -> Any:
    """Give validated rows the dtype of training; sparse ones also sorted indices.

    The user's own matrix is not touched: several operations of scipy would otherwise
    sort its indices and sum its duplicates in place, in several threads at once.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n_samples, n_features)
        The rows, all of them finite.
    dtype : dtype
        The dtype of training.

    Returns
    -------
    {ndarray, sparse CSR} of shape (n_samples, n_features)
        X itself if there is nothing to do.
    """
    if issparse(X) and not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    if X.dtype == dtype:
        return X
    with np.errstate(over="ignore"):
        converted = X.astype(dtype)
    values = converted.data if issparse(converted) else converted
    narrower = X.dtype.kind == "f" and X.dtype.itemsize > dtype.itemsize
    if narrower and not np.isfinite(values).all():
        raise ValueError(
            f"X has values of dtype {X.dtype} that are too large for {dtype}, in which "
            "this model is trained. Scale the columns first."
        )
    return converted


def check_total(weight: np.ndarray | None, name: str) -> None:
    """Refuse weights whose sum float64 does not hold: none can be divided by it.

    Parameters
    ----------
    weight : ndarray of shape (n,) or None
        Weights of rows, none of them negative; None: all are equal.
    name : str
        What the user calls them.
    """
    if weight is None:
        return
    with np.errstate(over="ignore"):
        total = weight.sum()
    limits = np.finfo(np.float64)
    if not limits.tiny <= total <= limits.max:
        raise ValueError(
            f"The weights of the rows, {name}, must have a sum between "
            f"{limits.tiny:.2g} and {limits.max:.2g}, but it is {total:.2g}. Only "
            "their ratios count: multiply all of them by the same number."
        )


def take_columns(X: Any, index: np.ndarray) -> Any:
    """Take some columns of dense or sparse rows.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n_samples, n_features)
        The rows.
    index : ndarray of int
        Column numbers.

    Returns
    -------
    {ndarray, sparse CSR} of shape (n_samples, len(index))
    """
    # Indexing would give a dense array in Fortran order, at five times the cost.
    return X[:, index] if issparse(X) else X.take(index, axis=1)


def split(
    sample: Sample, fraction: float, random_state: np.random.RandomState
) -> tuple[np.ndarray, Sample]:
    """Hold some rows out, class by class where each row has one class.

    Parameters
    ----------
    sample : Sample
        All rows.
    fraction : float
        Share of the rows to hold out.
    random_state : RandomState
        Decides which.

    Returns
    -------
    rows : ndarray of int
        Numbers of the rows that are left to train on.
    held_out : Sample
        The other rows.
    """
    numbers = sample.numbers
    _check_split(sample, fraction)
    places, others = train_test_split(
        np.arange(len(numbers)),
        test_size=fraction,
        random_state=random_state,
        stratify=sample.target[numbers] if sample.task.stratified else None,
    )
    return numbers[places], sample.take(numbers[np.sort(others)])


def _check_split(sample: Sample, fraction: float) -> None:
    """Refuse to hold rows out where there are too few, or too few of a class."""
    n = len(sample.numbers)
    # As train_test_split rounds.
    n_held_out = ceil(fraction * n)
    least = 2, 1
    fault = ""
    if sample.task.stratified:
        codes, counts = np.unique(sample.target[sample.numbers], return_counts=True)
        least = max(2, len(codes)), len(codes)
        rarest = counts.argmin()
        if counts[rarest] < 2:
            label = sample.task.attributes["classes_"].tolist()[int(codes[rarest])]
            fault = f"class {label!r} has {counts[rarest]} row, and 2 are needed"
    if not fault and (n_held_out < least[0] or n - n_held_out < least[1]):
        fault = (
            f"these are {n_held_out} and leave {n - n_held_out} to train on, but at "
            f"least {least[0]} and {least[1]} are needed"
        )
    if fault:
        by_class = ", class by class" if sample.task.stratified else ""
        raise ValueError(
            f"early_stopping=True holds out validation_fraction={fraction} of {n} rows"
            f"{by_class}; {fault}. Change validation_fraction, pass rows of your own "
            "as X_val and y_val, or set early_stopping=False."
        )
