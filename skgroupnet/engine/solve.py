"""Jobs of any kind to fits: networks in stacks, linear models in chains, in threads."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, as_completed
from dataclasses import replace

import numpy as np

from skgroupnet.engine.admm import ADMM, admm
from skgroupnet.engine.descent import can_descend
from skgroupnet.engine.fista import fista
from skgroupnet.engine.memory import memory_named
from skgroupnet.engine.newton import newton
from skgroupnet.engine.problem import Epoch, Fit, FullBatch, Job, Settings, Watch
from skgroupnet.engine.shrinkage import is_convex, is_steep
from skgroupnet.engine.stochastic import train_together
from skgroupnet.engine.threads import Threads, available_threads, threads_for
from skgroupnet.penalties import L1, GroupLasso

# Stationarity gap of a lasso that is only where another penalty starts.
LASSO_TOL = 1e-4


@memory_named()
@threads_for()
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
    else:
        chains = _chains(jobs, whole)
        fits |= (
            _solve_chain(jobs, chains[0], watch)
            if len(chains) == 1
            else _solve_apart(jobs, chains, watch, n_threads or available_threads())
        )
    return [fits[m] for m in range(len(jobs))]


def _chains(jobs: Sequence[Job], numbers: Sequence[int]) -> list[list[int]]:
    """Numbers of the jobs that are solved in turn, the strongest penalty first."""
    chains: dict[object, list[int]] = {}
    for m in numbers:
        chain = jobs[m].chain
        chains.setdefault((m,) if chain is None else chain, []).append(m)
    return [
        sorted(chain, key=lambda m: -jobs[m].model.lam) for chain in chains.values()
    ]


def _not_begun(job: Job) -> Fit:
    return Fit(job.model.start, [], "interrupted", [], {})


def _interrupted(fit: Fit) -> Fit:
    return replace(fit, outcome="interrupted") if fit.outcome == "stopped" else fit


def _solve_chain(
    jobs: Sequence[Job], chain: Sequence[int], watch: Watch | None
) -> dict[int, Fit]:
    """Solve jobs in turn, convex ones each from the solution of the one before."""
    first = jobs[chain[0]]
    settings = first.settings
    automatic = isinstance(settings, FullBatch) and settings.solver == "auto"
    if automatic and can_descend(first.problem):
        models = [jobs[m].model for m in chain]
        limits = settings.max_iter, settings.tol
        solved = newton(first.problem, models, *limits, watch, warm=True)
        return dict(zip(chain, solved, strict=True))
    fits: list[Fit] = []
    # From one stationary point to the next would be another path than that of models
    # on their own.
    warm = is_convex(first.problem, first.model)
    for m in chain:
        job = jobs[m]
        if fits and warm:
            job = replace(job, model=replace(job.model, start=fits[-1].network))
        over = bool(fits) and fits[-1].outcome in ("interrupted", "stopped")
        fits.append(_not_begun(job) if over else _descend(job, watch))
    return dict(zip(chain, fits, strict=True))


def _descend(job: Job, watch: Watch | None) -> Fit:
    settings = job.settings
    assert not isinstance(settings, Settings)
    start = job.model.start
    if not start.weights[0].any() and is_steep(job.problem, start):
        lasso = _of_lasso(job)
        if lasso.outcome == "interrupted":
            return _not_begun(job)
        job = replace(job, model=replace(job.model, start=lasso.network))
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


def _of_lasso(job: Job) -> Fit:
    """Solve a job with the lasso, or the group lasso, in the place of its penalty.

    Its zeros are a start for a penalty at which nothing leads away from zero.
    """
    by_weight = job.problem.penalty.groups_of == "weights"
    problem = replace(job.problem, penalty=L1() if by_weight else GroupLasso())
    settings = FullBatch(job.settings.max_iter, LASSO_TOL)
    return _solve_chain([Job(problem, job.model, settings)], [0], None)[0]


def _solve_apart(
    jobs: Sequence[Job],
    chains: Sequence[Sequence[int]],
    watch: Watch | None,
    n_threads: int,
) -> dict[int, Fit]:
    """Solve chains of jobs independently, each in one thread."""
    stopped = threading.Event()
    fits = {m: _not_begun(jobs[m]) for chain in chains for m in chain}
    running = np.zeros(len(jobs), dtype=bool)
    running[list(fits)] = True

    def run(chain: Sequence[int]) -> dict[int, Fit]:
        if stopped.is_set():
            return {}
        return _solve_chain(jobs, chain, lambda epoch: stopped.is_set())

    with Threads(n_threads) as pool:
        runs: list[Future[dict[int, Fit]]] = []
        try:
            runs += [pool.submit(run, chain) for chain in chains]
            for n_done, done in enumerate(as_completed(runs), 1):
                solved = done.result()
                fits.update(solved)
                running[list(solved)] = False
                if watch is not None and watch(_epoch(n_done, solved, running)):
                    stopped.set()
        except KeyboardInterrupt:
            stopped.set()
            for done in runs:
                if not done.cancel():
                    cut = done.result().items()
                    fits.update({m: _interrupted(fit) for m, fit in cut})
            if not any(fit.outcome == "interrupted" for fit in fits.values()):
                # It came too late to cut anything short: no fit would tell of it.
                raise
        except BaseException:
            stopped.set()
            raise
    return fits


def _epoch(n_done: int, solved: dict[int, Fit], running: np.ndarray) -> Epoch:
    """Describe that some more jobs are solved."""
    losses = np.full(len(running), np.nan)
    for m, fit in solved.items():
        losses[m] = fit.loss_curve[-1] if fit.loss_curve else np.nan
    return Epoch(n_done, losses, None, lambda m: solved[m].network, running.copy())
