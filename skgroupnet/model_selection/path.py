"""A regularisation path: one fitted estimator for each lam, and choosing among them."""

import copy
import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.validation import _check_feature_names_in

from skgroupnet.estimators.base import GroupSparseEstimator
from skgroupnet.model_selection.lams import lam_grid
from skgroupnet.model_selection.outcomes import (
    check_failures,
    was_interrupted,
)
from skgroupnet.model_selection.scorers import Scores, weight_for
from skgroupnet.model_selection.together import (
    Fitted,
    Fitting,
    check_fit,
    fit_alone,
    fit_together,
    has_own_fit,
)
from skgroupnet.network import Network
from skgroupnet.sparse import as_csr

INTERRUPTED = (
    "The path was interrupted by the user: it has the models that were trained, some "
    "of them for fewer epochs than asked for."
)
# A table shows at most so many rows at each of its ends.
ROWS_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class RegularizationPath:
    """Models of decreasing `lam`: first the sparsest, or an empty one.

    Returned by `regularization_path`; its text is a table. All arrays are ordered by
    decreasing `lam`.

    Parameters
    ----------
    lams : ndarray of float of shape (n_lams,)
        The strengths of the penalty.
    estimators : tuple of estimator
        The fitted estimators, pruned: they take all columns of X, and hold what is left
        of their networks.
    scores : ndarray of float of shape (n_lams,) or None
        Scores on the validation rows, if there were any.
    n_active_neurons : ndarray of int of shape (n_lams,)
        Hidden neurons that are left.
    n_active_features : ndarray of int of shape (n_lams,)
        Input features that are left.
    n_active_parameters : ndarray of int of shape (n_lams,)
        Weights and biases that are not zero.
    objectives : ndarray of float of shape (n_lams,)
        Objective of the last epoch on the rows that were trained on, the ``loss_`` of
        each estimator. It includes the penalty, so that it does not compare models of
        different `lam`.
    feature_names : ndarray of str of shape (n_features,)
        Names of the columns of X; "x0", "x1" and so on if they have none.
    feature_strengths : ndarray of float of shape (n_lams, n_features)
        The ``feature_importances_`` of each estimator, exactly zero for features that
        are gone.
    """

    lams: np.ndarray
    estimators: tuple[Any, ...]
    scores: np.ndarray | None
    n_active_neurons: np.ndarray
    n_active_features: np.ndarray
    n_active_parameters: np.ndarray
    objectives: np.ndarray
    feature_names: np.ndarray
    feature_strengths: np.ndarray

    @property
    def networks(self) -> tuple[Network, ...]:
        """The compact networks of the estimators."""
        return tuple(estimator._network() for estimator in self.estimators)

    def select(
        self,
        max_features: int | None = None,
        max_neurons: int | None = None,
        max_parameters: int | None = None,
        min_score: float | None = None,
    ) -> Any:
        """Choose the best model within a budget.

        The best one has the highest validation score; among equal scores, the fewest
        parameters. On a path without scores it is the one with the smallest `lam`. An
        empty model is within any budget; `min_score` keeps it from being chosen.

        Parameters
        ----------
        max_features : int, default=None
            Largest number of input features.
        max_neurons : int, default=None
            Largest number of hidden neurons.
        max_parameters : int, default=None
            Largest number of weights and biases that are not zero.
        min_score : float, default=None
            Smallest validation score.

        Returns
        -------
        estimator : estimator
            The fitted and pruned estimator, one of ``estimators``.

        Raises
        ------
        ValueError
            If no model of the path is within the budget, or `min_score` is given and
            the path has no scores.
        """
        if min_score is not None and self.scores is None:
            raise ValueError(
                "min_score needs a path with scores: pass X_val and y_val to "
                "regularization_path."
            )
        largest = {
            "features": (self.n_active_features, max_features),
            "neurons": (self.n_active_neurons, max_neurons),
            "parameters": (self.n_active_parameters, max_parameters),
        }
        within = np.ones(len(self.lams), dtype=bool)
        for counts, budget in largest.values():
            within &= budget is None or counts <= budget
        # A score that is not a number is no score.
        merit = -self.lams
        if self.scores is not None:
            within &= ~np.isnan(self.scores)
            within &= min_score is None or self.scores >= min_score
            merit = self.scores
        if not within.any():
            raise ValueError(self._nothing_within(largest, min_score))
        best = np.flatnonzero(within & (merit == merit[within].max()))
        return self.estimators[best[self.n_active_parameters[best].argmin()]]

    def _nothing_within(self, largest, min_score):
        asked = [
            f"at most {budget} {what}"
            for what, (_, budget) in largest.items()
            if budget is not None
        ]
        has = [
            f"{counts.min()} to {counts.max()} {what}"
            for what, (counts, _) in largest.items()
        ]
        if min_score is not None:
            asked.append(f"a score of at least {min_score:g}")
        if self.scores is not None:
            scores = self.scores[~np.isnan(self.scores)]
            low, high = scores.min(initial=np.inf), scores.max(initial=-np.inf)
            has.append(f"scores from {low:.3g} to {high:.3g}")
        return (
            f"No model of the path has {', '.join(asked) or 'a score'}. The models "
            f"have {', '.join(has)}."
        )

    def order_of_entry(self) -> np.ndarray:
        """List the features in the order in which they enter as `lam` falls.

        Returns
        -------
        names : ndarray of str of shape (n_entering,)
            Names of the features; of those that enter together, the stronger one comes
            first. Features that are in none of the models are left out. A feature that
            leaves again counts from where it first entered.
        """
        inside = self.feature_strengths > 0
        entering = np.flatnonzero(inside.any(axis=0))
        entry = inside[:, entering].argmax(axis=0)
        strength = self.feature_strengths[entry, entering]
        return self.feature_names[entering[np.lexsort((-strength, entry))]]

    def __repr__(self) -> str:
        columns = {
            "lam": [f"{lam:.3g}" for lam in self.lams],
            "features": self.n_active_features,
            "neurons": self.n_active_neurons,
            "parameters": self.n_active_parameters,
            "objective": [f"{objective:.4g}" for objective in self.objectives],
        }
        if self.scores is not None:
            columns["score"] = [f"{score:.3f}" for score in self.scores]
        lines = ["".join(f"{name:>11}" for name in columns)]
        lines += [
            "".join(f"{value!s:>11}" for value in row)
            for row in zip(*columns.values(), strict=True)
        ]
        if len(self.lams) > 2 * ROWS_SHOWN:
            lines[1 + ROWS_SHOWN : -ROWS_SHOWN] = [f"{'...':>11}" * len(columns)]
        return "\n".join(lines)


