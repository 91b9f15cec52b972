"""Searches over classes that fit in a way of their own: scikit-learn's results."""

import warnings

import numpy as np
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseMLPRegressor,
)
from skgroupnet.estimators.mlp import GroupSparseMLP
from skgroupnet.model_selection import (
    BatchedGridSearchCV,
    BatchedRandomizedSearchCV,
    GroupSparseLinearRegressionCV,
    regularization_path,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_diabetes(return_X_y=True)
X, Y = scale(X)[:150], Y[:150] / 100
WEIGHT = np.linspace(0, 2, len(Y))
GRID = {"lam": [1e-3, 1e-1]}


class OfLogarithm(GroupSparseLinearRegression):
    def fit(self, X, y, sample_weight=None):
        return super().fit(X, np.log(y), sample_weight)

    def predict(self, X):
        return np.exp(super().predict(X))


class OfScaledTarget(GroupSparseMLPRegressor):
    def __init__(self, lam=1e-3, max_iter=5, random_state=0):
        super().__init__(
            (6,), learning_rate_init=0.05, max_iter=max_iter, random_state=random_state
        )
        self.lam = lam

    def fit(self, X, y, sample_weight=None):
        self.mean_ = np.mean(y)
        return super().fit(X, y - self.mean_, sample_weight)

    def predict(self, X):
        return super().predict(X) + self.mean_


class WithInnerFit(GroupSparseLinearRegression):
    def _fit(self, X, y, sample_weight, validation=None):
        return super()._fit(X, y + 5 * X[:, 0] ** 2, sample_weight, validation)


class WithOwnScore(GroupSparseLinearRegression):
    def predict(self, X):
        return super().predict(X) + 1

    def score(self, X, y, sample_weight=None):
        return -np.abs(self.predict(X) - y).max()


class WithOwnPlan(GroupSparseLinearRegression):
    def _plan(self, *args, **kwargs):
        self.fit_intercept = False
        return super()._plan(*args, **kwargs)


class LogPipeline(Pipeline):
    def fit(self, X, y, **params):
        return super().fit(X, np.log(y), **params)


def assert_same_search(estimator, grid=None, n_jobs=None, **fit_params):
    grid = GRID if grid is None else grid
    expected = GridSearchCV(estimator, grid, cv=3).fit(X, Y, **fit_params)
    search = BatchedGridSearchCV(estimator, grid, cv=3, n_jobs=n_jobs)
    search.fit(X, Y, **fit_params)
    for fold in range(3):
        key = f"split{fold}_test_score"
        np.testing.assert_allclose(
            search.cv_results_[key], expected.cv_results_[key], rtol=1e-6
        )
    assert search.best_params_ == expected.best_params_
    np.testing.assert_allclose(search.predict(X), expected.predict(X), rtol=1e-5)
    assert type(search.best_estimator_) is type(expected.best_estimator_)
    return search


@pytest.mark.parametrize(
    "estimator",
    [OfLogarithm(), OfScaledTarget(), WithInnerFit(), WithOwnScore(), WithOwnPlan()],
    ids=lambda estimator: type(estimator).__name__,
)
def test_scores_of_a_subclass(estimator):
    assert_same_search(estimator)
    assert_same_search(estimator, sample_weight=WEIGHT)


def test_a_subclass_behind_other_steps():
    final = [GroupSparseLinearRegression(), OfLogarithm()]
    pipeline = Pipeline([("scale", StandardScaler()), ("model", final[0])])
    assert_same_search(pipeline, {"model": final, "model__lam": [0.01, 0.1]})
    assert_same_search(LogPipeline(pipeline.steps), {"model__lam": [0.01, 0.1]})


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_a_subclass_in_several_workers(backend):
    with parallel_config(backend):
        assert_same_search(OfScaledTarget(), n_jobs=2)


def test_a_random_search_of_a_subclass():
    search = BatchedRandomizedSearchCV(OfLogarithm(), GRID, n_iter=2, cv=3).fit(X, Y)
    expected = GridSearchCV(OfLogarithm(), GRID, cv=3).fit(X, Y)
    assert search.best_score_ == pytest.approx(expected.best_score_, rel=1e-6)


def test_a_subclass_whose_fit_fails():
    class Failing(OfLogarithm):
        def fit(self, X, y, sample_weight=None):
            if self.lam > 0.01:
                raise ValueError("too strong")
            return super().fit(X, y, sample_weight)

    expected = GridSearchCV(OfLogarithm(), GRID, cv=3).fit(X, Y)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search = BatchedGridSearchCV(Failing(), GRID, cv=3).fit(X, Y)
    messages = "".join(str(warning.message) for warning in caught)
    assert "3 fits failed out of a total of 6" in messages
    assert "too strong" in messages
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] == pytest.approx(expected.cv_results_["mean_test_score"][0])
    assert np.isnan(scores[1])
    assert search.best_params_ == {"lam": 1e-3}
    with pytest.raises(ValueError, match="too strong"):
        BatchedGridSearchCV(Failing(), GRID, cv=3, error_score="raise").fit(X, Y)


