"""Special values, and the accuracy of the maps, in compiled steps."""

import threading
from dataclasses import dataclass, replace

import numpy as np
import pytest
import scipy.special
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
    train,
)
from skgroupnet.network import Network
from skgroupnet.penalties import (
    L2,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)

pytestmark = pytest.mark.skipif(
    compiled._step is None, reason="the compiled step is not built"
)
DTYPES = [np.float32, np.float64]
every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])


@dataclass(frozen=True)
class Foreign(GroupLasso):
    """A penalty whose prox is taken in torch."""


def test_numbers_survive(problem, model, compare):
    """No code of the package makes the process flush subnormals or lose a nan."""
    seen = []

    def look():
        tiny = np.full(40, 1e-310), np.full(40, 1e-40, dtype=np.float32)
        seen.extend((array / 2 > 0).all() for array in tiny)
        seen.extend((array[0] * type(array[0])(0.5) > 0) for array in tiny)
        seen.extend(bool((torch.from_numpy(array) / 2 > 0).all()) for array in tiny)
        nan = np.full(40, np.nan)
        seen.append((nan != nan).all() and np.isnan(nan + 1).all())

    compare(problem, [model()], Adam())
    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert len(seen) == 14
    assert all(seen)


@every_dtype
@pytest.mark.parametrize("step", ["torch", "auto"])
@pytest.mark.parametrize(
    ("update", "penalty"),
    [
        (Adam(0.7, 0.7), GroupLasso()),
        (Adam(0.7, 0.7), Foreign()),
        (AdaMax(0.7, 0.7), GroupLasso()),
        (RMSprop(0.7), GroupLasso()),
        (SGD(0.7), GroupLasso()),
        (SGD(0.7), L2()),
    ],
    ids=repr,
)
def test_what_is_dead_does_not_decay_for_ever(
    update, penalty, step, dtype, draw, random_network, make_model, flat
):
    """Weights and state of a network whose units the penalty empties."""
    X, y = draw("squared_error", 32, dtype=dtype)
    start = random_network("squared_error", (5, 6, 3), "relu", dtype=dtype)
    settings = Settings(update, batch_size=1, max_iter=70, tol=0)
    settings = replace(settings, n_iter_no_change=np.inf)
    problem = Problem(X, y, "squared_error", penalty)
    with config_context(step=step):
        (fit,) = train(problem, [make_model(start, lam=1.0, rate=0.1)], settings)
    assert fit.outcome == "max_iter"
    assert fit.n_iter == 70
    kept = flat(fit.network), *(np.atleast_1d(v) for v in fit.state.values())
    for numbers in kept:
        assert np.isfinite(numbers).all()
        tiny = np.abs(numbers) < np.finfo(dtype).smallest_normal
        assert not numbers[tiny].any()


@every_dtype
@pytest.mark.parametrize("step", ["torch", "compiled"])
@pytest.mark.parametrize("update", [Adam, AdaMax, RMSprop])
def test_the_smallest_epsilon_divides(
    update, step, dtype, draw, random_network, make_model, flat
):
    """The column and the units that get no gradient move by zero, not by nan."""
    X, y = draw("squared_error", dtype=dtype)
    X[:, 0] = 0
    start = random_network("squared_error", (5, 6, 3), "relu", dtype=dtype)
    problem = Problem(X, y, "squared_error", GroupLasso())
    epsilon = float(np.finfo(dtype).smallest_normal)
    settings = Settings(update(epsilon=epsilon), max_iter=3, tol=0)
    with config_context(step=step):
        (fit,) = train(problem, [make_model(start, 1e-3, 1e-3)], settings)
    assert fit.outcome == "max_iter"
    assert np.isfinite(flat(fit.network)).all()


@pytest.fixture
def gradient(make_model):
    """Gradient (momentum after a step of length zero) and loss of one row."""

    def gradient(loss, arrays, y, activation="tanh", outcome="max_iter"):
        start = Network(*arrays, activation, "identity")
        X = np.zeros((1, start.widths[0]), dtype=arrays[0][0].dtype)
        problem = Problem(X, y, loss, NoPenalty())
        settings = Settings(SGD(0.5, nesterov=False), max_iter=1, tol=0)
        with config_context(step="compiled"):
            (fit,) = train(problem, [make_model(start, rate=0.0)], settings)
        assert fit.outcome == outcome
        return fit.state["momentum"], fit.loss_curve[0]

    return gradient


@pytest.fixture
def errors(gradient):
    """Gradient and loss with respect to given raw predictions, the targets being 0."""

    def errors(raw, loss, outcome="max_iter"):
        arrays = (np.zeros((1, len(raw)), raw.dtype),), (raw,)
        y = np.zeros((1, len(raw)), raw.dtype)
        if loss == "cross_entropy":
            y = np.array([0])
        momentum, value = gradient(loss, arrays, y, outcome=outcome)
        return momentum[len(raw) :], value

    return errors


def _close(found, expected, ulps=4):
    """Equal to some units in the last place; what is subnormal is zero."""
    limits = np.finfo(found.dtype)
    expected = np.where(np.abs(expected) < limits.smallest_normal, 0, expected)
    np.testing.assert_allclose(
        found,
        expected.astype(float),
        rtol=ulps * limits.eps,
        atol=ulps * limits.smallest_subnormal,
    )


