"""Time of one training epoch, next to scikit-learn's and skorch's."""

import json
import os
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    config_context,
)
from skgroupnet.engine import Adam, Model, Problem, Settings, initial_network, train
from skgroupnet.penalties import GroupLasso
from tests.benchmarks.timing import Seconds, at_most, epochs, one_thread, report

pytestmark = [
    pytest.mark.benchmark,
    # Fits of one epoch have not converged; skorch calls what is deprecated.
    pytest.mark.filterwarnings("ignore"),
]

NEVER = {"tol": 0.0, "n_iter_no_change": np.inf}
LAM = 1e-3
OURS = "GroupSparseMLPClassifier"
TORCH = "the same, steps in torch"
SKLEARN = "MLPClassifier"
SKORCH = "skorch"


def synthetic(n_rows, widths, dtype=np.float32):
    """Standardised rows, and classes that a linear teacher gives them."""
    rng = np.random.RandomState(0)
    X = rng.standard_normal((n_rows, widths[0])).astype(dtype)
    n_classes = max(2, widths[-1])
    y = (X @ rng.standard_normal((widths[0], n_classes))).argmax(1)
    return X, y


def fit_ours(X, y, hidden, batch_size, n_epochs):
    return GroupSparseMLPClassifier(
        hidden,
        lam=LAM,
        batch_size=batch_size,
        max_iter=n_epochs,
        random_state=0,
        **NEVER,
    ).fit(X, y)


def fit_torch(X, y, hidden, batch_size, n_epochs):
    with config_context(step="torch"):
        fit_ours(X, y, hidden, batch_size, n_epochs)


def fit_logistic(X, y, batch_size, n_epochs):
    return GroupSparseLogisticRegression(
        lam=LAM,
        solver="adam",
        batch_size=batch_size,
        max_iter=n_epochs,
        tol=0.0,
        random_state=0,
    ).fit(X, y)


def fit_sklearn(X, y, hidden, batch_size, n_epochs):
    return MLPClassifier(
        hidden,
        alpha=0.0,
        batch_size=batch_size,
        max_iter=n_epochs,
        random_state=0,
        **NEVER,
    ).fit(X, y)


