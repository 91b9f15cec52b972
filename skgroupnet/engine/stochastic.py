"""Mini-batch training of many models at once, each as if it were alone.

Models of one shape that take the same steps share a stack; all stacks go through their
epochs together, so that threads always have work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from skgroupnet.engine.compiled import one_by_one
from skgroupnet.engine.data import Data
from skgroupnet.engine.freezing import shrinks
from skgroupnet.engine.memory import memory_named
from skgroupnet.engine.problem import (
    Epoch,
    Fit,
    Job,
    Model,
    Problem,
    Settings,
    Watch,
)
from skgroupnet.engine.shrinkage import is_convex
from skgroupnet.engine.stack import Layout
from skgroupnet.engine.threads import (
    WORTH_THREADS,
    Workers,
    available_threads,
    threads_for,
)
from skgroupnet.engine.training import Training

# Where models step side by side in torch, stacks are split among threads into parts of
# so many at least: with fewer, what a call costs outweighs what the models do.
WORTH_SPLITTING = 16
# Bytes that a step of a part reads and writes: with more, it waits for memory.
CACHE = 5e6


def train(
    problem: Problem,
    models: Sequence[Model],
    settings: Settings,
    watch: Watch | None = None,
) -> list[Fit]:
    """Train models of one problem so that they can go on; see `train_together`."""
    jobs = [Job(problem, model, settings) for model in models]
    for job in jobs:
        check_job(job)
    return train_together(jobs, watch, resumable=True)


@memory_named()
@threads_for()
def train_together(
    jobs: Sequence[Job],
    watch: Watch | None = None,
    n_threads: int | None = None,
    resumable: bool = False,
) -> list[Fit]:
    """Train models side by side, each as if it were alone.

    Parameters
    ----------
    jobs : sequence of Job
        The models, with `Settings`.
    watch : callable, default=None
        Called with an `Epoch` after every epoch; True ends the training.
    n_threads : int, default=None
        Number of threads; None: as many as there are.
    resumable : bool, default=False
        Whether the fits carry the optimizer state, to go on from.

    Returns
    -------
    list of Fit
        One result for each job.

    Raises
    ------
    ValueError
        If the models do not fit the rows, or share what has to be their own.
    """
    _check(jobs)
    if n_threads is None:
        # Asking takes a tenth of a small fit, and one model has nothing to share.
        n_threads = available_threads() if len(jobs) > 1 else 1
    with torch.inference_mode():
        run = _Run(jobs, n_threads, resumable)
        run.train(watch)
    return run.fits()


def check_job(job: Job) -> None:
    """Refuse a penalty or a dtype that the update cannot take.

    Parameters
    ----------
    job : Job
        A model to train.

    Raises
    ------
    ValueError
        If the update needs a convex penalty, and this one is not; or if its settings
        are beyond the dtype of training.
    """
    settings = job.settings
    if not isinstance(settings, Settings):
        return
    settings.update.check(job.problem.X.dtype)
    if settings.update.convex_only and not is_convex(job.problem, job.model):
        raise ValueError(
            f"{settings.update!r} needs a convex penalty, but {job.problem.penalty!r} "
            "is not."
        )


def _check(jobs: Sequence[Job]) -> None:
    """Refuse what would be read out of bounds, or make results depend on each other."""
    largest: dict[int, int] = {}
    for job in jobs:
        y, X, start = job.problem.y, job.problem.X, job.model.start
        if id(y) not in largest:
            largest[id(y)] = int(y.max()) + 1 if y.ndim == 1 else y.shape[1]
        widths, dtype, n_outputs = start.widths, start.weights[0].dtype, largest[id(y)]
        if (widths[0], dtype) != (job.problem.n_features, X.dtype):
            raise ValueError(
                f"A network of {dtype} with {widths[0]} inputs cannot be trained on X "
                f"of {X.dtype} with {job.problem.n_features} columns."
            )
        if widths[-1] < n_outputs or (y.ndim > 1 and widths[-1] != n_outputs):
            raise ValueError(
                f"A network with {widths[-1]} outputs does not fit y with {n_outputs}."
            )
    if len({id(job.model.random_state) for job in jobs}) < len(jobs):
        raise ValueError("Every model needs a random_state of its own.")


Pair = tuple[np.ndarray, np.ndarray | None]


def _weighted_rows(jobs: Sequence[Job]) -> list[Pair]:
    """Rows of each job that count and their weights; equal ones are shared."""
    known: dict[tuple[int, int, int], Pair] = {}
    pairs = []
    for job in jobs:
        model, n = job.model, job.problem.X.shape[0]
        key = (n, id(model.rows), id(model.row_weight))
        if key not in known:
            rows, weight = model.weighted_rows(n)
            # Compiled steps read 64-bit integers.
            known[key] = rows.astype(np.int64, copy=False), weight
        pairs.append(known[key])
    return pairs


def _stacks(
    jobs: Sequence[Job], pairs: Sequence[Pair], n_threads: int
) -> list[list[int]]:
    """Numbers of the jobs that share a stack: they take the same steps."""
    stacks: dict[tuple[object, ...], list[int]] = {}
    for m, (job, (rows, weight)) in enumerate(zip(jobs, pairs, strict=True)):
        start, state = job.model.start, job.model.state
        done = int(state["t"]) if state else 0
        shape = (start.widths, start.activation, len(rows), weight is None, done)
        alone = m if shrinks(job) else None
        key = (id(job.problem), job.settings, *shape, job.model.score is None, alone)
        stacks.setdefault(key, []).append(m)
    in_torch = {m for m, job in enumerate(jobs) if _side_by_side(job)}
    share = max(WORTH_SPLITTING, math.ceil(len(in_torch) / n_threads))
    parts = []
    for members in stacks.values():
        first, size = members[0], len(members)
        if first in in_torch:
            size = min(share, _fits_the_cache(jobs[first], len(pairs[first][0])))
        parts += [members[at : at + size] for at in range(0, len(members), size)]
    return parts


def _side_by_side(job: Job) -> bool:
    """Whether models of a stack step side by side in torch on the CPU."""
    problem, settings = job.problem, job.settings
    assert isinstance(settings, Settings)
    on_cpu = torch.device(problem.device).type == "cpu"
    return on_cpu and not one_by_one(problem, settings.update, 0.0)


def _fits_the_cache(job: Job, n_rows: int) -> int:
    """Count the models whose step fits into the cache."""
    assert isinstance(job.settings, Settings)
    layout, X = Layout(job.model.start.widths), job.problem.X
    inputs: float = layout.widths[0]
    if not isinstance(X, np.ndarray):
        inputs = X.nnz / max(1, X.shape[0])
    # Weights, gradient and two moments; rows, activations, errors and predictions.
    batch = job.settings.batch_rows(n_rows) * 3 * (inputs + sum(layout.widths[1:]))
    numbers = 4 * layout.n_parameters + batch
    return max(1, int(CACHE / (numbers * X.dtype.itemsize)))


class _Run:
    """All stacks in training."""

    def __init__(self, jobs: Sequence[Job], n_threads: int, resumable: bool) -> None:
        pairs = _weighted_rows(jobs)
        self.n_jobs, self.n_threads = len(jobs), n_threads
        self.data: dict[int, Data] = {}
        self.stacks: list[Training] = []
        # Whether the books of an epoch are being written.
        self._writing = False
        for members in _stacks(jobs, pairs, n_threads):
            first = jobs[members[0]]
            data = self.data.get(id(first.problem))
            if data is None:
                data = Data(first.problem, first.model.start.widths[-1])
                self.data[id(first.problem)] = data
            chosen = [pairs[m] for m in members]
            self.stacks.append(Training(jobs, members, chosen, data, resumable))

    def train(self, watch: Watch | None) -> None:
        """Train until every model has ended."""
        flops = max((stack.flops for stack in self.stacks), default=0.0)
        # Steps as large as these have their threads in torch.
        n_threads = 1 if flops >= WORTH_THREADS else self.n_threads
        n_iter = 0
        with threads_for(flops), Workers(n_threads) as workers:
            try:
                while any(stack.members for stack in self.stacks):
                    n_iter += 1
                    self._epoch(n_iter, workers, watch)
            except KeyboardInterrupt:
                if self._writing or not any(stack.members for stack in self.stacks):
                    # There is no whole epoch to keep, or nothing that it cut short.
                    raise
                for stack in self.stacks:
                    stack.interrupt()

    def _epoch(self, n_iter: int, workers: Workers, watch: Watch | None) -> None:
        going = [stack for stack in self.stacks if stack.members]
        tasks = [task for stack in going for task in stack.tasks()]
        workers.run(tasks, sum(stack.work for stack in going))
        self._writing = True
        measures = [task for stack in going for task in stack.note()]
        self._writing = False
        workers.run(measures)
        self._writing = True
        for stack in going:
            stack.judge()
        self._writing = False
        stop = watch is not None and watch(self._report(n_iter, going))
        self._writing = True
        for stack in going:
            stack.settle(stop)
        self._writing = False

    def _report(self, n_iter: int, going: list[Training]) -> Epoch:
        """Describe an epoch in the numbering of the jobs."""
        losses, scores = np.full((2, self.n_jobs), np.nan)
        running = np.zeros(self.n_jobs, dtype=bool)
        home: dict[int, Training] = {}
        for stack in going:
            losses[stack.members] = stack.losses
            running[stack.members] = stack.outcomes == ""
            if stack.best is not None:
                scores[stack.members] = stack.measured
            home |= dict.fromkeys(stack.members, stack)
        return Epoch(
            n_iter=n_iter,
            losses=losses,
            scores=None if np.isnan(scores).all() else scores,
            network=lambda m: home[m].network(m),
            running=running,
            report=going[0].report,
        )

    def fits(self) -> list[Fit]:
        """Collect the result of each job."""
        fits = {m: fit for stack in self.stacks for m, fit in stack.fits.items()}
        return [fits[m] for m in range(self.n_jobs)]
