"""Threads and devices: chosen for the fit, restored after it."""

import threading

import numpy as np
import pytest
import torch

from skgroupnet.engine import (
    SGD,
    FullBatch,
    Job,
    Problem,
    Settings,
    fista,
    group_norms,
    is_steep,
    lam_max,
    solve,
    stationarity_gap,
    stationarity_gaps,
    threads,
    train,
)
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.threads import available_threads, threads_for
from skgroupnet.penalties import GroupLasso


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def problem(draw):
    return Problem(*draw("cross_entropy"), "cross_entropy", GroupLasso())


@pytest.mark.parametrize("solver", ["train", "fista"])
def test_small_fits_take_one_thread(
    solver, problem, two_threads, make_model, zeros, full_batch
):
    model, seen = make_model(zeros("cross_entropy", (5, 3))), []

    def watch(epoch):
        seen.append(torch.get_num_threads())
        if epoch.n_iter == 3:
            raise ValueError("a score that fails")

    with pytest.raises(ValueError, match="a score that fails"):
        if solver == "train":
            train(problem, [model], full_batch(SGD(), max_iter=5), watch)
        else:
            fista(problem, [model], max_iter=5, tol=0, watch=watch)
    assert seen == [1, 1, 1]
    assert torch.get_num_threads() == 2


def test_large_steps_take_what_there_is(two_threads):
    with threads_for(1e12):
        assert torch.get_num_threads() == 2
    with threads_for(1.0):
        assert torch.get_num_threads() == 1
        torch.set_num_threads(2)
    assert torch.get_num_threads() == 2


def test_large_steps_within_a_fit_take_what_there_was(two_threads):
    with threads_for():
        assert (torch.get_num_threads(), available_threads()) == (1, 2)
        with threads_for(1e12):
            assert torch.get_num_threads() == 2
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_a_forked_process_has_one_thread(two_threads, monkeypatch):
    """Torch's threads are those of the parent: nobody would answer."""
    forked = threading.Event()
    forked.set()
    monkeypatch.setattr(threads, "_forked", forked)
    with threads_for(1e12):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    "measure",
    [
        lambda p, m: stationarity_gap(p, m, m.start),
        lambda p, m: stationarity_gaps([Job(p, m, FullBatch())] * 2, [m.start] * 2),
        lambda p, m: group_norms(p, m.start),
        lambda p, m: is_steep(p, m.start),
        lambda p, m: lam_max(p),
        lambda p, m: solve([Job(p, m, FullBatch(1))]),
        lambda p, m: train(p, [m], Settings(SGD(), max_iter=1)),
    ],
    ids="gap gaps norms steep lam_max solve train".split(),
)
def test_all_of_a_small_fit_takes_one_thread(
    measure, problem, two_threads, make_model, zeros, monkeypatch
):
    """From its first tensor to its last: a forked child has no other thread."""
    seen, stack_init = [], Stack.__init__

    def noted(*arguments):
        seen.append(torch.get_num_threads())
        stack_init(*arguments)

    monkeypatch.setattr(Stack, "__init__", noted)
    measure(problem, make_model(zeros("cross_entropy", (5, 3))))
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "", "cpu:x"])
def test_a_device_that_is_not_there(device, draw):
    with pytest.raises(ValueError, match="device must name a torch device"):
        Problem(*draw("cross_entropy"), "cross_entropy", GroupLasso(), device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_gpu_gives_the_result_of_the_cpu(
    dtype, draw, random_network, make_model, full_batch, flat
):
    X, y = draw("cross_entropy", dtype=dtype)
    start = random_network("cross_entropy", (5, 6, 3), dtype=dtype)
    weight = np.arange(len(X)) % 3
    fits = [
        train(
            Problem(X, y, "cross_entropy", GroupLasso(), device=device),
            [make_model(start, 0.01), make_model(start, 0.1, row_weight=weight)],
            full_batch(SGD(), max_iter=20, batch_size=16, shuffle=True),
        )
        for device in ("cpu", "cuda")
    ]
    for cpu, gpu in zip(*fits, strict=True):
        tolerance = 1e-4 if dtype == np.float32 else 1e-10
        np.testing.assert_allclose(flat(gpu.network), flat(cpu.network), atol=tolerance)
