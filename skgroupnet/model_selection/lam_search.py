"""Cross-validation of lam: all fits of all folds at once, the choice, and the refit."""

import warnings
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.base import _fit_context, clone, is_classifier
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _raise_for_params,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.validation import (
    _check_method_params,
    _check_sample_weight,
    _num_samples,
)

from skgroupnet.estimators.base import WRITTEN_BY_VALIDATION, GroupSparseEstimator
from skgroupnet.model_selection.lams import lam_grid
from skgroupnet.model_selection.outcomes import (
    check_failures,
    was_interrupted,
)
from skgroupnet.model_selection.progress import SearchProgress
from skgroupnet.model_selection.scorers import Scores, weight_for
from skgroupnet.model_selection.together import Fitting, check_fit, fit_together
from skgroupnet.sparse import as_csr

# Attributes of the search, and what they count in the model of each lam and fold.
N_PARAMETERS = "n_active_parameters_path_"
COUNTS = {
    "n_active_neurons_path_": "n_active_neurons_",
    "n_active_features_path_": "n_active_features_",
    N_PARAMETERS: "n_active_parameters_",
}


def search_constraints(constraints: dict) -> dict:
    """Constraints on the parameters of a search, from those of the plain estimator.

    Parameters
    ----------
    constraints : dict
        The ``_parameter_constraints`` of the estimator with one `lam`.

    Returns
    -------
    dict
    """
    shared = {
        name: constraint
        for name, constraint in constraints.items()
        if name not in ("lam", "warm_start")
    }
    return shared | {
        "lams": [Interval(Integral, 1, None, closed="left"), "array-like"],
        "cv": ["cv_object"],
        "scoring": [StrOptions(set(get_scorer_names())), callable, None],
        "selection": [StrOptions({"best", "1se"})],
        "refit": ["boolean"],
        "n_jobs": [Integral, None],
        "stack_memory": [Interval(Real, 0, None, closed="neither")],
    }


def choose(scores: np.ndarray, n_parameters: np.ndarray, selection: str) -> int:
    """Choose a lam by its scores.

    Parameters
    ----------
    scores : ndarray of shape (n_lams, n_folds)
        Scores, larger is better, in the order of decreasing lam; a lam whose mean is
        nan is not chosen.
    n_parameters : ndarray of shape (n_lams, n_folds)
        Number of active parameters.
    selection : {"best", "1se"}
        "best" takes the highest mean score; "1se" the fewest mean parameters among
        the lams whose mean score is at most one standard error below the highest.
        Among equals, both take the largest lam.

    Returns
    -------
    int
        Number of the lam.
    """
    mean = scores.mean(axis=1)
    best = int(np.nanargmax(mean))
    if selection == "best":
        return best
    n_folds = scores.shape[1]
    error = scores[best].std(ddof=1) / np.sqrt(n_folds) if n_folds > 1 else 0.0
    near = np.flatnonzero(mean >= mean[best] - error)
    return int(near[n_parameters[near].mean(axis=1).argmin()])


