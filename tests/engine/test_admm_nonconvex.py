"""ADMM with nonconvex penalties: the augmented Lagrangian falls, and rho."""

from dataclasses import replace

import numpy as np
import pytest

from skgroupnet.engine import ADMM, LOSSES, Problem, admm, lam_max
from skgroupnet.penalties import (
    L1,
    L2,
    PENALTIES,
    AdaptiveGroupLasso,
    ElasticNet,
    GroupElasticNet,
    GroupLasso,
    GroupMCP,
    GroupSCAD,
    NoPenalty,
    PathNorm,
    SparseGroupLasso,
    get_penalty,
)

CONVEX = {
    L1, L2, ElasticNet, GroupLasso, SparseGroupLasso, GroupElasticNet, NoPenalty,
    AdaptiveGroupLasso,
}  # fmt: skip
NONCONVEX = [
    get_penalty(name)
    for name, kind in PENALTIES.items()
    if kind not in {*CONVEX, PathNorm}
]


def _rises(history):
    """Iterations, from the second on, whose augmented Lagrangian is above the last."""
    values = history["lagrangian"]
    same = history["rho"][1:] == history["rho"][:-1]
    rises = same & (np.diff(values) > 1e-10 * np.maximum(1, np.abs(values[:-1])))
    return 2 + np.flatnonzero(rises[1:])


def _smooth_bound(problem):
    """Bound on the curvature of the mean loss, by the singular values of X."""
    X = problem.X - problem.X.mean(0)
    largest = np.linalg.norm(X, 2) ** 2 / len(X)
    return LOSSES[problem.loss].curvature * largest


@pytest.mark.parametrize("penalty", [GroupMCP(3.0), GroupSCAD(3.7)], ids=repr)
@pytest.mark.parametrize("loss", ["squared_error", "log_loss", "cross_entropy"])
def test_lagrangian_falls_above_the_bound(
    penalty, loss, draw, split, zeros, make_model
):
    X, y = draw(loss, n=150, d=8, k=2)
    X = np.c_[X, np.random.RandomState(1).randn(150, 12)]
    problem = Problem(X, y, loss, penalty, np.arange(20) // 4)
    lam = 0.6 * lam_max(problem)
    rho = 1.01 * max(np.sqrt(2) * _smooth_bound(problem), 0.5)
    fit = split(problem, lam, 1e-6, rho)
    assert fit.n_iter > 10
    assert not len(_rises(fit.history))
    assert 0 < fit.network.weights[0].any(1).sum() < 20
    last = fit.history["lagrangian"][-1]
    assert last == pytest.approx(fit.loss_curve[-1], rel=1e-5)
    # The first iterations of a model with fewer rows than features.
    problem = replace(problem, X=X[:15], y=y[:15])
    rho = 1.01 * max(np.sqrt(2) * _smooth_bound(problem), 0.5)
    model = make_model(zeros(loss, (20, 2)), lam)
    fit = admm(problem, model, ADMM(100, 0, rho))
    assert not len(_rises(fit.history))


def test_lagrangian_rises_far_below_the_bound(draw, zeros, make_model):
    X, y = draw("squared_error", n=100, d=100, k=1)
    problem = Problem(X, y, "squared_error", GroupMCP(3.0), np.arange(100) // 5)
    model = make_model(zeros("squared_error", (100, 1)), 0.3 * lam_max(problem))
    small = 0.1 * _smooth_bound(problem)
    fit = admm(problem, model, ADMM(200, 1e-6, small))
    assert fit.outcome == "max_iter"
    assert len(_rises(fit.history)) > 20


@pytest.mark.parametrize("penalty", NONCONVEX, ids=repr)
@pytest.mark.parametrize("loss", LOSSES)
def test_rho_of_nonconvex_penalties(penalty, loss, draw, split, solve):
    X, y = draw(loss, n=150, d=20, k=2)
    problem = Problem(X, y, loss, penalty, np.arange(20) // 4)
    fit = split(problem, 0.02, 1e-6)
    rho = fit.history["rho"]
    doubled = 1 + np.flatnonzero(rho[1:] != rho[:-1])
    np.testing.assert_array_equal(_rises(fit.history) + 1, doubled)
    np.testing.assert_allclose(rho[doubled], 2 * rho[doubled - 1])
