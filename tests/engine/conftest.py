"""Data, random networks, models, and a gradient by autograd to compare with."""

import threading
from collections import namedtuple
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from skgroupnet import config_context
from skgroupnet.engine import (
    ADMM,
    LOSSES,
    Model,
    Problem,
    Settings,
    admm,
    compiled,
    fista,
    initial_network,
    relative_gap,
    train,
)
from skgroupnet.network import Network
from skgroupnet.penalties import GroupLasso


@pytest.fixture
def draw():
    """Draw rows and targets of a loss: X (n, d), y as `Problem` wants it."""

    def draw(loss, n=60, d=5, k=3, seed=0, dtype=np.float64):
        rng = np.random.RandomState(seed)
        X = rng.randn(n, d)
        raw = X @ rng.randn(d, k) / np.sqrt(d)
        if loss == "cross_entropy":
            y = (raw + rng.gumbel(size=raw.shape)).argmax(1)
            return X.astype(dtype), y
        if loss == "log_loss":
            y = raw + rng.logistic(size=raw.shape) > 0
        elif loss == "poisson":
            y = rng.poisson(np.exp(raw))
        else:
            y = raw + rng.randn(n, k)
        return X.astype(dtype), y.astype(dtype)

    return draw


@pytest.fixture
def random_network():
    """Draw a network of a loss, all weights and biases normal.

    Those of relu2 are smaller: layer by layer it squares what is large.
    """

    def network(loss, widths, activation="tanh", seed=0, dtype=np.float64):
        rng = np.random.RandomState(seed)
        shapes = list(zip(widths[:-1], widths[1:], strict=True))
        size = 0.3 if activation == "relu2" else 1.0
        weights = tuple(
            (size * rng.randn(a, b) / np.sqrt(max(a, 1))).astype(dtype)
            for a, b in shapes
        )
        biases = tuple((0.3 * rng.randn(b)).astype(dtype) for _, b in shapes)
        return Network(weights, biases, activation, LOSSES[loss].output)

    return network


@pytest.fixture
def zeros():
    """A linear network of zeros, the start of FISTA."""

    def zeros(loss, widths, dtype=np.float64):
        random_state = np.random.RandomState(0)
        output = LOSSES[loss].output
        return initial_network(widths, "identity", output, random_state, dtype)

    return zeros


@pytest.fixture
def solve(zeros, make_model):
    """Solve a problem by FISTA to a tiny stationarity gap."""

    def solve(problem, lam, tol=1e-9, max_iter=20000, **settings):
        y = problem.y
        k = int(y.max()) + 1 if y.ndim == 1 else y.shape[1]
        start = zeros(problem.loss, (problem.X.shape[1], k), problem.X.dtype)
        model = make_model(start, lam, **settings)
        (fit,) = fista(problem, [model], max_iter=max_iter, tol=tol)
        assert fit.outcome == "converged"
        assert relative_gap(problem, model, fit.network) <= 2 * tol + 1e-12
        return fit

    return solve


@pytest.fixture
def split(zeros, make_model):
    """Solve a problem by ADMM from zero, and certify the end."""

    def split(problem, lam, tol=1e-8, rho="auto", max_iter=5000, **model):
        y = problem.y
        k = int(y.max()) + 1 if y.ndim == 1 else y.shape[1]
        start = zeros(problem.loss, (problem.X.shape[1], k), problem.X.dtype)
        model = make_model(start, lam, **model)
        fit = admm(problem, model, ADMM(max_iter, tol, rho))
        assert fit.outcome == "converged"
        assert relative_gap(problem, model, fit.network) <= 1.01 * tol + 1e-12
        return fit

    return split


@pytest.fixture
def make_model():
    """Build a model from its start and what differs from a plain one."""

    def model(start, lam=0.0, rate=0.1, seed=0, **settings):
        return Model(start, lam, rate, np.random.RandomState(seed), **settings)

    return model


@pytest.fixture
def full_batch():
    """Build settings for full batches in the order of the rows, without stopping."""

    def settings(update, max_iter=1, **changes):
        values = {"batch_size": 10**9, "shuffle": False, "tol": 0.0}
        values |= {"n_iter_no_change": np.inf} | changes
        return Settings(update, max_iter=max_iter, **values)

    return settings


ACTIVATE = {
    "relu": torch.relu,
    "relu2": lambda values: torch.relu(values) ** 2,
    "tanh": torch.tanh,
    "logistic": torch.sigmoid,
    "identity": lambda values: values,
}


def _pointwise(loss, raw, y):
    if loss == "cross_entropy":
        return F.cross_entropy(raw, y, reduction="none")
    if loss == "log_loss":
        return F.binary_cross_entropy_with_logits(raw, y, reduction="none").sum(1)
    if loss == "squared_error":
        return F.mse_loss(raw, y, reduction="none").sum(1) / 2
    deviance = F.poisson_nll_loss(raw, y, log_input=True, reduction="none")
    return (deviance + torch.xlogy(y, y) - y).sum(1)


