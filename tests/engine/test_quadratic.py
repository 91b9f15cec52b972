"""The minimum of a quadratic model with a penalty, by its optimality conditions."""

import numpy as np
import pytest
import torch

from skgroupnet.engine import Problem
from skgroupnet.engine.descent import Blocks, can_descend
from skgroupnet.engine.linear import LinearModel
from skgroupnet.engine.quadratic import coupled_moments, minimise
from skgroupnet.penalties import (
    L1,
    L2,
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
LAM, COLUMNS = 3.0, 12
LABELS = np.arange(COLUMNS) // 3


@pytest.mark.parametrize(
    "penalty",
    CONVEX,
    ids=repr,
)
@pytest.mark.parametrize("near", [1.0, 1e-4])
@pytest.mark.parametrize("k", [1, 2])
def test_the_minimum_is_stationary(k, near, penalty, zeros, make_model):
    """Also where the columns are the same up to a ten-thousandth."""
    rng = np.random.RandomState(0)
    A = rng.randn(40, 1) + near * rng.randn(40, COLUMNS)
    problem = Problem(A, rng.randn(40, k), "squared_error", penalty, labels=LABELS)
    start = zeros("squared_error", (COLUMNS, k), np.float64)
    linear = LinearModel(problem, make_model(start, LAM))
    blocks = Blocks(linear, k)
    order = np.arange(len(blocks.sizes))
    moments = torch.from_numpy(A.T @ A)
    slopes = torch.from_numpy(A.T @ rng.randn(40, k))
    weights = torch.zeros_like(slopes)
    assert minimise(blocks, order, moments, slopes, weights, 1e-9)
    flat, grad = torch.zeros((2, *linear.start.shape), dtype=torch.float64)
    linear.split(flat)[0].copy_(weights)
    linear.split(grad)[0].copy_(slopes + moments @ weights)
    assert linear.shrinkage.gap(flat, grad) < 1e-7
    if isinstance(penalty, L1):
        assert 0 < weights.ne(0).sum() < weights.numel()


def test_moments_of_a_softmax_are_its_hessian():
    rng = np.random.RandomState(0)
    rows = torch.from_numpy(rng.randn(3, 1500))
    raw = torch.from_numpy(rng.randn(4, 1500))
    W = torch.zeros((3, 4), dtype=torch.float64)

    def loss(W):
        return (raw + W.T @ rows).logsumexp(0).sum()

    expected = torch.autograd.functional.hessian(loss, W)
    p = raw.softmax(0)
    moments = coupled_moments(rows, p * (1 - p), p)
    np.testing.assert_allclose(moments, expected, atol=1e-9)
    apart = coupled_moments(rows, p, None)
    for o in range(4):
        np.testing.assert_allclose(apart[:, o, :, o], (rows * p[o]) @ rows.T)
    assert not apart[:, 0, :, 1].any()


def test_what_is_not_positive_definite_changes_nothing(zeros, make_model):
    problem = Problem(np.eye(2), np.ones((2, 1)), "squared_error", L1())
    start = zeros("squared_error", (2, 1), np.float64)
    linear = LinearModel(problem, make_model(start, LAM))
    blocks = Blocks(linear, 1)
    weights = torch.ones((2, 1), dtype=torch.float64)
    moments = torch.tensor([[1.0, 2.0], [2.0, 1.0]], dtype=torch.float64)
    slopes = torch.ones_like(weights)
    assert not minimise(blocks, np.arange(2), moments, slopes, weights, 1e-9)
    assert weights.eq(1).all()
