"""Time of a step once the penalty has emptied many units: it does not depend on lam."""

import os
import platform
import time
from pathlib import Path

import numpy as np
import pytest

from skgroupnet import config_context
from skgroupnet.engine import Adam, Model, Problem, Settings, initial_network, train
from skgroupnet.penalties import GroupLasso
from tests.benchmarks.test_speed_fit import synthetic
from tests.benchmarks.timing import one_thread

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

LAMS = (0.0, 1e-4, 1e-3, 4e-3, 1e-2)
# Largest time of a step, in that of one at lam = 0.
LIMIT = 1.3
# Epochs until many units are dead, and those that are timed.
WARM, TIMED = 30, 10
# Networks, rows in an epoch, rows in a batch, and the archive of real data.
CASES = [
    ((100, 32, 1), 2_000, 32, None),
    ((100, 32, 1), 2_000, 200, None),
    ((50, 32, 32, 1), 2_000, 32, None),
    ((50, 32, 32, 1), 2_000, 200, None),
    ((48, 32, 32, 11), 2_200, 32, "sdd"),
    ((54, 32, 32, 7), 2_200, 32, "covtype"),
]


def processor():
    """Name of the processor, as far as the system tells."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    names = [line.partition(":")[2] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor()


def rows(widths, n_rows, archive):
    """Standardised rows and their classes, real ones if they are there."""
    path = Path(os.environ.get("SKGROUPNET_DATA", ""), f"{archive}.npz")
    if archive is None or not path.is_file():
        return synthetic(n_rows, widths)
    with np.load(path) as data:
        X, y = data["X"], np.unique(data["y"], return_inverse=True)[1]
    chosen = np.random.RandomState(0).permutation(len(y))[:n_rows]
    X, y = X[chosen].astype(np.float64), y[chosen]
    return (X - X.mean(0)) / np.maximum(X.std(0), 1e-12), y


def micros(X, y, widths, batch_size, lam):
    """Processor time of a step after the warm epochs, in microseconds: the least."""
    binary = widths[-1] == 1
    loss, output = ("log_loss", "logistic") if binary else ("cross_entropy", "softmax")
    y = y[:, None].astype(X.dtype) if binary else y
    random_state = np.random.RandomState(0)
    start = initial_network(widths, "relu", output, random_state, X.dtype)
    settings = Settings(
        Adam(),
        batch_size=batch_size,
        max_iter=WARM + TIMED,
        tol=0.0,
        n_iter_no_change=np.inf,
    )
    times = []

    def watch(epoch):
        times.append(time.process_time())
        return False

    model = Model(start, lam, 1e-3, random_state)
    train(Problem(X, y, loss, GroupLasso()), [model], settings, watch)
    return 1e6 * min(np.diff(times[-TIMED - 1 :])) / -(-len(X) // batch_size)


@pytest.mark.parametrize("step", ["compiled", "torch"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_fits(dtype, step):
    print(f"\n\nsparse fits, {processor()}, {np.dtype(dtype).name}, {step}:")
    print("microseconds a step" + "".join(f"{lam:>9.0e}" for lam in LAMS) + "   worst")
    slow = {}
    for widths, n_rows, batch_size, archive in CASES:
        X, y = rows(widths, n_rows, archive)
        X = X.astype(dtype)
        with one_thread(), config_context(step=step):
            taken = np.array(
                [
                    [micros(X, y, widths, batch_size, lam) for lam in LAMS]
                    for _ in range(2)
                ]
            ).min(0)
        name = f"{'-'.join(map(str, widths))}, {batch_size}"
        ratio = taken.max() / taken[0]
        line = "".join(f"{value:>9.1f}" for value in taken)
        print(f"{name:<19}{line}{ratio:>8.2f}", flush=True)
        if ratio > LIMIT:
            slow[name] = ratio
    assert not slow