@pytest.fixture
def objective():
    """Mean loss of tensors [W_1, .., W_L, b_1, .., b_L], by torch's own losses."""

    def objective(parameters, X, y, loss, activation, weight=None):
        n_layers = len(parameters) // 2
        values = torch.as_tensor(X)
        for layer in range(n_layers):
            values = values @ parameters[layer] + parameters[n_layers + layer]
            if layer < n_layers - 1:
                values = ACTIVATE[activation](values)
        losses = _pointwise(loss, values, torch.as_tensor(y))
        if weight is None:
            return losses.mean()
        weight = torch.as_tensor(weight).to(losses)
        return (losses * weight).sum() / weight.sum()

    return objective


@pytest.fixture
def tensors():
    """Parameters of a network as leaves of autograd."""

    def tensors(network):
        arrays = (*network.weights, *network.biases)
        return [torch.tensor(array, requires_grad=True) for array in arrays]

    return tensors


@pytest.fixture
def flat():
    """All weights and biases of a network (or their gradients) in one vector."""

    def flat(arrays):
        if isinstance(arrays, Network):
            arrays = (*arrays.weights, *arrays.biases)
        return np.concatenate([np.asarray(array).ravel() for array in arrays])

    return flat


@pytest.fixture(scope="session")
def multinomial():
    """Three classes, 600 x 20, five of the features informative."""
    rng = np.random.RandomState(0)
    X = rng.randn(600, 20)
    B = np.zeros((20, 3))
    B[:5] = rng.randn(5, 3)
    return X, (X @ B + rng.gumbel(size=(600, 3))).argmax(1)


@pytest.fixture
def problem(draw):
    """Sixty rows of five features, three classes, group lasso."""
    return Problem(*draw("cross_entropy"), "cross_entropy", GroupLasso())


@pytest.fixture
def model(random_network, make_model):
    """A model of the problem: the same start every time, a fresh random state."""

    def model(lam=0.01, rate=0.02, **settings):
        start = random_network("cross_entropy", (5, 6, 3))
        return make_model(start, lam, rate, **settings)

    return model


@pytest.fixture
def both():
    """Train models in torch and compiled; returns a pair of fits for each."""

    def fresh(model):
        return replace(model, random_state=deepcopy(model.random_state))

    def both(problem, models, settings):
        fits = []
        for step in ("torch", "compiled"):
            with config_context(step=step):
                fits.append(train(problem, [fresh(m) for m in models], settings))
        return list(zip(*fits, strict=True))

    return both


@pytest.fixture
def distance(flat):
    """Largest difference between two fits: of weights, state and losses.

    Weights relative to the largest weight, and once more relative to the largest move
    from where they were (as far as the weights can tell); state relative to its
    largest number; losses relative to themselves, and to one.
    """

    def distance(fit, reference, start=None):
        assert fit.outcome == reference.outcome
        assert fit.state.keys() == reference.state.keys()
        before = 0 if start is None else flat(start).astype(float)
        weights, expected = flat(fit.network), flat(reference.network).astype(float)
        difference = np.abs(weights - expected).max()
        digits = 4 * np.finfo(weights.dtype).eps * np.abs(expected).max()
        move = np.abs(expected - before).max()
        found = {
            "weights": difference / (np.abs(expected).max() or 1.0),
            "move": max(0.0, difference - digits) / (move + digits or 1.0),
        }
        for name, value in reference.state.items():
            largest = np.abs(value).max()
            difference = np.abs(fit.state[name].astype(float) - value).max()
            found[name] = difference / largest if largest else difference
        ours, theirs = np.array(fit.loss_curve), np.array(reference.loss_curve)
        found["loss"] = np.max(np.abs(ours - theirs) / np.maximum(1, np.abs(theirs)))
        return found

    return distance


@pytest.fixture
def compare(both, distance):
    """Compare a few epochs in float64; returns the fits of the compiled steps."""

    def compare(problem, models, update, tolerance=1e-11, **changes):
        values = {"batch_size": 16, "max_iter": 6, "tol": 0.0}
        values |= {"n_iter_no_change": np.inf} | changes
        fits = []
        for reference, fit in both(problem, models, Settings(update, **values)):
            found = distance(fit, reference)
            assert max(found.values()) <= tolerance, found
            fits.append(fit)
        return fits

    return compare


class Spy:
    """The compiled module; notes its calls, may choose the version and interrupt."""

    Call = namedtuple("Call", "n_plans first stop t version thread")

    def __init__(self, module):
        self._module = module
        self.calls, self.version, self.interrupt_after = [], None, None

    def __getattr__(self, name):
        return getattr(self._module, name)

    def steps(self, plans, first, stop, t, version):
        version = version if self.version is None else self.version
        self._module.steps(plans, first, stop, t, version)
        thread = threading.current_thread()
        self.calls.append(self.Call(len(plans), first, stop, t, version, thread))
        if len(self.calls) == self.interrupt_after:
            raise KeyboardInterrupt


@pytest.fixture
def spy(monkeypatch):
    """Watch the calls of the compiled module."""
    spy = Spy(compiled._step)
    monkeypatch.setattr(compiled, "_step", spy)
    return spy
