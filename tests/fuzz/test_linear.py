"""Linear models on random problems: see tests/fuzz/linear.py for what is demanded."""

import pytest

from tests.fuzz.linear import examine, show

# More of them: `make fuzz`.
PROBLEMS, CHUNK = 200, 25


@pytest.mark.parametrize("first", range(0, PROBLEMS, CHUNK))
def test_no_fault(first):
    verdicts = [examine(seed) for seed in range(first, first + CHUNK)]
    faults = [show(verdict) for verdict in verdicts if verdict.faults]
    assert not faults, "\n".join(faults)
