"""Solvers of the linear models: one optimum, and what ADMM tells of its way there."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLinearRegressionCV,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from skgroupnet.model_selection import BatchedGridSearchCV

HISTORY = {"primal_residual", "dual_residual", "objective", "lagrangian", "rho"}
MODELS = {
    "numbers": (GroupSparseLinearRegression, "numbers"),
    "two numbers": (GroupSparseLinearRegression, "numbers"),
    "counts": (GroupSparsePoissonRegressor, "numbers"),
    "two classes": (GroupSparseLogisticRegression, "two_classes"),
    "three classes": (GroupSparseLogisticRegression, "three_classes"),
}


@pytest.fixture(params=MODELS)
def task(request):
    """The estimator with ADMM, X and y."""
    Model, data = MODELS[request.param]
    X, y = request.getfixturevalue(data)
    if request.param == "two numbers":
        y = np.column_stack([y, X[:, 0] - y])
    if request.param == "counts":
        y = np.random.RandomState(0).poisson(np.exp(y / 2))
    return Model(solver="admm", lam=0.05, tol=1e-8, max_iter=5000), X, y


@pytest.mark.parametrize("penalty", ["group_lasso", "sparse_group_lasso", "l1", "l2"])
def test_admm_ends_where_fista_ends(task, penalty):
    model, X, y = task
    model.set_params(penalty=penalty).fit(X, y)
    fista = clone(model).set_params(solver="fista").fit(X, y)
    assert model.loss_ == pytest.approx(fista.loss_, rel=1e-8)
    np.testing.assert_allclose(model.coef_, fista.coef_, atol=1e-5)
    np.testing.assert_array_equal(model.get_support(), fista.get_support())
    of_y = 1 if isinstance(model, GroupSparseLogisticRegression) else y.std(0).max()
    assert model.stationarity_gap_ <= model.tol * X.std(0).max() * of_y


@pytest.mark.parametrize("rho", ["auto", 0.3])
def test_the_history_of_admm(task, rho):
    model, X, y = task
    model.set_params(rho=rho).fit(X, y)
    history = model.admm_history_
    assert set(history) == HISTORY
    assert {values.shape for values in history.values()} == {(model.n_iter_,)}
    np.testing.assert_array_equal(history["objective"], model.loss_curve_)
    assert history["lagrangian"][-1] == pytest.approx(model.loss_)
    for name in ("primal_residual", "dual_residual"):
        assert history[name][-1] < 1e-5 < history[name][0]
    if rho != "auto":
        np.testing.assert_array_equal(history["rho"], rho)


def test_the_history_is_that_of_the_last_fit(two_classes):
    model = GroupSparseLogisticRegression(solver="admm", lam=0.05).fit(*two_classes)
    assert hasattr(model, "admm_history_")
    assert not hasattr(
        model.set_params(solver="fista").fit(*two_classes), "admm_history_"
    )


def test_sparse_rows_weights_and_a_fit_without_intercept(task):
    model, X, y = task
    X, weight = X * (np.abs(X) > 0.7), np.arange(len(X)) % 3
    model.set_params(fit_intercept=False, groups=np.arange(X.shape[1]) // 2)
    model.fit(csr_array(X), y, weight)
    fista = clone(model).set_params(solver="fista").fit(X, y, weight)
    np.testing.assert_allclose(model.coef_, fista.coef_, atol=1e-5)
    assert not np.any(model.intercept_)


@pytest.mark.parametrize("rho", [0, -1.0, np.inf, np.nan, "some"])
def test_a_rho_that_is_no_positive_number(two_classes, rho):
    with pytest.raises(ValueError, match="The 'rho' parameter of"):
        GroupSparseLogisticRegression(rho=rho).fit(*two_classes)


@pytest.mark.parametrize("solver", ["auto", "fista", "admm"])
def test_searches_at_once_give_the_same(task, solver):
    model, X, y = task
    model.set_params(solver=solver, tol=1e-4)
    grid = {"lam": [0.1, 0.01], "rho": ["auto", 0.1]}
    one_by_one = GridSearchCV(model, grid, cv=2).fit(X, y)
    at_once = BatchedGridSearchCV(model, grid, cv=2).fit(X, y)
    np.testing.assert_array_equal(
        one_by_one.cv_results_["mean_test_score"],
        at_once.cv_results_["mean_test_score"],
    )
    np.testing.assert_array_equal(
        one_by_one.best_estimator_.coef_, at_once.best_estimator_.coef_
    )


def test_cross_validation_with_admm(numbers):
    search = GroupSparseLinearRegressionCV(solver="admm", lams=3, cv=2).fit(*numbers)
    plain = GroupSparseLinearRegression(solver="admm", lam=search.lam_).fit(*numbers)
    assert set(search.admm_history_) == HISTORY
    np.testing.assert_array_equal(search.coef_, plain.coef_)
    search.set_params(solver="fista").fit(*numbers)
    assert not hasattr(search, "admm_history_")
