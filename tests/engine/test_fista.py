"""FISTA: data, weights and intercepts of every kind, and how it ends."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skgroupnet.engine import LOSSES, Problem, fista, stationarity_gap
from skgroupnet.engine.fista import CHECK_EVERY
from skgroupnet.penalties import (
    L1,
    L2,
    GroupLasso,
    NoPenalty,
)


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
def test_badly_scaled_columns_in_float32(largest, draw, solve, zeros, make_model):
    X, y = draw("squared_error", n=200, d=5, k=2)
    plain = solve(Problem(X, y, "squared_error", NoPenalty()), 0.0)
    X = (X * 10.0 ** np.arange(largest - 4, largest + 1)).astype(np.float32)
    problem = Problem(X, y.astype(np.float32), "squared_error", NoPenalty())
    start = zeros("squared_error", (5, 2), np.float32)
    (fit,) = fista(problem, [make_model(start)], max_iter=300, tol=0)
    assert fit.network.dtype == np.float32
    assert fit.loss_curve[-1] == pytest.approx(plain.loss_curve[-1], rel=1e-5)


@pytest.mark.parametrize("penalty", [GroupLasso(), NoPenalty()])
@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_constant_columns_stay_at_zero(penalty, container, draw, solve):
    X, y = draw("squared_error", n=60, d=12)
    X[:, 0], X[:, 1:11] = 0.0, 1e3 / np.arange(3, 13)
    fit = solve(Problem(container(X), y, "squared_error", penalty), 0.01)
    assert fit.n_iter < 100
    assert np.abs(fit.network.weights[0][:11]).max() < 1e-9
    assert fit.network.weights[0][11].all()


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_large_means_in_float32(container, draw, zeros, make_model):
    X, y = draw("squared_error", n=200, d=4, k=1)
    plain = np.linalg.lstsq(np.c_[X, np.ones(200)], y, rcond=None)[0][:-1]
    X = (X + [0, 10, 100, 1000]).astype(np.float32)
    problem = Problem(container(X), y.astype("f"), "squared_error", NoPenalty())
    model = make_model(zeros("squared_error", (4, 1), np.float32))
    (fit,) = fista(problem, [model], max_iter=100, tol=0)
    np.testing.assert_allclose(fit.network.weights[0], plain, atol=1e-3)


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


def test_objective_falls_and_the_curve_is_the_objective(multinomial, zeros, make_model):
    X, y = multinomial
    start = zeros("cross_entropy", (20, 3))
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    (fit,) = fista(problem, [make_model(start, 0.05)], max_iter=30, tol=0)
    assert (fit.outcome, fit.n_iter) == ("max_iter", 30)
    p = fit.network.predict(X)
    norms = np.linalg.norm(fit.network.weights[0], axis=1)
    value = -np.log(p[np.arange(600), y]).mean() + 0.05 * np.sqrt(3) * norms.sum()
    assert fit.loss_curve[-1] == pytest.approx(value, rel=1e-12)
    assert fit.loss_curve[-1] < fit.loss_curve[0]


def test_watch_sees_every_iteration_and_stops(multinomial, zeros, make_model):
    X, y = multinomial
    start = zeros("cross_entropy", (20, 3))
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


def test_interrupt_ends_all_models(multinomial, zeros, make_model, flat):
    X, y = multinomial
    start = zeros("cross_entropy", (20, 3))
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


def test_a_loss_that_overflows_keeps_the_last_finite_network(zeros, make_model):
    X, y = np.full((4, 1), 1e200), np.ones((4, 1))
    start = zeros("squared_error", (1, 1))
    start = replace(start, weights=(np.full((1, 1), 1e200),))
    problem = Problem(X, y, "squared_error", NoPenalty(), fit_intercept=False)
    (fit,) = fista(problem, [make_model(start)], max_iter=50, tol=1e-6)
    assert fit.outcome == "diverged"
    assert np.isfinite(fit.network.weights[0]).all()


@pytest.mark.parametrize("penalty", [GroupLasso(), L1()])
def test_converged_means_a_small_certificate(penalty, multinomial, zeros, make_model):
    problem = Problem(*multinomial, "cross_entropy", penalty, np.arange(20) // 4)
    model, gaps = make_model(zeros("cross_entropy", (20, 3)), 0.02), {}

    def watch(epoch):
        gaps[epoch.n_iter] = stationarity_gap(problem, model, epoch.network(0))

    for tol in (3e-2, 1e-3, 1e-5):
        gaps.clear()
        (fit,) = fista(problem, [model], max_iter=500, tol=tol, watch=watch)
        small = [n for n, gap in gaps.items() if gap <= tol and n % CHECK_EVERY == 0]
        assert (fit.outcome, small) == ("converged", [fit.n_iter])


def test_momentum_restarts(zeros, make_model):
    """Without restart, an ill-conditioned problem takes several times as long."""
    rng = np.random.RandomState(0)
    X = rng.randn(300, 1) + 0.1 * rng.randn(300, 10)
    y = X @ rng.randn(10, 1) + 0.1 * rng.randn(300, 1)
    problem = Problem(X, y, "squared_error", L1())
    model = make_model(zeros("squared_error", (10, 1)), 1e-4)
    (fit,) = fista(problem, [model], max_iter=5000, tol=1e-10)
    assert fit.outcome == "converged"
    assert fit.n_iter < 2500


def test_rounding_does_not_raise_the_step_bound(zeros, make_model):
    """Columns far from zero: losses of two points are equal, gradients are not."""
    rng = np.random.RandomState(0)
    X = rng.randn(300, 4)
    y = X[:, :1] + 0.3 * rng.randn(300, 1)
    start = zeros("squared_error", (4, 1))
    near, far = (
        fista(
            Problem(X + offset, y, "squared_error", L1()),
            [make_model(start, 0.01)],
            max_iter=1000,
            tol=1e-6,
        )[0]
        for offset in (0, 1e4)
    )
    assert far.outcome == "converged"
    assert far.n_iter <= 2 * near.n_iter
    np.testing.assert_allclose(
        far.network.weights[0], near.network.weights[0], atol=1e-6
    )


@pytest.mark.parametrize("penalty", [GroupLasso(), NoPenalty()])
@pytest.mark.parametrize("loss", LOSSES)
def test_rounding_ends_what_cannot_converge(loss, penalty, draw, zeros, make_model):
    """The best point is kept."""
    X, y = draw(loss, n=60, d=4, k=2)
    y = y if loss == "cross_entropy" else y.astype(np.float32)
    problem = Problem(X.astype(np.float32), y, loss, penalty)
    start = zeros(loss, (4, y.max() + 1 if y.ndim == 1 else 2), np.float32)
    model, gaps = make_model(start, 0.01), []

    def watch(epoch):
        gaps.append(stationarity_gap(problem, model, epoch.network(0)))

    (fit,) = fista(problem, [model], max_iter=5000, tol=0, watch=watch)
    assert (fit.outcome, fit.n_iter < 5000) == ("stalled", True)
    assert gaps[-1] < 1e-5
    assert gaps[-1] <= 2 * min(gaps[CHECK_EVERY - 1 :: CHECK_EVERY]) + 1e-7