@validate_params(
    {
        "lams": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "warm_start": ["boolean"],
        "n_jobs": [Integral, None],
        "stack_memory": [Interval(Real, 0, None, closed="neither")],
    },
    prefer_skip_nested_validation=False,
)
@np.errstate(under="ignore")
def regularization_path(
    estimator,
    X,
    y,
    *,
    lams=20,
    sample_weight=None,
    X_val=None,
    y_val=None,
    sample_weight_val=None,
    scoring=None,
    warm_start=False,
    n_jobs=None,
    stack_memory=1e9,
):
    """Fit one estimator for each of many values of `lam`, all at once.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package; its `lam`, `warm_start`, `verbose` and callbacks
        do not matter. It is not changed. Of a `Pipeline`, pass the last step, and X as
        the earlier steps transform it.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The input data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.
    lams : int or array-like of shape (n_lams,), default=20
        Values of `lam`, or how many of them: log-spaced, from the smallest one that
        leaves no feature down to a thousandth of it. For a linear model whose penalty
        has a finite slope at zero, that one is exact. Otherwise it is an estimate, the
        smallest of 20 log-spaced values whose model is empty after 5 epochs.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.
    X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
        Rows to score the models on. An estimator with ``early_stopping=True`` also
        stops early on them.
    y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
        Their target.
    sample_weight_val : array-like of shape (n_val,), default=None
        Their weights.
    scoring : str or callable, default=None
        How to score, see `sklearn.metrics.get_scorer_names`; a callable is called as
        ``scoring(estimator, X, y)``. None: the `score` method of the estimator. A
        model on which it fails has the score nan.
    warm_start : bool, default=False
        Whether to fit from the smallest `lam` up, each model from the weights of the
        one before it. Then the models are fitted one after the other; small networks
        mostly come out better, as their zeros come late. Linear models with a solver
        for full batches go from the largest `lam` down in any case and, if the penalty
        is convex, each from the solution of the one before.
    n_jobs : int, default=None
        Number of threads; under `joblib.parallel_config` with a backend of processes,
        the number of processes. None means 1 unless `joblib.parallel_config` says
        otherwise, -1 all processors.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time, by an estimate. More
        of them are trained in several runs, with the same results.

    Returns
    -------
    path : RegularizationPath
        The models in the order of decreasing `lam`. Models whose fit failed are left
        out with a warning; so are those that an interrupt left untrained.

    See Also
    --------
    GroupSparseMLPClassifierCV : Chooses `lam` by cross-validation.
    skgroupnet.plotting.RegularizationPathDisplay : Draws a path.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.model_selection import train_test_split
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseLogisticRegression
    >>> from skgroupnet.model_selection import regularization_path
    >>> data = load_breast_cancer()
    >>> X, X_val, y, y_val = train_test_split(
    ...     scale(data.data), data.target, random_state=0)
    >>> path = regularization_path(
    ...     GroupSparseLogisticRegression(), X, y, lams=5, X_val=X_val, y_val=y_val)
    >>> path
            lam   features    neurons parameters  objective      score
          0.384          0          0          1     0.6607      0.629
         0.0683          4          0          5     0.3811      0.951
         0.0121         10          0         11     0.1748      0.972
        0.00216         14          0         15    0.08447      0.944
       0.000384         19          0         20    0.04556      0.937
    >>> model = path.select(max_features=5)
    >>> model.n_active_features_
    4
    >>> path.order_of_entry()[:4].tolist()
    ['x27', 'x20', 'x7', 'x21']
    """
    _check_arguments(estimator, X_val, y_val, sample_weight_val, scoring)
    if warm_start or isinstance(lams, Integral):
        check_fit(estimator, "regularization_path, unless lams are given,")
    X, y, X_val = as_csr(X), as_csr(y, "y"), as_csr(X_val, "X_val")
    resources = {"n_jobs": n_jobs, "stack_memory": stack_memory}
    values = lam_grid(lams, estimator, X, y, sample_weight, **resources)
    params = {} if sample_weight is None else {"sample_weight": sample_weight}
    if X_val is not None and estimator.get_params().get("early_stopping"):
        params |= {"X_val": X_val, "y_val": y_val}
        params |= {"sample_weight_val": sample_weight_val}
    if has_own_fit(estimator):
        own = [clone(estimator).set_params(lam=lam) for lam in values.tolist()]
        fits = [fit_alone(Fitting(model, X, y, None, params)) for model in own]
    elif warm_start and not estimator._solved_in_turn:
        fits = _one_after_the_other(estimator, values, X, y, params)
    else:
        chain = "path" if estimator._solved_in_turn else None
        fits = fit_together(
            [
                Fitting(clone(estimator).set_params(lam=lam), X, y, None, params, chain)
                for lam in values.tolist()
            ],
            **resources,
        )
    check_failures(fits)
    if was_interrupted(fits):
        warnings.warn(INTERRUPTED, UserWarning, stacklevel=3)
    models = [fit.estimator for fit in fits if fit.error is None]
    scores = None
    if X_val is not None:
        scorer = check_scoring(estimator, scoring)
        scores = _scores(scorer, models, X_val, y_val, sample_weight_val)
    asked = {"warm_start": estimator.warm_start}
    return _path([model.prune().set_params(**asked) for model in models], scores)


