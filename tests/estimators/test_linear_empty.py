"""Linear models of which nothing is left, or in which nothing is penalised."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from sklearn.linear_model import LinearRegression

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLinearRegressionCV,
    GroupSparseLogisticRegression,
    GroupSparseLogisticRegressionCV,
    GroupSparsePoissonRegressor,
    GroupSparsePoissonRegressorCV,
    config_context,
)
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path

SOLVERS = ["auto", "fista", "admm"]
FORMS = [np.asarray, csr_array]
NOTHING_LEFT = "ignore:Nothing is left of the model"
pytestmark = pytest.mark.filterwarnings(NOTHING_LEFT)
MODELS = {
    "numbers": (GroupSparseLinearRegression, GroupSparseLinearRegressionCV),
    "classes": (GroupSparseLogisticRegression, GroupSparseLogisticRegressionCV),
    "counts": (GroupSparsePoissonRegressor, GroupSparsePoissonRegressorCV),
}


@pytest.fixture(params=MODELS)
def task(request):
    """The estimator, its CV, X, y, and the intercept of the null model."""
    rng = np.random.RandomState(0)
    X = rng.randn(60, 5) * (rng.rand(60, 5) < 0.5)
    raw = X[:, 0] + rng.randn(60)
    y, link = {
        "numbers": (raw, lambda mean: mean),
        "classes": ((raw > 0.3).astype(int), lambda p: np.log(p / (1 - p))),
        "counts": (rng.poisson(np.exp(raw / 2)), np.log),
    }[request.param]
    return (*MODELS[request.param], X, y, link(y.mean()))


@pytest.mark.parametrize("step", ["auto", "torch"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_strong_penalty_leaves_the_null_model(solver, form, step, task):
    Model, _, X, y, intercept = task
    with config_context(step=step):
        model = Model(lam=10.0, solver=solver).fit(form(X), y)
    assert not model.coef_.any()
    assert_allclose(np.ravel(model.intercept_), intercept, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_searches_begin_with_the_null_model(form, task):
    Model, ModelCV, X, y, _ = task
    assert np.isfinite(ModelCV(lams=5, cv=3).fit(form(X), y).lam_)
    path = regularization_path(Model(), form(X), y, lams=4)
    assert not path.estimators[0].coef_.any() and path.estimators[-1].coef_.any()
    grid = {"lam": [10.0, 0.01]}
    search = BatchedGridSearchCV(Model(), grid, cv=3).fit(form(X), y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("penalty", ["group_lasso", "l2", "none"])
def test_rows_of_zeros(penalty, solver, form, task):
    Model, _, X, y, intercept = task
    model = Model(penalty=penalty, solver=solver).fit(form(0 * X), y)
    assert not model.coef_.any()
    assert_allclose(np.ravel(model.intercept_), intercept, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("penalty", ["group_lasso", "l2", "none"])
def test_columns_that_are_constant(penalty, solver, form, dtype, task):
    Model, _, X, y, intercept = task
    X = np.tile([7.7, -0.1, 1e6, 1.0, 1 / 3], (60, 1)).astype(dtype)
    model = Model(penalty=penalty, solver=solver).fit(form(X), y)
    assert not model.coef_.any()
    assert_allclose(np.ravel(model.intercept_), intercept, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_a_constant_column_beside_others(solver, form, dtype, task):
    Model, _, X, y, _ = task
    tol = 1e-8 if dtype == np.float64 else 1e-5
    settings = {"penalty": "none", "solver": solver, "tol": tol}
    plain = Model(**settings).fit(X.astype(dtype), y)
    constant = np.full((60, 1), 7.7)
    weights = np.linspace(0.5, 2, 60)
    model = Model(**settings).fit(form(np.hstack([X, constant]).astype(dtype)), y)
    assert np.ravel(model.coef_)[-1] == 0
    coef = np.ravel(model.coef_)[:-1]
    assert_allclose(coef, np.ravel(plain.coef_), atol=1e4 * tol**1.25)
    model.fit(form(np.hstack([X, constant]).astype(dtype)), y, sample_weight=weights)
    assert np.ravel(model.coef_)[-1] == 0


@pytest.mark.parametrize("step", ["auto", "torch"])
@pytest.mark.parametrize("penalty", ["group_lasso", "l0", "l12", "group_mcp"])
@pytest.mark.parametrize("solver", SOLVERS)
def test_nothing_is_penalised(solver, penalty, step, task):
    Model, _, X, y, _ = task
    settings = {"solver": solver, "tol": 1e-8}
    expected = Model(penalty="none", **settings).fit(X, y)
    with config_context(step=step):
        model = Model(penalty=penalty, groups=[-1] * 5, **settings).fit(X, y)
    assert_allclose(model.coef_, expected.coef_, atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_one_row(form):
    X, y = np.array([[2.0, -1.0]]), np.array([3.0])
    model = GroupSparseLinearRegression(penalty="none").fit(form(X), y)
    assert_array_equal(model.coef_, [0.0, 0.0])
    assert model.intercept_ == pytest.approx(3.0)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("form", FORMS)
def test_columns_that_repeat_without_a_penalty(form, solver):
    rng = np.random.RandomState(0)
    X = rng.randn(50, 2)
    y = X @ [1.0, 2.0] + rng.randn(50)
    expected = LinearRegression().fit(X, y)
    model = GroupSparseLinearRegression(penalty="none", solver=solver, tol=1e-8)
    model.fit(form(X[:, [0, 1, 0, 1]]), y)
    assert_allclose(model.coef_[:2] + model.coef_[2:], expected.coef_, atol=1e-6)
    assert np.abs(model.coef_).max() < 10


def test_classes_without_an_intercept_and_without_a_column():
    X = np.random.default_rng(0).normal(size=(30, 3))
    model = GroupSparseLogisticRegression(lam=10.0, fit_intercept=False)
    model.fit(X, np.arange(30) % 3)
    assert not model.coef_.any()
    assert_allclose(model.predict_proba(X), 1 / 3)
