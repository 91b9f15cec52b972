"""Malformed sparse matrices at every door: an error, and not the end of the process."""

import json
import subprocess
import sys
from pathlib import Path


def test_every_door():
    program = Path(__file__).with_name("malformed_sparse.py")
    answer = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    *doors, refused_otherwise = answer.stdout.splitlines() or [""]
    assert answer.returncode == 0, (doors[-1:], refused_otherwise, answer.stderr)
    assert json.loads(refused_otherwise) == []
    assert len(doors) > 50
