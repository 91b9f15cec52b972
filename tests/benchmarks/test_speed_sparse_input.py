"""Whole fits of networks on sparse rows, next to MLPClassifier's."""

import platform
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from sklearn.neural_network import MLPClassifier

from skgroupnet import GroupSparseMLPClassifier
from tests.benchmarks.timing import measure, medians, one_thread, report

pytestmark = [
    pytest.mark.benchmark,
    # Fits of some epochs have not converged.
    pytest.mark.filterwarnings("ignore"),
]

NEVER = {"tol": 0.0, "n_iter_no_change": np.inf}
TARGET = 2.0


def processor():
    """Name of the processor, where Linux tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":")[1] for line in lines if line.startswith("model name")]
    return names[0].strip() if names else platform.processor()


def thin(n_rows, n_columns, entries, dtype):
    """CSR rows of so many entries each, and two classes that a linear teacher gives."""
    rng = np.random.RandomState(0)
    columns = rng.randint(n_columns, size=n_rows * entries)
    starts = np.arange(0, len(columns) + 1, entries)
    values = rng.rand(len(columns)) + 0.5
    X = scipy.sparse.csr_array((values, columns, starts), (n_rows, n_columns))
    return X.astype(dtype), (X @ rng.standard_normal(n_columns) > 0).astype(int)


def fit(estimator, n_epochs, X, y, **settings):
    estimator((32,), max_iter=n_epochs, random_state=0, **NEVER, **settings).fit(X, y)


@pytest.mark.parametrize("lam", [0.0, 1e-4, 1e-3, 1e-2])
@pytest.mark.parametrize(
    ("n_columns", "entries", "n_epochs"),
    [(5000, 50, 20), (20_000, 100, 10), (100_000, 100, 5)],
)
def test_next_to_sklearn(n_columns, entries, n_epochs, lam):
    contenders = {}
    for dtype in (np.float32, np.float64):
        rows, name = thin(4000, n_columns, entries, dtype), np.dtype(dtype).name
        ours = partial(fit, GroupSparseMLPClassifier, n_epochs, *rows, lam=lam)
        theirs = partial(fit, MLPClassifier, n_epochs, *rows, alpha=0.0, batch_size=200)
        contenders[f"ours, {name}"] = partial(measure, ours)
        contenders[f"MLPClassifier, {name}"] = partial(measure, theirs)
    with one_thread():
        times = medians(contenders, 1)
    title = f"{processor()}: 4000 x {n_columns}, {entries} entries a row, "
    title += f"lam={lam:g}, {n_epochs} epochs"
    missed = report(
        title, times, "ours, float32", {"MLPClassifier, float32": TARGET}
    ) | report(title, times, "ours, float64", {"MLPClassifier, float64": TARGET})
    assert not missed
