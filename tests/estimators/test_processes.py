"""Fits in child processes and threads, after fits in the parent: no one waits for ever.

Each case runs in a process of its own, with a time limit: a hang is a failure.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# Far more than the fits take: importing torch on a busy machine takes the most.
SECONDS = 240


def run(*arguments):
    """Run a script of this folder to its end; kill all of its processes if it hangs."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=Path(__file__).parent,
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        pytest.fail(f"{arguments} did not end in {SECONDS} s; it printed:\n{output}")
    assert process.returncode == 0, output


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_that_are_forked():
    """Linux's default, a server that loads first, joblib's backend of processes."""
    run("fits_in_processes.py", "fork", "preload", "multiprocessing")


def test_children_that_are_started_anew_and_threads():
    run("fits_in_processes.py", "threads", "loky", "spawn")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_of_a_server():
    run("fits_in_processes.py", "forkserver")
