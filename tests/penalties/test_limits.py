"""Families of penalties become each other at the ends of their settings."""

import numpy as np
import pytest
import torch

from skgroupnet import penalties
from skgroupnet.penalties import (
    L0,
    L1,
    L2,
    MCP,
    SCAD,
    AdaptiveGroupLasso,
    CappedL1,
    ElasticNet,
    GroupCappedL1,
    GroupElasticNet,
    GroupL0,
    GroupLasso,
    GroupLog,
    GroupMCP,
    GroupSCAD,
    GroupTransformedL1,
    L1MinusL2,
    Log,
    SparseGroupLasso,
    TransformedL1,
)

FAR = 1e9
LIMITS = [
    (MCP(FAR), L1(), 1.0),
    (GroupMCP(FAR), GroupLasso(), 1.0),
    (SCAD(FAR), L1(), 1.0),
    (GroupSCAD(FAR), GroupLasso(), 1.0),
    (CappedL1(FAR), L1(), 1.0),
    (GroupCappedL1(FAR), GroupLasso(), 1.0),
    (TransformedL1(FAR), L1(), 1.0),
    (GroupTransformedL1(FAR), GroupLasso(), 1.0),
    (TransformedL1(1 / FAR), L0(), 1.0),
    (GroupTransformedL1(1 / FAR), GroupL0(), 1.0),
    # lam log(1 + r / eps) with lam = eps lam'.
    (Log(FAR), L1(), FAR),
    (GroupLog(FAR), GroupLasso(), FAR),
]
SAME = [
    (ElasticNet(1.0), L1()),
    (ElasticNet(0.0), L2()),
    (GroupElasticNet(1.0), GroupLasso()),
    (L1MinusL2(0.0), L1()),
    (SparseGroupLasso(0.0), GroupLasso()),
    (AdaptiveGroupLasso(), GroupLasso()),
]
FAMILIES = [
    name
    for name in penalties.__all__
    if name.startswith("Group") and name.removeprefix("Group") in penalties.__all__
]


def _case(penalty, partition, seed=0):
    """Weights, gradients, groups, steps and strengths of four networks."""
    partition = partition.of(penalty.groups_of)
    rng = np.random.RandomState(seed)
    shape = (4, len(partition.index))
    W, grad = (torch.from_numpy(3 * rng.randn(*shape)) for _ in range(2))
    step = 10 ** rng.uniform(-0.5, 1, (4, 1)) * np.ones((1, len(partition.penalised)))
    lam = torch.tensor([0.0, 0.02, 0.2, 2.0], dtype=torch.float64)
    return W, grad, partition.groups(), torch.from_numpy(step), lam


def _answers(penalty, W, grad, groups, step, lam):
    """Prox, value, and the certificate there, of one penalty."""
    U = penalty.prox(W, groups, step, lam)
    return (
        U,
        penalty.value(W, groups, lam),
        penalty.subgradient_distance(U, grad, groups, lam),
    )


@pytest.mark.parametrize(("penalty", "limit", "by"), LIMITS, ids=repr)
def test_limit(penalty, limit, by, partition):
    W, grad, groups, step, lam = _case(limit, partition)
    found = _answers(penalty, W, grad, groups, step, by * lam)
    expected = _answers(limit, W, grad, groups, step, lam)
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)
    assert (expected[0] == 0).any() and (expected[0][1:] != 0).any()


@pytest.mark.parametrize(("penalty", "same"), SAME, ids=repr)
def test_the_same(penalty, same, partition):
    case = _case(same, partition)
    for ours, theirs in zip(
        _answers(penalty, *case), _answers(same, *case), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
def test_groups_of_one_are_weights(name, partition):
    group = getattr(penalties, name)()
    single = getattr(penalties, name.removeprefix("Group"))()
    case = _case(single, partition)
    for ours, theirs in zip(
        _answers(group, *case), _answers(single, *case), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_families():
    assert len(FAMILIES) == 10


@pytest.mark.parametrize("radial", [-3.0, -1.0, -0.5, 0.0, 2.0])
def test_no_group_is_stationary_on_a_concave_kink(radial, make_partition):
    groups = make_partition([(2, 2, True)], None).groups()
    W = torch.tensor([[0.6, 0.8, 0.0, 0.0]], dtype=torch.float64)
    grad, lam = radial * W, torch.tensor([2**-0.5], dtype=torch.float64)
    distance = GroupCappedL1(1.0).subgradient_distance(W, grad, groups, lam)
    # The slope is 1 inwards and 0 outwards.
    assert float(distance[0, 0]) == pytest.approx(max(abs(radial), abs(radial + 1)))
    assert float(distance[0, 1]) == 0
