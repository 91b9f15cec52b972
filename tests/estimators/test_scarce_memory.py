"""Fits that need more memory than there is: a MemoryError, and nothing changed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from skgroupnet.engine.memory import REMEDY

# A sanitizer ends the process itself where memory runs out.
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")


@pytest.mark.skipif(SANITIZED or sys.platform != "linux", reason="no limit to set")
def test_less_memory_than_needed():
    program = Path(__file__).with_name("scarce_memory.py")
    answer = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    answers, kept, n_iter = json.loads(answer.stdout)
    for what, error, text, unchanged in answers:
        assert error == "MemoryError", (what, error, text)
        assert text.startswith("The memory does not suffice for training"), what
        assert text.endswith(REMEDY), what
        assert unchanged, what
    assert kept and n_iter == 2
