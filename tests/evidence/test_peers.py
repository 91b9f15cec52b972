"""The peers of the evidence: trained as they say, counted as we count."""

import pytest
import torch
from sklearn.ensemble import RandomForestClassifier

from skgroupnet import GroupSparseMLPClassifier
from tests.benchmarks.evidence import splits
from tests.benchmarks.evidence.results import Settings
from tests.benchmarks.evidence.torch_stack import (
    Measured,
    Stack,
    layers,
    train,
)
from tests.benchmarks.evidence.weight_peers import _pruned, l1_threshold, magnitude

KEYS = {
    "data",
    "seed",
    "method",
    "setting",
    "validation",
    "test",
    "features",
    "neurons",
    "parameters",
    "share",
    "seconds",
}
QUICK = Settings(quick=True, n_jobs=1)


@pytest.fixture(scope="module")
def split():
    return splits.load("digits", 0)


@pytest.fixture(scope="module")
def dense(split):
    return train(Stack.of([layers(split)]), split, 10)


def check_rows(rows, split):
    assert rows
    for row in rows:
        assert set(row) == KEYS
        assert row["share"] == row["parameters"] / split.n_parameters()
        assert 0 <= row["test"] <= 1
        assert row["seconds"] > 0


def test_a_stack_trains_each_network_as_alone(split):
    torch.manual_seed(1)
    other = [
        torch.nn.Linear(layer.in_features, layer.out_features)
        for layer in layers(split)
    ]
    lams = torch.tensor([1e-3, 1e-2])
    together = train(Stack.of([layers(split), other]), split, 2, lams=lams)
    alone = train(Stack.of([other]), split, 2, lams=lams[1:])
    for weight, expected in zip(together.weights, alone.weights, strict=True):
        torch.testing.assert_close(weight[1], expected[0], rtol=1e-4, atol=1e-5)


def test_a_stack_trains_as_modules_of_torch(split):
    first, second, last = layers(split)
    module = torch.nn.Sequential(first, torch.nn.ReLU(), second, torch.nn.ReLU(), last)
    stack = train(Stack.of([layers(split)]), split, 2)
    train(module, split, 2)
    for weight, layer in zip(stack.weights, (first, second, last), strict=True):
        torch.testing.assert_close(weight[0].T, layer.weight, rtol=1e-4, atol=1e-5)


def test_measured_as_this_package_measures(split):
    model = GroupSparseMLPClassifier(
        (32, 32), lam=0.005, learning_rate="cosine", max_iter=30, random_state=0
    ).fit(*split.train)
    measured = Measured(model._network(), split)
    assert 0 < model.n_active_parameters_ < split.n_parameters()
    for name in ("n_active_parameters_", "n_active_neurons_", "n_active_features_"):
        assert getattr(measured, name) == getattr(model, name)
    assert measured.score(*split.test) == model.score(*split.test)


def test_masks_hold_what_was_pruned(split, dense):
    stack = _pruned(Stack.of([dense.layers(0)] * 2), split, [0.1, 0.4])
    zero = [weight == 0 for weight in stack.weights]
    train(stack, split, 1, masks=stack.masks())
    for weight, at_zero in zip(stack.weights, zero, strict=True):
        assert at_zero.any()
        assert torch.equal(weight == 0, at_zero)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.6])
def test_magnitude_pruning_uses_the_share_it_may(split, dense, share):
    stack = _pruned(Stack.of([dense.layers(0)]), split, [share])
    n_left = Measured(stack.networks()[0], split).n_active_parameters_
    assert 0.95 * share < n_left / split.n_parameters() <= share
    # What is left are the largest weights.
    before = torch.cat([weight.flatten() for weight in dense.weights]).abs()
    after = torch.cat([weight.flatten() for weight in stack.weights])
    assert before[after != 0].min() >= before[after == 0].max()


def test_a_threshold_cuts_small_weights_only(split):
    rows = l1_threshold(split, QUICK, epochs=3)
    check_rows(rows, split)
    shares = [row["share"] for row in rows if row["method"] == "l1 + threshold"]
    assert min(shares) < max(shares) < 1


def test_magnitude(split):
    rows = magnitude(split, QUICK, epochs=3)
    check_rows(rows, split)
    for row, share in zip(rows, (1, 0.05, 0.1), strict=True):
        assert 0.9 * share < row["share"] <= share


def test_torch_pruning(split):
    pytest.importorskip("torch_pruning", reason="torch-pruning, a peer, is missing")
    from tests.benchmarks.evidence.torch_pruned import (
        _pruned,
        _sequential,
        torch_pruning,
    )

    rows = torch_pruning(split, QUICK, epochs=3)
    check_rows(rows, split)
    for row, share in zip(rows, (0.5, 0.6), strict=True):
        assert 0.8 * share < row["share"] <= share
    # The size that the library leaves is the size that is counted.
    network, size = _pruned(_sequential(layers(split)), 0.5, 0.5)
    measured = Measured(Stack.of([network]).networks()[0], split)
    assert measured.n_active_parameters_ == size
    assert measured.n_active_features_ == 32
    assert measured.n_active_neurons_ == 32


def test_lassonet(split):
    pytest.importorskip("lassonet", reason="LassoNet, a peer, is missing")
    from tests.benchmarks.evidence.lassonet_path import lassonet

    rows = lassonet(split, QUICK)
    check_rows(rows, split)
    # Its dense network has weights from the inputs to the outputs on top.
    assert rows[0]["parameters"] == split.n_parameters() + 64 * 10
    assert not lassonet(splits.load("digits", 1), QUICK)


def test_run(split):
    pytest.importorskip("torch_pruning", reason="torch-pruning, a peer, is missing")
    from tests.benchmarks.evidence.peers import run

    peers = ["dense, same size", "logistic regression", "random forest"]
    rows = run(QUICK, peers)
    assert {row["method"] for row in rows} == set(peers)
    check_rows([row for row in rows if row["seed"] == 0], split)
    assert {row["seed"] for row in rows} == {0, 1}


def test_a_forest_is_counted_tree_by_tree(split):
    pytest.importorskip("torch_pruning", reason="torch-pruning, a peer, is missing")
    from tests.benchmarks.evidence.peers import forest

    [row] = forest(split, QUICK)
    model = RandomForestClassifier(5, random_state=0).fit(*split.train)
    nodes = [children for tree in model for children in tree.tree_.children_left]
    assert row["parameters"] == sum(10 if child < 0 else 2 for child in nodes)
