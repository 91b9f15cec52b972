"""What a call of partial_fit costs, next to its share of a fit and to MLPClassifier."""

import time

import numpy as np
import pytest
from sklearn.neural_network import MLPClassifier

from skgroupnet import GroupSparseMLPClassifier
from tests.benchmarks.timing import one_thread

pytestmark = [
    pytest.mark.benchmark,
    # Fits of one epoch have not converged.
    pytest.mark.filterwarnings("ignore"),
]

N_CALLS, N_ROWS, REPEATS = 50, 1000, 3
NEVER = {"tol": 0.0, "n_iter_no_change": np.inf}
# Of a call: scikit-learn's validation of X and y alone takes half a share.
AT_MOST = 5.0


def least(function):
    """Processor time of the fastest of some calls: other processes do not count."""
    times = []
    for _ in range(REPEATS):
        before = time.process_time()
        function()
        times.append(time.process_time() - before)
    return min(times)


def milliseconds(make, X, y):
    """Those of the share of 1,000 rows in a fit of one epoch, and of a call."""

    def call():
        model = make()
        for start in range(0, len(X), N_ROWS):
            part = slice(start, start + N_ROWS)
            model.partial_fit(X[part], y[part], classes=[0, 1])

    return [1e3 * least(f) / N_CALLS for f in (lambda: make().fit(X, y), call)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_share_of_a_fit(dtype):
    rng = np.random.RandomState(0)
    X = rng.standard_normal((N_CALLS * N_ROWS, 50)).astype(dtype)
    y = (X @ rng.standard_normal(50) > 0).astype(int)
    common = {"batch_size": 200, "max_iter": 1, "random_state": 0, **NEVER}
    makers = {
        "GroupSparseMLPClassifier": lambda: GroupSparseMLPClassifier((100,), **common),
        "MLPClassifier": lambda: MLPClassifier((100,), alpha=0.0, **common),
    }
    with one_thread():
        times = {name: milliseconds(make, X, y) for name, make in makers.items()}
    print(f"\n\n1,000 rows of 50 features, (100,), batch 200, {np.dtype(dtype).name}")
    print(f"{'cpu, ms':<30}{'share':>8}{'call':>8}{'ratio':>8}{'more':>8}")
    for name, (share, call) in times.items():
        ratio, more = call / share, call - share
        print(f"{name:<30}{share:>8.2f}{call:>8.2f}{ratio:>8.2f}{more:>8.2f}")
    (share, call), (_, theirs) = times.values()
    assert call <= AT_MOST * share
    assert call <= theirs
