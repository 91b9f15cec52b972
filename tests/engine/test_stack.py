"""Forward and hand-written backward pass, against autograd."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss, mean_poisson_deviance, mean_squared_error

from skgroupnet.engine import LOSSES, SGD, Problem, train
from skgroupnet.engine.stack import Layout, Stack
from skgroupnet.network import ACTIVATIONS
from skgroupnet.penalties import NoPenalty

WIDTHS = {0: (5, 3), 1: (5, 4, 3), 2: (5, 1, 6, 3), 3: (5, 7, 4, 2, 3)}
every_loss = pytest.mark.parametrize("loss", LOSSES)


@every_loss
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("depth", WIDTHS)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_is_that_of_autograd(
    loss, activation, depth, weighted, draw, random_network, make_model, full_batch,
    objective, tensors, flat,
):  # fmt: skip
    X, y = draw(loss)
    start = random_network(loss, WIDTHS[depth], activation)
    weight = np.random.RandomState(1).randint(0, 4, len(X)) if weighted else None
    parameters = tensors(start)
    value = objective(parameters, X, y, loss, activation, weight)
    expected = flat([g.numpy() for g in torch.autograd.grad(value, parameters)])

    # A short step, after which the predictions are finite.
    rate = 1 / 16
    model = make_model(start, rate=rate, row_weight=weight)
    problem = Problem(X, y, loss, NoPenalty())
    (fit,) = train(problem, [model], full_batch(SGD(0.0)))

    assert fit.loss_curve == pytest.approx([value.item()], rel=1e-13)
    gradient = (flat(start) - flat(fit.network)) / rate
    np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-13)


@every_loss
def test_gradient_in_float32(
    loss, draw, random_network, make_model, full_batch, objective, tensors, flat
):
    X, y = draw(loss, dtype=np.float32)
    start = random_network(loss, WIDTHS[2], dtype=np.float32)
    parameters = tensors(start)
    value = objective(parameters, X, y, loss, "tanh")
    expected = flat([g.numpy() for g in torch.autograd.grad(value, parameters)])
    problem = Problem(X, y, loss, NoPenalty())
    (fit,) = train(problem, [make_model(start, rate=1.0)], full_batch(SGD(0.0)))
    assert fit.network.dtype == np.float32
    gradient = flat(start) - flat(fit.network)
    np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("loss", "metric"),
    [
        ("cross_entropy", log_loss),
        ("log_loss", log_loss),
        ("squared_error", lambda y, p: mean_squared_error(y, p) / 2),
        ("poisson", lambda y, p: mean_poisson_deviance(y, p) / 2),
    ],
)
def test_losses_are_those_of_scikit_learn(
    loss, metric, draw, random_network, make_model, full_batch
):
    k = 3 if loss == "cross_entropy" else 1
    X, y = draw(loss, k=k)
    start = random_network(loss, (5, k))
    problem = Problem(X, y, loss, NoPenalty())
    (fit,) = train(problem, [make_model(start, rate=0.0)], full_batch(SGD(0.0)))
    expected = metric(y, start.predict(X))
    assert fit.loss_curve == pytest.approx([expected], rel=1e-12)


@pytest.mark.parametrize("loss", ["cross_entropy", "log_loss"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_classification_losses_do_not_overflow(
    loss, dtype, random_network, make_model, full_batch
):
    weights = np.array([[1e4, -1e4]], dtype=dtype)
    start = replace(random_network(loss, (1, 2), dtype=dtype), weights=(weights,))
    right, wrong = np.ones((1, 1), dtype), -np.ones((1, 1), dtype)
    y = np.array([0]) if loss == "cross_entropy" else np.array([[1, 0]], dtype)
    for X, value in ((right, 0.0), (wrong, 2e4)):
        problem = Problem(X, y, loss, NoPenalty())
        (fit,) = train(problem, [make_model(start)], full_batch(SGD(0.0)))
        assert fit.outcome == "max_iter"
        assert fit.loss_curve == pytest.approx([value], abs=2)


@every_loss
def test_curvature_bounds_the_hessian(loss, objective):
    rng = np.random.RandomState(0)
    X, largest = np.ones((1, 1)), []
    y = np.array([0]) if loss == "cross_entropy" else np.ones((1, 3))
    for _ in range(50):
        raw = torch.from_numpy(rng.randn(3))
        zeros = torch.zeros((1, 3), dtype=torch.float64)
        hessian = torch.autograd.functional.hessian(
            lambda b, zeros=zeros: objective([zeros, b], X, y, loss, "relu"), raw
        )
        largest.append(torch.linalg.eigvalsh(hessian)[-1].item())
    bound = LOSSES[loss].curvature
    assert max(largest) <= bound + 1e-12
    assert bound == np.inf or max(largest) > 0.7 * bound


@every_loss
def test_networks_go_through_a_stack_unchanged(loss, random_network):
    networks = [random_network(loss, (4, 3, 2), seed=s) for s in range(3)]
    stack = Stack(networks, loss, "cpu")
    assert stack.n_models == 3
    for network, row in zip(networks, stack.flat, strict=True):
        back = stack.network(row)
        assert back.widths == network.widths
        assert (back.activation, back.output) == ("tanh", network.output)
        for ours, theirs in zip(
            (*back.weights, *back.biases),
            (*network.weights, *network.biases),
            strict=True,
        ):
            np.testing.assert_array_equal(ours, theirs)
    stack.keep(torch.tensor([2]))
    np.testing.assert_array_equal(
        stack.network(stack.flat[0]).weights[0], networks[2].weights[0]
    )


def test_zeros_leave_a_stack_without_a_sign(random_network):
    stack = Stack([random_network("log_loss", (2, 2))], "log_loss", "cpu")
    stack.flat.fill_(-0.0)
    network = stack.network(stack.flat[0])
    assert not np.signbit(network.weights[0]).any()
    assert not np.signbit(network.biases[0]).any()


def _names(layout, groups):
    """Group of every parameter, as nested lists in the order of the network."""
    index = groups.spread(torch.arange(groups.n_groups, dtype=torch.float64)[None])
    weights, biases = layout.split(index)
    return [w[0].numpy() for w in weights], [b[0, 0].numpy() for b in biases]


@pytest.mark.parametrize("penalize_bias", [False, True])
def test_groups_of_a_network(penalize_bias):
    layout = Layout((6, 3, 2))
    labels = np.array([7, -1, 0, 7, -5, 7])
    like = torch.empty(0, dtype=torch.float64)
    groups = layout.groups(labels, penalize_bias, "units", like)
    (first, second), biases = _names(layout, groups)
    # Three labelled sets of first-layer rows and two rows of the second matrix; six
    # unpenalised weights and five biases, each alone.
    assert groups.n_groups == 2 + 6 + 3 + 5
    assert len(np.unique(first[[0, 3, 5]])) == 1
    assert len(np.unique(first[2])) == 1
    assert len(np.unique(first[[1, 4]])) == 6
    assert [len(np.unique(row)) for row in second] == [1, 1, 1]
    weight_of = groups.weights[0].numpy()
    expected_first = np.sqrt([9, 0, 3, 9, 0, 9])[:, None].repeat(3, 1)
    np.testing.assert_allclose(weight_of[first.astype(int)], expected_first)
    np.testing.assert_allclose(weight_of[second.astype(int)], np.sqrt(2))
    bias_groups = np.concatenate(biases).astype(int)
    assert len(np.unique(bias_groups)) == 5
    np.testing.assert_allclose(weight_of[bias_groups], float(penalize_bias))


def test_groups_of_pairs_of_layers():
    layout = Layout((3, 2, 4, 2))
    like = torch.empty(0, dtype=torch.float64)
    groups = layout.groups(None, False, "pairs", like)
    (first, second, third), biases = _names(layout, groups)
    assert first.tolist() == [[0, 1]] * 3
    assert second.tolist() == [[2] * 4, [3] * 4]
    assert third.tolist() == [[4] * 2, [5] * 2, [6] * 2, [7] * 2]
    assert np.concatenate(biases).tolist() == [*range(8, 16)]
    assert groups.layer.tolist() == [[0, 0, 1, 1, 2, 2, 2, 2, *[3] * 8]]
    assert groups.penalised[0].tolist() == [1] * 8 + [0] * 8
    with pytest.raises(ValueError, match="leave groups=None"):
        layout.groups(np.arange(3), False, "pairs", like)


@pytest.mark.parametrize("penalize_bias", [False, True])
def test_groups_of_whole_layers(penalize_bias):
    layout = Layout((4, 3, 2))
    like = torch.empty(0, dtype=torch.float64)
    labels = np.array([0, -1, 1, 0])
    groups = layout.groups(labels, penalize_bias, "layers", like)
    (first, second), biases = _names(layout, groups)
    biases = np.concatenate(biases)
    assert len(np.unique(first[labels >= 0])) == 1
    assert len(np.unique(first[1])) == 3
    assert len(np.unique(second)) == 1
    assert len(np.unique(biases)) == (1 if penalize_bias else 5)
    assert groups.n_groups == 1 + 3 + 1 + len(np.unique(biases))
    layer = groups.layer[0].numpy()
    assert np.unique(layer[first.astype(int)]).tolist() == [0]
    assert np.unique(layer[second.astype(int)]).tolist() == [1]
    assert np.unique(layer[biases.astype(int)]).tolist() == [2]
    assert groups.weights[0].numpy()[second.astype(int)] == pytest.approx(6**0.5)


def test_groups_of_single_weights():
    layout = Layout((3, 2, 1))
    like = torch.empty(0, dtype=torch.float64)
    groups = layout.groups(np.array([0, -1, 0]), False, "weights", like)
    (first, second), biases = _names(layout, groups)
    assert groups.n_groups == layout.n_parameters == 11
    penalised = groups.penalised[0].numpy()
    assert penalised[first.astype(int)].tolist() == [[1, 1], [0, 0], [1, 1]]
    assert penalised[second.astype(int)].tolist() == [[1], [1]]
    assert penalised[np.concatenate(biases).astype(int)].tolist() == [0, 0, 0]
