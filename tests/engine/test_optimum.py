"""The right optimum of linear models, against independent solvers."""

import numpy as np
import pytest
import scipy.optimize
import torch
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor, Ridge

from skgroupnet.engine import (
    LOSSES,
    RMDA,
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    stationarity_gap,
    train,
)
from skgroupnet.penalties import L1, L2, GroupLasso, SparseGroupLasso


def _gated_minimum(value, shapes, penalised, groups, lam, seed=0):
    """Minimum over b, and W_g = u_g v_g, of the loss + lam w_g (u_g^2 + |v_g|^2) / 2.

    A smooth problem with the same minimum as the group lasso.  ``value`` maps tensors
    (W, b) to the loss; ``groups`` (d,) is the group of each row of W.
    """
    (d, k), n_groups = shapes, groups.max() + 1
    weight = torch.from_numpy(np.sqrt(np.bincount(groups) * k) * penalised)
    index = torch.from_numpy(groups)

    def both(theta):
        theta = torch.tensor(theta, requires_grad=True)
        u, v, b = theta.split([n_groups, d * k, k])
        v = v.view(d, k)
        squares = torch.zeros(n_groups).double().index_add(0, index, (v**2).sum(1))
        total = (
            value(v * u[index, None], b) + lam / 2 * (weight * (u**2 + squares)).sum()
        )
        (grad,) = torch.autograd.grad(total, theta)
        return total.item(), grad.numpy()

    theta = np.random.RandomState(seed).randn(n_groups + d * k + k) / 3
    return scipy.optimize.minimize(
        both, theta, jac=True, method="L-BFGS-B",
        options={"maxiter": 20000, "maxfun": 40000, "ftol": 1e-16, "gtol": 1e-9},
    ).fun  # fmt: skip


def test_multinomial_group_lasso(multinomial, solve, objective):
    X, y = multinomial
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    fit = solve(problem, 0.05, tol=1e-6)
    expected = _gated_minimum(
        lambda W, b: objective([W, b], X, y, "cross_entropy", "relu"),
        (20, 3), np.ones(20), np.arange(20), 0.05,
    )  # fmt: skip
    assert fit.loss_curve[-1] == pytest.approx(expected, rel=1e-6)
    kept = fit.network.weights[0].any(1)
    assert kept[:5].all() and kept.sum() < 10


@pytest.mark.parametrize("loss", LOSSES)
def test_labelled_groups_with_unpenalised_features(loss, draw, solve, objective):
    X, y = draw(loss, n=150, d=9, k=2)
    X[:, 1] += 0.7 * X[:, 0]
    labels = np.array([3, 0, 3, -1, 1, 1, 0, -1, 0])
    groups = np.array([0, 1, 0, 2, 3, 3, 1, 4, 1])
    penalised = np.array([1, 1, 0, 1, 0])
    fit = solve(Problem(X, y, loss, GroupLasso(), labels), 0.04)
    expected = _gated_minimum(
        lambda W, b: objective([W, b], X, y, loss, "relu"),
        (9, 2), penalised, groups, 0.04,
    )  # fmt: skip
    assert fit.loss_curve[-1] == pytest.approx(expected, rel=1e-6)
    assert fit.network.weights[0][[3, 7]].all()


def test_sparse_group_lasso(draw, solve):
    X, y = draw("squared_error", n=100, d=8, k=3)
    lam = 0.06
    fit = solve(Problem(X, y, "squared_error", SparseGroupLasso()), lam)
    X, y = X - X.mean(0), y - y.mean(0)

    def both(theta):
        """Positive and negative parts; the norm rounded at zero."""
        W = (theta[:24] - theta[24:]).reshape(8, 3)
        residual = X @ W - y
        norms = np.sqrt((W**2).sum(1) + 1e-16)
        value = (residual**2).sum() / 200 + lam * (
            np.sqrt(3) * norms.sum() + theta.sum()
        )
        grad = X.T @ residual / 100 + lam * np.sqrt(3) * W / norms[:, None]
        return value, np.r_[grad.ravel() + lam, -grad.ravel() + lam]

    expected = scipy.optimize.minimize(
        both, np.full(48, 0.1), jac=True, method="L-BFGS-B", bounds=[(0, None)] * 48,
        options={"maxiter": 20000, "maxfun": 40000, "ftol": 1e-16, "gtol": 1e-9},
    ).fun  # fmt: skip
    assert fit.loss_curve[-1] == pytest.approx(expected, rel=1e-6)
    assert 0 < np.count_nonzero(fit.network.weights[0]) < 24


