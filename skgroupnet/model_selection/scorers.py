"""Scores of many models: weights and classes for the scorer, models it fails on."""

import warnings
from collections.abc import Callable, Mapping
from copy import copy
from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import is_classifier


def weight_for(scorer: Callable[..., float], sample_weight: Any) -> dict[str, Any]:
    """Pass weights of rows to a scorer that takes them, warn if it does not.

    Parameters
    ----------
    scorer : callable
        Called as ``scorer(estimator, X, y, **params)``.
    sample_weight : array-like of shape (n_samples,) or None
        The weights, if there are any.

    Returns
    -------
    dict
        What to pass to the scorer: ``sample_weight`` or nothing.
    """
    if sample_weight is None:
        return {}
    # A scorer of scikit-learn takes weights whether its metric does or not.
    accepts = getattr(
        scorer,
        "_accept_sample_weight",
        lambda: "sample_weight" in signature(scorer).parameters,
    )
    if accepts():
        return {"sample_weight": sample_weight}
    warnings.warn(
        f"The scoring {scorer} does not take sample_weight: the fits are weighted, "
        "but their scores are not.",
        UserWarning,
        stacklevel=2,
    )
    return {}


class Scores:
    """Scores models; the score of one on which the scorer fails is nan.

    Parameters
    ----------
    scorer : callable
        Called as ``scorer(estimator, X, y, **params)``.
    """

    def __init__(self, scorer: Callable[..., float]) -> None:
        self._scorer = scorer
        self._errors: list[Exception] = []
        self._n_models = 0

    def of(self, model: Any, X: Any, y: Any, params: Mapping[str, Any]) -> float:
        """Score a model.

        Parameters
        ----------
        model : estimator
            A fitted estimator of this package.
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Their target. It may lack classes.
        params : mapping
            What else the scorer takes.

        Returns
        -------
        float
            The score, nan if the scorer failed.
        """
        self._n_models += 1
        try:
            return float(
                _knowing_classes(self._scorer, model, y)(model, X, y, **params)
            )
        except Exception as error:
            self._errors.append(error)
            return np.nan

    def check(self) -> None:
        """Raise the error of a scorer that always failed, warn if it sometimes did."""
        if not self._errors:
            return
        first = self._errors[0]
        if len(self._errors) == self._n_models:
            first.add_note(
                f"The scorer failed on all of the {self._n_models} models; this is the "
                "first error."
            )
            raise first
        warnings.warn(
            f"The scorer failed on {len(self._errors)} of {self._n_models} models, "
            "whose score is nan. The first error: "
            f"{type(first).__name__}: {first}",
            UserWarning,
            stacklevel=2,
        )


def _knowing_classes(scorer, model, y):
    """Tell a scorer that takes the labels of all classes those that y lacks.

    As in `sklearn.linear_model.LogisticRegressionCV`: without them, a metric of
    probabilities fails on rows that lack a class.
    """
    metric = getattr(scorer, "_score_func", None)
    takes_labels = (
        metric is not None
        and "labels" in signature(metric).parameters
        and "labels" not in scorer._kwargs
    )
    if not takes_labels or not is_classifier(model) or model._is_multilabel:
        return scorer
    if np.isin(model.classes_, np.asarray(y)).all():
        return scorer
    knowing = copy(scorer)
    knowing._kwargs = {**scorer._kwargs, "labels": model.classes_}
    return knowing
