"""Anonymous memory of a fit to a memory map; `test_processes` runs it.

``python fit_to_a_map.py FILE KIND`` fits to the rows of a .npy file, opened read-only,
and fails if that takes 0.15 of them; a map's own pages do not count.
"""

import sys
import threading
import warnings

import numpy as np

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
)

MODELS = {
    "network": GroupSparseMLPClassifier((10,), max_iter=2),
    "newton": GroupSparseLinearRegression(lam=0.05, max_iter=3),
    "fista": GroupSparseLogisticRegression(lam=0.05, solver="fista", max_iter=3),
    "batches": GroupSparseLogisticRegression(lam=0.05, solver="sgd", max_iter=2),
}


def anonymous():
    """Bytes of this process that no file backs."""
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("RssAnon"))
    return 1024 * int(line.split()[1])


def growth(model, X, y):
    """Largest anonymous memory during a fit, above that before, in bytes."""
    before = most = anonymous()
    done = threading.Event()

    def watch():
        nonlocal most
        while not done.wait(0.002):
            most = max(most, anonymous())

    thread = threading.Thread(target=watch)
    thread.start()
    model.fit(X, y)
    done.set()
    thread.join()
    return most - before


def main(file, kind):
    model, X = MODELS[kind], np.load(file, mmap_mode="r")
    y = (X[:, 0] > 0).astype(int)
    model.fit(X[:300], y[:300])
    share = growth(model, X, y) / X.nbytes
    assert share < 0.15, f"{kind} on {X.dtype}: {share:.2f} of X"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for kind in sys.argv[2:]:
        main(sys.argv[1], kind)
