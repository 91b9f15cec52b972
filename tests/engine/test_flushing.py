"""Subnormal numbers: zeros while a fit steps, and as before around its steps."""

import ctypes
import platform
import sys
import threading
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from skgroupnet import config_context
from skgroupnet.engine import (
    ADMM,
    SGD,
    FullBatch,
    Job,
    Problem,
    compiled,
    descent,
    solve,
    threads,
)
from skgroupnet.engine.threads import flushing, threads_for
from skgroupnet.penalties import GroupLasso


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


needs_switch = pytest.mark.skipif(
    not torch.set_flush_denormal(False), reason="torch cannot flush on this processor"
)


def flushes():
    """Whether this thread makes zero of what is subnormal: torch, numpy and Python."""
    half = np.float32(np.finfo(np.float32).smallest_normal / 2)
    found = {
        sys.float_info.min / 2 == 0,
        not (np.full(40, sys.float_info.min) / 2).any(),
        not (np.full(40, half) * np.float32(2)).any(),
        not (torch.full((40,), sys.float_info.min, dtype=torch.float64) / 2).any(),
    }
    assert len(found) == 1, "flushed in part"
    return found.pop()


@needs_switch
@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_flushing_ends_with_its_block(error):
    with pytest.raises(error), threads_for(0.0), flushing():
        with flushing():
            assert flushes()
        assert flushes()
        raise error
    assert not flushes()


@needs_switch
def test_flushing_is_of_one_thread():
    inside, over, seen = threading.Event(), threading.Event(), []

    def neighbour():
        inside.wait()
        seen.append(flushes())
        over.set()

    thread = threading.Thread(target=neighbour)
    thread.start()
    with threads_for(0.0), flushing():
        assert flushes()
        inside.set()
        over.wait()
    thread.join()
    assert seen == [False]


@needs_switch
def test_a_thread_that_flushes_goes_on_to():
    seen = []

    def run():
        torch.set_flush_denormal(True)
        with threads_for(0.0), flushing():
            pass
        seen.append(flushes())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [True]


@needs_switch
def test_one_of_several_threads_does_not_flush(two_threads):
    with flushing():
        assert not flushes()


@dataclass(frozen=True, eq=False)
class Looking(GroupLasso):
    """A group lasso that notes the threads of its prox, and whether they flush."""

    seen: list = field(default_factory=list)

    def prox(self, W, groups, step, lam, out=None):
        self.seen.append((flushes(), threading.get_ident()))
        return super().prox(W, groups, step, lam, out)


@needs_switch
@pytest.mark.parametrize("step", ["torch", "auto"])
@pytest.mark.parametrize("solver", ["fista", "admm", "sgd", "stack"])
def test_fits_flush_while_they_step(
    solver, step, draw, make_model, random_network, full_batch, monkeypatch
):
    """Not what scores them, watches them, or comes after them."""
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 0)
    outside, penalty = [], Looking()

    def look(*_):
        outside.append(flushes())
        return 0.0

    settings = {"fista": FullBatch(3, 0.0), "admm": ADMM(3, 0.0)}
    widths = (5, 3) if solver in settings else (5, 6, 3)
    start = random_network("cross_entropy", widths)
    score = None if solver in settings else look
    models = [
        make_model(start, 0.01, seed=seed, score=score)
        for seed in range(40 if solver == "stack" else 1)
    ]
    problem = Problem(*draw("cross_entropy"), "cross_entropy", penalty)
    how = settings.get(solver, full_batch(SGD(), max_iter=3))
    with config_context(step=step):
        solve([Job(problem, model, how) for model in models], look, n_threads=2)
    inside, idents = zip(*penalty.seen, strict=True)
    assert all(inside)
    assert (threading.get_ident() not in idents) == (solver == "stack")
    assert outside
    assert not any(outside)
    assert not flushes()


# Bits of MXCSR, and of FPCR.
FLUSHED = 0x8040 if platform.machine() == "x86_64" else 1 << 24


def control_word():
    """Control bits of the floating-point unit, but not what has happened in it."""
    environment = (ctypes.c_uint32 * 8)()
    assert ctypes.CDLL(None).fegetenv(environment) == 0
    # x86-64: MXCSR comes last, six bits of it are flags. AArch64: FPCR comes first.
    return environment[7] & ~0x3F if platform.machine() == "x86_64" else environment[0]


@pytest.mark.skipif(compiled._step is None, reason="the compiled step is not built")
@pytest.mark.skipif(
    (platform.system(), platform.machine())
    not in {("Linux", "x86_64"), ("Linux", "aarch64")},
    reason="knows the floating-point environment of glibc only",
)
@pytest.mark.parametrize("on", [False, True])
def test_compiled_loops_restore_the_control_word(
    on, draw, random_network, make_model, full_batch, monkeypatch
):
    words = {"steps": [], "descend": []}

    def watched(name):
        function = getattr(compiled._step, name)

        def call(*arguments):
            torch.set_flush_denormal(on)
            before = control_word()
            answer = function(*arguments)
            words[name].append((before, control_word()))
            torch.set_flush_denormal(False)
            return answer

        return call

    spies = {name: staticmethod(watched(name)) for name in words}
    spy = type("Spy", (), vars(compiled._step) | spies)
    for module in (compiled, descent):
        monkeypatch.setattr(module, "_step", spy)
    problem = Problem(*draw("squared_error"), "squared_error", GroupLasso())
    start = random_network("squared_error", (5, 3), "identity")
    with config_context(step="auto"):
        for settings in (FullBatch(9, 1e-6), full_batch(SGD(), max_iter=2)):
            solve([Job(problem, make_model(start, 0.1), settings)])
    assert all(words.values())
    for before, after in [pair for pairs in words.values() for pair in pairs]:
        assert before == after
    assert {bool(before & FLUSHED) for before, _ in words["steps"]} == {on}
