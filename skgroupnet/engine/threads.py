"""Where a fit runs: its device, and one thread unless a step is worth more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

# Below this many floating-point operations a step, handing work to a second thread
# costs more than it saves; on a busy machine it can cost a hundred times as much.
WORTH_THREADS = 1e8


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
