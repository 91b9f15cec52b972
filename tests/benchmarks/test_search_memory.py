"""How much memory a search of 1024 large networks takes, next to its stack_memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(
        not Path("/proc/self/clear_refs").exists(),
        reason="the system does not tell the peak of resident memory",
    ),
]

N_MODELS = 1024
STACK_MEMORY = 1e9
LIMIT = 1.2e9
PARAMETERS = 784 * 300 + 300 + 300 * 100 + 100 + 100 * 10 + 10

# Run in an interpreter of its own, which has no memory to reuse. A search of two models
# first loads everything that a search imports.
SEARCH = """
import json, re, sys, time, warnings
from pathlib import Path
import numpy as np
from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV
from tests.benchmarks.test_speed_fit import synthetic

warnings.simplefilter("ignore")
n_models, stack_memory = int(sys.argv[1]), float(sys.argv[2])
max_iter, n_jobs = int(sys.argv[3]), int(sys.argv[4])
X, y = synthetic(1_000, (784, 10))

def search(n_models):
    estimator = GroupSparseMLPClassifier(
        (300, 100), max_iter=max_iter, random_state=0
    )
    grid = {"lam": np.logspace(-4, -2, n_models // 2)}
    return BatchedGridSearchCV(
        estimator, grid, cv=2, n_jobs=n_jobs, refit=False, stack_memory=stack_memory
    ).fit(X, y)

def resident(name):
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"{name}:\\s+(\\d+)", status)[1])

search(2)
before = resident("VmRSS")
Path("/proc/self/clear_refs").write_text("5")
start = time.perf_counter()
search(n_models)
seconds = time.perf_counter() - start
print(json.dumps({"grown": resident("VmHWM") - before, "seconds": seconds}))
"""


def grown(n_models, max_iter, n_jobs):
    """Growth of resident memory in bytes, and seconds."""
    arguments = map(str, (n_models, STACK_MEMORY, max_iter, n_jobs))
    answer = subprocess.run(
        [sys.executable, "-c", SEARCH, *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(answer.stdout)


# With one epoch the models share a stack; with four they shrink, each in its own.
@pytest.mark.parametrize(("max_iter", "n_jobs"), [(1, 1), (4, 2)])
def test_search_memory(max_iter, n_jobs):
    kept = 4 * N_MODELS * PARAMETERS
    answer = grown(N_MODELS, max_iter, n_jobs)
    rest = answer["grown"] - kept
    print(
        f"\n\nsearch of {N_MODELS} models of 784-300-100-10, float32, 1,000 rows, "
        f"{max_iter} epochs, {n_jobs} threads\n"
        f"stack_memory{STACK_MEMORY / 1e9:>37.2f} GB\n"
        f"growth of resident memory{answer['grown'] / 1e9:>24.2f} GB\n"
        f"networks that are kept{kept / 1e9:>27.2f} GB\n"
        f"the rest{rest / 1e9:>41.2f} GB, limit {LIMIT / 1e9:.2f} GB\n"
        f"seconds{answer['seconds']:>42.0f}",
        flush=True,
    )
    assert rest <= LIMIT
