"""Linear models in any units and about any origin: the same model each time."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse import csr_array
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, LinearRegression

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLinearRegressionCV,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from skgroupnet.model_selection import regularization_path

SOLVERS = ["auto", "fista", "admm"]
FORMS = [np.asarray, csr_array]
COUNTS = np.array([1.0, 2.0, 4.0, 8.0])
LINE = np.arange(4.0)[:, None]


@pytest.fixture(scope="module")
def diabetes():
    X, y = load_diabetes(return_X_y=True)
    return (X - X.mean(0)) / X.std(0), y


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [1e-8, 1e-4, 1.0, 1e6, 1e14])
def test_the_slope_of_counts_knows_no_units(size, solver):
    model = GroupSparsePoissonRegressor(penalty="none", solver=solver)
    model.fit(LINE, size * COUNTS)
    assert_allclose(model.coef_, np.log(2), rtol=1e-5)
    assert_allclose(model.intercept_, np.log(size), atol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_rates_with_exposure_are_counts_with_an_offset(solver):
    exposure = np.array([1e-6, 5e-6, 2e-6, 1e-6])
    model = GroupSparsePoissonRegressor(penalty="none", solver=solver)
    model.fit(LINE, 1e-3 * COUNTS, sample_weight=exposure)
    assert_allclose(model.coef_, np.log(2), rtol=1e-5)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [1e-12, 1e-8, 1e-3, 1e12])
def test_targets_in_other_units(size, solver, form, diabetes):
    X, y = diabetes
    expected = Lasso(alpha=1.0, tol=1e-12).fit(X, y).coef_
    model = GroupSparseLinearRegression(penalty="l1", lam=size, solver=solver, tol=1e-8)
    model.fit(form(X), size * y)
    assert_allclose(model.coef_ / size, expected, atol=1e-4)
    assert model.stationarity_gap_ <= 1.01e-8 * size * y.std()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [1e-8, 1e8])
def test_columns_in_other_units(size, solver, form, diabetes):
    X, y = diabetes
    expected = Lasso(alpha=1.0, tol=1e-12).fit(X, y).coef_
    model = GroupSparseLinearRegression(penalty="l1", lam=size, solver=solver, tol=1e-8)
    model.fit(form(size * X), y)
    assert_allclose(model.coef_ * size, expected, atol=1e-4)


@pytest.mark.filterwarnings("ignore:The columns of X differ in scale")
@pytest.mark.parametrize("solver", ["auto", "fista"])
def test_each_column_in_units_of_its_own(solver, diabetes):
    X, y = diabetes
    X, size = X[:, :4], np.array([1e-8, 1e-3, 1e4, 1e8])
    expected = LinearRegression().fit(X, y).coef_
    model = GroupSparseLinearRegression(penalty="none", solver=solver, tol=1e-8)
    model.fit(X * size, y)
    assert_allclose(model.coef_ * size, expected, atol=1e-4)


@pytest.mark.parametrize("size", [1e-7, 1e7])
def test_the_chosen_lam_follows_the_units(size, diabetes):
    X, y = diabetes
    plain = GroupSparseLinearRegressionCV(penalty="l1").fit(X, y)
    other = GroupSparseLinearRegressionCV(penalty="l1").fit(X, size * y)
    assert_allclose(other.lam_ / size, plain.lam_, rtol=1e-9)
    assert_allclose(other.score(X, size * y), plain.score(X, y), atol=1e-6)


def test_the_path_begins_where_the_units_say(diabetes):
    X, y = diabetes
    model = GroupSparseLinearRegression(penalty="l1")
    sizes = np.array([1e-30, 1e-18, 1.0, 1e18])
    paths = [regularization_path(model, X, size * y, lams=3) for size in sizes]
    tops = [path.lams[0] for path in paths] / sizes
    assert_allclose(tops, np.abs(X.T @ (y - y.mean())).max() / len(y), rtol=1e-9)


def test_a_stochastic_solver_stops_relative_to_the_units(diabetes):
    X, y = diabetes
    fits = [
        GroupSparseLinearRegression(
            penalty="l2", lam=0.1, solver="sgd", tol=1e-2, learning_rate_init=0.05,
            batch_size=len(X), random_state=0,
        ).fit(X, size * y)
        for size in (1.0, 2.0**-40)
    ]  # fmt: skip
    assert fits[0].n_iter_ == fits[1].n_iter_ < 1000
    assert_allclose(fits[1].coef_ * 2.0**40, fits[0].coef_, rtol=1e-9)


@pytest.mark.parametrize("penalty", ["none", "l1"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("form", FORMS)
def test_columns_far_from_zero(form, dtype, solver, penalty):
    rng = np.random.RandomState(0)
    near = rng.randint(-8, 9, (200, 3)) / 4.0
    y = (near @ [1.0, -2.0, 0.0] + 0.1 * rng.randn(200)).astype(dtype)
    X = (near + [1e6, -3e5, 1e4]).astype(dtype)
    lam = 0.1 if penalty == "l1" else 0.0
    expected = Lasso(0.1, tol=1e-10) if lam else LinearRegression()
    expected = expected.fit(near, y.astype(float)).coef_
    model = GroupSparseLinearRegression(penalty=penalty, lam=lam, solver=solver)
    model.fit(form(X), y)
    assert_allclose(model.coef_, expected, atol=1e-4)


def test_targets_far_from_zero():
    rng = np.random.RandomState(0)
    X = rng.randn(100, 3)
    y = np.round(64 * (X[:, 0] - X[:, 1] + rng.randn(100))) / 64
    expected = LinearRegression().fit(X, y)
    model = GroupSparseLinearRegression(penalty="none").fit(X, y + 1e10)
    assert_allclose(model.coef_, expected.coef_, atol=1e-5)
    assert_allclose(model.intercept_ - 1e10, expected.intercept_, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lam_max_of_columns_far_from_zero(dtype):
    rng = np.random.RandomState(0)
    near = rng.randint(-8, 9, (300, 4)) / 4.0
    y = (near[:, 0] + rng.randn(300)).astype(dtype)
    model = GroupSparseLinearRegression(penalty="l1")
    path = regularization_path(model, (near + 1e6).astype(dtype), y, lams=3)
    expected = np.abs(near.T @ (y - y.mean(dtype=float))).max() / 300
    assert_allclose(path.lams[0], expected, rtol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
def test_classes_by_columns_far_from_zero(solver):
    rng = np.random.RandomState(1)
    near = rng.randint(-8, 9, (300, 3)) / 4.0
    y = near[:, 0] + rng.logistic(size=300) > 0
    model = GroupSparseLogisticRegression(penalty="l2", lam=0.01, solver=solver)
    expected = model.fit(near, y).coef_
    found = model.fit((near + 1e6).astype(np.float32), y).coef_
    assert_allclose(found, expected, atol=1e-4)
