"""Linear models on random problems: see tests/fuzz/linear.py for what is demanded."""

import pytest

from tests.fuzz.linear import examine, show

# Others: `make fuzz FIRST=1000`.
PROBLEMS, CHUNK = 1000, 25
# Warnings of training that has not converged excuse 78 of a thousand, and at most 7
# of a chunk: a solver that always warned would exceed this.
MOST_EXCUSED = 8


@pytest.mark.parametrize("first", range(0, PROBLEMS, CHUNK))
def test_no_fault(first):
    verdicts = [examine(seed) for seed in range(first, first + CHUNK)]
    faults = [show(verdict) for verdict in verdicts if verdict.faults]
    assert not faults, "\n".join(faults)
    excused = [show(verdict) for verdict in verdicts if verdict.excused]
    assert len(excused) <= MOST_EXCUSED, "\n".join(excused)
