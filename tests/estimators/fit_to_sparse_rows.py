"""Memory of a linear fit to sparse rows; `test_processes` runs it.

``python fit_to_sparse_rows.py DTYPE KIND`` fails if a fit to CSR rows takes more than
twice their memory.  The penalty leaves all columns, or most, in the model.
"""

import sys
import warnings

import numpy as np
from scipy.sparse import csr_array

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from tests.estimators.fit_to_a_map import growth

MODELS = {
    "linear": GroupSparseLinearRegression(lam=1e-3),
    "logistic": GroupSparseLogisticRegression(lam=1e-3),
    "poisson": GroupSparsePoissonRegressor(lam=1e-3),
    "fista": GroupSparseLogisticRegression(lam=1e-3, solver="fista", max_iter=30),
    "admm": GroupSparseLinearRegression(lam=1e-3, solver="admm", max_iter=30),
}
N_ROWS, N_COLUMNS, IN_A_ROW = 60_000, 200, 50


def rows(dtype):
    """Rows with one entry in each of many blocks of columns."""
    rng = np.random.default_rng(0)
    width = N_COLUMNS // IN_A_ROW
    columns = rng.integers(0, width, (N_ROWS, IN_A_ROW), dtype=np.int32)
    columns += np.arange(IN_A_ROW, dtype=np.int32) * width
    starts = np.arange(N_ROWS + 1, dtype=np.int32) * IN_A_ROW
    values = rng.standard_normal(columns.size, dtype)
    return csr_array((values, columns.ravel(), starts), shape=(N_ROWS, N_COLUMNS))


def main(dtype, kind):
    model, X = MODELS[kind], rows(dtype)
    coef = np.random.default_rng(1).standard_normal(N_COLUMNS) / 10
    y = (X @ coef > 0).astype(int)
    model.fit(X[:300], y[:300])
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    share = growth(model, X, y) / size
    assert np.count_nonzero(model.coef_) > 0.8 * N_COLUMNS
    assert share <= 2, f"{kind} on {dtype}: {share:.2f} times X"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for kind in sys.argv[2:]:
        main(sys.argv[1], kind)
