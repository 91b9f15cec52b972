"""Linear models at the optimum of independent solvers, on the same objective."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from skgroupnet import GroupSparseLinearRegression, GroupSparseLogisticRegression
from skgroupnet.penalties import MCP, SCAD, GroupMCP, GroupSCAD

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    celer = pytest.importorskip("celer")
    skglm = pytest.importorskip("skglm")
    from skglm.datafits import (
        LogisticGroup,
        Quadratic,
        QuadraticGroup,
        QuadraticMultiTask,
    )
    from skglm.penalties import SCAD as PeerSCAD
    from skglm.penalties import BlockMCPenalty, BlockSCAD, MCPenalty, WeightedGroupL2
    from skglm.solvers import AndersonCD, GroupBCD, GroupProxNewton, MultiTaskBCD
    from skglm.utils.data import grp_converter

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*umba")


@dataclass(frozen=True)
class Shape:
    """Number of rows, and of groups of equally many columns."""

    n: int
    n_groups: int
    size: int

    @property
    def labels(self):
        return np.repeat(np.arange(self.n_groups), self.size)

    def rows(self, n_outputs=1, seed=0):
        rng = np.random.RandomState(seed)
        d = self.n_groups * self.size
        X = rng.randn(self.n, d)
        for j in range(1, d):
            X[:, j] = 0.6 * X[:, j - 1] + 0.8 * X[:, j]
        W = rng.randn(d, n_outputs) * (self.labels % 5 == 0)[:, None]
        raw = X @ W / np.sqrt(self.size * self.n_groups / 5)
        return np.asfortranarray(X), raw + 0.3 * rng.randn(self.n, n_outputs)


SHAPES = [Shape(300, 12, 5), Shape(60, 20, 10), Shape(200, 150, 2)]
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def active(coef, labels):
    return sorted(set(labels[coef != 0]))


def strongest(X, gradient, shape):
    norms = [np.linalg.norm(gradient[shape.labels == g]) for g in range(shape.n_groups)]
    return max(norms) / (len(X) * np.sqrt(shape.size))


@every_shape
def test_linear_group_lasso(shape):
    X, Y = shape.rows()
    y = Y[:, 0]
    lam = 0.1 * strongest(X, X.T @ y, shape)

    def objective(w):
        norms = np.linalg.norm(w.reshape(-1, shape.size), axis=1).sum()
        loss = ((y - X @ w) ** 2).mean() / 2
        return loss + lam * np.sqrt(shape.size) * norms

    ours = GroupSparseLinearRegression(
        lam=lam, groups=shape.labels, fit_intercept=False, tol=1e-9
    ).fit(X, y)
    d = len(shape.labels)
    indices, pointers = grp_converter(shape.size, d)
    weights = np.full(shape.n_groups, np.sqrt(shape.size))
    solver = GroupBCD(fit_intercept=False, tol=1e-10, max_epochs=10**6)
    theirs = solver.solve(
        X,
        y,
        QuadraticGroup(pointers, indices),
        WeightedGroupL2(lam, weights, pointers, indices),
    )[0]
    assert objective(ours.coef_) == pytest.approx(objective(theirs), rel=1e-7)
    assert objective(ours.coef_) == pytest.approx(ours.loss_, rel=1e-10)
    assert active(ours.coef_, shape.labels) == active(theirs, shape.labels)
    third = celer.GroupLasso(
        groups=shape.size,
        alpha=lam * np.sqrt(shape.size),
        fit_intercept=False,
        tol=1e-12,
        max_iter=1000,
    ).fit(X, y)
    assert objective(ours.coef_) == pytest.approx(objective(third.coef_), rel=1e-7)
    assert active(ours.coef_, shape.labels) == active(third.coef_, shape.labels)


@every_shape
def test_logistic_group_lasso(shape):
    X, Y = shape.rows()
    sign = np.where(Y[:, 0] > 0, 1.0, -1.0)
    lam = 0.1 * strongest(X, X.T @ sign / 2, shape)

    def objective(w):
        norms = np.linalg.norm(w.reshape(-1, shape.size), axis=1).sum()
        loss = np.logaddexp(0, -sign * (X @ w)).mean()
        return loss + lam * np.sqrt(shape.size) * norms

    ours = GroupSparseLogisticRegression(
        lam=lam, groups=shape.labels, fit_intercept=False, tol=1e-9
    ).fit(X, sign)
    indices, pointers = grp_converter(shape.size, len(shape.labels))
    weights = np.full(shape.n_groups, np.sqrt(shape.size))
    theirs = GroupProxNewton(fit_intercept=False, tol=1e-9, max_iter=200).solve(
        X,
        sign,
        LogisticGroup(pointers, indices),
        WeightedGroupL2(lam, weights, pointers, indices),
    )[0]
    coef = ours.coef_[0]
    assert objective(coef) == pytest.approx(objective(theirs), rel=1e-7)
    assert active(coef, shape.labels) == active(theirs, shape.labels)


@every_shape
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (MCP(3.0), lambda lam: MCPenalty(lam, 3.0)),
        (SCAD(3.7), lambda lam: PeerSCAD(lam, 3.7)),
    ],
    ids=["mcp", "scad"],
)
def test_concave_penalties_of_single_coefficients(ours, theirs, shape):
    X, Y = shape.rows()
    y = Y[:, 0]
    lam = 0.15 * np.abs(X.T @ y).max() / len(X)
    model = GroupSparseLinearRegression(
        penalty=ours, lam=lam, fit_intercept=False, tol=1e-8
    ).fit(X, y)
    assert model.stationarity_gap_ <= 1e-6
    penalty = theirs(lam)
    solver = AndersonCD(fit_intercept=False, tol=1e-9, max_epochs=10**6)
    peer = solver.solve(X, y, Quadratic(), penalty)[0]

    def objective(w):
        return ((y - X @ w) ** 2).mean() / 2 + penalty.value(w)

    assert model.loss_ == pytest.approx(objective(model.coef_), rel=1e-10)
    assert objective(model.coef_) <= objective(peer) * (1 + 1e-7)


@every_shape
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (GroupMCP(3.0), lambda lam: BlockMCPenalty(lam, 3.0)),
        (GroupSCAD(3.7), lambda lam: BlockSCAD(lam, 3.7)),
    ],
    ids=["group_mcp", "group_scad"],
)
def test_concave_penalties_of_rows_of_several_outputs(ours, theirs, shape):
    n_outputs = 3
    X, Y = shape.rows(n_outputs)
    lam = 0.15 * np.linalg.norm(X.T @ Y, axis=1).max() / len(X)
    model = GroupSparseLinearRegression(
        penalty=ours, lam=lam / np.sqrt(n_outputs), fit_intercept=False, tol=1e-8
    ).fit(X, Y)
    assert model.stationarity_gap_ <= 1e-6
    penalty = theirs(lam)
    solver = MultiTaskBCD(fit_intercept=False, tol=1e-9, max_epochs=10**6)
    peer = solver.solve(X, np.asfortranarray(Y), QuadraticMultiTask(), penalty)[0]

    def objective(W):
        return ((Y - X @ W) ** 2).sum(1).mean() / 2 + penalty.value(W)

    assert model.loss_ == pytest.approx(objective(model.coef_.T), rel=1e-10)
    assert objective(model.coef_.T) <= objective(peer) * (1 + 1e-7)
