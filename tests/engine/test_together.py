"""Jobs that differ in everything, trained together: each as if it were alone."""

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from skgroupnet import config_context
from skgroupnet.engine import (
    SGD,
    Adam,
    FullBatch,
    Job,
    Problem,
    Settings,
    compiled,
    relative_gap,
    solve,
    stationarity_gap,
    stationarity_gaps,
    stochastic,
)
from skgroupnet.engine import threads as engine_threads
from skgroupnet.engine.stochastic import train_together
from skgroupnet.penalties import L1, GroupLasso

steps = pytest.mark.parametrize(
    "step",
    [
        pytest.param(
            "compiled",
            marks=pytest.mark.skipif(compiled._step is None, reason="not built"),
        ),
        "torch",
    ],
)
SOLVED = FullBatch(500, 1e-8)
SETTINGS = Settings(Adam(), batch_size=16, max_iter=6, tol=0, n_iter_no_change=np.inf)


@pytest.fixture
def jobs(draw, random_network, make_model):
    """Build jobs of several problems, shapes, settings, rows, lengths and weights."""

    def jobs():
        X, y = draw("cross_entropy")
        classes = Problem(X, y, "cross_entropy", GroupLasso())
        X, y = draw("squared_error", seed=1)
        numbers = Problem(X, y, "squared_error", L1())
        deep = random_network("cross_entropy", (5, 4, 6, 3))
        wide = random_network("squared_error", (5, 7, 3))
        weight = np.random.RandomState(5).rand(60)
        short = replace(SETTINGS, max_iter=3)
        return [
            Job(classes, make_model(deep, 0.01, seed=0), SETTINGS),
            Job(classes, make_model(deep, 0.3, seed=1), SETTINGS),
            Job(classes, make_model(deep, 0.1, seed=2, rows=np.arange(40)), SETTINGS),
            Job(classes, make_model(deep, 0.1, seed=3, row_weight=weight), SETTINGS),
            Job(numbers, make_model(wide, 0.1, seed=4), SETTINGS),
            Job(numbers, make_model(wide, 0.1, seed=5), short),
            Job(
                numbers,
                make_model(wide, 0.2, 0.01, seed=6),
                replace(short, update=SGD()),
            ),
        ]

    return jobs


def _same(fit, other, flat):
    assert fit.outcome == other.outcome
    np.testing.assert_array_equal(flat(fit.network), flat(other.network))
    np.testing.assert_array_equal(fit.loss_curve, other.loss_curve)


@steps
@pytest.mark.parametrize("n_threads", [1, 3])
def test_each_as_if_alone(step, n_threads, jobs, flat, monkeypatch):
    monkeypatch.setattr(engine_threads, "WORTH_A_THREAD", 0)
    with config_context(step=step):
        together = train_together(jobs(), n_threads=n_threads)
        alone = [train_together([job], n_threads=1)[0] for job in jobs()]
        for fit, other in zip(together, alone, strict=True):
            _same(fit, other, flat)
        backwards = train_together(jobs()[::-1], n_threads=n_threads)[::-1]
        for fit, other in zip(backwards, alone, strict=True):
            _same(fit, other, flat)
    assert [fit.n_iter for fit in alone] == [6] * 5 + [3] * 2


