"""Time of a search of 20 lam in 5 folds, next to scikit-learn's search one by one.

All run on two cores: the batched search on two threads, scikit-learn's in two processes
of one thread each, which are warm. MLPClassifier and skorch take minutes, so they are
given fewer candidates or epochs, and their times are multiplied. With SKGROUPNET_FULL=1
they do all the work, once::

    SKGROUPNET_FULL=1 python -m pytest tests/benchmarks/test_speed_search.py -s
"""

import os
import statistics
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier

from skgroupnet import GroupSparseMLPClassifier, config_context
from skgroupnet.model_selection import BatchedGridSearchCV
from tests.benchmarks.test_speed_fit import NEVER, synthetic
from tests.benchmarks.timing import at_most

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        len(os.sched_getaffinity(0)) < 2, reason="this machine has one core"
    ),
]

N_JOBS = 2
WIDTHS = (48, 32, 32, 11)
LAMS = np.logspace(-4, -2, 20)
N_EPOCHS = 20
FULL = os.environ.get("SKGROUPNET_FULL", "") not in ("", "0")

BATCHED = "BatchedGridSearchCV"
TORCH = "the same, steps in torch"
ONE_BY_ONE = "GridSearchCV, the same estimator"
SKLEARN = "GridSearchCV, MLPClassifier"
SKORCH = "GridSearchCV, skorch"


def ours(n_epochs):
    """Our estimator; n_epochs stand in front of the grid that is searched."""
    settings = {"batch_size": 32, "max_iter": n_epochs, "random_state": 0, **NEVER}
    return GroupSparseMLPClassifier(WIDTHS[1:-1], **settings), "lam"


def sklearn(n_epochs):
    settings = {"batch_size": 32, "max_iter": n_epochs, "random_state": 0, **NEVER}
    return MLPClassifier(WIDTHS[1:-1], **settings), "alpha"


def skorch(n_epochs):
    """skorch with scikit-learn's settings; no validation split, nothing printed."""
    from skorch import NeuralNetClassifier

    layers = []
    for fan_in, fan_out in zip(WIDTHS, WIDTHS[1:], strict=False):
        layers += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    net = NeuralNetClassifier(
        torch.nn.Sequential(*layers[:-1]),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=32,
        max_epochs=n_epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    return net, "optimizer__weight_decay"


@dataclass(frozen=True)
class Contender:
    """A search: of which estimator, how, and for how much of the work."""

    make: object
    search: type = GridSearchCV
    step: str = "auto"
    n_candidates: int = len(LAMS)
    n_epochs: int = N_EPOCHS

    @property
    def factor(self):
        """How much more the whole work is; the number of fits stays even."""
        return len(LAMS) / self.n_candidates * N_EPOCHS / self.n_epochs

    def seconds(self, X, y):
        """Time the search and scale it to the whole work."""
        estimator, name = self.make(self.n_epochs)
        grid = {name: LAMS[:: len(LAMS) // self.n_candidates]}
        search = self.search(estimator, grid, n_jobs=N_JOBS, cv=5, refit=False)
        start = time.perf_counter()
        with config_context(step=self.step):
            search.fit(X, y)
        return self.factor * (time.perf_counter() - start)


CONTENDERS = {
    BATCHED: Contender(ours, BatchedGridSearchCV),
    ONE_BY_ONE: Contender(ours),
    TORCH: Contender(ours, BatchedGridSearchCV, "torch"),
    SKLEARN: Contender(sklearn, n_candidates=len(LAMS) if FULL else 2),
    SKORCH: Contender(
        skorch,
        n_candidates=len(LAMS) if FULL else 2,
        n_epochs=N_EPOCHS if FULL else 4,
    ),
}


def medians(contenders, X, y, repeats):
    """Time searches in turn; the workers and the caches are warm."""
    with at_most(N_JOBS):
        for contender in contenders.values():
            warm = Contender(contender.make, contender.search, "auto", 2, 1)
            warm.seconds(X[:2000], y[:2000])
        rounds = [
            {name: one.seconds(X, y) for name, one in contenders.items()}
            for _ in range(repeats)
        ]
    return {
        name: statistics.median(taken[name] for taken in rounds) for name in contenders
    }


def report(contenders, times, n_rows, targets):
    """Print a table; return the targets that were missed.

    A target is (faster, slower, at least so many times as fast).
    """
    shape = "-".join(map(str, WIDTHS))
    print(
        f"\n\n{shape}, batch 32, {n_rows} synthetic rows, {N_EPOCHS} epochs, "
        f"{len(LAMS)} lam x 5 folds, two cores, load {os.getloadavg()[0]:.1f}"
        f"\n{'':<34}{'search, s':>11}{'ratio':>8}   measured"
    )
    for name, seconds in times.items():
        one = contenders[name]
        part = f"{one.n_candidates} of {len(LAMS)} candidates"
        part += f", {one.n_epochs} of {N_EPOCHS} epochs"
        measured = part if one.factor > 1 else "all of it"
        ratio = seconds / times[BATCHED]
        print(f"{name:<34}{seconds:>11.2f}{ratio:>8.2f}   {measured}")
    missed = []
    for fast, slow, target in targets:
        ratio = times[slow] / times[fast]
        met = ratio >= target
        line = f"{fast}: {ratio:.2f} times as fast as {slow}, target {target}"
        print(f"{line}: {'met' if met else 'MISSED'}", flush=True)
        if not met:
            missed.append(line)
    return missed


def compare(names, n_rows, repeats, targets):
    X, y = synthetic(n_rows, WIDTHS)
    contenders = {name: CONTENDERS[name] for name in names}
    times = medians(contenders, X, y, repeats)
    assert not report(contenders, times, n_rows, targets)


def test_many_rows():
    """The time goes into training."""
    pytest.importorskip("skorch", reason="skorch, to compare with, is not installed")
    targets = [
        (BATCHED, ONE_BY_ONE, 1.0),
        (BATCHED, SKLEARN, 12.0),
        (TORCH, SKLEARN, 8.0),
        (BATCHED, SKORCH, 40.0),
    ]
    compare(CONTENDERS, 40_956, 1 if FULL else 3, targets)


def test_few_rows():
    """The time around each fit counts."""
    compare([BATCHED, ONE_BY_ONE], 2_000, 9, [(BATCHED, ONE_BY_ONE, 1.5)])
