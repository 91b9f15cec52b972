"""Updates: torch.optim without a penalty, and the step they say they took."""

import numpy as np
import pytest
import torch

from skgroupnet.engine import (
    RMDA,
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    train,
)
from skgroupnet.engine.stack import Layout
from skgroupnet.engine.updates import Update
from skgroupnet.penalties import NoPenalty

# The update, torch's, and a learning rate for both.
PAIRS = {
    "sgd": (SGD(0.0), lambda p: torch.optim.SGD(p, 0.1), 0.1),
    "momentum": (
        SGD(0.9, nesterov=False),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9),
        0.05,
    ),
    "nesterov": (
        SGD(0.9, nesterov=True),
        lambda p: torch.optim.SGD(p, 0.05, momentum=0.9, nesterov=True),
        0.05,
    ),
    "adam": (
        Adam(0.8, 0.99, 1e-6),
        lambda p: torch.optim.Adam(p, 0.003, (0.8, 0.99), eps=1e-6),
        0.003,
    ),
    "adam, defaults": (Adam(), lambda p: torch.optim.Adam(p, 0.003), 0.003),
    "adamax": (AdaMax(), lambda p: torch.optim.Adamax(p, 0.003), 0.003),
    "rmsprop": (RMSprop(), lambda p: torch.optim.RMSprop(p, 0.001), 0.001),
    "rmsprop, short": (
        RMSprop(0.9, 1e-4),
        lambda p: torch.optim.RMSprop(p, 0.001, alpha=0.9, eps=1e-4),
        0.001,
    ),
}
every_update = pytest.mark.parametrize("name", PAIRS)


@every_update
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_200_steps_are_those_of_torch(
    name, dtype, activation, draw, random_network, make_model, objective, tensors, flat
):
    X, y = draw("cross_entropy", n=110, dtype=dtype)
    start = random_network("cross_entropy", (5, 16, 8, 3), activation, dtype=dtype)
    update, optimizer, rate = PAIRS[name]

    parameters = tensors(start)
    optimizer = optimizer(parameters)
    for _ in range(50):
        for first in (0, 32, 64, 96):
            batch = slice(first, first + 32)
            optimizer.zero_grad()
            objective(
                parameters, X[batch], y[batch], "cross_entropy", activation
            ).backward()
            optimizer.step()
    expected = flat([p.detach().numpy() for p in parameters])

    settings = Settings(
        update, batch_size=32, max_iter=50, shuffle=False, tol=0, n_iter_no_change=99
    )
    problem = Problem(X, y, "cross_entropy", NoPenalty())
    (fit,) = train(problem, [make_model(start, rate=rate)], settings)

    assert int(fit.state["t"]) == 200
    moved = np.abs(expected - flat(start)).max()
    assert moved > 0.05
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    difference = np.abs(flat(fit.network) - expected).max()
    assert difference <= tolerance * np.abs(expected).max()


STEPPING = {name: pair[0] for name, pair in PAIRS.items()} | {"heavy": SGD(1.0, False)}


def _groups(labels=None):
    """Rows as groups: (M, P) = (2, 29) for a 4-3-2 network with its biases."""
    layout = Layout((4, 3, 2))
    like = torch.empty(0, dtype=torch.float64)
    return layout, layout.groups(labels, False, "units", like)


@pytest.mark.parametrize("name", STEPPING)
def test_step_is_the_displacement_under_a_constant_gradient(name):
    layout, groups = _groups(np.array([0, -1, 1, 0]))
    update = STEPPING[name]
    W = torch.zeros((2, layout.n_parameters), dtype=torch.float64)
    state = update.start(W, groups)
    rate = torch.tensor([[0.1], [0.02]], dtype=torch.float64)
    for t in range(1, 30):
        before = W.clone()
        step = update.apply(W, torch.ones_like(W), groups, state, rate, t)
        step = step.expand(-1, groups.n_groups)
        torch.testing.assert_close(before - W, groups.spread(step), rtol=1e-12, atol=0)


@every_update
def test_weights_of_a_group_move_along_their_direction(name):
    layout, groups = _groups(np.array([0, -1, 1, 0]))
    update = PAIRS[name][0]
    rng = np.random.RandomState(0)
    W = torch.zeros((2, layout.n_parameters), dtype=torch.float64)
    grad = torch.from_numpy(rng.randn(*W.shape))
    state = update.start(W, groups)
    step = update.apply(W, grad.clone(), groups, state, torch.ones((2, 1)).double(), 1)
    step = step.expand(-1, groups.n_groups)
    # At the first step every average of gradients is the gradient.
    torch.testing.assert_close(W, -groups.spread(step) * grad)


