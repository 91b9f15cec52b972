"""Fits in the parent, then the same in children; `test_processes` runs it.

``python fits_in_processes.py START ...`` fits in this process, then in others that are
started in each way, and fails unless they get the same bits.
"""

import multiprocessing
import os
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from joblib import Parallel, delayed
from joblib import parallel_config as joblib_config

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifier,
    GroupSparseMLPClassifierCV,
)
from skgroupnet.engine import threads
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path

warnings.simplefilter("ignore")


def data():
    """Rows wide enough that torch would share an operation among its threads."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 400))
    return X, (X[:, 0] + X[:, 1] > 0).astype(int), rng.integers(0, 3, 300)


def network():
    X, y, _ = data()
    return GroupSparseMLPClassifier(max_iter=3, random_state=0).fit(X, y)


def large():
    """Steps that are worth several threads."""
    X, y, _ = data()
    before, threads.WORTH_THREADS = threads.WORTH_THREADS, 0.0
    try:
        return network()
    finally:
        threads.WORTH_THREADS = before


def finetuned():
    X, y, _ = data()
    model = GroupSparseMLPClassifier(
        max_iter=3, finetune_iter=2, early_stopping=True, lam=0.01, random_state=0
    )
    return model.fit(X, y)


def newton():
    X, y, _ = data()
    return GroupSparseLogisticRegression(lam=0.05).fit(X, y)


def fista():
    X, _, y = data()
    return GroupSparseLogisticRegression(lam=0.05, max_iter=20).fit(X, y)


def admm():
    X, y, _ = data()
    return GroupSparseLinearRegression(lam=0.05, solver="admm", max_iter=20).fit(X, y)


def concave():
    X, y, _ = data()
    model = GroupSparseLinearRegression(penalty="group_mcp", lam=0.05, max_iter=20)
    return model.fit(X, y)


def empty():
    X, y, _ = data()
    return GroupSparseLogisticRegression(lam=5.0).fit(X, y)


def linear_cv():
    X, y, _ = data()
    return GroupSparseLogisticRegressionCV(lams=3, cv=2, n_jobs=2).fit(X, y)


def network_cv():
    X, y, _ = data()
    model = GroupSparseMLPClassifierCV((20,), lams=3, cv=2, max_iter=2, random_state=0)
    return model.fit(X, y)


def search():
    X, y, _ = data()
    model = GroupSparseMLPClassifier(max_iter=2, random_state=0)
    grid = {"lam": np.geomspace(1e-3, 1e-1, 10)}
    return BatchedGridSearchCV(model, grid, cv=2).fit(X, y).best_estimator_


def path():
    X, y, _ = data()
    model = GroupSparseMLPClassifier((20,), max_iter=2, random_state=0)
    fitted = regularization_path(model, X, y, lams=3, warm_start=True)
    return fitted.estimators[-1]


def gone_on():
    X, y, _ = data()
    model = GroupSparseMLPClassifier(random_state=0)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1])
    return model


FITS = (
    network,
    finetuned,
    newton,
    fista,
    admm,
    concave,
    empty,
    linear_cv,
    network_cv,
    search,
    path,
    gone_on,
)


def weights(fit):
    """Bytes of the weights that a fit gives."""
    model = fit()
    return b"".join(a.tobytes() for a in (*model.coefs_, *model.intercepts_))


def served(model):
    """What a server's worker does with a model that its parent has fitted."""
    X, y, _ = data()
    model.predict(X[:7])
    model.partial_fit(X, y)
    return model.coefs_[0].tobytes()


def forked(task):
    """Run a task in a child made by os.fork; return its bytes."""
    end, start = os.pipe()
    child = os.fork()
    if child == 0:
        with os.fdopen(start, "wb") as pipe:
            pipe.write(task())
        os._exit(0)
    os.close(start)
    with os.fdopen(end, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer


def in_children(start):
    """Bytes of the weights of each fit, made in children that are started in a way."""
    if start == "threads":
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(weights, FITS))
    if start in ("loky", "multiprocessing"):
        with joblib_config(start, n_jobs=2):
            return Parallel()(delayed(weights)(fit) for fit in FITS)
    with multiprocessing.get_context(start).Pool(2) as pool:
        return pool.map(weights, FITS)


def main(starts):
    torch.set_num_threads(2)
    expected = [weights(fit) for fit in FITS]
    if "threads" not in starts:
        # In threads, others would see what it sets.
        large()
    for start in starts:
        print(start, flush=True)
        if start == "preload":
            model = gone_on()
            answers = [forked(lambda model=model: served(model)) for _ in range(2)]
            assert answers == [served(model)] * 2
        else:
            assert in_children(start) == expected
        if start == "fork":
            assert forked(lambda: weights(large)) == weights(network)
    assert torch.get_num_threads() == 2


if __name__ == "__main__":
    main(sys.argv[1:])
