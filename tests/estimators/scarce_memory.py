"""A program: fits in less address space than they need, and again in enough.

It prints a JSON list of [what, type of the error, its text, what changed].
"""

import json
import resource
import sys
import warnings

import numpy as np
from sklearn.base import clone

import skgroupnet as s
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path

# Enough for the imports and the threads of a fit, not for a network of WIDTH units.
SPARE, WIDTH = 300 * 2**20, 40_000
rng = np.random.RandomState(0)
X = rng.normal(size=(60, 1000)).astype(np.float32)
y = (X[:, 0] > 0).astype(int)


def network(width):
    return s.GroupSparseMLPClassifier((width,), max_iter=2, random_state=0)


def state(estimator):
    return {name: id(value) for name, value in vars(estimator).items()}


def limited(estimator, fit):
    """Fit in little memory: the error, and whether the estimator is as it was."""
    before = state(estimator)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + SPARE, hard))
    try:
        fit(estimator)
        answer = None, ""
    except BaseException as error:
        answer = type(error).__name__, str(error)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return [*answer, state(estimator) == before]


def main():
    warnings.simplefilter("ignore")
    small = network(4).fit(X, y)
    probabilities = small.predict_proba(X)
    wide = network(WIDTH)
    grid = BatchedGridSearchCV(network(WIDTH // 4), {"lam": [0.1, 0.2]}, cv=2)
    cv = s.GroupSparseMLPClassifierCV((WIDTH // 4,), lams=[0.1, 0.2], cv=2, max_iter=2)
    answers = [
        ["fit", *limited(clone(wide), lambda e: e.fit(X, y))],
        [
            "again",
            *limited(
                small.set_params(hidden_layer_sizes=(WIDTH,)), lambda e: e.fit(X, y)
            ),
        ],
        [
            "partial_fit",
            *limited(clone(wide), lambda e: e.partial_fit(X, y, classes=[0, 1])),
        ],
        ["grid", *limited(grid.set_params(error_score="raise"), lambda e: e.fit(X, y))],
        ["cv", *limited(cv, lambda e: e.fit(X, y))],
        [
            "path",
            *limited(wide, lambda e: regularization_path(e, X, y, lams=[0.1, 0.2])),
        ],
    ]
    kept = np.array_equal(small.predict_proba(X), probabilities)
    enough = network(8).fit(X, y).n_iter_
    print(json.dumps([answers, kept, enough]))


if __name__ == "__main__":
    sys.exit(main())
