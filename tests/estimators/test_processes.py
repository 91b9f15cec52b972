"""Fits in processes: no one waits for ever, outlives its parent, or copies its rows.

Each case runs in a process of its own, with a time limit: a hang is a failure.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
# Far more than the fits take: importing torch on a busy machine takes the most.
SECONDS = 240


def run(*arguments):
    """Run a script of this folder to its end; kill all of its processes if it hangs."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=Path(__file__).parent,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(ROOT), os.environ.get("PYTHONPATH", "")]
            ),
            "OMP_NUM_THREADS": "2",
            # glibc gives arrays back when they are freed, so that they count once.
            "MALLOC_MMAP_THRESHOLD_": "131072",
        },
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


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_memory_map_is_not_copied(dtype, tmp_path):
    """Of 200 MB that are opened read-only."""
    file = tmp_path / "X.npy"
    n_rows = 200_000_000 // (200 * np.dtype(dtype).itemsize)
    rng = np.random.default_rng(0)
    X = np.lib.format.open_memmap(file, "w+", dtype, (n_rows, 200))
    for start in range(0, n_rows, 10_000):
        part = X[start : start + 10_000]
        part[:] = rng.standard_normal(part.shape, dtype)
    X.flush()
    del X
    run("fit_to_a_map.py", str(file), "network", "newton", "fista", "batches")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sparse_rows_are_copied_once_at_most(dtype):
    kinds = "linear", "logistic", "poisson", "fista", "admm"
    run("fit_to_sparse_rows.py", dtype, *kinds)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_end_with_a_killed_search():
    process = subprocess.Popen(
        [sys.executable, "search_without_end.py"],
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    late = threading.Timer(SECONDS, process.kill)
    late.start()
    try:
        workers = [int(process.stdout.readline()) for _ in range(2)]
        process.kill()
        process.wait()
        limit = time.monotonic() + 60
        while any(Path(f"/proc/{worker}").exists() for worker in workers):
            assert time.monotonic() < limit, "workers outlive their parent"
            time.sleep(0.1)
    finally:
        late.cancel()
        process.stdout.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
