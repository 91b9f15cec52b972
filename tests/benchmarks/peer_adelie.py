"""A path of group-lasso logistic regressions by adelie, in an interpreter of its own.

adelie needs an older numpy: run this with the interpreter of an environment where it
is installed.  Reads ``rows.npz`` (X, y, lams, size), writes seconds and objectives as
JSON.
"""

import json
import sys
import time

import adelie as ad
import numpy as np


def main(rows, repeats):
    """Time the path; print the times of each repeat and the objectives."""
    data = np.load(rows)
    X, y, lams = np.asfortranarray(data["X"]), data["y"], data["lams"]
    size = int(data["size"])
    seconds = []
    for _ in range(repeats):
        begin = time.perf_counter()
        state = ad.grpnet(
            X=ad.matrix.dense(X, method="naive", n_threads=1),
            glm=ad.glm.binomial(y),
            groups=np.arange(0, X.shape[1], size),
            lmda_path=lams,
            early_exit=False,
            progress_bar=False,
            n_threads=1,
        )
        seconds.append(time.perf_counter() - begin)
    objectives = []
    for row, lam in enumerate(state.lmdas):
        coef = state.betas[row].toarray().ravel()
        raw = X @ coef + state.intercepts[row]
        norms = np.linalg.norm(coef.reshape(-1, size), axis=1).sum()
        loss = (np.logaddexp(0, raw) - y * raw).mean()
        objectives.append(loss + lam * np.sqrt(size) * norms)
    print(json.dumps({"seconds": seconds, "objectives": objectives}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
