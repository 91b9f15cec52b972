"""Stacks in compiled steps: the same bits in any company, threads, and interrupts."""

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace

import joblib
import numpy as np
import pytest
import torch

from skgroupnet.config import VARIABLE
from skgroupnet.engine import SGD, Adam, Problem, Settings, compiled, stochastic, train
from skgroupnet.engine import threads as engine_threads
from skgroupnet.engine.threads import available_threads
from skgroupnet.penalties import GroupLasso
from skgroupnet.penalties.convex import SoftThreshold

pytestmark = pytest.mark.skipif(
    compiled._step is None, reason="the compiled step is not built"
)


@pytest.fixture(autouse=True)
def in_c(monkeypatch):
    """Take compiled steps, in every thread."""
    monkeypatch.setenv(VARIABLE, "compiled")


@pytest.fixture
def threads(monkeypatch):
    """Set the number of threads of a fit, however small it is."""

    def threads(n):
        monkeypatch.setattr(engine_threads, "WORTH_A_THREAD", 0)
        monkeypatch.setattr(stochastic, "available_threads", lambda: n)

    return threads


@pytest.fixture
def company(model):
    """Models that differ; the third diverges, the fourth ends early."""

    def company():
        rng = np.random.RandomState(0)
        differences = [
            {},
            {"rows": rng.permutation(60)[:50], "lam": 0.1},
            {"rate": 1e300, "lam": 0.0},
            {"rate": 1e-12},
            {"row_weight": rng.randint(1, 4, 60)},
            {"row_weight": rng.rand(60), "rows": np.arange(7, 60)},
            {"lam": 0.3},
        ]
        return [model(seed=m, **change) for m, change in enumerate(differences)]

    return company


SETTINGS = Settings(Adam(), batch_size=16, max_iter=8, tol=1e-6, n_iter_no_change=1)


def _same_bits(fits, others, flat):
    __tracebackhide__ = True
    for fit, other in zip(fits, others, strict=True):
        assert fit.outcome == other.outcome
        np.testing.assert_array_equal(flat(fit.network), flat(other.network))
        np.testing.assert_array_equal(fit.loss_curve, other.loss_curve)
        assert fit.state.keys() == other.state.keys()
        for name, value in fit.state.items():
            np.testing.assert_array_equal(value, other.state[name])


@pytest.mark.parametrize("update", [Adam(), SGD()], ids=repr)
def test_the_same_bits_alone_and_on_any_number_of_threads(
    update, problem, company, threads, spy, flat
):
    settings = replace(SETTINGS, update=update)
    threads(1)
    alone = [train(problem, [model], settings)[0] for model in company()]
    assert {call.thread for call in spy.calls} == {threading.current_thread()}
    for n in (1, 2, 3, 20):
        threads(n)
        spy.calls.clear()
        together = train(problem, company(), settings)
        _same_bits(together, alone, flat)
        seen = {call.thread for call in spy.calls}
        assert (threading.current_thread() in seen) == (n == 1)
        assert len(seen) > 1 or n == 1
    assert [fit.outcome for fit in alone[2:4]] == ["diverged", "converged"]


def test_small_epochs_are_not_worth_a_thread(problem, company, monkeypatch, spy):
    monkeypatch.setattr(stochastic, "available_threads", lambda: 4)
    train(problem, company(), SETTINGS)
    assert {call.thread for call in spy.calls} == {threading.current_thread()}


def test_a_stack_with_a_prox_in_torch(problem, company, threads, flat):
    """Torch takes its models side by side, with the same results."""

    class Mine(SoftThreshold):
        """A group lasso that is not known."""

    threads(3)
    known = train(problem, company(), SETTINGS)
    fits = train(replace(problem, penalty=Mine()), company(), SETTINGS)
    for fit, other in zip(fits, known, strict=True):
        assert fit.outcome == other.outcome
        np.testing.assert_allclose(flat(fit.network), flat(other.network), 1e-9, 1e-12)


