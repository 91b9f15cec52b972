"""Where memory runs out: one error for torch, numpy and the compiled steps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

# How torch says it, on the CPU (on Windows in the second way) and on a GPU; all of
# these are RuntimeErrors.
NO_MEMORY = re.compile(
    "can't allocate memory|not enough memory|out of memory|bad_alloc"
)
AMOUNT = re.compile(r"tried to allocate [\d.]+ \w+", re.IGNORECASE)
REMEDY = (
    "Less memory is taken by a smaller batch_size, fewer hidden units, rows in float32 "
    "and, in a search or path, a smaller stack_memory or fewer jobs."
)


@contextmanager
def memory_named() -> Iterator[None]:
    """Turn any error about memory in the block into a MemoryError that helps."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        said = str(error)
        if not isinstance(error, MemoryError) and not NO_MEMORY.search(said):
            raise
        if REMEDY in said:
            raise
        if not isinstance(error, MemoryError):
            amount = AMOUNT.search(said)
            said = f"PyTorch {amount[0].lower()}" if amount else said
        raise MemoryError(
            f"The memory does not suffice for training: {said or 'no room is left'}. "
            f"{REMEDY}"
        ) from error