def test_fit_replaced_on_the_class(monkeypatch):
    inner = GroupSparseMLP.fit

    def fit(self, X, y, sample_weight=None):
        return inner(self, X, np.log(y), sample_weight)

    monkeypatch.setattr(GroupSparseMLP, "fit", fit)
    assert_same_search(GroupSparseMLPRegressor((4,), max_iter=5, random_state=0))


def test_fit_replaced_on_the_instance_is_lost_in_a_clone():
    estimator = GroupSparseLinearRegression()
    estimator.fit = lambda X, y: 1 / 0
    assert_same_search(estimator)


@pytest.mark.parametrize("own", [OfLogarithm(), OfScaledTarget(), WithInnerFit()])
def test_a_path_refuses_a_fit_of_its_own(own):
    message = f"unless lams are given, .* the fit that {type(own).__name__} has"
    with pytest.raises(TypeError, match=message):
        regularization_path(own, X, Y)


def test_a_path_with_given_lams_calls_a_fit_of_its_own():
    path = regularization_path(OfLogarithm(), X, Y, lams=[0.1, 0.01], X_val=X, y_val=Y)
    alone = [OfLogarithm(lam=lam).fit(X, Y).score(X, Y) for lam in (0.1, 0.01)]
    np.testing.assert_allclose(path.scores, alone, rtol=1e-12)


def test_a_cross_validation_refuses_a_fit_of_its_own():
    class OfLogarithmCV(GroupSparseLinearRegressionCV):
        _plain = OfLogarithm

    with pytest.raises(TypeError, match="OfLogarithmCV .* the fit that OfLogarithm"):
        OfLogarithmCV().fit(X, Y)


def test_a_path_takes_a_subclass_with_other_predictions():
    path = regularization_path(WithOwnScore(), X, Y, lams=[0.1, 0.01], X_val=X, y_val=Y)
    alone = [WithOwnScore(lam=lam).fit(X, Y).score(X, Y) for lam in (0.1, 0.01)]
    np.testing.assert_allclose(path.scores, alone, rtol=1e-4)


@pytest.mark.parametrize(
    ("wrapper", "grid"),
    [
        (
            TransformedTargetRegressor(GroupSparseLinearRegression(), func=np.log),
            {"regressor__lam": [0.1]},
        ),
        (
            CalibratedClassifierCV(GroupSparseLogisticRegression()),
            {"estimator__lam": [0.1]},
        ),
        (
            GridSearchCV(GroupSparseLinearRegression(), GRID),
            {"estimator__lam": [0.1]},
        ),
        (make_pipeline(LinearRegression()), {"memory": [None]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_wrappers_are_refused(wrapper, grid):
    with pytest.raises(
        TypeError, match="trains estimators of skgroupnet, or pipelines"
    ):
        BatchedGridSearchCV(clone(wrapper), grid).fit(*load_iris(return_X_y=True))


@pytest.mark.parametrize("regressor", [GroupSparseLinearRegression(), OfLogarithm()])
def test_a_search_within_a_wrapper(regressor):
    """What wrappers hold may be a batched search."""
    searches = [
        TransformedTargetRegressor(
            kind(regressor, GRID, cv=3), func=np.log1p, inverse_func=np.expm1
        ).fit(X, Y)
        for kind in (BatchedGridSearchCV, GridSearchCV)
    ]
    predictions = [search.predict(X) for search in searches]
    np.testing.assert_allclose(*predictions, rtol=1e-5)
