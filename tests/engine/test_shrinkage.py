"""The penalty of a stack: whose step a group takes, and relative weights of groups."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skgroupnet import config_context
from skgroupnet.engine import (
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    compiled,
    fista,
    group_norms,
    lam_max,
    stationarity_gap,
    train,
)
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.penalties import (
    PENALTIES,
    AdaptiveGroupLasso,
    GroupHoyerSquare,
    GroupLasso,
    HoyerSquare,
    L1MinusL2,
    PathNorm,
    get_penalty,
)

LABELS = np.array([0, 1, 0, -1, 1, 2])
LAYERWISE = [HoyerSquare(), GroupHoyerSquare(), L1MinusL2(0.5)]
steps = pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            "compiled",
            marks=pytest.mark.skipif(compiled._step is None, reason="not built"),
        ),
        "torch",
    ],
)


@pytest.fixture
def shrinkage(draw, random_network):
    """Build the penalty of a stack of two networks, and the stack."""

    def shrinkage(penalty, **fields):
        problem = Problem(*draw("cross_entropy", d=6), "cross_entropy", penalty)
        problem = replace(problem, **fields)
        networks = [random_network("cross_entropy", (6, 4, 3), seed=m) for m in (0, 1)]
        stack = Stack(networks, problem.loss, "cpu")
        return Shrinkage(problem, stack, np.array([0.1, 0.3])), stack

    return shrinkage


@pytest.mark.parametrize("penalty", LAYERWISE, ids=repr)
@pytest.mark.parametrize("labels", [None, LABELS], ids=["features", "sets"])
@pytest.mark.parametrize("penalize_bias", [False, True])
def test_a_layer_takes_one_step(penalty, labels, penalize_bias, shrinkage):
    shrinkage, stack = shrinkage(penalty, labels=labels, penalize_bias=penalize_bias)
    metric, groups = shrinkage.metric, shrinkage.groups
    n_free = 4 * (labels is not None) + 7 * (not penalize_bias)
    assert metric.n_groups == 2 + penalize_bias + n_free
    step = torch.from_numpy(np.random.RandomState(0).rand(2, metric.n_groups))
    steps = step[:, metric.index[0]]
    before = stack.flat.clone()
    shrinkage.apply(step)
    each = torch.zeros((2, groups.n_groups), dtype=torch.float64)
    each[:, groups.index[0]] = steps
    expected = penalty.prox(before, groups, each, shrinkage.lam)
    assert torch.equal(stack.flat, expected)
    assert not torch.equal(stack.flat, before)


@pytest.mark.parametrize("name", PENALTIES)
def test_groups_share_a_step_only_where_the_penalty_asks_for_it(name, shrinkage):
    penalty = get_penalty(name)
    found, _ = shrinkage(penalty)
    assert (found.metric is found.groups) == (penalty.one_step_per == "group")


@pytest.mark.parametrize("update", [Adam(), AdaMax(), RMSprop(), SGD()], ids=repr)
@pytest.mark.parametrize("penalty", [*LAYERWISE, PathNorm()], ids=repr)
def test_compiled_steps_are_those_of_torch(update, penalty, problem, model, compare):
    """The prox is in torch; the steps that it is handed must be the same."""
    for penalize_bias in (False, True):
        problem = replace(problem, penalty=penalty, penalize_bias=penalize_bias)
        compare(problem, [model(0.01), model(0.05)], update, 1e-9)


@pytest.mark.parametrize("update", [Adam(), SGD(0.9)], ids=repr)
@pytest.mark.parametrize(
    ("penalty", "lam"), [(HoyerSquare(), 0.004), (GroupHoyerSquare(), 0.05)], ids=repr
)
def test_hoyer_gives_exact_zeros_and_a_stationary_network(
    update, penalty, lam, draw, random_network, make_model, full_batch
):
    X, y = draw("squared_error", n=80, d=6, k=1)
    y = np.maximum(X[:, :1], 0) - X[:, 1:2]
    problem = Problem(X, y, "squared_error", penalty)
    start = random_network("squared_error", (6, 5, 1), "tanh")
    model = make_model(start, lam, 0.02)
    settings = replace(full_batch(update, 1000), learning_rate="cosine")
    (fit,) = train(problem, [model], settings)
    norms = group_norms(problem, fit.network)
    gaps = [stationarity_gap(problem, model, n) for n in (start, fit.network)]
    assert gaps[1] < 0.05 * gaps[0]
    assert (norms == 0).sum() >= 4
    assert fit.loss_curve[-1] < 0.5 * fit.loss_curve[0]


@steps
@pytest.mark.parametrize("update", [Adam(), SGD(0.9)], ids=repr)
def test_path_norm_leaves_neurons_of_length_one(
    step, update, draw, random_network, make_model, full_batch
):
    X, y = draw("squared_error", n=80, d=3, k=2)
    y[:] = np.abs(X[:, :1]) - X[:, 1:2]
    problem = Problem(X, y, "squared_error", PathNorm())
    start = random_network("squared_error", (3, 8, 2), "relu")
    model = make_model(start, 0.05, 0.02)
    settings = replace(full_batch(update, 1000), learning_rate="cosine")
    with config_context(step=step):
        (fit,) = train(problem, [model], settings)
    W, V = fit.network.weights
    np.testing.assert_allclose(np.linalg.norm(W, axis=0), 1, rtol=1e-12)
    lengths = np.linalg.norm(V, axis=1)
    assert 2 <= (lengths > 0).sum() < 8
    gaps = [stationarity_gap(problem, model, n) for n in (start, fit.network)]
    assert gaps[1] < 0.05 * gaps[0]
    shrinkage = Shrinkage(
        problem, Stack([fit.network], problem.loss, "cpu"), np.array([0.05])
    )
    assert float(shrinkage.value()[0]) == pytest.approx(0.05 * lengths.sum())


def test_group_norms(random_network, draw):
    network = random_network("cross_entropy", (6, 4, 3))
    problem = Problem(*draw("cross_entropy", d=6), "cross_entropy", GroupLasso())
    W, V = network.weights
    b = np.abs(np.concatenate(network.biases))
    expected = [*np.linalg.norm(W, axis=1), *np.linalg.norm(V, axis=1), *b]
    np.testing.assert_allclose(group_norms(problem, network), expected, rtol=1e-14)
    problem = replace(problem, labels=LABELS)
    sets = [np.linalg.norm(W[LABELS == label]) for label in (0, 1, 2)]
    expected = [*sets, *np.abs(W[3]), *np.linalg.norm(V, axis=1), *b]
    np.testing.assert_allclose(group_norms(problem, network), expected, rtol=1e-14)
    problem = replace(problem, labels=None, penalty=PathNorm())
    expected = [*np.linalg.norm(W, axis=0), *np.linalg.norm(V, axis=1), *b]
    np.testing.assert_allclose(group_norms(problem, network), expected, rtol=1e-14)


@steps
@pytest.mark.parametrize("penalty", [AdaptiveGroupLasso(), GroupLasso()], ids=repr)
def test_factors_multiply_lam_group_by_group(step, penalty, problem, model, flat):
    problem = replace(problem, penalty=penalty)
    n_groups = len(group_norms(problem, model().start))
    factors = np.random.RandomState(0).uniform(0.2, 3, n_groups)
    # The second one ends early; the others go on with factors of their own.
    models = [
        model(0.01, factors=factors),
        model(0.01, rate=1e-30, factors=factors),
        model(0.01),
        model(0.01, factors=np.full(n_groups, 2.0)),
        model(0.02),
    ]
    settings = Settings(Adam(), batch_size=16, max_iter=20, tol=1e-12)
    settings = replace(settings, n_iter_no_change=5)
    with config_context(step=step):
        together = train(problem, models, settings)
        (alone,) = train(problem, [model(0.01, factors=factors)], settings)
    assert [fit.n_iter < 20 for fit in together] == [False, True, False, False, False]
    np.testing.assert_allclose(
        flat(together[0].network), flat(alone.network), rtol=1e-9, atol=1e-12
    )
    doubled, stronger = (flat(fit.network) for fit in together[3:])
    np.testing.assert_allclose(doubled, stronger, rtol=1e-9, atol=1e-12)
    plain = flat(together[2].network)
    assert np.abs(plain - flat(together[0].network)).max() > 1e-3
    assert np.abs(plain - doubled).max() > 1e-3


def test_factors_of_a_linear_model(draw, zeros, make_model):
    X, y = draw("squared_error", n=90, d=6, k=1)
    problem = Problem(X, y, "squared_error", AdaptiveGroupLasso())
    factors = np.r_[np.random.RandomState(0).uniform(0.2, 3, 6), 7.0]
    start = zeros("squared_error", (6, 1))
    largest = lam_max(problem, factors=factors)
    correlation = np.abs(X.T @ (y - y.mean(0)))[:, 0] / len(X)
    assert largest == pytest.approx((correlation / factors[:6]).max(), rel=1e-10)
    model = make_model(start, 0.3 * largest, factors=factors)
    (fit,) = fista(problem, [model], max_iter=5000, tol=1e-10)
    assert fit.outcome == "converged"
    assert stationarity_gap(problem, model, fit.network) < 1e-9
    assert stationarity_gap(problem, replace(model, factors=None), fit.network) > 1e-3
    # The same by rescaled columns and a plain lasso.
    scaled = Problem(X / factors[:6], y, "squared_error", GroupLasso())
    (other,) = fista(
        scaled, [make_model(start, 0.3 * largest)], max_iter=5000, tol=1e-11
    )
    expected = other.network.weights[0][:, 0] / factors[:6]
    np.testing.assert_allclose(fit.network.weights[0][:, 0], expected, atol=1e-8)


@pytest.mark.parametrize("penalty", [HoyerSquare(), L1MinusL2()], ids=repr)
def test_a_linear_model_with_a_measure_of_its_layer(penalty, draw, zeros, make_model):
    X, y = draw("squared_error", n=90, d=6, k=1)
    y = X[:, :1] - 2 * X[:, 1:2]
    problem = Problem(X, y, "squared_error", penalty)
    start = zeros("squared_error", (6, 1))
    start = replace(start, weights=(start.weights[0] + 1.0,))
    model = make_model(start, 0.05)
    (fit,) = fista(problem, [model], max_iter=5000, tol=1e-9)
    assert fit.outcome == "converged"
    assert stationarity_gap(problem, model, fit.network) < 1e-8
    assert (fit.network.weights[0][:, 0] != 0).tolist() == [True] * 2 + [False] * 4