def test_a_stack_in_torch_is_split_among_threads(
    problem, model, flat, monkeypatch, in_threads
):
    """With the same bits: torch's products do not depend on how many there are."""
    monkeypatch.setattr(engine_threads, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(stochastic, "WORTH_SPLITTING", 2)

    def jobs():
        return [Job(problem, model(seed=m), SETTINGS) for m in range(7)]

    with config_context(step="torch"):
        alone = [train_together([job], n_threads=1)[0] for job in jobs()]
        in_threads.clear()
        fits = train_together(jobs(), n_threads=3)
    # Seven models for three threads: three, three and the last one.
    assert sorted(n for _, n in in_threads) == [1] * 6 + [3] * 12
    assert threading.current_thread() not in {thread for thread, _ in in_threads}
    for fit, other in zip(fits, alone, strict=True):
        _same(fit, other, flat)


@pytest.fixture
def in_threads(monkeypatch):
    """Record the thread and the number of models of every epoch in torch."""
    seen, run = [], stochastic.Training.tasks

    def tasks(training):
        def recorded(task):
            def wrapped(stopped):
                seen.append((threading.current_thread(), len(training.members)))
                task(stopped)

            return wrapped

        return [recorded(task) for task in run(training)]

    monkeypatch.setattr(stochastic.Training, "tasks", tasks)
    return seen


def test_watch_sees_all_jobs_in_their_order(jobs):
    epochs = []

    def watch(epoch):
        epochs.append((epoch.losses, epoch.running, epoch.network(6 - epoch.n_iter)))
        return epoch.n_iter == 4

    fits = train_together(jobs(), watch)
    losses = np.array([losses for losses, _, _ in epochs])
    assert losses.shape == (4, 7)
    for m, fit in enumerate(fits):
        np.testing.assert_array_equal(losses[: fit.n_iter, m], fit.loss_curve)
        assert np.isnan(losses[fit.n_iter :, m]).all()
    running = [epoch_running.tolist() for _, epoch_running, _ in epochs]
    assert running == [[True] * 7] * 2 + [[True] * 5 + [False] * 2] * 2
    assert [fit.outcome for fit in fits] == ["stopped"] * 5 + ["max_iter"] * 2
    assert epochs[0][2].widths == (5, 7, 3) and epochs[3][2].widths == (5, 4, 6, 3)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_an_error_in_a_task_is_raised(n_threads, problem, model, monkeypatch):
    monkeypatch.setattr(engine_threads, "WORTH_A_THREAD", 0)

    def score(network):
        raise ZeroDivisionError("from the score")

    jobs = [Job(problem, model(seed=m, score=score), SETTINGS) for m in range(4)]
    with pytest.raises(ZeroDivisionError, match="from the score"):
        train_together(jobs, n_threads=n_threads)


def test_a_gap_ends_a_model(draw, zeros, make_model):
    X, y = draw("squared_error")
    problem = Problem(X, y, "squared_error", GroupLasso())
    settings = replace(SETTINGS, batch_size=60, max_iter=3000, gap=1e-4)
    models = [
        make_model(zeros("squared_error", (5, 3)), lam, 0.05, m)
        for m, lam in enumerate((0.01, 0.3, 10.0))
    ]
    fits = train_together([Job(problem, model, settings) for model in models])
    for model, fit in zip(models, fits, strict=True):
        assert fit.outcome == "converged" and fit.n_iter < 3000
        assert relative_gap(problem, model, fit.network) <= 1e-4
    assert len({fit.n_iter for fit in fits}) > 1


@pytest.fixture
def linear_jobs(draw, zeros, make_model):
    def linear_jobs(lams=(0.01, 0.05, 0.2), settings=SOLVED):
        X, y = draw("cross_entropy")
        problem = Problem(X, y, "cross_entropy", GroupLasso())
        start = zeros("cross_entropy", (5, 3))
        return [
            Job(problem, make_model(start, lam, seed=m), settings)
            for m, lam in enumerate(lams)
        ]

    return linear_jobs


@pytest.mark.parametrize("n_threads", [1, 2])
def test_solve_mixes_methods(n_threads, jobs, linear_jobs, flat):
    def mix():
        return [*linear_jobs(), *jobs()[:2], *linear_jobs((0.1,))]

    mixed = mix()
    fits = solve(mixed, n_threads=n_threads)
    alone = [solve([job])[0] for job in mix()]
    for fit, other in zip(fits, alone, strict=True):
        _same(fit, other, flat)
    outcomes = [fit.outcome for fit in fits]
    assert outcomes == ["converged"] * 3 + ["max_iter"] * 2 + ["converged"]
    gaps = stationarity_gaps(mixed, [fit.network for fit in fits], n_threads)
    each = [
        stationarity_gap(job.problem, job.model, fit.network)
        for job, fit in zip(mixed, fits, strict=True)
    ]
    assert gaps == each and max(gaps[:3]) <= 1e-8 < min(gaps[3:5])


def test_solve_tells_of_each_model_that_is_solved(linear_jobs):
    epochs = []
    fits = solve(linear_jobs(), lambda epoch: epochs.append(epoch), n_threads=2)
    assert [epoch.n_iter for epoch in epochs] == [1, 2, 3]
    assert [epoch.running.sum() for epoch in epochs] == [2, 1, 0]
    last = {int(np.flatnonzero(~np.isnan(epoch.losses))[0]) for epoch in epochs}
    assert last == {0, 1, 2}
    assert np.nanmax(epochs[0].losses) in [fit.loss_curve[-1] for fit in fits]


def test_solve_stops_where_a_watcher_wants(linear_jobs):
    jobs = linear_jobs((0.2,) + (1e-6,) * 6, FullBatch(10**6, 0.0))
    fits = solve(
        [replace(jobs[0], settings=SOLVED), *jobs[1:]],
        lambda epoch: True,
        n_threads=1,
    )
    assert fits[0].outcome == "converged"
    assert {fit.outcome for fit in fits[1:]} <= {"stopped", "interrupted"}


def test_an_interrupt_ends_what_solve_has_not_begun(jobs, linear_jobs, flat):
    def watch(epoch):
        raise KeyboardInterrupt

    mixed = [*jobs(), *linear_jobs()]
    fits = solve(mixed, watch)
    assert {fit.outcome for fit in fits} == {"interrupted"}
    assert [fit.n_iter for fit in fits] == [1] * 7 + [0] * 3
    np.testing.assert_array_equal(flat(fits[-1].network), flat(mixed[-1].model.start))


def test_an_interrupt_of_full_batch_jobs_keeps_what_is_solved(linear_jobs):
    def watch(epoch):
        if epoch.n_iter == 2:
            raise KeyboardInterrupt

    lams = (0.2, 0.1) + (1e-6,) * 6
    jobs = linear_jobs(lams, FullBatch(10**6, 0.0))
    quick = [replace(job, settings=SOLVED) for job in jobs[:2]]
    fits = solve([*quick, *jobs[2:]], watch, n_threads=1)
    assert [fit.outcome for fit in fits] == ["converged"] * 2 + ["interrupted"] * 6


@steps
def test_an_interrupt_in_one_thread_stops_the_others(
    step, problem, model, monkeypatch, flat
):
    """In the middle of an epoch: what is kept is that of the last whole one."""
    monkeypatch.setattr(engine_threads, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(stochastic, "WORTH_SPLITTING", 1)
    taken, entered = [], threading.Barrier(2, timeout=20)

    class Interrupting(GroupLasso):
        """Its prox is taken in torch, on both paths."""

        def prox(self, W, groups, step, lam, out=None):
            taken.append(threading.current_thread())
            if len(taken) <= 2:
                entered.wait()
            elif len(taken) > 18:
                raise KeyboardInterrupt
            return super().prox(W, groups, step, lam, out)

    jobs = [
        Job(replace(problem, penalty=Interrupting()), model(seed=m), SETTINGS)
        for m in range(2)
    ]
    with config_context(step=step):
        fits = train_together(jobs, n_threads=2)
        taken.clear()
    assert [(fit.outcome, fit.n_iter) for fit in fits] == [("interrupted", 2)] * 2
    twice = replace(SETTINGS, max_iter=2)
    expected = train_together(
        [Job(problem, model(seed=m), twice) for m in range(2)], n_threads=1
    )
    for fit, other in zip(fits, expected, strict=True):
        np.testing.assert_allclose(flat(fit.network), flat(other.network), 1e-9)


@steps
def test_a_stopped_task_ends_in_mid_epoch(step, problem, model):
    class Mine(GroupLasso):
        pass

    jobs = [Job(replace(problem, penalty=Mine()), model(), SETTINGS)]
    with config_context(step=step), torch.inference_mode():
        run = stochastic._Run(jobs, 1, False)
        (stack,) = run.stacks
        before = stack.stack.flat.clone()
        (task,) = stack.tasks()
        task(lambda: True)
    assert torch.equal(before, stack.stack.flat) == (step == "compiled")


def test_an_error_in_a_watcher_of_full_batch_jobs_is_raised(linear_jobs):
    def watch(epoch):
        raise ZeroDivisionError

    jobs = linear_jobs((0.2,) + (1e-6,) * 3, FullBatch(10**6, 0.0))
    with pytest.raises(ZeroDivisionError):
        solve([replace(jobs[0], settings=SOLVED), *jobs[1:]], watch, n_threads=2)


def test_parts_of_stacks_in_torch(problem, model, monkeypatch):
    """Threads get equal shares, also of stacks of different sizes; or less."""

    def sizes(n_threads):
        jobs = [
            Job(problem, model(seed=m, rows=np.arange(50 + (m >= 80))), SETTINGS)
            for m in range(100)
        ]
        pairs = stochastic._weighted_rows(jobs)
        return [len(part) for part in stochastic._stacks(jobs, pairs, n_threads)]

    with config_context(step="torch"):
        assert sizes(2) == [50, 30, 20]
        assert sizes(1) == [80, 20]
        assert sizes(20) == [16] * 5 + [16, 4]
        monkeypatch.setattr(stochastic, "CACHE", 1e5)
        few = sizes(1)
        assert len(set(few[:-1])) <= 2 and max(few) < 80
        monkeypatch.setattr(stochastic, "CACHE", 1)
        assert sizes(2) == [1] * 100


@pytest.mark.skipif(compiled._step is None, reason="not built")
def test_stacks_in_compiled_steps_are_whole(problem, model):
    jobs = [Job(problem, model(seed=m), SETTINGS) for m in range(100)]
    pairs = stochastic._weighted_rows(jobs)
    with config_context(step="compiled"):
        assert [len(part) for part in stochastic._stacks(jobs, pairs, 4)] == [100]