def _scores(scorer, models, X, y, sample_weight):
    weight = weight_for(scorer, sample_weight)
    scores = Scores(scorer)
    values = np.array([scores.of(model, X, y, weight) for model in models])
    scores.check()
    return values


def _check_arguments(estimator, X_val, y_val, sample_weight_val, scoring):
    is_ours = isinstance(estimator, GroupSparseEstimator)
    if not is_ours or "lam" not in estimator.get_params(deep=False):
        raise TypeError(
            "estimator must be one of this package that has the parameter lam, but is "
            f"{estimator!r}. Of a Pipeline, pass the last step, and X as the earlier "
            "steps transform it."
        )
    if (X_val is None) != (y_val is None):
        absent = "X_val" if X_val is None else "y_val"
        raise ValueError(
            f"X_val and y_val must be given together, but {absent} is missing."
        )
    if X_val is None and (scoring is not None or sample_weight_val is not None):
        raise ValueError(
            "scoring and sample_weight_val are for validation rows, but X_val is "
            "missing."
        )


def _one_after_the_other(estimator, lams, X, y, params):
    """Fit from the smallest lam up, each model from the weights of the last one."""
    last = clone(estimator).set_params(warm_start=True)
    fits: list[Fitted] = []
    for lam in lams[::-1].tolist():
        model = copy.copy(last).set_params(lam=lam)
        (fit,) = fit_together([Fitting(model, X, y, None, params)])
        fits.append(fit)
        if fit.error is None:
            last = fit.estimator
        if was_interrupted([fit]):
            break
    return fits[::-1]


def _path(models, scores):
    return RegularizationPath(
        lams=np.array([model.lam for model in models], dtype=np.float64),
        estimators=tuple(models),
        scores=scores,
        n_active_neurons=np.array([model.n_active_neurons_ for model in models]),
        n_active_features=np.array([model.n_active_features_ for model in models]),
        n_active_parameters=np.array([model.n_active_parameters_ for model in models]),
        objectives=np.array([model.loss_ for model in models]),
        feature_names=_check_feature_names_in(models[0]),
        feature_strengths=np.array([model.feature_importances_ for model in models]),
    )
