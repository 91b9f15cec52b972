"""Training with shrinking, next to the same without: time and objective.

The data are read from ``mnist.npz`` in the folder that SKGROUPNET_DATA names::

    SKGROUPNET_DATA=folder python -m pytest tests/benchmarks/test_shrinking.py -s
"""

import os
import statistics
import time

import numpy as np
import pytest

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.engine import freezing
from tests.benchmarks.test_speed_fit import NEVER
from tests.benchmarks.timing import one_thread

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

HIDDEN = (300, 100)
N_PARAMETERS = 266_610
N_ROWS = 20_000
REPEATS = 3
FASTER, SHARE, TOLERANCE = 1.5, 0.10, 1e-3
# lam, schedule, initial learning rate, epochs.
CASES = [
    (3e-4, "constant", 1e-3, 40),
    (5e-4, "constant", 1e-3, 30),
    (5e-4, "cosine", 3e-3, 30),
]


def fit(X, y, case):
    """Time a fit."""
    lam, schedule, rate, n_epochs = case
    model = GroupSparseMLPClassifier(
        HIDDEN,
        lam=lam,
        learning_rate=schedule,
        learning_rate_init=rate,
        batch_size=128,
        max_iter=n_epochs,
        random_state=0,
        **NEVER,
    )
    start = time.perf_counter()
    model.fit(X, y)
    return time.perf_counter() - start, model


def turns(X, y, case, monkeypatch):
    """Fit without and with shrinking in turn: median seconds and models of each."""
    worth = {"without": np.inf, "with": freezing.WORTH_SHRINKING}
    seconds = {name: [] for name in worth}
    models = {}
    with one_thread():
        for _ in range(REPEATS):
            for name, limit in worth.items():
                with monkeypatch.context() as patch:
                    patch.setattr(freezing, "WORTH_SHRINKING", limit)
                    taken, models[name] = fit(X, y, case)
                seconds[name].append(taken)
    return {n: statistics.median(taken) for n, taken in seconds.items()}, models


def test_shrinking(real_data, monkeypatch):
    data = real_data("mnist")
    X, y = data["X"][:N_ROWS].astype(np.float32) / 255, data["y"][:N_ROWS]
    print(
        f"\n\nMNIST, {N_ROWS} rows, 784-300-100-10, batch 128, group lasso, one thread, "
        f"load {os.getloadavg()[0]:.1f}"
        f"\n{'lam':>7}{'rate':>16}{'epochs':>8}{'without, s':>12}{'with, s':>9}"
        f"{'ratio':>7}{'target':>8}{'objective':>11}{'differs':>10}{'kept':>7}"
    )
    missed = []
    for case in CASES:
        lam, schedule, rate, n_epochs = case
        seconds, models = turns(X, y, case, monkeypatch)
        whole, shrunk = models["without"], models["with"]
        ratio = seconds["without"] / seconds["with"]
        differs = shrunk.loss_ / whole.loss_ - 1
        share = shrunk.n_active_parameters_ / N_PARAMETERS
        met = ratio >= FASTER and abs(differs) <= TOLERANCE and share <= SHARE
        print(
            f"{lam:>7.0e}{f'{schedule} {rate:.0e}':>16}{n_epochs:>8}"
            f"{seconds['without']:>12.2f}{seconds['with']:>9.2f}{ratio:>7.2f}"
            f"{FASTER:>8}{whole.loss_:>11.4f}{differs:>10.1e}{share:>7.1%}"
            f"  {'met' if met else 'MISSED'}",
            flush=True,
        )
        if not met:
            missed.append(case)
    assert not missed
