"""Jobs of any kind to fits: networks in stacks, linear models one to a thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace

import numpy as np

from skgroupnet.engine.admm import ADMM, admm
from skgroupnet.engine.fista import fista
from skgroupnet.engine.problem import Epoch, Fit, Job, Settings, Watch
from skgroupnet.engine.stochastic import train_together
from skgroupnet.engine.threads import available_threads, threads_for


def solve(
    jobs: Sequence[Job], watch: Watch | None = None, n_threads: int | None = None
) -> list[Fit]:
    """Train models, each as if it were alone.

    Parameters
    ----------
    jobs : sequence of Job
        The models.
    watch : callable, default=None
        Called with an `Epoch` after every epoch of the networks; for one full-batch
        job after every iteration, for several when one of them is solved. True ends
        the training.
    n_threads : int, default=None
        Number of threads; None: as many as there are.

    Returns
    -------
    list of Fit
        One result for each job. After an interrupt they are what there is: jobs that
        had not begun give their start, and an empty curve.
    """
    batches = [m for m, j in enumerate(jobs) if isinstance(j.settings, Settings)]
    whole = [m for m, j in enumerate(jobs) if not isinstance(j.settings, Settings)]
    fits: dict[int, Fit] = {}
    if batches:
        trained = train_together([jobs[m] for m in batches], watch, n_threads)
        fits |= zip(batches, trained, strict=True)
    if any(fit.outcome == "interrupted" for fit in fits.values()):
        fits |= {m: _not_begun(jobs[m]) for m in whole}
    elif len(whole) == 1:
        fits[whole[0]] = _descend(jobs[whole[0]], watch)
    elif whole:
        solved = _solve_apart(
            [jobs[m] for m in whole], watch, n_threads or available_threads()
        )
        fits |= zip(whole, solved, strict=True)
    return [fits[m] for m in range(len(jobs))]


def _not_begun(job: Job) -> Fit:
    return Fit(job.model.start, [], "interrupted", [], {})


def _interrupted(fit: Fit) -> Fit:
    return replace(fit, outcome="interrupted") if fit.outcome == "stopped" else fit


def _descend(job: Job, watch: Watch | None) -> Fit:
    settings = job.settings
    assert not isinstance(settings, Settings)
    if isinstance(settings, ADMM):
        return admm(job.problem, job.model, settings, watch)
    (fit,) = fista(
        job.problem,
        [job.model],
        max_iter=settings.max_iter,
        tol=settings.tol,
        watch=watch,
    )
    return fit


def _solve_apart(jobs: Sequence[Job], watch: Watch | None, n_threads: int) -> list[Fit]:
    """Solve full-batch jobs independently, each in one thread."""
    stopped = threading.Event()
    fits = {m: _not_begun(job) for m, job in enumerate(jobs)}
    running = np.ones(len(jobs), dtype=bool)

    def run(job: Job) -> Fit:
        if stopped.is_set():
            return _not_begun(job)
        return _descend(job, lambda epoch: stopped.is_set())

    with threads_for(0.0), ThreadPoolExecutor(n_threads) as pool:
        runs = {pool.submit(run, job): m for m, job in enumerate(jobs)}
        try:
            for n_done, done in enumerate(as_completed(runs), 1):
                m = runs[done]
                fits[m], running[m] = done.result(), False
                losses = np.full(len(jobs), np.nan)
                losses[m] = fits[m].loss_curve[-1] if fits[m].loss_curve else np.nan
                epoch = Epoch(
                    n_done, losses, None, lambda m: fits[m].network, running.copy()
                )
                if watch is not None and watch(epoch):
                    stopped.set()
        except KeyboardInterrupt:
            stopped.set()
            for done, m in runs.items():
                if not done.cancel():
                    fits[m] = _interrupted(done.result())
        except BaseException:
            stopped.set()
            raise
    return [fits[m] for m in range(len(jobs))]
