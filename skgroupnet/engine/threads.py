"""Where a fit runs: its device, its threads, and what they do with tiny numbers."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import torch
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

# Below this many floating-point operations a step, a fit runs on one thread.  Two can
# make a step of 1e8 almost twice as fast on an idle machine, but ten times as slow on a
# busy one, where a thread that waits at a barrier keeps the core that the other needs.
WORTH_THREADS = 1e10
# Below this many floating-point operations of all tasks together, threads cost more
# than they save.
WORTH_A_THREAD = 1e7
# Tasks take different times: a thread gets them in so many portions.
PORTIONS = 8

Stopped = Callable[[], bool]


class _Border(threading.local):
    """How many threads torch had when the outermost block of this thread began."""

    threads: int | None = None


_border = _Border()
# Torch's threads do not survive a fork: a child that waits for them waits for ever.
_forked = threading.Event()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked.set)


@contextmanager
def threads_for(flops: float = 0.0) -> Iterator[None]:
    """Run the block on one thread of torch if its steps are small; restore after it.

    Else it has the threads that torch had before the outermost such block, but in a
    forked process one.

    Parameters
    ----------
    flops : float, default=0.0
        Floating-point operations of one step.
    """
    outer, before = _border.threads, torch.get_num_threads()
    most = before if outer is None else outer
    wanted = most if flops >= WORTH_THREADS and not _forked.is_set() else 1
    try:
        _border.threads = most
        if wanted != before:
            torch.set_num_threads(wanted)
        yield
    finally:
        _border.threads = outer
        # By what torch says now: the block may have set it, too.
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


@contextmanager
def flushing() -> Iterator[None]:
    """Take subnormal numbers for zeros in this thread while the block runs.

    What step/flush.h is to compiled code: the weights and moments of a unit that the
    penalty has emptied decay for ever, and an operation on a subnormal number takes
    some processors a hundred cycles. Around operations in torch, and nothing else:
    Python's own numbers are flushed too. Not where torch has several threads: it would
    be one of them that flushes.
    """
    # Torch sets and clears two switches at once: it leaves alone what has set one.
    kept = sys.float_info.min / 2 > 0
    if not kept or torch.get_num_threads() > 1:
        yield
        return
    try:
        torch.set_flush_denormal(True)
        yield
    finally:
        torch.set_flush_denormal(False)


class Threads(ThreadPoolExecutor):
    """Threads in which the settings of the thread that submits a task hold."""

    def submit(
        self, task: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Future[Any]:
        """Run a task in a copy of the context of the calling thread."""
        return super().submit(copy_context().run, task, *args, **kwargs)


class Workers:
    """Threads that share the tasks of a fit; an interrupt stops them all.

    Parameters
    ----------
    n_threads : int
        Number of threads; one: the tasks run in the calling thread.
    """

    def __init__(self, n_threads: int) -> None:
        self._n_threads = n_threads
        self._pool: Threads | None = None
        self._interrupted = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *raised: object) -> None:
        self._interrupted = True
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def run(
        self, tasks: Sequence[Callable[[Stopped], None]], work: float = float("inf")
    ) -> None:
        """Run tasks to their end.

        Parameters
        ----------
        tasks : sequence of callable
            Each is called with a function that tells whether to stop at once.
        work : float, default=inf
            Floating-point operations of all of them.
        """
        if self._n_threads == 1 or len(tasks) < 2 or work < WORTH_A_THREAD:
            for task in tasks:
                task(self._stopped)
            return
        if self._pool is None:
            self._pool = Threads(self._n_threads)
        n_portions = min(len(tasks), self._n_threads * PORTIONS)
        runs = [
            self._pool.submit(self._portion, tasks[first::n_portions])
            for first in range(n_portions)
        ]
        try:
            for run in runs:
                run.result()
        except BaseException:
            self._interrupted = True
            wait(runs)
            raise

    def _stopped(self) -> bool:
        return self._interrupted

    def _portion(self, tasks: Sequence[Callable[[Stopped], None]]) -> None:
        with torch.inference_mode():
            for task in tasks:
                if self._interrupted:
                    break
                task(self._stopped)


def available_threads() -> int:
    """Threads that a fit may use: no more than torch has, and joblib allows here."""
    backend, _ = get_active_backend()
    in_thread = threading.current_thread() is not threading.main_thread()
    if backend.nesting_level and in_thread:
        # One of joblib's own threads.  In its processes torch has what is left for one.
        return 1
    threads = _border.threads or torch.get_num_threads()
    return max(1, min(threads, effective_n_jobs(-1)))


def check_device(device: str) -> None:
    """Raise ValueError unless the device is there.

    Parameters
    ----------
    device : str
        Name of a torch device.
    """
    try:
        torch.empty(0, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"device must name a torch device of this machine, such as 'cpu' or "
            f"'cuda', got {device!r}: {reason}"
        ) from error
