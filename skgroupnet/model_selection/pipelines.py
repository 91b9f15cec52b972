"""Pipelines that end in one of ours: their earlier steps fitted apart from the last."""

import time
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.validation import _check_method_params


@dataclass(frozen=True, eq=False)
class Data:
    """What a search was given to fit to.

    Parameters
    ----------
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        All rows.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    fit_params : mapping
        What is routed to `fit` of the estimator; values with a number for every row
        belong to the rows.
    """

    X: Any
    y: Any
    fit_params: Mapping[str, Any]

    def params_of(self, rows: np.ndarray) -> dict[str, Any]:
        """Take the fit parameters of some rows, as scikit-learn does.

        Parameters
        ----------
        rows : ndarray of int
            Row numbers.

        Returns
        -------
        dict
        """
        return _check_method_params(self.X, params=self.fit_params, indices=rows)


@dataclass(frozen=True, eq=False)
class Arrival:
    """What arrives at the final estimator in one fold.

    Parameters
    ----------
    X, y, rows, fit_params
        As in `Fitting`.
    pipeline : Pipeline, default=None
        The pipeline whose earlier steps are fitted; None for a bare estimator.
    error : Exception, default=None
        Why the earlier steps could not be fitted; nothing arrives then.
    seconds : float, default=0.0
        What fitting the earlier steps took.
    """

    X: Any = None
    y: Any = None
    rows: np.ndarray | None = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    pipeline: Any = None
    error: Exception | None = None
    seconds: float = 0.0


class Goal(BaseEstimator):
    """Takes the place of a final estimator and keeps what arrives there.

    Parameters
    ----------
    estimator : estimator
        The final estimator, which decides what metadata is routed to it.
    """

    def __init__(self, estimator):
        self.estimator = estimator

    def get_metadata_routing(self):
        """Tell what metadata the final estimator asks for.

        Returns
        -------
        MetadataRequest
        """
        return get_routing_for_object(self.estimator)

    def fit(self, X, y, **fit_params):
        """Keep what arrives.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The transformed rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their targets.
        **fit_params : dict
            Metadata for the final estimator.

        Returns
        -------
        self : object
        """
        self.arrival_ = {"X": X, "y": y, "fit_params": fit_params}
        return self


def final_step(estimator: Any) -> tuple[str, Any]:
    """Find the estimator in which pipelines end.

    Parameters
    ----------
    estimator : estimator
        A `Pipeline`, whose last step may be one again, or a bare estimator.

    Returns
    -------
    path : str
        Its name as a parameter, like ``"clf"`` or ``"inner__clf"``; ``""`` for a bare
        estimator.
    final : estimator
        The estimator.
    """
    names = []
    while isinstance(estimator, Pipeline) and estimator.steps:
        name, estimator = estimator.steps[-1]
        names.append(name)
    return "__".join(names), estimator


def with_final_step(pipeline: Any, final: Any) -> Any:
    """Copy a pipeline with another final estimator; its other steps are shared.

    Parameters
    ----------
    pipeline : Pipeline or other
        Where `final` goes; anything but a `Pipeline` is replaced by it.
    final : estimator
        The estimator to end in.

    Returns
    -------
    estimator
    """
    if not isinstance(pipeline, Pipeline):
        return final
    copied = copy(pipeline)
    name, last = pipeline.steps[-1]
    copied.steps = [*pipeline.steps[:-1], (name, with_final_step(last, final))]
    return copied


def arrive(
    estimator: Any, data: Data, rows: np.ndarray, alone: bool = False
) -> Arrival:
    """Bring rows to the final estimator.

    Parameters
    ----------
    estimator : estimator
        A `Pipeline`, whose earlier steps are fitted to the rows, or a bare estimator.
    data : Data
        All rows.
    rows : ndarray of int
        Numbers of the rows to fit to.
    alone : bool, default=False
        Whether nothing but these rows is to arrive.

    Returns
    -------
    Arrival
    """
    path, final = final_step(estimator)
    if path:
        return _through_steps(clone(estimator), Goal(final), path, data, rows)
    fit_params = data.params_of(rows)
    weight = data.fit_params.get("sample_weight")
    judged = weight is not None and fit_params["sample_weight"] is weight
    if alone or judged:
        # Not a number for every row: `fit` itself is to judge it.
        X, y = _safe_split(estimator, data.X, data.y, rows)
        return Arrival(X, y, fit_params=fit_params)
    if weight is not None:
        fit_params["sample_weight"] = weight
    return Arrival(data.X, data.y, rows, fit_params)


def _through_steps(pipeline, goal, path, data, rows):
    """Let `Pipeline.fit` fit the earlier steps, route metadata and use its memory."""
    X, y = _safe_split(pipeline, data.X, data.y, rows)
    pipeline.set_params(**{path: goal})
    start = time.perf_counter()
    try:
        pipeline.fit(X, y, **data.params_of(rows))
    except Exception as error:
        return Arrival(error=error, seconds=time.perf_counter() - start)
    seconds = time.perf_counter() - start
    # The goal holds the transformed rows, which are not needed after training.
    fitted = with_final_step(pipeline, goal.estimator)
    return Arrival(**goal.arrival_, pipeline=fitted, seconds=seconds)