def fit_skorch(X, y, hidden, batch_size, n_epochs):
    """skorch with scikit-learn's settings; no validation split, nothing printed."""
    from skorch import NeuralNetClassifier

    widths = (X.shape[1], *hidden, int(y.max()) + 1)
    layers = []
    for fan_in, fan_out in zip(widths, widths[1:], strict=False):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    net = NeuralNetClassifier(
        torch.nn.Sequential(*layers[:-1]),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=batch_size,
        max_epochs=n_epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return net.fit(X, y.astype(np.int64))


class ForeignGroupLasso(GroupLasso):
    """A penalty that compiled steps do not know: its prox is taken in torch."""


def fit_stack(X, y, hidden, batch_size, n_models, n_epochs, penalty=None):
    """Train a stack of networks on the engine; binary target."""
    penalty = penalty or GroupLasso()
    problem = Problem(X, y[:, None].astype(X.dtype), "log_loss", penalty)
    models = [
        Model(
            initial_network(
                (X.shape[1], *hidden, 1),
                "relu",
                "logistic",
                np.random.RandomState(seed),
                X.dtype,
            ),
            LAM,
            1e-3,
            np.random.RandomState(seed),
        )
        for seed in range(n_models)
    ]
    settings = Settings(Adam(), batch_size=batch_size, max_iter=n_epochs, **NEVER)
    train(problem, models, settings)


CONTENDERS = {
    OURS: fit_ours,
    TORCH: fit_torch,
    SKLEARN: fit_sklearn,
    SKORCH: fit_skorch,
}


def compare(widths, n_rows, batch_size, dtype, targets, repeats, n_epochs=2):
    """Time an epoch of each contender; fail on the targets that are missed."""
    X, y = synthetic(n_rows, widths, dtype)
    data = (X, y, widths[1:-1], batch_size)
    fits = {
        name: (partial(fit, *data), n_epochs)
        for name, fit in CONTENDERS.items()
        if name in (OURS, TORCH) or name in targets
    }
    with one_thread():
        times = epochs(fits, repeats)
    shape = "-".join(map(str, widths))
    title = f"{shape}, {n_rows} synthetic rows, batch {batch_size}, group lasso"
    missed = report(
        f"{title}, {np.dtype(dtype).name}: one epoch",
        times,
        OURS,
        targets,
    )
    assert not missed


# Networks, batches, and how many times as fast as MLPClassifier an epoch has to be.
SHAPES = [
    # 48-32-32-11 is the shape of the sensorless drive data.
    ((48, 32, 32, 11), 40_956, 32, np.float32, 8.0, 4),
    ((48, 32, 32, 11), 40_956, 32, np.float64, 4.0, 4),
    ((48, 32, 32, 11), 40_956, 200, np.float32, 4.5, 8),
    ((48, 32, 32, 11), 40_956, 200, np.float64, None, 8),
    ((784, 32, 32, 10), 10_240, 32, np.float32, 4.0, 4),
    ((784, 32, 32, 10), 10_240, 32, np.float64, None, 4),
    # The time goes into matrix products.
    ((784, 300, 100, 10), 10_240, 128, np.float32, 1.25, 2),
    ((784, 300, 100, 10), 10_240, 128, np.float64, None, 2),
    ((10, 100, 1), 20_000, 200, np.float32, 3.0, 8),
    ((10, 100, 1), 20_000, 200, np.float64, None, 8),
    ((10, 1000, 1), 20_000, 200, np.float32, None, 3),
    ((10, 1000, 1), 20_000, 200, np.float64, None, 3),
]


@pytest.mark.parametrize(
    ("widths", "n_rows", "batch_size", "dtype", "target", "n_epochs"), SHAPES
)
def test_next_to_sklearn(widths, n_rows, batch_size, dtype, target, n_epochs):
    compare(widths, n_rows, batch_size, dtype, {SKLEARN: target}, 7, n_epochs)


def test_next_to_skorch():
    """The same with fewer epochs and repeats: skorch is slow."""
    pytest.importorskip("skorch", reason="skorch, to compare with, is not installed")
    compare((48, 32, 32, 11), 40_956, 32, np.float32, {SKORCH: 8.0}, 5, 1)


@pytest.mark.parametrize(
    ("widths", "batch_size"),
    [
        ((784, 1000, 1000, 10), 128),
        ((100, 1024, 1024, 1024, 10), 256),
        ((784, 2000, 2000, 10), 200),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_wide_layers(widths, batch_size, dtype):
    """Compiled products next to those of BLAS, which torch calls."""
    compare(widths, 4 * batch_size, batch_size, dtype, {}, 3, 1)


@pytest.mark.parametrize("n_outputs", [2, 11])
def test_logistic_regression(n_outputs):
    """Adam in small batches, next to MLPClassifier without hidden layers."""
    X, y = synthetic(40_956, (48, n_outputs))
    ours, sklearn = "GroupSparseLogisticRegression", "MLPClassifier, hidden ()"
    fits = {
        ours: (partial(fit_logistic, X, y, 32), 6),
        sklearn: (partial(fit_sklearn, X, y, (), 32), 6),
    }
    with one_thread():
        times = epochs(fits, 5)
    title = f"logistic regression, 48 features, {n_outputs} classes, batch 32, Adam"
    assert not report(f"{title}: one epoch", times, ours, {sklearn: 6.0})


WORTHWHILE = 0.7


@pytest.mark.parametrize(
    ("widths", "batch_size"),
    [((48, 32, 32, 1), 32), ((10, 100, 1), 200), ((10, 1000, 1), 200)],
)
def test_stack(widths, batch_size):
    """64 networks at once on the engine, on two threads, per network."""
    n_models, n_rows = 64, 10_240
    X, y = synthetic(n_rows, widths)
    data = (X, y, widths[1:-1], batch_size)
    alone, stack = "one network", "stack of 64, two threads"
    fits = {
        alone: (partial(fit_stack, *data, 1), 16),
        stack: (partial(fit_stack, *data, n_models), 1),
    }
    with at_most(2):
        times = epochs(fits, 5)
    taken = times[stack]
    times[stack] = Seconds(taken.wall / n_models, taken.cpu / n_models)
    shape = "-".join(map(str, widths))
    report(f"{shape}, batch {batch_size}, engine: one epoch, one network", times, stack)
    assert times[stack].wall <= WORTHWHILE * times[alone].wall


@pytest.mark.parametrize("n_models", [1, 32])
def test_prox_in_torch(n_models):
    """What it costs that the prox of a penalty is not compiled; one thread."""
    X, y = synthetic(10_240, (48, 32, 32, 1))
    data, n_epochs = (X, y, (32, 32), 32, n_models), 64 // n_models
    known, foreign = "prox compiled", "prox in torch"
    fits = {
        known: (partial(fit_stack, *data), n_epochs),
        foreign: (partial(fit_stack, *data, penalty=ForeignGroupLasso()), n_epochs),
    }
    with one_thread():
        times = epochs(fits, 5)
    n_steps = 320 * n_models
    micros = {name: 1e6 * taken.wall / n_steps for name, taken in times.items()}
    print(f"\n\n48-32-32-1, batch 32, stack of {n_models}: us a step of a network")
    for name, value in micros.items():
        print(f"{name:<20}{value:>8.2f}")


# Run in an interpreter of its own, whose number of threads is set from outside before
# anything is imported.
FITS = """
import json, sys, warnings
from functools import partial
import torch
from tests.benchmarks.test_speed_fit import THREADED, fit_ours, synthetic
from tests.benchmarks.timing import measure, medians
warnings.simplefilter("ignore")
n_threads = int(sys.argv[1])
torch.set_num_threads(n_threads)
answer = {}
for name, (widths, n_rows, batch_size) in THREADED.items():
    fit = partial(fit_ours, *synthetic(n_rows, widths), widths[1:-1], batch_size)
    times = medians({name: partial(measure, partial(fit, 3))}, 3)
    answer[name] = times[name].wall
    assert torch.get_num_threads() == n_threads
print(json.dumps(answer))
"""
# Only the steps of the last one are large enough for a fit to use threads.
THREADED = {
    "48-32-32-11, batch 32": ((48, 32, 32, 11), 20_000, 32),
    "10-1000-1, batch 200": ((10, 1000, 1), 20_000, 200),
    "784-128-10, batch 200": ((784, 128, 10), 20_000, 200),
    "784-300-100-10, batch 128": ((784, 300, 100, 10), 10_240, 128),
    "784-2000-2000-10, batch 400": ((784, 2000, 2000, 10), 800, 400),
}
THREADS_LIMIT = 1.2


def fits_on(n_threads):
    """Seconds of a fit of three epochs in every case, with so many threads to use."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    answer = subprocess.run(
        [sys.executable, "-c", FITS, str(n_threads)],
        env=os.environ | dict.fromkeys(names, str(n_threads)),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


def test_two_threads():
    """A second thread, where there is one to use, does not slow a fit down."""
    if len(os.sched_getaffinity(0)) < 2:
        pytest.skip("this machine has one core")
    rounds = [{n: fits_on(n) for n in (1, 2)} for _ in range(5)]
    print("\n\nthree epochs, wall, float32, group lasso, each in its own process")
    print(f"{'':<30}{'1 thread, ms':>14}{'2 threads, ms':>15}{'2 / 1':>8}{'limit':>7}")
    slow = {}
    for name in THREADED:
        one, two = (statistics.median(r[n][name] for r in rounds) for n in (1, 2))
        met = two <= THREADS_LIMIT * one
        print(
            f"{name:<30}{1e3 * one:>14.1f}{1e3 * two:>15.1f}{two / one:>8.2f}"
            f"{THREADS_LIMIT:>7}  {'met' if met else 'MISSED'}"
        )
        if not met:
            slow[name] = two / one
    assert not slow
