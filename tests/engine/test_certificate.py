"""The stationarity gap and lam_max, against formulas in numpy."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
import torch

from skgroupnet.engine import (
    LOSSES,
    Problem,
    certificate,
    fista,
    lam_max,
    stationarity_gap,
)
from skgroupnet.engine.data import Data
from skgroupnet.engine.descent import can_descend
from skgroupnet.engine.newton import newton
from skgroupnet.network import Network
from skgroupnet.penalties import (
    L1,
    L2,
    PENALTIES,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
    get_penalty,
)

LABELS = np.array([0, 1, 0, -1, 1, 0])
ROWS = np.arange(5, 30)
SETS = np.array([0, 1, 0, 2, 1, 0])
CONVEX = [n for n, c in PENALTIES.items() if c.__module__.endswith(".convex")]


def _soft(values, threshold):
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


def _distance(name, w, g, lam):
    """Distance of -g from the subdifferential at w, for one group."""
    strength = lam * np.sqrt(w.size)
    if name in ("none", "l2"):
        return np.linalg.norm(g + (lam * w if name == "l2" else 0))
    if name == "l1":
        return np.linalg.norm(np.where(w != 0, g + lam * np.sign(w), _soft(g, lam)))
    if name == "sparse_group_lasso":
        g = np.where(w != 0, g + lam * np.sign(w), _soft(g, lam))
    if not w.any():
        return max(np.linalg.norm(g) - strength, 0)
    return np.linalg.norm(g + strength * w / np.linalg.norm(w))


def _gap(name, weights, biases, grads, bias_grads, lam, penalize_bias):
    """Largest distance / sqrt(size) over groups, rows labelled by LABELS."""
    pairs = [
        (weights[0][LABELS == label], grads[0][LABELS == label])
        for label in np.unique(LABELS[LABELS >= 0])
    ]
    for w, g in zip(weights[1:], grads[1:], strict=True):
        pairs += list(zip(w, g, strict=True))
    if name in ("none", "l1", "l2"):
        pairs = [(w[None], g[None]) for a, b in pairs
                 for w, g in zip(a.ravel(), b.ravel(), strict=True)]  # fmt: skip
    gaps = [_distance(name, w, g, lam) / np.sqrt(w.size) for w, g in pairs]
    gaps += list(np.abs(grads[0][LABELS < 0]).ravel())
    for b, g in zip(np.concatenate(biases), np.concatenate(bias_grads), strict=True):
        one = np.array([b]), np.array([g])
        gaps.append(_distance(name if penalize_bias else "none", *one, lam))
    return max(gaps)


@pytest.mark.parametrize(
    "name", ["none", "l1", "l2", "group_lasso", "sparse_group_lasso"]
)
@pytest.mark.parametrize("penalize_bias", [False, True])
@pytest.mark.parametrize("hidden", [(), (4,), (5, 3)])
@pytest.mark.parametrize("weighted", [False, True])
def test_gap_is_the_documented_formula(
    name, penalize_bias, hidden, weighted, draw, random_network, make_model, objective
):
    X, y = draw("cross_entropy", n=1100, d=6)
    rng = np.random.RandomState(0)
    weight = rng.randint(0, 3, len(X)) if weighted else None
    network = random_network("cross_entropy", (6, *hidden, 3))
    weights = [w * (rng.rand(len(w), 1) > 0.4) * (rng.rand(*w.shape) > 0.2)
               for w in network.weights]  # fmt: skip
    weights[0][LABELS == 1] = 0
    network = Network(tuple(weights), network.biases, "tanh", "softmax")
    leaves = [torch.tensor(a, requires_grad=True) for a in (*weights, *network.biases)]
    value = objective(leaves, X, y, "cross_entropy", "tanh", weight)
    grads = [g.numpy() for g in torch.autograd.grad(value, leaves)]
    n_layers = len(weights)
    problem = Problem(X, y, "cross_entropy", get_penalty(name), LABELS, penalize_bias)
    for lam in (0.0, 0.02, 3.0):
        expected = _gap(
            name, weights, network.biases, grads[:n_layers], grads[n_layers:],
            lam, penalize_bias,
        )  # fmt: skip
        model = make_model(network, lam, row_weight=weight)
        gap = stationarity_gap(problem, model, network)
        assert gap == pytest.approx(expected, rel=1e-10)


def test_gap_looks_at_the_rows_of_the_model(draw, random_network, make_model):
    X, y = draw("squared_error", n=80)
    network = random_network("squared_error", (5, 3))
    rows = np.arange(10, 50)
    problem = Problem(X, y, "squared_error", L1())
    cut = Problem(X[rows], y[rows], "squared_error", L1())
    gap = stationarity_gap(problem, make_model(network, 0.1, rows=rows), network)
    assert gap == pytest.approx(
        stationarity_gap(cut, make_model(network, 0.1), network), rel=1e-13
    )
    whole = stationarity_gap(problem, make_model(network, 0.1), network)
    assert gap != pytest.approx(whole, rel=1e-3)


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_columns_are_measured_once_for_fit_and_gap(
    container, draw, make_model, random_network, monkeypatch
):
    """Other weights, or some of the rows, are measured for themselves."""
    X, y = draw("squared_error", n=40)
    X[:, 1] += 1e6
    problem = Problem(container(X), y, "squared_error", GroupLasso())
    network, measured = random_network("squared_error", (5, 3)), []
    weight, moments = np.arange(1.0, 41.0), Data.moments
    monkeypatch.setattr(
        Data, "moments", lambda *args: measured.append(1) or moments(*args)
    )
    for more, count in [({}, 1), ({"row_weight": weight}, 1), ({"rows": ROWS}, 3)]:
        model = make_model(network, 0.01, **more)
        measured.clear()
        (fit,) = newton(problem, [model], 100, 1e-10)
        gaps = [stationarity_gap(problem, model, fit.network) for _ in range(2)]
        assert len(measured) == count
        alone = stationarity_gap(replace(problem), model, fit.network)
        assert gaps == [alone, alone]


def test_gap_of_fixed_zeros_and_of_fixed_biases(draw, random_network, make_model):
    X, y = draw("squared_error", n=80, d=3, k=1)
    W = np.linalg.lstsq(X[:, :2], y, rcond=None)[0]
    network = Network((np.r_[W, [[0.0]]],), (np.zeros(1),), "identity", "identity")
    problem = Problem(
        X, y, "squared_error", GroupLasso(), keep_zeros=True, fit_intercept=False
    )
    assert stationarity_gap(problem, make_model(network, 1.0), network) < 1e-14
    for change in ({"keep_zeros": False}, {"fit_intercept": True}):
        arguments = {"keep_zeros": True, "fit_intercept": False} | change
        other = Problem(X, y, "squared_error", GroupLasso(), **arguments)
        assert stationarity_gap(other, make_model(network, 1.0), network) > 1e-3


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("loss", LOSSES)
def test_lam_max_is_the_documented_formula(loss, container, draw):
    X, y = draw(loss, n=90, d=6, k=3)
    Y = np.eye(3)[y] if y.ndim == 1 else y
    weight = np.random.RandomState(0).randint(0, 3, len(X))
    share = weight / weight.sum()
    link = {"poisson": np.ones(3), "squared_error": np.zeros(3)}
    for intercept in (True, False):
        null = np.full(3, 0.5 if loss == "log_loss" else 1 / 3)
        mean = share @ Y if intercept else link.get(loss, null)
        correlation = X.T @ (share[:, None] * (Y - mean))
        by_set = [correlation[SETS == label] for label in (0, 1, 2)]
        problem = Problem(
            container(X), y, loss, GroupLasso(), SETS, fit_intercept=intercept
        )
        expected = max(np.linalg.norm(c) / np.sqrt(c.size) for c in by_set)
        assert lam_max(problem, weight) == pytest.approx(expected, rel=1e-10)
        problem = Problem(container(X), y, loss, L1(), fit_intercept=intercept)
        expected = np.abs(correlation).max()
        assert lam_max(problem, weight) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", CONVEX)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("penalize_bias", [False, True])
@pytest.mark.parametrize("labels", [None, LABELS], ids=["features", "sets"])
def test_lam_max_is_where_the_last_group_goes(
    name, loss, penalize_bias, labels, draw, zeros, make_model
):
    X, y = draw(loss, n=90, d=6, k=3)
    problem = Problem(X, y, loss, get_penalty(name), labels, penalize_bias)
    largest = lam_max(problem)
    if name in ("none", "l2"):
        assert largest == np.inf
        return
    start = zeros(loss, (6, 3))
    models = [make_model(start, f * largest) for f in (1 + 1e-6, 1 - 1e-3)]
    above, below = fista(problem, models, max_iter=3000, tol=1e-10)
    assert above.outcome == below.outcome == "converged"
    penalised = slice(None) if labels is None else labels >= 0
    assert not above.network.weights[0][penalised].any()
    assert labels is None or above.network.weights[0][labels < 0].all()
    parts = [below.network.weights[0][penalised], *below.network.biases * penalize_bias]
    assert any(part.any() for part in parts)


def test_lam_max_in_float32(draw):
    X, y = draw("cross_entropy", n=90, d=6)
    single = Problem(X.astype("f"), y, "cross_entropy", SparseGroupLasso())
    double = Problem(X, y, "cross_entropy", SparseGroupLasso())
    assert lam_max(single) == pytest.approx(lam_max(double), rel=1e-5)


def test_lam_max_leaves_the_settings_of_fine_tuning_out(draw):
    X, y = draw("squared_error", n=50)
    plain = lam_max(Problem(X, y, "squared_error", GroupLasso()))
    tuned = Problem(
        X, y, "squared_error", GroupLasso(), keep_zeros=True,
        group_sizes=(np.full(5, 100),),
    )  # fmt: skip
    assert lam_max(tuned) == plain
    for penalty in (NoPenalty(), L2()):
        assert lam_max(Problem(X, y, "squared_error", penalty)) == np.inf


def test_targets_without_variation_need_no_strength(draw):
    X, y = draw("squared_error", n=50)
    assert lam_max(Problem(X, 0 * y, "squared_error", GroupLasso())) < 1e-20
    for loss in ("log_loss", "poisson"):
        largest = lam_max(Problem(X, 0 * y, loss, GroupLasso()))
        assert largest < 1e-12


def _emptying(name, length, step, weight):
    """Lam at which the prox of a gradient of that length, times the step, is zero."""
    if name.endswith("l12"):
        return (step * length / 1.5) ** 1.5 / step / weight
    if name.endswith("l23"):
        return 1.5 / step * (step * length / 2) ** (4 / 3) / weight
    # Hoyer-square is at least the number of weights, or groups, that are not zero.
    return step * length**2 / 2 / (1 if "hoyer" in name else weight)


STEEP = [
    "l0", "l12", "l23", "hoyer_square",
    "group_l0", "group_l12", "group_l23", "group_hoyer_square",
]  # fmt: skip


@pytest.mark.parametrize("name", STEEP)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
def test_lam_max_of_a_steep_penalty(
    name, loss, intercept, container, draw, zeros, make_model
):
    X, y = draw(loss, n=90, d=6, k=3)
    X *= np.arange(1, 7) / 2
    Y = np.eye(3)[y] if y.ndim == 1 else y
    null = {"poisson": 1.0, "squared_error": 0.0, "log_loss": 0.5}.get(loss, 1 / 3)
    gradient = X.T @ (Y - (Y.mean(0) if intercept else null)) / 90
    curvature = {"squared_error": 1.0, "log_loss": 0.25, "cross_entropy": 0.5}
    curvature = curvature.get(loss, Y.mean(0).max())
    moment = X.var(0) if intercept else (X**2).mean(0)
    if "hoyer" in name:
        moment = np.full(6, moment.sum())
    if name.startswith("group"):
        sets = [SETS == label for label in (0, 1, 2)]
        steps = [moment[s].max() if "hoyer" in name else moment[s].sum() for s in sets]
        found = [(np.linalg.norm(gradient[s]), gradient[s].size) for s in sets]
    else:
        steps = np.repeat(moment, 3)
        found = [(length, 1) for length in np.abs(gradient).ravel()]
    expected = max(
        _emptying(name, length, 1 / (curvature * v), np.sqrt(size))
        for v, (length, size) in zip(steps, found, strict=True)
    )
    problem = Problem(
        container(X), y, loss, get_penalty(name), SETS, fit_intercept=intercept
    )
    assert lam_max(problem) == pytest.approx(expected, rel=1e-9)
    # FISTA tries longer steps than 1 / curvature, and takes shorter ones; the curvature
    # of the exponential has no bound.
    above, below = 1e3 if loss == "poisson" else 3, 0.2
    models = [make_model(zeros(loss, (6, 3)), f * expected) for f in (above, below)]
    above, below = fista(problem, models, max_iter=500, tol=1e-6)
    assert not above.network.weights[0].any()
    assert below.network.weights[0].any()


def test_lam_max_of_a_steep_penalty_without_variation(draw):
    X, y = draw("squared_error", n=50)
    X[:, 0], X[:, 1] = 0, 1e3 / 3
    problem = Problem(X, y, "squared_error", get_penalty("group_l12"))
    plain = lam_max(replace(problem, X=X[:, 2:]))
    assert lam_max(problem) == pytest.approx(plain, rel=1e-9)
    assert lam_max(replace(problem, y=0 * y)) < 1e-20


def test_no_lam_empties_a_path_norm_or_a_full_difference(draw):
    X, y = draw("squared_error", n=50)
    for name in ("path_norm", "l1_minus_l2"):
        problem = Problem(X, y, "squared_error", get_penalty(name))
        assert lam_max(problem) == np.inf


@pytest.mark.parametrize("loss", ["log_loss", "poisson"])
def test_lam_max_with_free_columns_is_cheap(loss, draw, monkeypatch):
    """Newton's method fits what is not penalised, which FISTA took 10,000 steps for."""
    X, y = draw(loss, n=27, d=12, k=2)
    labels = np.r_[np.full(4, -1), np.arange(8)]
    counts, newton = [], certificate.newton

    def spy(*args, **kwargs):
        fits = newton(*args, **kwargs)
        counts.append(fits[0].n_iter)
        return fits

    monkeypatch.setattr(certificate, "newton", spy)
    problem = Problem(X * 10.0 ** np.arange(-3, 9), y, loss, GroupLasso(), labels)
    if not can_descend(problem):
        pytest.skip("needs compiled code")
    assert np.isfinite(lam_max(problem))
    assert len(counts) == 1
    assert counts[0] <= 60