def test_group_lasso_of_skglm(draw, solve):
    datafits = pytest.importorskip("skglm.datafits")
    from skglm.penalties import WeightedGroupL2
    from skglm.solvers import GroupBCD

    X, y = draw("squared_error", n=120, d=7, k=1)
    pointers, indices = np.array([0, 3, 4, 7]), np.array([0, 2, 6, 1, 3, 4, 5])
    weights = np.sqrt(np.diff(pointers))
    fit = solve(
        Problem(
            X, y, "squared_error", GroupLasso(), labels=np.array([0, 1, 0, 2, 2, 2, 0])
        ),
        0.3,
    )
    indices, pointers = indices.astype(np.int32), pointers.astype(np.int32)
    coefficients = GroupBCD(tol=1e-11, fit_intercept=True).solve(
        np.asfortranarray(X), y[:, 0],
        datafits.QuadraticGroup(pointers, indices),
        WeightedGroupL2(0.3, weights, pointers, indices),
    )[0]  # fmt: skip
    ours = np.r_[fit.network.weights[0][:, 0], fit.network.biases[0]]
    np.testing.assert_allclose(ours, coefficients, atol=1e-8)
    assert 0 < np.count_nonzero(ours[:-1]) < 7, ours


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("penalty", [L1(), L2()])
def test_logistic_regression_of_scikit_learn(k, penalty, draw, solve):
    X, y = draw("cross_entropy", n=200, d=6, k=k)
    lam = 0.02
    sk = LogisticRegression(
        C=1 / (len(X) * lam),
        l1_ratio=float(isinstance(penalty, L1)),
        solver="saga" if isinstance(penalty, L1) else "lbfgs",
        tol=1e-10,
        max_iter=100000,
        random_state=0,
    ).fit(X, y)
    if k == 2:
        fit = solve(Problem(X, y[:, None].astype(float), "log_loss", penalty), lam)
    else:
        fit = solve(Problem(X, y, "cross_entropy", penalty), lam)
    np.testing.assert_allclose(fit.network.weights[0].T, sk.coef_, atol=1e-5)
    ours, theirs = fit.network.biases[0], sk.intercept_
    # A constant added to all classes changes nothing.
    shift = 0 if k == 2 else ours.mean() - theirs.mean()
    np.testing.assert_allclose(ours - shift, theirs, atol=1e-5)
    assert (fit.network.weights[0] == 0).any() == isinstance(penalty, L1)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_regressions_of_scikit_learn(fit_intercept, draw, solve):
    weight = np.random.RandomState(0).randint(0, 3, 80).astype(float)
    for loss, penalty, sk in (
        ("squared_error", L1(), Lasso(0.1, tol=1e-12, max_iter=10**6)),
        ("squared_error", L2(), Ridge(0.1 * weight.sum(), tol=1e-12)),
        ("poisson", L2(), PoissonRegressor(alpha=0.1, tol=1e-10, max_iter=10**4)),
    ):
        X, y = draw(loss, n=80, d=5, k=1)
        X += 1.0
        sk.set_params(fit_intercept=fit_intercept).fit(X, y[:, 0], sample_weight=weight)
        problem = Problem(X, y, loss, penalty, fit_intercept=fit_intercept)
        fit = solve(problem, 0.1, row_weight=weight)
        np.testing.assert_allclose(fit.network.weights[0][:, 0], sk.coef_, atol=1e-6)
        np.testing.assert_allclose(fit.network.biases[0], sk.intercept_, atol=1e-6)


