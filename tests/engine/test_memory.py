"""Memory that does not suffice: one MemoryError, whoever asks for it."""

import numpy as np
import pytest
import torch

from skgroupnet.engine.memory import REMEDY, memory_named


def too_much(_=None):
    return torch.empty(2**50)


@memory_named()
def inner():
    return too_much()


@pytest.mark.parametrize(
    ("asks", "words"),
    [
        (too_much, "PyTorch tried to allocate 4503599627370496 bytes"),
        (
            lambda: np.empty(2**55),
            "Unable to allocate 256. PiB for an array with shape",
        ),
        (inner, "PyTorch tried to allocate 4503599627370496 bytes"),
    ],
)
def test_who_asks(asks, words):
    with pytest.raises(MemoryError) as caught, memory_named():
        asks()
    message = str(caught.value)
    assert message.startswith(f"The memory does not suffice for training: {words}")
    # Said once, however many borders it crosses.
    assert message.endswith(REMEDY) and message.count(REMEDY) == 1
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "training: no room is left. Less"),
        (
            torch.OutOfMemoryError(
                "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total "
                "capacity of 79.11 GiB of which 1.12 GiB is free."
            ),
            "training: PyTorch tried to allocate 2.00 gib. Less",
        ),
        (
            RuntimeError(
                "[...] DefaultCPUAllocator: not enough memory: you tried to "
                "allocate 8 bytes."
            ),
            "training: PyTorch tried to allocate 8 bytes. Less",
        ),
        (RuntimeError("std::bad_alloc"), "training: std::bad_alloc. Less"),
    ],
)
def test_how_it_is_said(error, words):
    with pytest.raises(MemoryError) as caught, memory_named():
        raise error
    assert words in str(caught.value)


@pytest.mark.parametrize("error", [RuntimeError("other"), ValueError("memory")])
def test_anything_else_passes(error):
    with pytest.raises(type(error)) as caught, memory_named():
        raise error
    assert caught.value is error
