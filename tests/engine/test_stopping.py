"""Stopping, schedules and the initial weights, against MLPClassifier's."""

import math
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgroupnet.engine import SGD, Adam, Problem, Settings, initial_network, train
from skgroupnet.engine.schedules import factor
from skgroupnet.engine.stopping import Stopping
from skgroupnet.penalties import NoPenalty


class Reference:
    """What MLPClassifier does after an epoch, for one model."""

    def __init__(self, tol, patience, rate, adaptive):
        self.tol, self.patience, self.rate = tol, patience, rate
        self.adaptive, self.best, self.count = adaptive, np.inf, 0

    def stops(self, value):
        self.count = self.count + 1 if value > self.best - self.tol else 0
        better = value < self.best
        self.best = min(self.best, value)
        if self.count <= self.patience:
            return better, False
        if not self.adaptive or self.rate <= 1e-6:
            return better, True
        self.rate /= 5.0
        self.count = 0
        return better, False


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("patience", [0, 1, 3, np.inf])
@pytest.mark.parametrize("tol", [0.0, 0.05])
def test_verdicts_are_those_of_mlp(adaptive, patience, tol):
    rng = np.random.RandomState(0)
    values = np.round(np.exp(-np.arange(60) / 20)[:, None] + 0.2 * rng.rand(60, 5), 2)
    rates = np.array([0.1, 1e-3, 3e-6, 1e-6, 1e-7])
    references = [Reference(tol, patience, rate, adaptive) for rate in rates]
    stopping = Stopping(5, tol, patience)
    for row in values:
        better = stopping.improved(row)
        done = stopping.done(rates, adaptive)
        expected = [r.stops(v) for r, v in zip(references, row, strict=True)]
        assert list(zip(better, done, strict=True)) == expected
        np.testing.assert_allclose(rates, [r.rate for r in references], rtol=1e-12)


def test_dropped_models_take_their_history_along():
    stopping = Stopping(3, 0.0, 1)
    for values in ([3.0, 2.0, 1.0], [3.5, 1.0, 1.5]):
        stopping.improved(np.array(values))
    stopping.keep([2, 1])
    assert stopping.improved(np.array([1.2, 0.5])).tolist() == [False, True]
    assert stopping.done(np.ones(2), False).tolist() == [True, False]


def _settings(schedule="constant", **changes):
    return Settings(SGD(0.0), schedule, **changes)


def test_schedules():
    assert factor(_settings(), 7, 700) == 1.0
    assert factor(_settings("adaptive"), 7, 700) == 1.0
    assert factor(_settings("invscaling"), 0, 0) == 1.0
    assert factor(_settings("invscaling"), 1, 99) == pytest.approx(0.1)
    assert factor(_settings("invscaling", power_t=1), 1, np.int64(99)) == 0.01
    ended = [factor(_settings("cosine", max_iter=4), epoch, 0) for epoch in (5, 8, 9)]
    assert ended == pytest.approx([0, 0, 0], abs=1e-15)
    cosine = [factor(_settings("cosine", max_iter=4), epoch, 0) for epoch in range(5)]
    root = math.sqrt(0.5)
    expected = [1, (1 + root) / 2, 0.5, (1 - root) / 2, 0]
    assert cosine == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize("hidden", [(), (4,), (7, 3)])
@pytest.mark.parametrize("activation", ["relu", "tanh", "logistic", "identity"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_initial_weights_are_those_of_mlp(hidden, activation, dtype):
    rng = np.random.RandomState(0)
    X, y = rng.randn(20, 5).astype(dtype), np.arange(20) % 3
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp = MLPClassifier(
            hidden, activation, solver="sgd", learning_rate_init=1e-30, max_iter=1,
            random_state=3, alpha=0,
        ).fit(X, y)  # fmt: skip
    widths, state = (5, *hidden, 3), np.random.RandomState(3)
    ours = initial_network(widths, activation, "softmax", state, dtype)
    assert ours.dtype == dtype
    for array, theirs in zip(
        (*ours.weights, *ours.biases), (*mlp.coefs_, *mlp.intercepts_), strict=True
    ):
        if hidden:
            np.testing.assert_array_equal(array, theirs)
        else:
            assert not array.any()


MLP = {
    "sgd": (SGD(0.0), {"solver": "sgd", "momentum": 0}, 0.1),
    "momentum": (
        SGD(0.9, nesterov=False),
        {"solver": "sgd", "nesterovs_momentum": False},
        0.02,
    ),
    "nesterov": (SGD(0.9), {"solver": "sgd"}, 0.02),
    "adam": (Adam(), {"solver": "adam"}, 0.01),
}


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("sgd", "constant"),
        ("sgd", "invscaling"),
        ("sgd", "adaptive"),
        ("momentum", "constant"),
        ("nesterov", "constant"),
        ("adam", "constant"),
    ],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "log_loss", "squared_error"])
def test_training_without_a_penalty_is_that_of_mlp(
    name, schedule, loss, draw, make_model
):
    X, y = draw(loss, n=90, d=4, k=3 if loss == "cross_entropy" else 1)
    update, arguments, rate = MLP[name]
    tol = 3e-3 if schedule != "adaptive" else 1e-2
    cls = MLPRegressor if loss == "squared_error" else MLPClassifier
    mlp = cls(
        hidden_layer_sizes=(6, 5), activation="tanh", alpha=0, batch_size=32,
        learning_rate_init=rate, shuffle=False, max_iter=150, tol=tol,
        n_iter_no_change=3, random_state=0, learning_rate=schedule, **arguments,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mlp.fit(X, y if y.ndim == 1 else y[:, 0])

    state = np.random.RandomState(0)
    output = {"cross_entropy": "softmax", "log_loss": "logistic"}.get(loss, "identity")
    start = initial_network((4, 6, 5, mlp.n_outputs_), "tanh", output, state, X.dtype)
    settings = Settings(
        update, schedule, batch_size=32, max_iter=150, shuffle=False, tol=tol,
        n_iter_no_change=3,
    )  # fmt: skip
    problem = Problem(X, y, loss, NoPenalty())
    (fit,) = train(problem, [make_model(start, rate=rate)], settings)

    # MLPClassifier's Adam puts epsilon elsewhere.
    rtol = 1e-4 if name == "adam" else 1e-9
    assert fit.n_iter == mlp.n_iter_ < 150
    assert fit.outcome == "converged"
    np.testing.assert_allclose(fit.loss_curve, mlp.loss_curve_, rtol=rtol)
    for ours, theirs in zip(fit.network.weights, mlp.coefs_, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol)
    if schedule == "adaptive":
        assert fit.state["rate"] < 1e-6 < rate