@pytest.mark.parametrize(
    ("update", "rate"),
    [
        (Adam(), 0.05),
        (AdaMax(), 0.05),
        (RMSprop(), 0.02),
        (SGD(0.0), 0.5),
        (SGD(0.9, nesterov=False), 0.1),
        (SGD(0.9, nesterov=True), 0.1),
    ],
    ids=["adam", "adamax", "rmsprop", "sgd", "momentum", "nesterov"],
)
@pytest.mark.parametrize(
    ("penalty", "lam"), [(GroupLasso(), 0.05), (SparseGroupLasso(), 0.03), (L1(), 0.04)]
)
def test_every_update_reaches_the_optimum(
    update, rate, penalty, lam, multinomial, solve, random_network, make_model
):
    X, y = multinomial
    problem = Problem(X, y, "cross_entropy", penalty)
    best = solve(problem, lam, tol=1e-6)
    start = random_network("cross_entropy", (20, 3))
    settings = Settings(
        update, "cosine", batch_size=600, max_iter=600, tol=0, n_iter_no_change=np.inf
    )
    model = make_model(start, lam, rate=rate)
    (fit,) = train(problem, [model], settings)
    assert fit.outcome == "max_iter"
    assert stationarity_gap(problem, model, fit.network) <= 1e-3
    assert fit.loss_curve[-1] == pytest.approx(best.loss_curve[-1], rel=1e-4)
    zero = best.network.weights[0] == 0
    np.testing.assert_array_equal(fit.network.weights[0] == 0, zero)
    assert zero.any() and not zero.all()


@pytest.fixture
def zeros_by_epoch(multinomial, solve, random_network, make_model):
    """Train by batches; returns the fit, the zeros of each epoch, and the optimum."""

    def run(update, rate, penalty, lam, schedule="constant", **settings):
        problem = Problem(*multinomial, "cross_entropy", penalty)
        model = make_model(random_network("cross_entropy", (20, 3)), lam, rate=rate)
        zeros = []

        def watch(epoch):
            zeros.append(epoch.network(0).weights[0] == 0)
            return False

        values = {"max_iter": 60, "tol": 0, "n_iter_no_change": np.inf} | settings
        (fit,) = train(problem, [model], Settings(update, schedule, **values), watch)
        gap = stationarity_gap(problem, model, fit.network)
        return fit, gap, zeros, solve(problem, lam, tol=1e-6)

    return run


@pytest.mark.parametrize(
    ("penalty", "lam"), [(GroupLasso(), 0.05), (SparseGroupLasso(), 0.03), (L1(), 0.04)]
)
@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_dual_averaging_reaches_the_optimum(momentum, penalty, lam, zeros_by_epoch):
    fit, gap, zeros, best = zeros_by_epoch(
        RMDA(momentum), 2.0, penalty, lam, batch_size=600, max_iter=600
    )
    assert gap <= 1e-3
    assert fit.loss_curve[-1] == pytest.approx(best.loss_curve[-1], rel=1e-4)
    zero = best.network.weights[0] == 0
    for found in zeros[300:]:
        np.testing.assert_array_equal(found, zero)


@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_dual_averaging_identifies_the_zeros(schedule, zeros_by_epoch):
    """From batches of four rows, in which the same steps of SGD never settle."""
    how = 0.05, GroupLasso(), 0.05, schedule
    _, gap, zeros, best = zeros_by_epoch(RMDA(), *how, batch_size=4, max_iter=30)
    zero = best.network.weights[0] == 0
    for found in zeros[5:]:
        np.testing.assert_array_equal(found, zero)
    assert gap <= 0.02
    if schedule == "constant":
        zeros = zeros_by_epoch(SGD(0.0), *how, batch_size=4, max_iter=30)[2][5:]
        settled = [np.array_equal(found, zero) for found in zeros]
        assert sum(settled) < len(settled) / 2
