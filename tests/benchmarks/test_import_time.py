"""What `import skgroupnet` costs, next to scikit-learn's neural networks."""

import statistics
import subprocess
import sys

import pytest

LIMIT = 1.3
STATEMENTS = {
    "scikit-learn": "import sklearn.neural_network",
    "package": "import skgroupnet",
    "estimators": "from skgroupnet import GroupSparseMLPClassifier",
}
TIMER = """
import time
start = time.perf_counter()
{}
print(time.perf_counter() - start)
"""


def seconds(statement):
    """Time one import in a fresh interpreter."""
    answer = subprocess.run(
        [sys.executable, "-c", TIMER.format(statement)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout)


@pytest.mark.benchmark
def test_import_time(capsys):
    # The first round fills the file cache; the others take turns, so that whatever
    # else the machine does falls on all of them.
    rounds = [{k: seconds(s) for k, s in STATEMENTS.items()} for _ in range(12)][1:]
    medians = {k: statistics.median(r[k] for r in rounds) for k in STATEMENTS}
    base = medians["scikit-learn"]
    with capsys.disabled():
        for name, statement in STATEMENTS.items():
            time = medians[name]
            print(f"\n{statement:<52} {1e3 * time:6.0f} ms  {time / base:4.2f}", end="")
    assert medians["package"] <= LIMIT * base
    assert medians["estimators"] <= LIMIT * base
