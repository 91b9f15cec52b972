"""Sums over a partition of the parameters, against numpy loops."""

import numpy as np
import pytest
import torch

from skgroupnet.penalties.groups import Block, Groups


def _weights(partition, n_models=3, seed=0, dtype=np.float64):
    rng = np.random.RandomState(seed)
    return torch.from_numpy(rng.randn(n_models, len(partition.index)).astype(dtype))


def _by_group(partition, T, reduce):
    groups = range(len(partition.penalised))
    columns = [reduce(T[:, partition.index == g], axis=1) for g in groups]
    return torch.from_numpy(np.stack(columns, axis=1))


@pytest.mark.parametrize("remembered", [False, True])
def test_reductions_are_those_of_numpy(partition, remembered):
    groups = partition.groups()
    T = _weights(partition)
    if remembered:
        groups.remember(T)
    for seed in (1, 2):
        T.copy_(_weights(partition, seed=seed))
        for ours, numpys in (
            (groups.sum, np.sum),
            (groups.mean, np.mean),
            (groups.amax, np.max),
            (groups.norm, np.linalg.norm),
        ):
            before = T.clone()
            expected = _by_group(partition, T.numpy(), numpys)
            torch.testing.assert_close(ours(T), expected, rtol=1e-14, atol=1e-14)
            assert torch.equal(T, before)


def test_negative_largest_entries(partition):
    T = -_weights(partition).abs() - 1
    expected = _by_group(partition, T.numpy(), np.max)
    assert torch.equal(partition.groups().amax(T), expected)


def test_spread_and_scale_are_transposes_of_the_sum(partition):
    groups = partition.groups()
    W, index = _weights(partition), torch.from_numpy(partition.index)
    values = torch.from_numpy(np.random.RandomState(1).randn(3, groups.n_groups))
    assert torch.equal(groups.spread(values), values[:, index])
    assert torch.equal(groups.scale(W, values), W * values[:, index])
    left, right = groups.sum(W) * values, W * groups.spread(values)
    torch.testing.assert_close(left.sum(), right.sum())


def test_attributes(partition):
    groups = partition.groups(torch.float32)
    assert groups.n_groups == len(partition.penalised)
    for tensor, expected in (
        (groups.sizes, partition.sizes),
        (groups.penalised, partition.penalised),
        (groups.weights, partition.weights),
    ):
        assert tensor.shape == (1, groups.n_groups)
        assert tensor.dtype == torch.float32
        np.testing.assert_allclose(tensor[0].numpy(), expected, rtol=1e-7)
    lam = torch.tensor([0.0, 2.0, 3.0])
    expected = lam.numpy()[:, None] * partition.weights
    np.testing.assert_allclose(groups.strength(lam).numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("merge", [False, True])
@pytest.mark.parametrize("given", ["nothing", "out", "itself"])
def test_scaling_a_large_buffer(make_partition, merge, given):
    blocks = [(200, 150, True), (150, 60, True), (210, 1, False)]
    merged = np.r_[np.arange(200) % 120, 120 + np.arange(360)] if merge else None
    partition = make_partition(blocks, merged)
    groups, W = partition.groups(), _weights(partition, n_models=4)
    values = torch.from_numpy(np.random.RandomState(1).randn(4, groups.n_groups))
    expected = W * values[:, torch.from_numpy(partition.index)]
    out = {"nothing": None, "out": torch.empty_like(W), "itself": W}[given]
    assert torch.equal(groups.scale(W, values, out=out), expected)
    if out is not None:
        assert torch.equal(out, expected)


def test_blocks_may_be_empty():
    blocks = [Block(0, 3, True), Block(2, 2, True), Block(4, 0, True)]
    groups = Groups(blocks, torch.empty(0, dtype=torch.float64))
    W = torch.tensor([[3.0, 4.0, 0.0, 1.0]], dtype=torch.float64)
    assert groups.n_groups == 2
    assert groups.norm(W).tolist() == [[5.0, 1.0]]
    assert groups.scale(W, torch.tensor([[2.0, 3.0]]).double()).tolist() == [
        [6.0, 8.0, 0.0, 3.0]
    ]


def test_a_group_with_an_unpenalised_row_is_not_penalised(make_partition):
    blocks = [(1, 2, True), (1, 2, False)]
    groups = make_partition(blocks, [0, 0]).groups()
    assert groups.penalised.tolist() == [[0.0]]
    assert groups.weights.tolist() == [[0.0]]


@pytest.mark.parametrize("large", [False, True])
def test_adding_a_scaled_buffer(partition, make_partition, large):
    if large:
        partition = make_partition([(300, 200, True), (200, 1, False)], None)
    groups, W = partition.groups(), _weights(partition)
    T = _weights(partition, seed=1)
    values = torch.from_numpy(np.random.RandomState(1).randn(3, groups.n_groups))
    expected = W - 0.7 * T * values[:, torch.from_numpy(partition.index)]
    groups.add_scaled(W, T, values, -0.7)
    torch.testing.assert_close(W, expected, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("remembered", [False, True])
def test_no_two_results_share_memory(remembered, single, partition):
    groups = partition.groups()
    if single:
        groups = Groups([Block(len(partition.index), 1, True)], torch.zeros(1))
    T = _weights(partition)
    if remembered:
        groups.remember(T)
    before, lam = T.clone(), torch.ones(len(T), dtype=T.dtype)
    calls = [
        lambda: groups.sum(T),
        lambda: groups.norm(T),
        lambda: groups.amax(T),
        lambda: groups.spread(groups.sum(T)),
        lambda: groups.strength(lam),
    ]
    expected = [call().clone() for call in calls]
    for mine, value in zip([call() for call in calls], expected, strict=True):
        assert torch.equal(mine, value)
        mine.zero_()
    assert torch.equal(T, before)
    for call, value in zip(calls, expected, strict=True):
        assert torch.equal(call(), value)
