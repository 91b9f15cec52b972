"""Where a fit runs: its device, and one thread unless a step is worth more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from joblib import effective_n_jobs
from joblib.parallel import get_active_backend

# Below this many floating-point operations a step, a fit runs on one thread.  Two can
# make a step of 1e8 almost twice as fast on an idle machine, but ten times as slow on a
# busy one, where a thread that waits at a barrier keeps the core that the other needs.
WORTH_THREADS = 1e10


@contextmanager
def threads_for(flops: float) -> Iterator[None]:
    """Run the block on one thread if its steps are small; restore after it.

    Parameters
    ----------
    flops : float
        Floating-point operations of one step.
    """
    before = torch.get_num_threads()
    if before > 1 and flops < WORTH_THREADS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if torch.get_num_threads() != before:
            torch.set_num_threads(before)


def available_threads() -> int:
    """Threads that a fit may use: no more than torch has, and joblib allows here."""
    backend, _ = get_active_backend()
    in_thread = threading.current_thread() is not threading.main_thread()
    if backend.nesting_level and in_thread:
        # One of joblib's own threads.  In its processes torch has what is left for one.
        return 1
    return max(1, min(torch.get_num_threads(), effective_n_jobs(-1)))


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
