"""FISTA: the right optimum, against independent solvers."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.optimize
import scipy.sparse
import torch
from sklearn.linear_model import Lasso, LogisticRegression, PoissonRegressor, Ridge

from skgroupnet.engine import Problem, fista, initial_network, stationarity_gap
from skgroupnet.engine.losses import LOSSES
from skgroupnet.penalties import (
    L1,
    L2,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)


@pytest.fixture
def solve(make_model):
    """Solve a problem by FISTA to a tiny gap."""

    def solve(problem, lam, tol=1e-9, max_iter=20000, n_outputs=None, **settings):
        y = problem.y
        k = n_outputs or (y.max() + 1 if y.ndim == 1 else y.shape[1])
        start = initial_network(
            (problem.X.shape[1], int(k)),
            "identity",
            LOSSES[problem.loss].output,
            np.random.RandomState(0),
            problem.X.dtype,
        )
        model = make_model(start, lam, **settings)
        (fit,) = fista(problem, [model], max_iter=max_iter, tol=tol)
        assert fit.outcome == "converged"
        assert stationarity_gap(problem, model, fit.network) <= 2 * tol + 1e-12
        return fit

    return solve


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


def test_penalised_bias_is_a_column_of_ones(draw, solve):
    X, y = draw("squared_error", n=80, d=4, k=2)
    X, y = X + 0.5, y + 0.4
    ones = np.c_[X, np.ones(len(X))]
    for penalty in (L1(), L2(), NoPenalty()):
        biased = solve(
            Problem(X, y, "squared_error", penalty, penalize_bias=True), 0.1
        ).network
        column = solve(
            Problem(ones, y, "squared_error", penalty, fit_intercept=False), 0.1
        ).network
        np.testing.assert_allclose(biased.weights[0], column.weights[0][:-1], atol=1e-7)
        np.testing.assert_allclose(biased.biases[0], column.weights[0][-1], atol=1e-7)
        assert not column.biases[0].any()
    # A bias is a group of its own, whose strength is lam.
    strong = solve(
        Problem(X, y, "squared_error", GroupLasso(), penalize_bias=True), 0.1
    ).network
    residual = (strong.raw(X) - y).mean(0)
    np.testing.assert_allclose(np.abs(residual), 0.1, atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("container", [scipy.sparse.csr_array, scipy.sparse.csr_matrix])
def test_sparse_rows_give_the_dense_result(loss, container, draw, solve):
    X, y = draw(loss, n=90, d=6, k=2)
    X[np.random.RandomState(0).rand(*X.shape) < 0.6] = 0
    labels = np.array([0, 0, 1, -1, 2, 2])
    dense = solve(Problem(X, y, loss, GroupLasso(), labels), 0.05).network
    sparse = solve(Problem(container(X), y, loss, GroupLasso(), labels), 0.05).network
    np.testing.assert_allclose(sparse.weights[0], dense.weights[0], atol=1e-8)
    np.testing.assert_allclose(sparse.biases[0], dense.biases[0], atol=1e-8)


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_are_repetitions(loss, draw, solve):
    X, y = draw(loss, n=60, d=4, k=2)
    weight = np.random.RandomState(0).randint(0, 4, len(X))
    weighted = solve(Problem(X, y, loss, GroupLasso()), 0.05, row_weight=weight * 0.3)
    rows = np.repeat(np.arange(len(X)), weight)
    repeated = solve(Problem(X[rows], y[rows], loss, GroupLasso()), 0.05)
    chosen = solve(
        Problem(X, y, loss, GroupLasso()), 0.05, rows=rows[weight[rows] == 1]
    )
    for name in ("weights", "biases"):
        ours, theirs = getattr(weighted.network, name), getattr(repeated.network, name)
        np.testing.assert_allclose(ours[0], theirs[0], atol=1e-8)
    assert weighted.loss_curve[-1] == pytest.approx(repeated.loss_curve[-1], rel=1e-12)
    assert chosen.loss_curve[-1] != pytest.approx(weighted.loss_curve[-1], rel=1e-3)


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_a_row_of_weight_zero_changes_nothing(loss, draw, solve):
    X, y = draw(loss, n=60, d=4, k=2)
    weight = np.ones(60)
    weight[[0, 7]] = 0
    plain = solve(Problem(X, y, loss, GroupLasso()), 0.05, row_weight=weight).network
    X[[0, 7]], y[[0, 7]] = 1e8, 5e3
    moved = solve(Problem(X, y, loss, GroupLasso()), 0.05, row_weight=weight).network
    rows = np.flatnonzero(weight)
    chosen = solve(Problem(X, y, loss, GroupLasso()), 0.05, rows=rows).network
    for network in (moved, chosen):
        np.testing.assert_allclose(network.weights[0], plain.weights[0], atol=1e-8)


@pytest.mark.parametrize("penalty", [GroupLasso(), L2(), NoPenalty()])
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", "poisson"])
def test_badly_scaled_columns(penalty, loss, draw, solve):
    X, y = draw(loss, n=200, d=7, k=2)
    scale = 10.0 ** np.arange(-3, 4)
    lam = 0 if penalty == NoPenalty() else 1e-3
    fit = solve(Problem(X * scale + 3 * scale, y, loss, penalty), lam, tol=1e-6)
    assert fit.n_iter < 3000
    if penalty == NoPenalty():
        plain = solve(Problem(X, y, loss, penalty), lam, tol=1e-9)
        assert fit.loss_curve[-1] == pytest.approx(plain.loss_curve[-1], rel=1e-8)


@pytest.mark.parametrize("largest", [0, 2, 4])
def test_badly_scaled_columns_in_float32(largest, draw, solve, make_model):
    X, y = draw("squared_error", n=200, d=5, k=2)
    plain = solve(Problem(X, y, "squared_error", NoPenalty()), 0.0)
    X = (X * 10.0 ** np.arange(largest - 4, largest + 1)).astype(np.float32)
    problem = Problem(X, y.astype(np.float32), "squared_error", NoPenalty())
    rng = np.random.RandomState(0)
    start = initial_network((5, 2), "identity", "identity", rng, np.float32)
    (fit,) = fista(problem, [make_model(start)], max_iter=300, tol=0)
    assert fit.network.dtype == np.float32
    assert fit.loss_curve[-1] == pytest.approx(plain.loss_curve[-1], rel=1e-5)


def test_constant_columns_stay_at_zero(draw, solve):
    X, y = draw("squared_error", n=60, d=4)
    X[:, 1], X[:, 2] = 0.0, 1e3
    network = solve(Problem(X, y, "squared_error", GroupLasso()), 0.01).network
    assert not network.weights[0][[1, 2]].any()
    assert network.weights[0][[0, 3]].all()


def test_without_columns_the_intercept_is_fitted(draw, solve):
    X, y = draw("poisson", n=50, d=4, k=2)
    fit = solve(Problem(X[:, :0], y, "poisson", GroupLasso()), 0.1)
    assert fit.network.widths == (0, 2)
    np.testing.assert_allclose(np.exp(fit.network.biases[0]), y.mean(0), rtol=1e-7)


def test_without_intercept_the_bias_stays(draw, solve, random_network, make_model):
    X, y = draw("squared_error", n=50, d=4, k=2)
    start = random_network("squared_error", (4, 2))
    problem = Problem(X, y, "squared_error", GroupLasso(), fit_intercept=False)
    (fit,) = fista(problem, [make_model(start, 0.01)], max_iter=500, tol=1e-9)
    np.testing.assert_allclose(fit.network.biases[0], start.biases[0], rtol=1e-14)
    assert fit.outcome == "converged"


def test_zeros_stay_where_they_are_fixed(draw, solve, random_network, make_model):
    X, y = draw("squared_error", n=50, d=4, k=2)
    start = random_network("squared_error", (4, 2))
    weights = start.weights[0] * np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
    start = replace(start, weights=(weights,))
    problem = Problem(X, y, "squared_error", GroupLasso(), keep_zeros=True)
    (fit,) = fista(problem, [make_model(start, 9.0)], max_iter=5000, tol=1e-10)
    found = fit.network.weights[0]
    np.testing.assert_array_equal(found != 0, weights != 0)
    for column in range(2):
        used = weights[:, column] != 0
        A = np.c_[X[:, used], np.ones(50)]
        expected = np.linalg.lstsq(A, y[:, column], rcond=None)[0]
        np.testing.assert_allclose(found[used, column], expected[:-1], atol=1e-8)
    assert stationarity_gap(problem, make_model(start), fit.network) < 1e-9


def test_models_do_not_know_each_other(multinomial, random_network, make_model, flat):
    X, y = multinomial
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    models = [
        make_model(random_network("cross_entropy", (20, 3), seed=m), lam, rows=rows)
        for m, (lam, rows) in enumerate(
            [(0.1, None), (0.01, np.arange(300)), (0.0, None)]
        )
    ]
    together = fista(problem, models, max_iter=100, tol=1e-6)
    for model, fit in zip(models, together, strict=True):
        (alone,) = fista(problem, [model], max_iter=100, tol=1e-6)
        np.testing.assert_array_equal(flat(fit.network), flat(alone.network))
        assert fit.loss_curve == alone.loss_curve


def test_objective_falls_and_the_curve_is_the_objective(multinomial, make_model):
    X, y = multinomial
    start = initial_network(
        (20, 3), "identity", "softmax", np.random.RandomState(0), "d"
    )
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    (fit,) = fista(problem, [make_model(start, 0.05)], max_iter=30, tol=0)
    assert (fit.outcome, fit.n_iter) == ("max_iter", 30)
    p = fit.network.predict(X)
    norms = np.linalg.norm(fit.network.weights[0], axis=1)
    value = -np.log(p[np.arange(600), y]).mean() + 0.05 * np.sqrt(3) * norms.sum()
    assert fit.loss_curve[-1] == pytest.approx(value, rel=1e-12)
    assert fit.loss_curve[-1] < fit.loss_curve[0]


def test_watch_sees_every_iteration_and_stops(multinomial, make_model):
    X, y = multinomial
    start = initial_network(
        (20, 3), "identity", "softmax", np.random.RandomState(0), "d"
    )
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    seen = []

    def watch(epoch):
        seen.append((epoch.n_iter, epoch.losses.copy(), epoch.running.copy()))
        assert np.isfinite(
            epoch.network(0 if np.isnan(epoch.losses[1]) else 1).weights[0]
        ).all()
        return np.isnan(epoch.losses[1]) and epoch.n_iter == 4

    models = [make_model(start, 0.05), make_model(start, 0.1)]
    fits = fista(problem, models, max_iter=7, tol=0, watch=watch)
    assert [fit.outcome for fit in fits] == ["stopped", "max_iter"]
    assert [n for n, _, _ in seen] == [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7]
    assert [losses[0] for _, losses, _ in seen[:4]] == fits[0].loss_curve
    assert [losses[1] for _, losses, _ in seen[4:]] == fits[1].loss_curve
    running = [tuple(running) for _, _, running in seen]
    assert running == [(True, False)] * 4 + [(False, True)] * 6 + [(False, False)]


def test_interrupt_ends_all_models(multinomial, make_model, flat):
    X, y = multinomial
    start = initial_network(
        (20, 3), "identity", "softmax", np.random.RandomState(0), "d"
    )
    problem = Problem(X, y, "cross_entropy", GroupLasso())

    def watch(epoch):
        if epoch.n_iter == 5:
            raise KeyboardInterrupt

    models = [make_model(start, 0.05)] * 2
    fits = fista(problem, models, max_iter=50, tol=0, watch=watch)
    (five,) = fista(problem, models[:1], max_iter=5, tol=0)
    assert [fit.outcome for fit in fits] == ["interrupted"] * 2
    assert [fit.n_iter for fit in fits] == [5, 0]
    np.testing.assert_array_equal(flat(fits[0].network), flat(five.network))
    np.testing.assert_array_equal(flat(fits[1].network), flat(start))


def test_a_loss_that_overflows_keeps_the_last_finite_network(make_model):
    X, y = np.full((4, 1), 1e200), np.ones((4, 1))
    start = initial_network(
        (1, 1), "identity", "identity", np.random.RandomState(0), "d"
    )
    start = replace(start, weights=(np.full((1, 1), 1e200),))
    problem = Problem(X, y, "squared_error", NoPenalty(), fit_intercept=False)
    (fit,) = fista(problem, [make_model(start)], max_iter=50, tol=1e-6)
    assert fit.outcome == "diverged"
    assert np.isfinite(fit.network.weights[0]).all()
