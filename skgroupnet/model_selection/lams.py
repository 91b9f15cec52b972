"""Which lam to try: a grid that falls from the strength that empties a model."""

import warnings
from dataclasses import replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone

from skgroupnet.model_selection.outcomes import check_failures, was_interrupted
from skgroupnet.model_selection.together import Fitting, fit_together
from skgroupnet.penalties import L1, GroupLasso

# Smallest by largest lam of a grid, as in sklearn.linear_model.lasso_path.
LAM_RATIO = 1e-3
# Where no feature matters, or none is penalised, a grid starts from this in place of
# zero: float32 has room for a thousandth of it.
LEAST_LAM = 1e-30
# Largest lam that a network is tried with, by lam_max of the linear model of the same
# problem. On small data sets, networks of 32 and of 100 and 50 neurons that trained
# for 100 epochs were empty from 0.04 to 1.4 times that lam_max on.
LARGEST_TRIED = 2.0
N_TRIED = 20
# How a network is tried; parameters that an estimator lacks are left out.
TRIAL = {
    "max_iter": 5,
    "early_stopping": False,
    "finetune_iter": 0,
    "warm_start": False,
    "verbose": False,
}


def lam_grid(
    lams: Any,
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    n_jobs: int | None = None,
    stack_memory: float = 1e9,
) -> np.ndarray:
    """Values of lam for a path, in decreasing order.

    Parameters
    ----------
    lams : int or array-like of shape (n_lams,)
        Number of values, log-spaced from `largest_lam` down to a thousandth of it; or
        the values.
    estimator : estimator
        The estimator to fit with each of them.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights.
    n_jobs : int, default=None
        Number of threads or processes, see `fit_together`.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time.

    Returns
    -------
    ndarray of float of shape (n_lams,)
        The values; given ones are sorted, each of them once.

    Raises
    ------
    ValueError
        If the values cannot be used, or the data cannot be fitted to.
    """
    if isinstance(lams, Integral):
        largest = largest_lam(
            estimator, X, y, sample_weight, n_jobs=n_jobs, stack_memory=stack_memory
        )
        return np.geomspace(largest, LAM_RATIO * largest, int(lams))
    values = np.asarray(lams, dtype=np.float64)
    if values.ndim != 1 or not values.size:
        raise ValueError(
            "lams must be a number of values or a list of at least one value, but is "
            f"{lams!r}."
        )
    if not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError(f"lams must hold finite values >= 0, but is {lams!r}.")
    return np.unique(values)[::-1]


def largest_lam(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    n_jobs: int | None = None,
    stack_memory: float = 1e9,
) -> float:
    """Smallest lam that leaves no penalised feature: exact or an estimate.

    It is exact for linear models if the penalty has a finite slope at zero. If it has
    an infinite one, or jumps there, it is at least that of the group lasso, from whose
    model such a fit starts. Otherwise
    it is estimated: the smallest of 20 log-spaced values whose model is empty after 5
    epochs. They fall over three decades from twice the lam_max of the linear model of
    the same problem, because a network that trains for long enough is empty from about
    there on; if all models are empty, the next three decades are tried. If none is (the
    steps are too small, or the penalty, such as l2, never makes anything zero), the
    first of the values is taken.

    Parameters
    ----------
    estimator : estimator
        The estimator; its `lam` does not matter.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    sample_weight : array-like of shape (n_samples,), default=None
        Their weights.
    n_jobs : int, default=None
        Number of threads or processes, see `fit_together`.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time.

    Returns
    -------
    float
        The strength, greater than zero.
    """
    from skgroupnet.engine import is_steep, lam_max

    stated = clone(estimator)
    sample = stated._sample(stated._validated(X, y, sample_weight))
    problem = stated._problem(sample, go_on=False)
    linear = max(lam_max(problem, sample.training_weight), LEAST_LAM)
    is_finite = bool(np.isfinite(linear))
    start = stated._starting_network(sample, False, np.random.RandomState(0))
    steep = is_steep(problem, start)
    if not is_finite or steep:
        by_weight = steep and problem.penalty.groups_of == "weights"
        lasso = replace(problem, penalty=L1() if by_weight else GroupLasso())
        of_lasso = max(lam_max(lasso, sample.training_weight), LEAST_LAM)
        linear = max(linear, of_lasso) if is_finite else of_lasso
    if is_finite and not stated._hidden_widths():
        return linear
    penalised = slice(None) if problem.labels is None else problem.labels >= 0

    def empty(lams: np.ndarray) -> np.ndarray:
        trials = [_trial(estimator, lam, X, y, sample_weight) for lam in lams.tolist()]
        fits = fit_together(
            trials, n_jobs=n_jobs, stack_memory=stack_memory, certify=False
        )
        return _emptied(fits, penalised)

    with warnings.catch_warnings():
        # Nothing converges in so few epochs; what else is to be said, the fits say.
        warnings.simplefilter("ignore")
        return _smallest_empty(empty, LARGEST_TRIED * linear)


def _smallest_empty(empty, top):
    """Smallest tried lam that empties a model, from ``top`` down; ``top`` if none."""
    for largest in (top, LAM_RATIO * top):
        lams = np.geomspace(largest, LAM_RATIO * largest, N_TRIED)
        are_empty = empty(lams)
        if not are_empty.all():
            return float(lams[are_empty].min(initial=largest))
    return float(lams[-1])


def _emptied(fits, penalised):
    """Tell which fits left none of the penalised features."""
    if was_interrupted(fits):
        raise KeyboardInterrupt
    check_failures(fits)
    return np.array(
        [
            fit.error is None and not fit.estimator.get_support()[penalised].any()
            for fit in fits
        ]
    )


def _trial(estimator, lam, X, y, sample_weight):
    trial = clone(estimator)
    own = trial.get_params(deep=False)
    settings = {name: value for name, value in TRIAL.items() if name in own}
    return Fitting(
        trial.set_params(lam=lam, **settings),
        X,
        y,
        fit_params={} if sample_weight is None else {"sample_weight": sample_weight},
    )
