"""A search in two processes that does not end; `test_processes` kills it.

Each worker prints its number when its networks train.
"""

import os

import joblib
import numpy as np

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV
from skgroupnet.penalties import GroupLasso


class Telling(GroupLasso):
    """The group lasso, which tells when it is first used."""

    def value(self, W, groups, lam):
        global told
        if not told:
            told = True
            os.write(1, b"%d\n" % os.getpid())
        return super().value(W, groups, lam)


told = False

if __name__ == "__main__":
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 30))
    model = GroupSparseMLPClassifier(
        max_iter=10**6, n_iter_no_change=np.inf, penalty=Telling(), random_state=0
    )
    with joblib.parallel_config("loky", n_jobs=2):
        search = BatchedGridSearchCV(model, {"lam": [1e-3, 1e-2]}, cv=2)
        search.fit(X, (X[:, 0] > 0).astype(int))
