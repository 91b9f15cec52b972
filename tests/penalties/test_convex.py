"""Convex penalties against formulas written out by hand, and their limits."""

import numpy as np
import pytest
import torch

from skgroupnet.penalties import L1, L2, GroupLasso, NoPenalty, SparseGroupLasso

ROWS = [(3, 4, True)]


def _tensor(values):
    return torch.tensor(values, dtype=torch.float64)


def test_soft_threshold_is_exact_at_its_edge(make_partition):
    partition = make_partition(ROWS, None)
    # Norm 5; weight sqrt(4) = 2; step 5/2, strength 1: the threshold is the norm.
    W = torch.zeros((3, 12), dtype=torch.float64)
    W[:, :2] = _tensor([3.0, 4.0])
    step = _tensor([[2.5], [2.5 * (1 - 1e-9)], [2.5 * (1 + 1e-9)]]).expand(-1, 3)
    U = GroupLasso().prox(W, partition.groups(), step, torch.ones(3).double())
    assert (U != 0).sum(-1).tolist() == [0, 2, 0]


def test_group_lasso_by_hand(make_partition):
    partition = make_partition(ROWS, None)
    W = _tensor([[3.0, 0, 4, 0, 0, 0, 0, 0, 1, 1, 1, 1]])
    U = GroupLasso().prox(W, partition.groups(), _tensor([[0.5, 1, 2]]), _tensor([1.0]))
    expected = [[2.4, 0, 3.2, 0, 0, 0, 0, 0, 0, 0, 0, 0]]
    torch.testing.assert_close(U, _tensor(expected), rtol=1e-15, atol=0)


def test_sparse_group_lasso_by_hand(make_partition):
    partition = make_partition(ROWS, None)
    W = _tensor([[4.0, -5, 0.5, 0, 1.2, 1.2, 1.2, 1.2, 0, 0, 0, 3.5]])
    # Soft threshold 1, then 2 from the norm: (3, -4), (0.2, 0.2, 0.2, 0.2), (2.5).
    U = SparseGroupLasso().prox(W, partition.groups(), torch.ones(1, 3), torch.ones(1))
    expected = [[1.8, -2.4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.5]]
    torch.testing.assert_close(U, _tensor(expected), rtol=1e-14, atol=0)


def test_ridge_and_lasso_by_hand(make_partition):
    groups = make_partition([(3, 1, True)], None).groups()
    W, step, lam = _tensor([[3.0, -1, 0.2]]), _tensor([[1.0, 2, 4]]), _tensor([0.25])
    ridge = [[3 / 1.25, -1 / 1.5, 0.2 / 2]]
    torch.testing.assert_close(L2().prox(W, groups, step, lam), _tensor(ridge))
    lasso = [[2.75, -0.5, 0]]
    torch.testing.assert_close(L1().prox(W, groups, step, lam), _tensor(lasso))
    assert torch.equal(NoPenalty().prox(W, groups, step, lam), W)


def _case(partition, seed=0):
    rng = np.random.RandomState(seed)
    shape = (3, len(partition.penalised))
    W = torch.from_numpy(rng.randn(3, len(partition.index)))
    grad = torch.from_numpy(rng.randn(3, len(partition.index)))
    step = torch.from_numpy(10 ** rng.uniform(-2, 1, shape))
    return W, grad, partition.groups(), step, _tensor([0.0, 0.1, 0.7])


def test_sparse_group_lasso_without_l1_is_the_group_lasso(partition):
    W, grad, groups, step, lam = _case(partition)
    limit, plain = SparseGroupLasso(0.0), GroupLasso()
    assert torch.equal(
        limit.prox(W, groups, step, lam), plain.prox(W, groups, step, lam)
    )
    assert torch.equal(limit.value(W, groups, lam), plain.value(W, groups, lam))
    W = plain.prox(W, groups, step, lam)
    assert torch.equal(
        limit.subgradient_distance(W, grad, groups, lam),
        plain.subgradient_distance(W, grad, groups, lam),
    )


def test_sparse_group_lasso_of_single_weights_is_a_lasso(partition):
    W, grad, groups, step, lam = _case(partition.elements())
    sparse, lasso = SparseGroupLasso(2.0), L1()
    close = torch.testing.assert_close
    close(sparse.prox(W, groups, step, lam), lasso.prox(W, groups, step, 3 * lam))
    close(sparse.value(W, groups, lam), lasso.value(W, groups, 3 * lam))
    close(
        sparse.subgradient_distance(W, grad, groups, lam),
        lasso.subgradient_distance(W, grad, groups, 3 * lam),
    )


def test_sparse_group_lasso_with_a_huge_l1_part_is_a_lasso(partition):
    W, _, groups, step, lam = _case(partition)
    elements = partition.elements()
    weight = 1e9
    step_of_each = step[:, torch.from_numpy(partition.index)]
    lasso = L1().prox(W, elements.groups(), step_of_each, lam)
    mixed = SparseGroupLasso(weight).prox(W, groups, step, lam / weight)
    torch.testing.assert_close(mixed, lasso, rtol=1e-6, atol=1e-7)


def test_strength_scales_with_the_root_of_the_counted_size(make_partition):
    partition = make_partition([(2, 3, True), (2, 2, True), (2, 1, False)], None)
    counted = np.array([12, 3, 50, 2, 1, 1])
    groups = partition.groups(counted=counted)
    W = torch.ones((1, 12), dtype=torch.float64)
    lam = _tensor([0.5])
    norms = np.sqrt([3, 3, 2, 2])
    expected = 0.5 * float(np.sqrt(counted[:4]) @ norms)
    assert float(GroupLasso().value(W, groups, lam)) == pytest.approx(expected)
    both = expected + 0.5 * 10
    assert float(SparseGroupLasso().value(W, groups, lam)) == pytest.approx(both)
    step = torch.full((1, 6), 0.1, dtype=torch.float64)
    U = GroupLasso().prox(W, groups, step, lam)
    shrunk = 1 - 0.05 * np.sqrt(counted[:4]) / norms
    torch.testing.assert_close(U[0, [0, 3, 6, 8]], torch.from_numpy(shrunk))