def test_two_fits_in_two_threads(problem, company, flat):
    expected = train(problem, company(), SETTINGS)
    fits, barrier = {}, threading.Barrier(2)

    def fit(i):
        barrier.wait()
        fits[i] = [train(problem, company(), SETTINGS) for _ in range(10)]

    workers = [threading.Thread(target=fit, args=(i,)) for i in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for i in range(2):
        for found in fits[i]:
            _same_bits(found, expected, flat)


def test_available_threads():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        assert available_threads() == 1
        torch.set_num_threads(2)
        assert available_threads() == min(2, joblib.cpu_count())
        parallel = joblib.Parallel(2, backend="threading")
        seen = parallel(joblib.delayed(available_threads)() for _ in range(4))
    finally:
        torch.set_num_threads(before)
    assert seen == [1] * 4


@pytest.fixture
def many_steps(draw, random_network, make_model):
    """Take 300000 small steps, one epoch."""

    def take():
        X, y = draw("squared_error", n=100, d=1, k=1)
        problem = Problem(X, y, "squared_error", GroupLasso())
        rows = np.tile(np.arange(100), 3000)
        start = random_network("squared_error", (1, 1))
        model = make_model(start, rate=1e-3, rows=rows)
        train(problem, [model], Settings(SGD(0.0), batch_size=1, max_iter=1, tol=0))

    return take


def test_a_call_is_short_however_small_a_step(many_steps, spy):
    many_steps()
    sizes = [call.stop - call.first for call in spy.calls]
    assert sum(sizes) == 300000
    # Each at most a microsecond or two.
    assert max(sizes) <= 2e5
    assert [call.t for call in spy.calls] == [call.first for call in spy.calls]


def test_other_threads_run_during_a_call(many_steps, spy, monkeypatch):
    ticks, during, steps = [], [], spy.steps

    def counted(*args):
        before = len(ticks)
        steps(*args)
        during.append(len(ticks) - before)

    monkeypatch.setattr(spy, "steps", counted)
    monkeypatch.setattr(compiled, "OPERATIONS", 1e12)
    thread = threading.Thread(target=many_steps)
    thread.start()
    while thread.is_alive():
        time.sleep(1e-3)
        ticks.append(None)
    assert len(during) == 1
    assert during[0] > 5


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("after", [1, 9, 17, 20])
def test_interrupt_within_an_epoch(
    after, n_threads, problem, model, threads, spy, flat, monkeypatch
):
    """Sixty rows are four batches of sixteen, here in a call each, for two models."""
    monkeypatch.setattr(compiled, "OPERATIONS", 1)
    threads(n_threads)
    settings = replace(SETTINGS, tol=0, max_iter=4)
    spy.interrupt_after = after
    fits = train(problem, [model(seed=m) for m in range(2)], settings)
    called = len(spy.calls)
    spy.interrupt_after = None
    whole = (after - 1) // 8
    assert [(fit.outcome, fit.n_iter) for fit in fits] == [("interrupted", whole)] * 2
    if n_threads == 1:
        assert called == after
    for m, fit in enumerate(fits):
        if whole == 0:
            np.testing.assert_array_equal(flat(fit.network), flat(model().start))
            continue
        shorter = replace(settings, max_iter=whole)
        (expected,) = train(problem, [model(seed=m)], shorter)
        _same_bits([fit], [replace(expected, outcome="interrupted")], flat)


SCRIPT = """
import os, signal, sys, threading, time, warnings
import numpy as np
from sklearn.base import clone
from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.engine import Adam, Model, Problem, Settings, stochastic, threads
from skgroupnet.engine import initial_network, train
from skgroupnet.penalties import GroupLasso

random = np.random.RandomState(0)
X = random.randn(2000, 50).astype(np.float32)
y = random.randint(0, 4, 2000)

def press():
    pressed.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)

def later():
    pressed.clear()
    threading.Timer(0.5, press).start()

pressed = []

def fit_estimator():
    clf = GroupSparseMLPClassifier(
        lam=1e-4, hidden_layer_sizes=(64, 32), max_iter=10**7, tol=0, random_state=0,
        n_iter_no_change=np.inf,  # else it may converge first
    )
    clone(clf).set_params(max_iter=1, learning_rate="cosine").fit(X, y)  # imports
    later()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        clf.fit(X, y)
    assert any("interrupted by the user" in str(w.message) for w in caught), caught
    return clf.n_iter_

def fit_stack():
    # An epoch takes many seconds.
    threads.WORTH_A_THREAD, stochastic.available_threads = 0, lambda: 2
    rows = np.tile(np.arange(2000), 1000)
    def model(m):
        state = np.random.RandomState(m)
        start = initial_network((50, 64, 32, 4), "relu", "softmax", state, X.dtype)
        return Model(start, 1e-4, 1e-3, state, rows)
    models = [model(m) for m in range(3)]
    settings = Settings(Adam(), batch_size=200, max_iter=10, tol=0)
    later()
    fits = train(Problem(X, y, "cross_entropy", GroupLasso()), models, settings)
    assert {fit.outcome for fit in fits} == {"interrupted"}, fits
    return fits[0].n_iter

for fit in (fit_estimator, fit_stack):
    n_iter = fit()
    print(n_iter, time.perf_counter() - pressed[0])
"""


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_is_answered_within_a_second():
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    (epochs, seconds), (none, longer) = map(str.split, ran.stdout.splitlines())
    assert int(epochs) > 0
    assert int(none) == 0
    assert float(seconds) < 1
    assert float(longer) < 1
