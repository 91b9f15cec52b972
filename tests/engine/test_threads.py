"""Threads and devices: chosen for the fit, restored after it."""

import numpy as np
import pytest
import torch

from skgroupnet.engine import SGD, Problem, fista, train
from skgroupnet.engine.threads import threads_for
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