class LamSearch(GroupSparseEstimator):
    """What the estimators that cross-validate lam share, next to a plain estimator.

    A final class has the parameters of the plain estimator, but for `lam` and
    `warm_start`, and those of the search. It does what the plain estimator does by
    taking over the fitted attributes of one.
    """

    # The estimator with one lam, and the scoring that its method `score` stands for.
    _plain: Any
    _default_scoring: str

    @_fit_context(prefer_skip_nested_validation=True)
    @np.errstate(under="ignore")
    def fit(self, X, y, sample_weight=None, **params):
        """Choose lam by cross-validation, and fit to all rows with it.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, in the fits and, if `scoring` takes them, in the
            scores.
        **params : dict
            ``groups`` of the rows for the splitter `cv`. With metadata routing
            enabled, parameters of the splitter and the scorer.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X, y = indexable(as_csr(X), as_csr(y, "y"))
        plain = self._plain_estimator()
        check_fit(plain, type(self).__name__)
        # The errors of the data, before anything is trained.
        plain._sample(plain._validated(X, y, sample_weight))
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, X, dtype=np.float64)
        routed = self._routed(sample_weight, params)
        splits = self._splits(X, y, routed["splitter"]["split"])
        resources = {"n_jobs": self.n_jobs, "stack_memory": self.stack_memory}
        lams = lam_grid(self.lams, plain, X, y, sample_weight, **resources)
        progress = SearchProgress(self, X, y, sample_weight)
        fit_params = {} if sample_weight is None else {"sample_weight": sample_weight}
        fittings = [
            Fitting(
                clone(plain).set_params(lam=lam),
                X,
                y,
                train,
                fit_params,
                fold if plain._solved_in_turn else None,
                all_classes=True,
            )
            for lam in lams.tolist()
            for fold, (train, _) in enumerate(splits)
        ]
        fits = fit_together(
            fittings, watch=progress.watch(), certify=False, **resources
        )
        progress.end_folds()
        check_failures(fits)
        results = self._results(fits, X, y, splits, routed["scorer"]["score"])
        results["lams_"] = lams
        results |= self._chosen(plain, results, fits, progress, fit_params)
        with self._unchanged_on_error():
            self._take_over(results)
            progress.close("coefs_" in results)
        return self

    @np.errstate(under="ignore")
    def score(self, X, y, sample_weight=None, **params):
        """Score the predictions with the scoring that chose lam.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        **params : dict
            With metadata routing enabled, further parameters of the scorer.

        Returns
        -------
        score : float
            The score, larger is better.
        """
        if _routing_enabled():
            routed = process_routing(
                self, "score", sample_weight=sample_weight, **params
            )
            return self._scorer()(self, X, y, **routed["scorer"]["score"])
        _raise_for_params(params, self, "score")
        weight = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._scorer()(self, X, y, **weight)

    def get_metadata_routing(self):
        """Get metadata routing of this object.

        Returns
        -------
        routing : MetadataRouter
            Sends metadata of `fit` to the splitter and to the scorer, and those of
            `score` to the scorer.
        """
        to_splitter = MethodMapping().add(caller="fit", callee="split")
        to_scorer = MethodMapping().add(caller="fit", callee="score")
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(splitter=self.cv, method_mapping=to_splitter)
            .add(
                scorer=self._scorer(),
                method_mapping=to_scorer.add(caller="score", callee="score"),
            )
        )

    def _scorer(self):
        return get_scorer(self.scoring or self._default_scoring)

    def _routed(self, sample_weight, params):
        """Parameters of `fit` for the splitter and the scorer."""
        if _routing_enabled():
            return process_routing(self, "fit", sample_weight=sample_weight, **params)
        _raise_for_params(params, self, "fit", allow=["groups"])
        return {
            "splitter": {"split": {"groups": params.get("groups")}},
            "scorer": {"score": weight_for(self._scorer(), sample_weight)},
        }

    def _splits(self, X, y, params):
        """Row numbers of the folds, to train on and to score on."""
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        numbers = np.arange(_num_samples(X))
        try:
            folds = list(cv.split(X, y, **params))
        except ValueError as error:
            raise ValueError(
                f"cv={self.cv!r} cannot split the {len(numbers)} rows: {error}"
            ) from error
        splits = [(numbers[train], numbers[test]) for train, test in folds]
        if not splits:
            raise ValueError(
                f"cv must give at least one fold, but {self.cv!r} is empty."
            )
        return splits

    def _plain_estimator(self):
        """Make the estimator with one lam; what it prints would be mixed up."""
        own = self.get_params(deep=False)
        names = set(self._plain._get_param_names()) & set(own)
        shared = {name: own[name] for name in names}
        return self._plain(**shared | {"verbose": False})

    def _results(self, fits, X, y, splits, score_params):
        """Scores and counts of all models, nan where there is no model."""
        shape = len(fits) // len(splits), len(splits)
        results = {name: np.full(shape, np.nan) for name in ("scores_", *COUNTS)}
        scores = Scores(self._scorer())
        for fold, (_, test) in enumerate(splits):
            X_test, y_test = _safe_indexing(X, test), _safe_indexing(y, test)
            params = _check_method_params(X, score_params, indices=test)
            for number, fit in enumerate(fits[fold :: len(splits)]):
                if fit.error is not None:
                    continue
                cell, model = (number, fold), fit.estimator
                results["scores_"][cell] = scores.of(model, X_test, y_test, params)
                for name, attribute in COUNTS.items():
                    results[name][cell] = getattr(model, attribute)
        scores.check()
        return results

    def _chosen(self, plain, results, fits, progress, fit_params):
        """Choose a lam and fit with it; an interrupt leaves that out."""
        scores, interrupted = results["scores_"], was_interrupted(fits)
        # A fold in which nothing could be scored says nothing about any lam.
        counting = ~np.isnan(scores).all(axis=0) | interrupted
        scores, n_parameters = (
            of_all[:, counting] for of_all in (scores, results[N_PARAMETERS])
        )
        if np.isnan(scores.mean(axis=1)).all():
            if interrupted:
                raise KeyboardInterrupt
            raise ValueError(
                "There is no lam with a score in every fold. The scores, one row for "
                f"each lam, are {results['scores_'].tolist()}."
            )
        lam = float(results["lams_"][choose(scores, n_parameters, self.selection)])
        if interrupted:
            warnings.warn(
                "The search was interrupted by the user: lam_ is chosen among what was "
                "trained, and there was no refit.",
                UserWarning,
                stacklevel=4,
            )
        if self.refit and not interrupted:
            model = clone(plain).set_params(lam=lam, verbose=self.verbose)
            progress.refit(model, fit_params)
            fitted = set(vars(model)) - set(model.get_params(deep=False))
        else:
            model = next(fit.estimator for fit in fits if fit.error is None)
            fitted = set(WRITTEN_BY_VALIDATION) & set(vars(model))
        return {"lam_": lam} | {name: vars(model)[name] for name in fitted}

    def _take_over(self, attributes):
        """Replace the attributes of an earlier fit."""
        own = {name: v for name, v in vars(self).items() if not name.endswith("_")}
        self.__dict__ = own | attributes
