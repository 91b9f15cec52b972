"""What displays read from a fitted estimator: its network and the names around it."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection._search import BaseSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted


def fitted_network(estimator):
    """Find the estimator that holds the network.

    Parameters
    ----------
    estimator : estimator, Pipeline or search
        One of ours, a pipeline that ends in one, or a search that found one of these.

    Returns
    -------
    estimator
        The last step of a pipeline, or the estimator itself; it is fitted.
    """
    estimator = _found(estimator)
    network = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    check_is_fitted(network)
    return network


def _found(estimator):
    """Best estimator of a search; any other estimator is itself."""
    if not isinstance(estimator, BaseSearchCV):
        return estimator
    check_is_fitted(estimator, "best_estimator_")
    return estimator.best_estimator_


def names_of_features(estimator, names=None):
    """Name the inputs of the network.

    Parameters
    ----------
    estimator : estimator or Pipeline
        As in `fitted_network`.
    names : array-like of str of shape (n_features_in_,), default=None
        The names, if the user gives them.

    Returns
    -------
    ndarray of str of shape (n_features_in_,)
        Else those that the estimator was fitted with, those that come out of the
        steps before it, or "x0", "x1", and so on.
    """
    estimator, network = _found(estimator), fitted_network(estimator)
    if names is not None:
        return _checked(names, network.n_features_in_, "feature_names", "features")
    named = "feature_names_in_" in vars(network)
    if not named and isinstance(estimator, Pipeline) and len(estimator) > 1:
        try:
            return np.asarray(estimator[:-1].get_feature_names_out(), dtype=str)
        except (AttributeError, ValueError):
            # A step before the network cannot name what it returns.
            pass
    return np.asarray(_check_feature_names_in(network), dtype=str)


def names_of_outputs(estimator, names=None):
    """Name the outputs of the network.

    Parameters
    ----------
    estimator : estimator or Pipeline
        As in `fitted_network`.
    names : array-like of str of shape (n_outputs_,), default=None
        The names, if the user gives them.

    Returns
    -------
    ndarray of str of shape (n_outputs_,)
        Else the classes (of two classes the second, whose log-odds the one output is),
        or "y", or "y0", "y1", and so on.
    """
    network = fitted_network(estimator)
    n_outputs = network.n_outputs_
    if names is not None:
        return _checked(names, n_outputs, "output_names", "outputs")
    if is_classifier(network):
        return network.classes_[-n_outputs:].astype(str)
    return np.array(["y"] if n_outputs == 1 else [f"y{i}" for i in range(n_outputs)])


def _checked(names, n, parameter, things):
    names = np.asarray(names, dtype=str)
    if names.shape != (n,):
        raise ValueError(
            f"{parameter} must hold one name for each of the {n} {things}, but has the "
            f"shape {names.shape}."
        )
    return names


def name_of_score(estimator, scoring=None):
    """Name what an estimator is scored by.

    Parameters
    ----------
    estimator : estimator
        The estimator.
    scoring : str, callable or None, default=None
        As for `sklearn.metrics.check_scoring`; None is the estimator's own score.

    Returns
    -------
    str
    """
    if isinstance(scoring, str):
        return scoring.replace("neg_", "negative ").replace("_", " ")
    if scoring is not None:
        return "score"
    return "accuracy" if is_classifier(estimator) else "R²"
