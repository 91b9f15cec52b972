"""The Newton method on working sets, against FISTA and by its own certificate."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array

from skgroupnet.engine import (
    FullBatch,
    Job,
    Problem,
    relative_gap,
    solve,
    stationarity_gap,
)
from skgroupnet.engine import newton as module
from skgroupnet.engine.descent import (
    LARGEST_BLOCK,
    MOST_COUPLED,
    Curvature,
    Descent,
    can_descend,
)
from skgroupnet.engine.fista import fista
from skgroupnet.engine.linear import LinearModel
from skgroupnet.engine.newton import newton
from skgroupnet.penalties import (
    L1,
    L2,
    PENALTIES,
    AdaptiveGroupLasso,
    ElasticNet,
    GroupElasticNet,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)

pytestmark = pytest.mark.skipif(
    not can_descend(Problem(np.zeros((2, 1)), np.zeros((2, 1)), "log_loss", L1())),
    reason="needs compiled code",
)

CONVEX = [
    NoPenalty(),
    L1(),
    L2(),
    ElasticNet(0.3),
    GroupLasso(),
    SparseGroupLasso(0.5),
    GroupElasticNet(0.3),
]
CONVEX_TYPES = (*map(type, CONVEX), AdaptiveGroupLasso)


def rows(loss, n, d, seed=0, dtype=np.float64):
    """Rows with strongly correlated, badly scaled columns that are not centred."""
    rng = np.random.RandomState(seed)
    X = rng.randn(n, d)
    for j in range(1, d):
        X[:, j] = 0.8 * X[:, j - 1] + 0.6 * X[:, j]
    X = X * np.exp(rng.randn(d) / 2) + rng.randn(d)
    W = rng.randn(d, 3) * (rng.rand(d, 1) < 0.3)
    raw = X @ W
    raw = (raw - raw.mean(0)) / raw.std(0)
    if loss == "log_loss":
        y = rng.rand(*raw.shape) < 1 / (1 + np.exp(-2 * raw))
    elif loss == "poisson":
        y = rng.poisson(np.exp(raw / 2))
    else:
        y = raw + 0.3 * rng.randn(*raw.shape)
    return X.astype(dtype), y.astype(dtype)


def one(problem, model, max_iter=200, tol=1e-9, **kwargs):
    (fit,) = newton(problem, [model], max_iter, tol, **kwargs)
    return fit


@pytest.fixture
def start(zeros):
    def start(problem, n_outputs=3):
        widths = (problem.X.shape[1], n_outputs)
        return zeros(problem.loss, widths, problem.X.dtype)

    return start


@pytest.mark.parametrize("penalty", CONVEX, ids=repr)
@pytest.mark.parametrize("shape", [(120, 20), (40, 60)], ids=str)
@pytest.mark.parametrize("loss", ["squared_error", "log_loss", "poisson"])
def test_the_optimum_is_fistas(loss, shape, penalty, start, make_model):
    X, y = rows(loss, *shape)
    if shape[0] < shape[1] and isinstance(penalty, NoPenalty):
        return
    labels = np.repeat(np.arange(shape[1] // 4), 4)
    labels[-1] = -1
    problem = Problem(X, y, loss, penalty, labels=labels)
    assert can_descend(problem)
    model = make_model(start(problem), 0.03)
    fit = one(problem, model)
    assert fit.outcome == "converged"
    assert relative_gap(problem, model, fit.network) <= 2e-9
    (other,) = fista(problem, [model], max_iter=20_000, tol=1e-7)
    assert fit.loss_curve[-1] == pytest.approx(other.loss_curve[-1], rel=1e-6)
    assert fit.loss_curve[-1] <= other.loss_curve[-1] + 1e-9
    assert np.all(np.diff(fit.loss_curve) <= 1e-12)
    zero = ~fit.network.weights[0].any(1)
    assert not other.network.weights[0][zero].any()


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_weights_some_rows_and_no_intercept(dtype, fit_intercept, start, make_model):
    X, y = rows("log_loss", 90, 12, dtype=dtype)
    weight = np.arange(90) % 3.0
    chosen = np.arange(5, 80)
    problem = Problem(X, y, "log_loss", GroupLasso(), fit_intercept=fit_intercept)
    model = make_model(start(problem), 0.02, rows=chosen, row_weight=weight)
    tol = 1e-9 if dtype == np.float64 else 1e-5
    fit = one(problem, model, tol=tol)
    assert fit.outcome == "converged"
    assert fit.network.weights[0].dtype == dtype
    assert stationarity_gap(problem, model, fit.network) <= 3 * tol
    assert fit_intercept or not fit.network.biases[0].any()


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("loss", ["squared_error", "log_loss", "poisson"])
def test_sparse_rows(loss, dtype, fit_intercept, start, make_model):
    X, y = rows(loss, 150, 80, dtype=dtype)
    X = (X * (np.random.RandomState(1).rand(*X.shape) < 0.1)).astype(dtype)
    labels = np.arange(80) // 3
    settings = {"labels": labels, "fit_intercept": fit_intercept}
    weight = np.arange(150) % 3.0
    fits = []
    for form in (X, csr_array(X)):
        problem = Problem(form, y[:, :1], loss, GroupLasso(), **settings)
        assert can_descend(problem)
        model = make_model(start(problem, 1), 0.01, row_weight=weight)
        fits.append(one(problem, model, tol=1e-9 if dtype == np.float64 else 1e-5))
        assert fits[-1].outcome == "converged"
    ours, theirs = (fit.network.weights[0] for fit in fits)
    assert ours.dtype == theirs.dtype == dtype
    np.testing.assert_allclose(ours, theirs, atol=1e-6 if dtype == np.float64 else 0.02)
    assert not can_descend(Problem(csr_array(X), y, loss, GroupLasso()))


@pytest.mark.parametrize("name", PENALTIES)
def test_concave_penalties_are_left_to_fista(name, start, make_model):
    X, y = rows("log_loss", 100, 16)
    penalty = PENALTIES[name]()
    problem = Problem(X, y, "log_loss", penalty)
    model = make_model(start(problem), 0.02)
    assert can_descend(problem) == isinstance(penalty, CONVEX_TYPES)
    ours, fistas = (
        solve([Job(problem, model, FullBatch(5000, 1e-7, solver))])[0]
        for solver in ("auto", "fista")
    )
    same = np.array_equal(ours.network.weights[0], fistas.network.weights[0])
    assert same != can_descend(problem)


def test_moments_and_passes_over_rows_agree(start, make_model, monkeypatch):
    X, y = rows("log_loss", 200, 30)
    problem = Problem(X, y[:, :1], "log_loss", GroupLasso())
    model = make_model(start(problem, 1), 0.01)
    called = []
    by_moments = module._Newton._by_moments

    def spy(self, *args):
        called.append(len(self.panel.columns))
        return by_moments(self, *args)

    monkeypatch.setattr(module._Newton, "_by_moments", spy)
    monkeypatch.setattr(module, "PRODUCT_SPEED", 10**9)
    moments = one(problem, model)
    assert called
    called.clear()
    monkeypatch.setattr(module._Newton, "_most_passes", lambda self, n: 10**6)
    passes = one(problem, model)
    assert not called
    np.testing.assert_allclose(
        moments.network.weights[0], passes.network.weights[0], atol=1e-7
    )


def test_the_curvature_of_a_block_is_exact(start, make_model):
    # What a block knows of its curvature is exact, centred and output by output: the
    # number of passes tells, not where they end.
    X, y = rows("log_loss", 200, 6, seed=2)
    X = X + 3 * X.std(0)
    problem = Problem(X, y, "log_loss", GroupLasso(), labels=np.zeros(6, dtype=int))
    linear = LinearModel(problem, make_model(start(problem), 0.01))
    with torch.inference_mode():
        solver = module._Newton(linear)
        solver._choose()
        raw = 2 * torch.from_numpy(np.random.RandomState(0).randn(3, 1)) + solver.raw
        of_rows, errors = linear.curvatures(raw), linear.errors(raw)
        errors -= of_rows * (errors.sum(1) / of_rows.sum(1))[:, None]
        weights = torch.zeros((6, 3), dtype=torch.float64)
        parts = solver.rows.rows, Curvature(of_rows, True), errors, weights
        descent = Descent(solver.blocks, solver.chosen, *parts)
        # Without either it takes more than 1000.
        assert descent.run(1e-9, 400)


def test_columns_that_repeat_or_vanish(start, make_model):
    X, y = rows("squared_error", 80, 10)
    X = np.hstack([X, X[:, :3], np.zeros((80, 2)), np.ones((80, 1))])
    problem = Problem(X, y, "squared_error", GroupLasso())
    model = make_model(start(problem), 0.01)
    fit = one(problem, model)
    assert fit.outcome == "converged"
    assert not fit.network.weights[0][-3:].any()


def test_working_sets_leave_columns_out(start, make_model, monkeypatch):
    rng = np.random.RandomState(0)
    X = rng.randn(100, 3000)
    y = X[:, :3].sum(1, keepdims=True) + 0.1 * rng.randn(100, 1)
    problem = Problem(X, y, "squared_error", L1())
    model = make_model(start(problem, 1), 0.3)
    sizes = []
    step = module._Newton._step

    def spy(self, *args):
        sizes.append(len(self.panel.columns))
        return step(self, *args)

    monkeypatch.setattr(module._Newton, "_step", spy)
    fit = one(problem, model)
    assert fit.outcome == "converged"
    assert stationarity_gap(problem, model, fit.network) <= 2e-9
    assert max(sizes) < 300


def test_a_warm_path_ends_at_the_same_optima(start, make_model):
    X, y = rows("log_loss", 150, 24)
    problem = Problem(X, y, "log_loss", GroupLasso())
    models = [make_model(start(problem), lam) for lam in np.geomspace(0.2, 0.01, 12)]
    warm = newton(problem, models, 200, 1e-9, warm=True)
    cold = newton(problem, models, 200, 1e-9)
    for model, one_fit, other in zip(models, warm, cold, strict=True):
        assert one_fit.outcome == other.outcome == "converged"
        assert stationarity_gap(problem, model, one_fit.network) <= 2e-9
        np.testing.assert_allclose(
            one_fit.network.weights[0], other.network.weights[0], atol=1e-6
        )
    assert sum(f.n_iter for f in warm) < sum(f.n_iter for f in cold)


def test_chains_of_jobs_are_solved_in_turn(start, make_model):
    X, y = rows("log_loss", 150, 24)
    problem = Problem(X, y, "log_loss", GroupLasso())
    models = [make_model(start(problem), lam) for lam in (0.01, 0.2, 0.011)]
    ways = [FullBatch(500, 1e-9), FullBatch(5000, 1e-9, "fista")]
    for settings in ways:
        jobs = [Job(problem, model, settings, chain="one") for model in models]
        jobs.append(Job(problem, models[0], settings))
        fits = solve(jobs, n_threads=2)
        assert all(fit.outcome == "converged" for fit in fits)
        assert fits[0].n_iter < fits[3].n_iter
        np.testing.assert_allclose(
            fits[0].network.weights[0], fits[3].network.weights[0], atol=1e-6
        )
        for model, fit in zip(models, fits, strict=False):
            assert stationarity_gap(problem, model, fit.network) <= 2e-9


def test_interrupted_paths_keep_what_there_is(start, make_model):
    X, y = rows("log_loss", 150, 24)
    problem = Problem(X, y, "log_loss", GroupLasso())
    models = [make_model(start(problem), lam) for lam in (0.2, 0.05, 0.01)]
    epochs = []

    def watch(epoch):
        epochs.append(epoch)
        if len(epochs) == 4:
            raise KeyboardInterrupt
        return False

    fits = newton(problem, models, 200, 1e-12, watch, warm=True)
    assert sum(fit.n_iter for fit in fits) == 4
    assert fits[-1].outcome == "interrupted"
    assert [epoch.n_iter for epoch in epochs][:2] == [1, 2]


def test_a_watcher_ends_a_model(start, make_model):
    X, y = rows("log_loss", 150, 24)
    problem = Problem(X, y, "log_loss", GroupLasso())
    model = make_model(start(problem), 0.01)
    fit = one(problem, model, watch=lambda epoch: epoch.n_iter == 2)
    assert (fit.outcome, fit.n_iter) == ("stopped", 2)
    assert one(problem, model, max_iter=1).outcome == "max_iter"


def test_rounding_ends_what_cannot_converge(start, make_model):
    X, y = rows("log_loss", 150, 24, dtype=np.float32)
    problem = Problem(X, y, "log_loss", GroupLasso())
    fit = one(problem, make_model(start(problem), 0.01), max_iter=1000, tol=0.0)
    assert fit.outcome == "stalled"
    assert fit.n_iter < 100


@pytest.mark.parametrize("loss", ["squared_error", "log_loss"])
def test_what_is_not_finite_diverges(loss, start, make_model):
    X, y = rows(loss, 50, 4)
    problem = Problem(X, y[:, :1], loss, GroupLasso())
    network = start(problem, 1)
    network = replace(network, weights=(np.full((4, 1), np.nan),))
    fit = one(problem, make_model(network, 0.01))
    assert (fit.outcome, fit.n_iter) == ("diverged", 1)


def test_what_the_descent_does_not_take():
    X, y = rows("log_loss", 20, LARGEST_BLOCK + 1)
    one_group = np.zeros(X.shape[1], dtype=int)
    assert can_descend(Problem(X, y, "log_loss", GroupLasso()))
    assert not can_descend(Problem(X, y, "log_loss", GroupLasso(), labels=one_group))
    biased = Problem(X, y, "log_loss", GroupLasso(), penalize_bias=True)
    assert not can_descend(biased)
    many = np.arange(20) % (1 + MOST_COUPLED // X.shape[1])
    assert can_descend(Problem(X, many % 3, "cross_entropy", L1()))
    assert not can_descend(Problem(X, many, "cross_entropy", L1()))
    assert not can_descend(Problem(csr_array(X), many % 3, "cross_entropy", L1()))


@pytest.mark.parametrize("penalty", CONVEX, ids=repr)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_multinomial_optimum_is_fistas(
    fit_intercept, penalty, start, make_model, multinomial
):
    X, y = multinomial
    X, labels = X + 3, np.arange(20) // 4
    labels[-1] = -1
    weight = np.arange(len(X)) % 3.0
    problem = Problem(
        X, y, "cross_entropy", penalty, labels=labels, fit_intercept=fit_intercept
    )
    model = make_model(start(problem), 0.01, row_weight=weight)
    fit = one(problem, model)
    assert (fit.outcome, fit.n_iter < 20) == ("converged", True)
    assert stationarity_gap(problem, model, fit.network) <= 2e-9
    (other,) = fista(problem, [model], max_iter=20_000, tol=1e-8)
    assert fit.loss_curve[-1] == pytest.approx(other.loss_curve[-1], rel=1e-9)
    zero = fit.network.weights[0] == 0
    np.testing.assert_array_equal(zero, other.network.weights[0] == 0)


@pytest.mark.parametrize("lam", [1e-2, 1e-4])
def test_multinomial_in_float32(lam, start, make_model, multinomial):
    X, y = multinomial
    problem = Problem(X.astype(np.float32), y, "cross_entropy", GroupLasso())
    model = make_model(start(problem), lam)
    fit = one(problem, model, tol=1e-5)
    exact = Problem(X, y, "cross_entropy", GroupLasso())
    best = one(exact, make_model(start(exact), lam))
    assert (fit.outcome, fit.n_iter < 20) == ("converged", True)
    assert fit.network.dtype == np.float32
    assert fit.loss_curve[-1] == pytest.approx(best.loss_curve[-1], rel=1e-5)


@pytest.mark.parametrize("lam", [1e-3, 1e-4])
@pytest.mark.parametrize("loss", ["cross_entropy", "log_loss", "poisson"])
def test_rows_that_are_certain_and_wrong(loss, lam, start, make_model):
    """What curvature is left in rows of heavy tails is that of the optimum."""
    rng = np.random.RandomState(3)
    X = rng.standard_t(1.0, size=(300, 12))
    raw = X @ rng.randn(12, 4) + rng.randn(300, 4)
    y = raw.argmax(1) if loss == "cross_entropy" else (raw[:, :1] > 0) * 1.0
    problem = Problem(X, y, loss, GroupLasso())
    model = make_model(start(problem, 4 if y.ndim == 1 else 1), lam)
    fit = one(problem, model, tol=1e-8)
    assert (fit.outcome, fit.n_iter <= 25) == ("converged", True)
    assert relative_gap(problem, model, fit.network) <= 1e-7


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("lam", [1e-2, 0.0])
def test_classes_that_columns_separate(lam, dtype, start, make_model):
    """Almost all rows become certain: their curvature is not 1 less their p."""
    rng = np.random.RandomState(0)
    X = (rng.randn(9, 30) * 10 ** rng.uniform(-3, 3, 30)).astype(dtype)
    problem = Problem(X, np.arange(9) % 3, "cross_entropy", L2())
    model = make_model(start(problem), lam, row_weight=rng.lognormal(0, 2, 9))
    fit = one(problem, model, tol=1e-6)
    assert (fit.outcome, fit.n_iter <= 25) == ("converged", True)
    assert relative_gap(problem, model, fit.network) <= 1e-5


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("loss", ["poisson", "log_loss", "squared_error"])
def test_columns_far_from_zero_need_no_more_iterations(
    loss, fit_intercept, start, make_model
):
    """Nearly dependent columns: descent alone takes 10,000 passes an iteration."""
    rng = np.random.RandomState(0)
    X = rng.randn(46, 38) * rng.uniform(2, 4, 38) + 10
    y = rng.poisson(1.0, (46, 2)) * 1.0
    y = y.clip(max=1) if loss == "log_loss" else y
    labels = np.arange(38) // 3
    settings = {"labels": labels, "fit_intercept": fit_intercept}
    problem = Problem(X, y, loss, GroupLasso(), **settings)
    model = make_model(start(problem, 2), 4e-4)
    fit = one(problem, model, max_iter=40, tol=1e-7)
    assert fit.outcome == "converged"
    assert relative_gap(problem, model, fit.network) <= 2e-7


def test_passes_are_few_where_columns_nearly_depend(start, make_model, monkeypatch):
    rng = np.random.RandomState(0)
    X = rng.randn(46, 38) * rng.uniform(2, 4, 38) + 10
    y = rng.poisson(1.0, (46, 1)) * 1.0
    problem = Problem(X, y, "poisson", GroupLasso(), fit_intercept=False)
    passes, run = [], Descent.run

    def spy(self, *args):
        before = self.n_passes
        done = run(self, *args)
        passes.append(self.n_passes - before)
        return done

    monkeypatch.setattr(Descent, "run", spy)
    assert one(problem, make_model(start(problem, 1), 4e-4)).outcome == "converged"
    assert sum(passes) < 2000
