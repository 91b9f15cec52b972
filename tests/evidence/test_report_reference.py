"""The report's own procedure, against single networks of torch trained one by one."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from tests.benchmarks.evidence.report_reference import OPTIMIZERS, ZERO, Run, Stack

RUNS = [
    Run("l2", 0.0, 5e-3),
    Run("l2", 1e-2, 5e-3),
    Run("l1", 1e-3, 5e-3),
    Run("group_lasso", 1e-2, 1e-3),
    Run("sparse_group_lasso", 1e-3, 1e-3),
]
N_EPOCHS = 2
BATCH = 32


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return torch.tensor(X[:200], dtype=torch.float32), torch.tensor(y[:200])


def penalty_of(run, parameters):
    """R as a sum over parameter tensors, for autograd."""
    norms = sum(len(p) ** 0.5 * p.norm() for p in parameters)
    magnitudes = sum(p.abs().sum() for p in parameters)
    return {
        "l2": 0.0,
        "l1": magnitudes,
        "group_lasso": norms,
        "sparse_group_lasso": norms + magnitudes,
    }[run.penalty]


def alone(run, optimizer, start, X, y):
    """One network, a textbook loop; the batches are those of a stack of seed 0."""
    layers = []
    for weight, bias in zip(start[::2], start[1::2], strict=True):
        layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
        layers += [layer, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    decay = run.lam if run.penalty == "l2" else 0.0
    kind, _ = OPTIMIZERS[optimizer]
    steps = kind(model.parameters(), lr=run.rate, weight_decay=decay)
    order = torch.Generator().manual_seed(0)
    # What the start of the stack drew.
    for tensor in start:
        torch.rand(tensor.shape, generator=order)
    for _ in range(N_EPOCHS):
        for rows in torch.randperm(len(y), generator=order).split(BATCH):
            steps.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(X[rows]), y[rows])
            (loss + run.lam * penalty_of(run, list(model.parameters()))).backward()
            steps.step()
    return [parameter.detach() for parameter in model.parameters()]


@pytest.mark.parametrize("widths", [(64, 8, 6, 10), (64, 10)])
@pytest.mark.parametrize("optimizer", sorted(OPTIMIZERS))
def test_a_stack_trains_each_network_as_if_it_were_alone(digits, optimizer, widths):
    X, y = digits
    stack = Stack(widths, optimizer, RUNS, seed=0)
    start = [tensor[0].detach().clone() for tensor in stack.tensors]
    for _ in range(N_EPOCHS):
        stack.epoch(X, y, BATCH)
    for model, run in enumerate(RUNS):
        expected = alone(run, optimizer, start, X, y)
        for tensor, other in zip(stack.tensors, expected, strict=True):
            torch.testing.assert_close(
                tensor[model].detach(), other, rtol=1e-3, atol=1e-5
            )


def test_the_objective_of_an_epoch(digits):
    """A step of size zero: the loss of the start plus its penalty, of each run."""
    X, y = digits
    runs = [Run(run.penalty, run.lam, 0.0) for run in RUNS]
    stack = Stack((64, 8, 10), "sgd", runs, seed=1)
    objectives = stack.epoch(X, y, BATCH)
    parameters = [tensor[0].detach() for tensor in stack.tensors]
    W, b, V, c = parameters
    loss = torch.nn.functional.cross_entropy((X @ W.T + b).relu() @ V.T + c, y)
    squares = sum(p.square().sum() for p in parameters) / 2
    expected = [
        loss
        + run.lam * (squares if run.penalty == "l2" else penalty_of(run, parameters))
        for run in runs
    ]
    np.testing.assert_allclose(objectives, expected, rtol=1e-5)


def test_the_start_is_that_of_torch():
    """Uniform within one over the root of the inputs."""
    stack = Stack((100, 400, 2), "sgd", RUNS, seed=0)
    weight, bias = stack.tensors[0].detach(), stack.tensors[1].detach()
    for draw in (weight, bias):
        assert 0.098 < draw.abs().max() <= 0.1
        assert abs(draw[0].std() - 0.1 / 3**0.5) < 0.004
    assert (weight == weight[0]).all()


def test_a_network_whose_norm_is_zero_stays_there():
    """The subgradient at zero is zero, not the nan of zero by zero."""
    stack = Stack((4, 3, 2), "sgd", [Run("group_lasso", 0.1, 0.1)], seed=0)
    with torch.no_grad():
        for tensor in stack.tensors:
            tensor.zero_()
    stack.step(torch.ones(6, 4), torch.tensor([0, 1, 0, 1, 0, 1]))
    assert all((tensor == 0).all() for tensor in stack.tensors)


def test_small_weights_count_as_zero():
    """At most 1e-7 in magnitude; what they leave without input or output is cut."""
    stack = Stack((3, 2, 2), "sgd", RUNS[:1], seed=0)
    W, b, V, c = stack.tensors
    with torch.no_grad():
        W[0, 0] = torch.tensor([1.0, ZERO, -ZERO])
        W[0, 1] = torch.tensor([1.0, 2 * ZERO, -ZERO / 2])
        V[0, :, 0] = ZERO / 2
    (trained,) = stack.trained(np.array([5, 7]))
    assert trained.network.n_parameters == 3 + 2 + 2 + 2
    # The unit without an output goes, its weight and its bias with it.
    assert trained.n_active_neurons_ == 1
    assert trained.n_active_features_ == 2
    assert trained.n_active_parameters_ == 2 + 1 + 2 + 2
    X = np.eye(3, dtype=np.float32)
    with torch.no_grad():
        labels = np.array([5, 7])[stack.logits(torch.tensor(X))[0].argmax(1)]
    assert trained.score(X, labels) == 1.0
    assert trained.score(X, 12 - labels) == 0.0
