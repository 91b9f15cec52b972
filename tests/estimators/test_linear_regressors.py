"""Linear and Poisson regression: the right optimum, in scikit-learn's shapes."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import (
    Lasso,
    LinearRegression,
    MultiTaskLasso,
    PoissonRegressor,
    Ridge,
)
from sklearn.metrics import d2_tweedie_score, r2_score

from skgroupnet import GroupSparseLinearRegression, GroupSparsePoissonRegressor
from skgroupnet.model_selection.together import Fitting, fit_together

MODELS = {"numbers": GroupSparseLinearRegression, "counts": GroupSparsePoissonRegressor}
PRECISE = {"tol": 1e-9, "max_iter": 20_000}


@pytest.fixture(scope="module")
def counts(numbers):
    """X (200, 6) float64, y (200,) of counts."""
    X, y = numbers
    return X, np.random.RandomState(0).poisson(np.exp(y / 2)).astype(float)


@pytest.fixture(params=MODELS)
def kind(request):
    """The estimator, X and y."""
    return MODELS[request.param], *request.getfixturevalue(request.param)


def reference(penalty, lam, n, fit_intercept):
    """Least squares of scikit-learn with the same objective."""
    shared = {"fit_intercept": fit_intercept}
    return {
        "l1": Lasso(alpha=lam, tol=1e-12, max_iter=100_000, **shared),
        "l2": Ridge(alpha=lam * n, solver="cholesky", **shared),
        "none": LinearRegression(**shared),
    }[penalty]


@pytest.mark.parametrize("penalty", ["l1", "l2", "none"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_least_squares_is_that_of_scikit_learn(
    numbers, penalty, fit_intercept, weighted
):
    X, y = numbers[0] + 0.5, numbers[1] + 2
    weight = np.linspace(0, 2, len(X)) if weighted else None
    shares = {"penalty": penalty, "lam": 0.05, "fit_intercept": fit_intercept}
    ours = GroupSparseLinearRegression(**shares, **PRECISE).fit(X, y, weight)
    n = len(X) if weight is None else weight.sum()
    theirs = reference(penalty, 0.05, n, fit_intercept).fit(X, y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), atol=1e-6)
    assert np.ndim(ours.intercept_) == 0
    assert ours.score(X, y, weight) == pytest.approx(theirs.score(X, y, weight))


@pytest.mark.parametrize("penalty", ["l1", "l2", "none"])
def test_several_outputs_are_those_of_scikit_learn(numbers, penalty):
    X, y = numbers
    Y = np.column_stack([y, 1 - X[:, 0], y * X[:, 1]])
    ours = GroupSparseLinearRegression(penalty=penalty, lam=0.05, **PRECISE).fit(X, Y)
    theirs = reference(penalty, 0.05, len(X), True).fit(X, Y)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)
    assert ours.predict(X).shape == Y.shape
    assert ours.score(X, Y) == pytest.approx(r2_score(Y, theirs.predict(X)))


def test_a_group_holds_the_coefficients_of_a_feature_for_all_outputs(numbers):
    X, y = numbers
    Y = np.column_stack([y, -y, y + X[:, 5]])
    ours = GroupSparseLinearRegression(lam=0.1, **PRECISE).fit(X, Y)
    theirs = MultiTaskLasso(alpha=0.1 * np.sqrt(3), tol=1e-12, max_iter=100_000)
    np.testing.assert_allclose(ours.coef_, theirs.fit(X, Y).coef_, atol=1e-7)
    used = ours.coef_ != 0
    np.testing.assert_array_equal(used.all(axis=0), used.any(axis=0))
    assert 0 < ours.n_active_features_ < 6


@pytest.mark.parametrize("penalty", ["l2", "none"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_poisson_is_that_of_scikit_learn(counts, penalty, fit_intercept, weighted):
    X, y = counts
    weight = np.linspace(0, 2, len(X)) if weighted else None
    ours = GroupSparsePoissonRegressor(
        penalty=penalty, lam=0.03, fit_intercept=fit_intercept, **PRECISE
    ).fit(X + 0.5, y, weight)
    theirs = PoissonRegressor(
        alpha=0.03 * (penalty == "l2"),
        fit_intercept=fit_intercept,
        solver="newton-cholesky",
        tol=1e-12,
    ).fit(X + 0.5, y, weight)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.intercept_, theirs.intercept_, atol=1e-7)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-6)
    assert ours.score(X + 0.5, y, weight) == pytest.approx(
        theirs.score(X + 0.5, y, weight)
    )


def test_poisson_with_l1_is_stationary(counts):
    X, y = counts
    model = GroupSparsePoissonRegressor(penalty="l1", lam=0.1, **PRECISE).fit(X, y)
    slope = X.T @ (y - model.predict(X)) / len(X)
    used = model.coef_ != 0
    assert 0 < used.sum() < 6
    np.testing.assert_allclose(slope[used], 0.1 * np.sign(model.coef_[used]), atol=1e-8)
    assert (np.abs(slope[~used]) <= 0.1).all()
    assert y.mean() == pytest.approx(model.predict(X).mean(), abs=1e-8)


def test_poisson_scores_the_mean_over_the_outputs(counts):
    X, y = counts
    Y = np.column_stack([y, y[::-1]])
    model = GroupSparsePoissonRegressor().fit(X, Y)
    assert (model.coef_.shape, model.intercept_.shape) == ((2, 6), (2,))
    weight = np.linspace(0, 1, len(X))
    each = [
        d2_tweedie_score(true, predicted, power=1, sample_weight=weight)
        for true, predicted in zip(Y.T, model.predict(X).T, strict=True)
    ]
    assert model.score(X, Y, weight) == pytest.approx(np.mean(each))


def test_poisson_scores_predictions_of_any_size(counts):
    X, y = counts
    model = GroupSparsePoissonRegressor(lam=0.1).fit(X, y)
    assert model.score(X, np.full(len(X), 3.0)) == 0
    with np.errstate(over="ignore"):
        assert model.score(1e5 * X, y) == -np.inf
    with pytest.raises(ValueError, match="needs y >= 0, but the smallest value"):
        model.score(X, -y)
    with pytest.raises(ValueError, match="shape of the predictions"):
        model.score(X, np.column_stack([y, y]))
    empty = GroupSparsePoissonRegressor(lam=10)
    with pytest.warns(ConvergenceWarning, match="Nothing is left"):
        empty.fit(X, y)
    assert empty.score(X, y) == pytest.approx(0, abs=1e-9)


def test_poisson_needs_a_target_that_is_not_negative(counts):
    X, y = counts
    with pytest.raises(ValueError, match="needs y >= 0"):
        GroupSparsePoissonRegressor().fit(X, y - 1)


def test_groups_go_together(kind):
    Model, X, y = kind
    groups = ["a", "b", "a", "b", "c", -1]
    model = Model(groups=groups, lam=0.3).fit(X, y)
    support = model.get_support()
    assert support[5]
    assert support[0] == support[2]
    assert support[1] == support[3]
    assert not support.all()


def test_rows_of_weight_two_are_two_rows_and_sparse_is_dense(kind):
    Model, X, y = kind
    X = X * (np.abs(X) > 0.5)
    weight = np.arange(len(X)) % 3
    model = Model(lam=0.02).fit(csr_array(X), y, weight)
    copies = clone(model).fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(model.coef_, copies.coef_, atol=1e-5)
    np.testing.assert_allclose(model.predict(csr_array(X)), model.predict(X))


def test_warm_start_shortens_the_way(kind):
    Model, X, y = kind
    model = Model(lam=0.05, solver="fista", warm_start=True).fit(X, y)
    cold, coef = model.loss_curve_, model.coef_
    warm = model.fit(X, y).loss_curve_
    assert warm[0] == pytest.approx(cold[-1], rel=1e-9)
    assert cold[0] > cold[-1] * (1 + 1e-6)
    np.testing.assert_allclose(model.coef_, coef, atol=1e-4)
    assert model.set_params(fit_intercept=False).fit(X, y).intercept_ == 0


@pytest.mark.parametrize(("given", "used"), [("f4", "f4"), ("f8", "f8"), ("i4", "f8")])
def test_float32_only_for_float32(kind, given, used):
    Model, X, y = kind
    X = (2 * X).astype(given)
    model = Model(lam=0.1, tol=1e-4).fit(X, y)
    dtypes = model.coef_.dtype, model.intercept_.dtype, model.predict(X).dtype
    assert dtypes == (used,) * 3


def test_a_pruned_model_keeps_the_shape_of_its_coefficients(kind):
    Model, X, y = kind
    model = Model(lam=0.1).fit(X, y)
    compact = model.prune()
    np.testing.assert_array_equal(compact.coef_, model.coef_)
    np.testing.assert_allclose(compact.predict(X), model.predict(X))
    compact.set_params(warm_start=True, lam=0.15).fit(X, y)
    assert compact.coefs_[0].shape == (model.n_active_features_, 1)
    np.testing.assert_allclose(compact.coef_, clone(compact).fit(X, y).coef_, atol=1e-5)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_stochastic_solvers_come_near_the_same_optimum(kind, solver):
    Model, X, y = kind
    exact = Model(lam=0.1).fit(X, y)
    settings = {"learning_rate_init": 0.05, "batch_size": len(X), "tol": 1e-3}
    model = Model(lam=0.1, solver=solver, random_state=0, **settings).fit(X, y)
    assert model.stationarity_gap_ <= 1e-3
    np.testing.assert_array_equal(model.get_support(), exact.get_support())
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=0.01)


def test_kinds_that_are_fitted_together_keep_their_losses(counts):
    X, y = counts
    models = [Model(lam=0.05) for Model in MODELS.values()]
    for fitted in fit_together([Fitting(model, X, y) for model in models]):
        assert fitted.error is None
    for model in models:
        np.testing.assert_array_equal(model.coef_, clone(model).fit(X, y).coef_)
    assert [m.out_activation_ for m in models] == ["identity", "exp"]
