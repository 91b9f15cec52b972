"""Where the process makes an error of every underflow, nothing changes."""

from contextlib import contextmanager

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
    GroupSparsePoissonRegressor,
    prune,
)
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path
from skgroupnet.plotting import FeatureImportanceDisplay


@contextmanager
def raising():
    """What importing some packages does to the whole process."""
    before = np.seterr(all="raise")
    try:
        yield
    finally:
        np.seterr(**before)


def draw():
    """Rows whose first column is almost nothing, and whose predictions are far out."""
    X = np.random.RandomState(0).randn(60, 4).astype(np.float32)
    X[:, 0] *= np.float32(1e-30)
    X[:, 1] *= 1e3
    return X, classes(X)


def classes(X):
    """Three of them: softmax takes exponentials of large differences."""
    return np.digitize(X[:, 1], [-500, 500])


SHORT = {"max_iter": 3, "random_state": 0}
MLP = GroupSparseMLPClassifier((4,), lam=1e-4, learning_rate_init=0.5, **SHORT)
LOGISTIC = GroupSparseLogisticRegression(lam=1e-9, max_iter=5)


def arrays(model, X):
    """Everything that a user may read of it."""
    values = [*model.coefs_, *model.intercepts_, model.feature_importances_]
    values += [model.predict(X), model.score(X, classes(X))]
    for name in ("predict_proba", "predict_log_proba"):
        if hasattr(model, name):
            values.append(getattr(model, name)(X))
    display = FeatureImportanceDisplay.from_estimator(model)
    plt.close("all")
    compact = prune(model._network()).network
    return [*values, display.importances, *compact.weights, *compact.biases]


def fit(estimator):
    return lambda X, y: arrays(clone(estimator).fit(X, y), X)


def fit_in_parts(X, y):
    model = clone(MLP)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1, 2])
    return arrays(model, X)


def search(X, y):
    found = BatchedGridSearchCV(MLP, {"lam": [1e-3, 1e-2]}, cv=2).fit(X, y)
    scores = found.cv_results_["mean_test_score"], found.score(X, y)
    return [*arrays(found.best_estimator_, X), *scores]


def path(X, y):
    found = regularization_path(MLP, X, y, lams=[1e-1, 1e-3])
    return [found.objectives, found.feature_strengths, found.n_active_neurons]


WORK = {
    "l2": fit(clone(MLP).set_params(penalty="l2", max_iter=100)),
    "early_stopping": fit(clone(MLP).set_params(early_stopping=True)),
    "regressor": fit(GroupSparseMLPRegressor((4,), activation="relu2", **SHORT)),
    "poisson": fit(GroupSparsePoissonRegressor(lam=1e-3)),
    "logistic": fit(LOGISTIC),
    "cv": fit(GroupSparseLogisticRegressionCV(lams=[1e-2, 1e-9], cv=2, max_iter=5)),
    "partial_fit": fit_in_parts,
    "search": search,
    "path": path,
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("work", WORK)
def test_errors_for_underflow_change_nothing(work):
    X, y = draw()
    expected = WORK[work](X, y)
    with raising():
        found = WORK[work](X, y)
        with pytest.raises(FloatingPointError):
            np.float64(1e-300) * np.float64(1e-300)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
