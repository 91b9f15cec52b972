"""Group penalties against D-gating, which minimises them by plain weight decay.

With w_g = omega_g gamma_g1 ... gamma_g(D-1), the smallest sum of the squares of these D
factors over all ways to write w_g is D norm(w_g)^(2/D).
"""

import numpy as np
import pytest
import torch

from skgroupnet.engine import Problem, fista, stationarity_gap
from skgroupnet.network import Network
from skgroupnet.penalties import GroupL12, GroupL23, GroupLasso

LABELS = np.repeat(np.arange(8), [3, 1, 2, 4, 2, 2, 3, 3])
PENALTIES = {2: GroupLasso(), 3: GroupL23(), 4: GroupL12()}


@pytest.fixture
def regression():
    """Twenty features in eight groups, three of which matter."""
    rng = np.random.RandomState(0)
    X = rng.randn(120, 20) + rng.randn(120, 1)
    W = rng.randn(20, 1) * np.isin(LABELS, [0, 3, 4])[:, None]
    return X, X @ W + 0.5 * rng.randn(120, 1)


def _gated(X, y, lam, depth, seed):
    """Minimise over the factors by L-BFGS: the objective, W and the intercept."""
    X, y, labels = torch.from_numpy(X), torch.from_numpy(y), torch.from_numpy(LABELS)
    weight = torch.bincount(labels).double().sqrt()
    generator = torch.Generator().manual_seed(seed)
    omega = torch.randn((20, 1), generator=generator, dtype=torch.float64)
    gates = torch.ones((depth - 1, 8), dtype=torch.float64)
    leaves = [t.requires_grad_() for t in (omega, gates, torch.zeros(1).double())]

    def weights():
        return omega * gates.prod(0)[labels, None]

    def objective():
        residual = X @ weights() + leaves[2] - y
        squares = gates.square().sum(0).index_add(0, labels, omega[:, 0].square())
        decay = lam / depth * (weight * squares).sum()
        return residual.square().mean() / 2 + decay

    optimizer = torch.optim.LBFGS(
        leaves, max_iter=3000, history_size=50, line_search_fn="strong_wolfe",
        tolerance_grad=1e-10, tolerance_change=1e-16,
    )  # fmt: skip

    def closure():
        optimizer.zero_grad()
        value = objective()
        value.backward()
        return value

    optimizer.step(closure)
    with torch.no_grad():
        return objective().item(), weights().numpy(), leaves[2].numpy()


def _solved(problem, lam, W, b, make_model):
    start = Network((W,), (b,), "identity", "identity")
    model = make_model(start, lam)
    (fit,) = fista(problem, [model], max_iter=20_000, tol=1e-9)
    assert fit.outcome == "converged"
    return model, fit


@pytest.mark.parametrize("depth", PENALTIES)
def test_minimum_of_dgating(depth, regression, make_model):
    X, y = regression
    lam = 0.2 if depth == 2 else 0.1
    problem = Problem(X, y, "squared_error", PENALTIES[depth], LABELS)
    gated = [_gated(X, y, lam, depth, seed) for seed in (2, 3)]
    for value, W, b in gated:
        norms = [np.linalg.norm(W[LABELS == g]) for g in range(8)]
        kept = np.array(norms) > 1e-6
        assert 0 < kept.sum() < 8
        # A stationary point, which the descent of the penalty itself does not leave.
        W = W * kept[LABELS, None]
        model, fit = _solved(problem, lam, W, b, make_model)
        assert stationarity_gap(problem, model, model.start) < 1e-6
        assert fit.loss_curve[-1] == pytest.approx(value, rel=1e-9)
        np.testing.assert_array_equal(fit.network.weights[0][:, 0] != 0, kept[LABELS])
    # No start of the descent finds a lower one than the best of the factors.
    dense = np.linalg.lstsq(np.c_[X, np.ones(120)], y, rcond=None)[0]
    starts = [dense, 0 * dense] if depth == 2 else [dense]
    ends = [_solved(problem, lam, w[:-1], w[-1], make_model)[1] for w in starts]
    best = min(value for value, _, _ in gated)
    for fit in ends:
        assert fit.loss_curve[-1] >= best * (1 - 1e-9)
        assert depth > 2 or fit.loss_curve[-1] == pytest.approx(best, rel=1e-9)


def test_strength_of_dgating_is_divided_by_the_depth(regression, make_model):
    """Another factor would not do."""
    X, y = regression
    value, _, _ = _gated(X, y, 0.2 * 2, 2, 2)
    problem = Problem(X, y, "squared_error", GroupLasso(), LABELS)
    _, fit = _solved(problem, 0.2, np.zeros((20, 1)), np.zeros(1), make_model)
    assert value != pytest.approx(fit.loss_curve[-1], rel=1e-2)
