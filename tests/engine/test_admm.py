"""ADMM: the optimum of FISTA, its histories, and how it ends."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skgroupnet.engine import (
    ADMM,
    LOSSES,
    FullBatch,
    Job,
    Problem,
    admm,
)
from skgroupnet.engine import solve as solve_jobs
from skgroupnet.penalties import (
    L1,
    L2,
    ElasticNet,
    GroupElasticNet,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)

CONVEX = [
    L1(),
    L2(),
    ElasticNet(),
    GroupLasso(),
    SparseGroupLasso(0.5),
    GroupElasticNet(),
    NoPenalty(),
]
LABELS = np.array([0, 1, 0, -1, 1, 2, 2, -1])


def _same(fit, reference, rel=1e-6):
    assert fit.loss_curve[-1] == pytest.approx(reference.loss_curve[-1], rel=rel)


def _strength(penalty, lam):
    return 0.0 if penalty == NoPenalty() else lam


@pytest.mark.parametrize("penalty", CONVEX, ids=repr)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("labels", [None, LABELS], ids=["features", "sets"])
def test_optimum_of_fista(penalty, loss, labels, draw, solve, split):
    X, y = draw(loss, n=100, d=8, k=2)
    X[:, 1] += 0.7 * X[:, 0]
    problem = Problem(X + 0.5, y, loss, penalty, labels)
    lam = _strength(penalty, 0.05)
    fit, reference = split(problem, lam), solve(problem, lam)
    _same(fit, reference)
    W, expected = fit.network.weights[0], reference.network.weights[0]
    np.testing.assert_array_equal(W == 0, expected == 0)
    np.testing.assert_allclose(W, expected, atol=1e-5)


@pytest.mark.parametrize("penalty", [L1(), GroupLasso()], ids=repr)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_more_features_than_rows(penalty, loss, container, draw, solve, split):
    X, y = draw(loss, n=30, d=60, k=2)
    X[np.random.RandomState(0).rand(*X.shape) < 0.5] = 0
    labels = np.arange(60) // 3
    labels[[4, 9]] = -1
    weight = np.random.RandomState(0).randint(0, 3, 30)
    problem = Problem(container(X + (X != 0)), y, loss, penalty, labels)
    fit = split(problem, 0.1, row_weight=weight)
    _same(fit, solve(problem, 0.1, row_weight=weight))
    assert (fit.network.weights[0] == 0).any()


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize(
    "change", [{"penalize_bias": True}, {"fit_intercept": False}], ids=str
)
def test_intercepts(loss, wide, container, change, draw, solve, split):
    X, y = draw(loss, n=20 if wide else 90, d=30 if wide else 8, k=2)
    labels = None if wide else LABELS
    problem = Problem(container(X + 0.5), y, loss, L1(), labels, **change)
    weight = np.random.RandomState(0).randint(0, 3, len(X))
    fit = split(problem, 0.08, row_weight=weight)
    reference = solve(problem, 0.08, row_weight=weight)
    _same(fit, reference)
    np.testing.assert_allclose(
        fit.network.biases[0], reference.network.biases[0], atol=1e-5
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_weights_are_repetitions(loss, draw, split):
    X, y = draw(loss, n=60, d=4, k=2)
    weight = np.random.RandomState(0).randint(0, 4, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    problem = Problem(X, y, loss, GroupLasso())
    weighted = split(problem, 0.05, row_weight=weight * 0.3)
    repeated = split(Problem(X[rows], y[rows], loss, GroupLasso()), 0.05)
    chosen = split(problem, 0.05, rows=rows[weight[rows] == 1])
    _same(weighted, repeated, 1e-10)
    ours, theirs = weighted.network.weights[0], repeated.network.weights[0]
    np.testing.assert_allclose(ours, theirs, atol=1e-7)
    assert chosen.loss_curve[-1] != pytest.approx(weighted.loss_curve[-1], rel=1e-3)


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("n", [40, 5])
def test_features_that_repeat_each_other(container, n, draw, solve, split):
    """Unpenalised columns need not be independent."""
    X, y = draw("squared_error", n=n, d=9, k=1)
    X[:, 8], X[:, 7] = X[:, 6], 0
    labels = np.array([0, 0, 1, 1, 2, 2, -1, -1, -1])
    problem = Problem(container(X), y, "squared_error", GroupLasso(), labels)
    _same(split(problem, 0.05), solve(problem, 0.05))


def test_without_columns_the_intercept_is_fitted(draw, split):
    for loss in ("poisson", "squared_error"):
        X, y = draw(loss, n=50, d=4, k=2)
        network = split(Problem(X[:, :0], y, loss, GroupLasso()), 0.1).network
        assert network.widths == (0, 2)
        np.testing.assert_allclose(network.predict(X[:1, :0])[0], y.mean(0), rtol=1e-6)


def test_zeros_stay_where_they_are_fixed(draw, random_network, make_model):
    X, y = draw("squared_error", n=50, d=4, k=2)
    start = random_network("squared_error", (4, 2))
    pattern = np.array([[1, 0], [0, 0], [1, 1], [0, 1]])
    start = replace(start, weights=(start.weights[0] * pattern,))
    problem = Problem(X, y, "squared_error", GroupLasso(), keep_zeros=True)
    fit = admm(problem, make_model(start, 9.0), ADMM(tol=1e-10))
    assert fit.outcome == "converged"
    for column, used in enumerate(pattern.T.astype(bool)):
        A = np.c_[X[:, used], np.ones(50)]
        expected = np.linalg.lstsq(A, y[:, column], rcond=None)[0][:-1]
        np.testing.assert_allclose(
            fit.network.weights[0][used, column], expected, atol=1e-8
        )
    np.testing.assert_array_equal(fit.network.weights[0] != 0, pattern != 0)


@pytest.mark.parametrize("loss", LOSSES)
def test_large_means_in_float32(loss, draw, split, zeros, make_model):
    X, y = draw(loss, n=200, d=4, k=2)
    double = split(Problem(X, y, loss, GroupLasso()), 0.05).network
    X = (X + [0, 10, 100, 1000]).astype(np.float32)
    y = y if y.ndim == 1 else y.astype(np.float32)
    model = make_model(zeros(loss, (4, 2), np.float32), 0.05)
    fit = admm(Problem(X, y, loss, GroupLasso()), model, ADMM(100, 0))
    assert fit.network.dtype == np.float32
    np.testing.assert_allclose(fit.network.weights[0], double.weights[0], atol=1e-3)


def test_a_start_near_the_end_stays_near(draw, solve, make_model):
    X, y = draw("cross_entropy", n=100, d=8)
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    starts = solve(problem, 0.05).network, solve(problem, 0.5).network
    near, far = (admm(problem, make_model(s, 0.051), ADMM()) for s in starts)
    assert near.n_iter < far.n_iter
    assert near.loss_curve[0] - near.loss_curve[-1] < 1e-4


@pytest.mark.parametrize("loss", LOSSES)
def test_histories(loss, draw, zeros, make_model, objective, tensors):
    X, y = draw(loss, n=100, d=8, k=2)
    problem, lam = Problem(X, y, loss, GroupLasso()), 0.05
    networks = []

    def watch(epoch):
        networks.append(epoch.network(0))
        return False

    model = make_model(zeros(loss, (8, 2)), lam)
    fit = admm(problem, model, ADMM(tol=1e-8), watch)
    history = fit.history
    names = {"primal_residual", "dual_residual", "objective", "lagrangian", "rho"}
    assert history.keys() == names
    assert {len(values) for values in history.values()} == {fit.n_iter}
    assert len(networks) == fit.n_iter
    assert history["objective"].tolist() == fit.loss_curve
    for n in (0, 3, -1):
        (W,) = networks[n].weights
        mean = objective(tensors(networks[n]), X, y, loss, "identity").item()
        expected = mean + lam * np.sqrt(2) * np.linalg.norm(W, axis=1).sum()
        assert history["objective"][n] == pytest.approx(expected, rel=1e-10)
    for name in ("primal_residual", "dual_residual"):
        assert 0 < history[name][-1] < 1e-4 * history[name].max()
    last = history["lagrangian"][-1]
    assert last == pytest.approx(history["objective"][-1], rel=1e-6)


@pytest.mark.parametrize("rho", [0.7, "auto"])
def test_residuals_of_the_first_iterations(rho, draw, zeros, make_model):
    """Ridge regression with the three steps written out in numpy."""
    X, y = draw("squared_error", n=50, d=4, k=1)
    Xc, yc, lam = X - X.mean(0), y - y.mean(0), 0.3
    H, q = Xc.T @ Xc / 50, Xc.T @ yc / 50
    problem = Problem(X, y, "squared_error", L2())
    model = make_model(zeros("squared_error", (4, 1)), lam)
    history = admm(problem, model, ADMM(9, 0, rho)).history
    assert len(np.unique(history["rho"])) == 1 + (rho == "auto")
    beta, unscaled = np.zeros((4, 1)), q
    for n, rho in enumerate(history["rho"]):
        u = unscaled / rho
        before, z = beta, (beta + u) / (1 + lam / rho)
        beta = np.linalg.solve(H + rho * np.eye(4), q + rho * (z - u))
        u = u + beta - z
        unscaled = rho * u
        loss = [((Xc @ w - yc) ** 2).mean() / 2 for w in (beta, z)]
        ridge = lam / 2 * (z**2).sum()
        coupling = rho * (u * (beta - z)).sum() + rho / 2 * ((beta - z) ** 2).sum()
        expected = {
            "primal_residual": np.linalg.norm(beta - z),
            "dual_residual": rho * np.linalg.norm(beta - before),
            "objective": loss[1] + ridge,
            "lagrangian": loss[0] + ridge + coupling,
            "rho": rho,
        }
        found = {name: values[n] for name, values in history.items()}
        assert found == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("rho", [0.02, 1.0, 5.0])
def test_rho_that_is_given_stays(loss, rho, draw, solve, split):
    X, y = draw(loss, n=100, d=8, k=2)
    problem = Problem(X, y, loss, GroupLasso())
    fit = split(problem, 0.05, rho=rho)
    assert (fit.history["rho"] == rho).all()
    _same(fit, solve(problem, 0.05))


@pytest.mark.parametrize("rho", [0, -1.0, np.inf, np.nan])
def test_rho_must_be_positive(rho):
    with pytest.raises(ValueError, match="rho must be 'auto' or a finite number > 0"):
        ADMM(rho=rho)


@pytest.mark.parametrize("scale", [1e-3, 1, 1e3])
def test_rho_follows_the_units_of_the_columns(scale, draw, zeros, make_model):
    X, y = draw("squared_error", n=200, d=10, k=1)
    problem = Problem(X * scale, y, "squared_error", GroupLasso())
    model = make_model(zeros("squared_error", (10, 1)), 0.1 * scale)
    fit = admm(problem, model, ADMM(tol=1e-6 * scale))
    assert (fit.outcome, fit.n_iter < 60) == ("converged", True)


def test_balanced_residuals_save_iterations(draw, zeros, make_model):
    X, y = draw("log_loss", n=60, d=100, k=1)
    problem = Problem(X, y, "log_loss", GroupLasso(), np.arange(100) // 5)
    model = make_model(zeros("log_loss", (100, 1)), 0.003)
    fit = admm(problem, model, ADMM())
    rho = fit.history["rho"]
    assert fit.outcome == "converged"
    assert len(np.unique(rho)) > 2
    fixed = admm(problem, model, ADMM(rho=float(rho[0])))
    assert fit.n_iter < fixed.n_iter / 2


def test_watch_sees_every_iteration_and_stops(multinomial, zeros, make_model):
    problem = Problem(*multinomial, "cross_entropy", GroupLasso())
    model = make_model(zeros("cross_entropy", (20, 3)), 0.05)
    seen = []

    def watch(epoch):
        seen.append((epoch.n_iter, float(epoch.losses[0]), bool(epoch.running[0])))
        return epoch.n_iter == 4

    fit = admm(problem, model, ADMM(9, 0), watch)
    assert fit.outcome == "stopped"
    assert seen == [(n, fit.loss_curve[n - 1], True) for n in (1, 2, 3, 4)]
    seen.clear()
    assert admm(problem, model, ADMM(3, 0), watch).outcome == "max_iter"
    assert [running for _, _, running in seen] == [True, True, False]


def test_interrupt_keeps_the_last_whole_iteration(multinomial, zeros, make_model, flat):
    problem = Problem(*multinomial, "cross_entropy", GroupLasso())
    model = make_model(zeros("cross_entropy", (20, 3)), 0.05)

    def watch(epoch):
        if epoch.n_iter == 5:
            raise KeyboardInterrupt

    fit = admm(problem, model, ADMM(50, 0), watch)
    five = admm(problem, model, ADMM(5, 0))
    assert (fit.outcome, fit.n_iter) == ("interrupted", 5)
    np.testing.assert_array_equal(flat(fit.network), flat(five.network))
    for name, values in fit.history.items():
        np.testing.assert_array_equal(values, five.history[name])


@pytest.mark.parametrize("rho", [1.0, "auto"])
def test_a_loss_that_overflows_keeps_the_last_finite_network(rho, zeros, make_model):
    X, y = np.full((4, 1), 1e200), np.ones((4, 1))
    start = zeros("squared_error", (1, 1))
    for weight in (0.0, 1e200):
        start = replace(start, weights=(np.full((1, 1), weight),))
        problem = Problem(X, y, "squared_error", L1(), fit_intercept=False)
        fit = admm(problem, make_model(start), ADMM(rho=rho))
        assert fit.outcome == "diverged"
        assert np.isfinite(fit.network.weights[0]).all()


def test_jobs_with_and_without_admm(multinomial, zeros, make_model, flat):
    problem = Problem(*multinomial, "cross_entropy", GroupLasso())
    model = make_model(zeros("cross_entropy", (20, 3)), 0.05)
    settings = [ADMM(), FullBatch(), ADMM(rho=0.3)]
    fits = solve_jobs([Job(problem, model, each) for each in settings])
    assert [bool(fit.history) for fit in fits] == [True, False, True]
    for fit, each in zip(fits[::2], settings[::2], strict=True):
        alone = admm(problem, model, each)
        np.testing.assert_array_equal(flat(fit.network), flat(alone.network))
        _same(fit, fits[1])


@pytest.mark.parametrize("loss", LOSSES)
def test_relative_weights_of_the_groups(loss, draw, solve, split):
    X, y = draw(loss, n=100, d=8, k=2)
    problem = Problem(X, y, loss, GroupLasso())
    factors = np.r_[10.0, np.linspace(0, 2, 7), np.ones(2)]
    fit = split(problem, 0.05, factors=factors)
    _same(fit, solve(problem, 0.05, factors=factors))
    assert not fit.network.weights[0][0].any() and fit.network.weights[0][1].all()