@pytest.mark.parametrize(
    ("update", "denominator"),
    [
        (Adam(epsilon=0.01), lambda part: np.sqrt(np.mean(part**2)) + 0.01),
        (AdaMax(epsilon=0.01), lambda part: np.abs(part).max() + 0.01),
        (
            RMSprop(decay=0.84, epsilon=0.01),
            lambda part: 0.4 * np.sqrt(np.mean(part**2)) + 0.01,
        ),
    ],
)
def test_a_group_shares_its_second_moment(update, denominator):
    layout, groups = _groups(np.array([0, -1, 1, 0]))
    index = groups.spread(torch.arange(groups.n_groups).double()[None])[0].long()
    rng = np.random.RandomState(0)
    W = torch.zeros((2, layout.n_parameters), dtype=torch.float64)
    grad = torch.from_numpy(rng.randn(*W.shape))
    rate = torch.tensor([[0.5], [2.0]], dtype=torch.float64)
    step = update.apply(W, grad.clone(), groups, update.start(W, groups), rate, 1)
    for m in range(2):
        for group in range(groups.n_groups):
            part = grad[m, index == group].numpy()
            expected = rate[m].item() / denominator(part)
            assert step[m, group].item() == pytest.approx(expected, rel=1e-12)


def test_only_momentum_of_sgd_needs_a_state():
    layout, groups = _groups()
    W = torch.zeros((2, layout.n_parameters))
    assert SGD(0.0).start(W, groups) == {}
    for update in (SGD(0.5), Adam(), AdaMax(), RMSprop(), RMDA()):
        for tensor in update.start(W, groups).values():
            assert len(tensor) == 2


def _soft(point, threshold):
    return np.sign(point) * np.maximum(np.abs(point) - threshold, 0)


@pytest.mark.parametrize("momentum", [0.0, 0.7])
def test_dual_averaging_from_its_sums(momentum):
    """All steps from the gradients so far, with a lasso of strength 0.3."""
    layout, groups = _groups()
    random, update = np.random.RandomState(0), RMDA(momentum)
    start = random.randn(2, layout.n_parameters) / 10
    W, expected = torch.from_numpy(start.copy()), start
    rates, grads = np.array([[0.1], [0.02]]), []
    state, killed = update.start(W, groups), 0
    for t in range(1, 30):
        grads.append(random.randn(*start.shape) + 1)
        grad = torch.from_numpy(grads[-1].copy())
        step = update.apply(W, grad, groups, state, torch.from_numpy(rates), t)
        shares = rates * np.sqrt(np.arange(1, t + 1)) / np.sqrt(t)
        assert step.shape == (2, groups.n_groups)
        np.testing.assert_allclose(
            step, np.tile(shares.sum(1, keepdims=True), groups.n_groups)
        )
        total = sum(shares[:, [k]] * grads[k] for k in range(t))
        point = _soft(start - total, shares.sum(1, keepdims=True) * 0.3)
        np.testing.assert_allclose(W, start - total, rtol=1e-12, atol=1e-13)
        W.copy_(torch.from_numpy(point))
        update.after_prox(W, grad)
        share = 1 - momentum
        expected = ((1 - share) * expected + share * point) * (point != 0)
        np.testing.assert_allclose(W, expected, rtol=1e-12, atol=1e-13)
        killed += (point == 0).sum()
    assert killed > 10


@pytest.mark.parametrize("factor", [0.2, 0.9, 3.0, 0.0])
def test_a_new_rate_scales_the_next_move_of_a_dual_average(factor):
    layout, groups = _groups()
    random, update = np.random.RandomState(0), RMDA(0.5)
    first = torch.from_numpy(random.randn(2, layout.n_parameters))
    grads = [torch.from_numpy(random.randn(*first.shape)) for _ in range(8)]
    moves = []
    for by in (1.0, factor):
        W = first.clone()
        state = update.start(W, groups)
        for t, grad in enumerate(grads, 1):
            before, used = W.clone(), grad.clone()
            rate = torch.full((2, 1), 0.1 * (by if t == len(grads) else 1)).double()
            step = update.apply(W, used, groups, state, rate, t)
            torch.testing.assert_close(used, before)
            update.after_prox(W, used)
        moves.append((W - before, step))
    for old, new in zip(*moves, strict=True):
        torch.testing.assert_close(new, factor * old)


@pytest.mark.parametrize("momentum", [1.0, -0.1, np.nan])
def test_dual_averaging_has_to_move(momentum):
    with pytest.raises(ValueError, match=r"momentum of RMDA must be in \[0, 1\), got"):
        RMDA(momentum)


@pytest.mark.parametrize("forgotten", ["start", "apply"])
def test_an_update_that_forgets_a_method_cannot_be_made(forgotten):
    methods = {"start", "apply"} - {forgotten}
    kind = type("Own", (Update,), dict.fromkeys(methods, lambda *_: None))
    with pytest.raises(TypeError, match=f"abstract method '?{forgotten}"):
        kind()
