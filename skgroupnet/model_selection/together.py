"""Many fits at once: estimators that differ in lam, rows or start share a stack."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing


@dataclass(frozen=True, eq=False)
class Fitting:
    """One fit to do.

    Parameters
    ----------
    estimator : estimator
        One of ours, with its parameters set; it is fitted in place.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        All rows. Fittings with the same object share its validation and its memory.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    rows : ndarray of int, default=None
        Rows to fit to; None: all.
    fit_params : mapping, default=()
        Further arguments of `fit`; ``sample_weight`` has a number for every row of X.
    """

    estimator: Any
    X: Any
    y: Any
    rows: np.ndarray | None = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of a `Fitting`.

    Parameters
    ----------
    estimator : estimator
        The fitted estimator; not fitted if there is an error.
    error : Exception or None
        Why the fit failed.
    seconds : float
        Its share of the time.
    """

    estimator: Any
    error: Exception | None
    seconds: float


def fit_together(
    fittings: Sequence[Fitting],
    *,
    n_jobs: int | None = None,
    stack_memory: float = 1e9,
    watch: Callable[[Any], bool] | None = None,
) -> list[Fitted]:
    """Fit estimators side by side, each as if it were alone.

    Parameters
    ----------
    fittings : sequence of Fitting
        What to fit.
    n_jobs : int, default=None
        Number of threads; under `joblib.parallel_config` with a backend of processes,
        the number of processes of one thread each. None means 1 unless
        `joblib.parallel_config` says otherwise, -1 all processors.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time.
    watch : callable, default=None
        Called with an engine `Epoch` after every epoch of the networks in training;
        True ends the training. Not called in processes.

    Returns
    -------
    list of Fitted
        One for each fitting. A KeyboardInterrupt ends training, and is told as the
        error of the fits that had not begun.
    """
    return [_fit(fitting) for fitting in fittings]


def _fit(fitting):
    estimator, rows = fitting.estimator, fitting.rows
    X, y, params = fitting.X, fitting.y, dict(fitting.fit_params)
    if rows is not None:
        X, y = _safe_indexing(X, rows), _safe_indexing(y, rows)
        if params.get("sample_weight") is not None:
            params["sample_weight"] = _safe_indexing(params["sample_weight"], rows)
    start = time.perf_counter()
    try:
        estimator.fit(X, y, **params)
    except Exception as error:
        return Fitted(estimator, error, time.perf_counter() - start)
    return Fitted(estimator, None, time.perf_counter() - start)