@every_dtype
def test_exp(dtype, errors):
    limits = np.finfo(dtype)
    least, most = np.log(limits.smallest_subnormal), np.log(limits.max)
    raw = np.linspace(1.1 * least, most - 10, 5001).astype(dtype)
    raw = np.concatenate([raw, np.float32([0, 1e-30, -1e-30, 100 * least])])
    found, _ = errors(raw, "poisson")
    _close(found, np.exp(raw.astype(np.longdouble)))
    largest = np.array([most * (1 - 4 * limits.eps)], dtype)
    found, loss = errors(largest, "poisson")
    _close(found, np.exp(largest.astype(np.longdouble)), ulps=100)
    assert loss == found[0] < limits.max
    for more in (1.001, 10):
        errors(more * largest, "poisson", outcome="diverged")


@every_dtype
def test_logistic_loss(dtype, errors):
    raw = np.linspace(-90, 90, 3001).astype(dtype)
    found, loss = errors(raw, "log_loss")
    _close(found, scipy.special.expit(raw.astype(np.longdouble)))
    value = np.logaddexp(raw.astype(float), 0).sum()
    assert loss == pytest.approx(value, rel=100 * float(np.finfo(dtype).eps))
    # Far out, where a difference of large numbers would lose them.
    found, loss = errors(np.array([-50], dtype), "log_loss")
    assert loss == pytest.approx(np.exp(-50.0), 4 * float(np.finfo(dtype).eps), 0)
    found, loss = errors(np.array([1e30, -1e30], dtype), "log_loss")
    assert found.tolist() == [1, 0]
    assert loss == pytest.approx(1e30)


@every_dtype
@pytest.mark.parametrize("scale", [1.0, 30.0, 1e4])
@pytest.mark.parametrize("k", [1, 2, 3, 7, 40])
def test_softmax(k, scale, dtype, errors):
    raw = (scale * np.random.RandomState(k).randn(k)).astype(dtype)
    raw[0] = raw.max() - min(scale, 30)
    found, loss = errors(raw, "cross_entropy")
    exact = raw.astype(float)
    expected = scipy.special.softmax(exact)
    expected[0] -= 1
    np.testing.assert_allclose(found, expected, atol=k * np.finfo(dtype).eps)
    value = scipy.special.logsumexp(exact) - exact[0]
    digits = k * float(np.finfo(dtype).eps)
    assert loss == pytest.approx(value, rel=digits, abs=digits * max(1, scale))


@every_dtype
@pytest.mark.parametrize("largest", range(5))
def test_softmax_of_far_numbers(largest, dtype, errors):
    raw = np.full(5, -1e4, dtype)
    raw[largest] = 1e4
    found, loss = errors(raw, "cross_entropy")
    np.testing.assert_array_equal(found, np.eye(5)[largest] - np.eye(5)[0])
    assert loss == raw[largest] - raw[0]


MAPS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z, h: z > 0),
    "relu2": (lambda z: np.maximum(z, 0) ** 2, lambda z, h: 2 * np.maximum(z, 0)),
    "tanh": (np.tanh, lambda z, h: 1 - h * h),
    "logistic": (scipy.special.expit, lambda z, h: h * (1 - h)),
    "identity": (lambda z: z, lambda z, h: 1),
}


@every_dtype
@pytest.mark.parametrize("activation", MAPS)
def test_activations(activation, dtype, gradient):
    """The second layer hands its inputs on, so that they are its gradient."""
    small = np.float32([0, 1e-30, -1e-30, 1e-8, -1e-5, 3e-4, -0.02, 0.62499, -0.62501])
    large = np.float32([50, -50, 1e4, -1e4])
    z = np.concatenate([np.linspace(-25, 25, 301), small, large]).astype(dtype)
    k = len(z)
    weights = np.zeros((1, k), dtype), np.eye(k, dtype=dtype)
    arrays = weights, (z, np.zeros(k, dtype))
    momentum, _ = gradient("squared_error", arrays, np.zeros((1, k), dtype), activation)
    value, derivative = MAPS[activation]
    expected = value(z.astype(np.longdouble))
    _close(momentum[-k:], expected)
    below = expected * derivative(z, expected)
    np.testing.assert_allclose(
        momentum[-2 * k : -k],
        below.astype(float),
        rtol=4 * np.finfo(dtype).eps,
        atol=4 * np.finfo(dtype).eps,
    )


@every_dtype
@pytest.mark.parametrize("penalty", [NoPenalty(), SparseGroupLasso()], ids=repr)
def test_overflow_ends_with_the_last_finite_network(
    penalty, dtype, draw, random_network, make_model, flat, both
):
    """The neighbours of a model that diverges do not notice."""
    X, y = draw("squared_error", dtype=dtype)
    start = random_network("squared_error", (5, 6, 3), "relu", dtype=dtype)
    problem = Problem(X, y, "squared_error", penalty)
    settings = Settings(SGD(0.0), batch_size=60, max_iter=6, tol=0)
    # The weights grow to this power, and to higher and higher ones.
    rates = [0.01, np.finfo(dtype).max ** 0.2, 0.02]

    def models():
        return [make_model(start, 1e-3, rate, seed) for seed, rate in enumerate(rates)]

    pairs = both(problem, models(), settings)
    assert [fit.outcome for _, fit in pairs] == ["max_iter", "diverged", "max_iter"]
    reference, fit = pairs[1]
    assert 1 < fit.n_iter == reference.n_iter < 6
    assert not np.isfinite(fit.loss_curve[-1])
    assert np.isfinite(fit.loss_curve[:-1]).all()
    assert np.isfinite(flat(fit.network)).all()
    with config_context(step="compiled"):
        for m in (0, 2):
            (alone,) = train(problem, [models()[m]], settings)
            np.testing.assert_array_equal(
                flat(pairs[m][1].network), flat(alone.network)
            )
        shorter = replace(settings, max_iter=fit.n_iter - 1)
        (kept,) = train(problem, [models()[1]], shorter)
    np.testing.assert_array_equal(flat(fit.network), flat(kept.network))
