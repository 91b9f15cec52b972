"""Fits as the engine sees them: planned apart, carried out together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skgroupnet.estimators.sample import Sample
from skgroupnet.network import Network
from skgroupnet.penalties import PENALTIES
from skgroupnet.pruning import Pruned, prune, scatter

# How a training run ends that others may follow.
WHOLE = ("converged", "max_iter")

InFull = Callable[[Network], Network]


@dataclass(frozen=True, eq=False)
class Plan:
    """A fit before training.

    Parameters
    ----------
    sample : Sample
        What is trained on.
    job : Job
        What the engine is to do.
    finetuning : Settings or None
        How the compact network is trained on, if it is.
    held_out : Sample or None
        Rows to score on under early stopping.
    kept : tuple of ndarray of bool or None
        If a compact network is trained, the masks of the original layers.
    """

    sample: Sample
    job: Any
    finetuning: Any
    held_out: Sample | None
    kept: tuple[np.ndarray, ...] | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a plan.

    Parameters
    ----------
    fit : Fit
        The result, after fine-tuning.
    gap : float or None
        Stationarity gap before fine-tuning, if it was measured.
    n_tuned : int
        Epochs of fine-tuning, the last ones of the fit.
    """

    fit: Any
    gap: float | None
    n_tuned: int


def carry_out(
    plans: Sequence[Plan],
    follow: Callable[[Sequence[InFull]], Callable[[Any], bool] | None],
    n_threads: int | None = None,
    certify: bool = True,
) -> list[Outcome]:
    """Train, certify and fine-tune; equal problems share stacks.

    Where the weights of the penalty follow from a first fit, both fits are done here.
    The curves are those of the second one, and a first one that ends at ``max_iter``
    counts as if the second did.

    Parameters
    ----------
    plans : sequence of Plan
        The fits.
    follow : callable
        Called before a training run with one function for each of its networks that
        maps it to a network that takes all columns of X; returns the engine's watcher
        or None.
    n_threads : int, default=None
        Number of threads; None: as many as there are.
    certify : bool, default=True
        Whether to measure the stationarity gaps.

    Returns
    -------
    list of Outcome
        One for each plan.
    """
    from skgroupnet.engine import solve, stationarity_gaps

    jobs = _sharing([plan.job for plan in plans])
    fits = solve(jobs, follow([_as_it_is] * len(jobs)), n_threads)
    jobs, fits = _adapt(jobs, fits, follow, n_threads)
    gaps: Sequence[float | None] = [None] * len(jobs)
    if certify:
        gaps = stationarity_gaps(jobs, [fit.network for fit in fits], n_threads)
    interrupted = any(fit.outcome == "interrupted" for fit in fits)
    trained = [fit.n_iter for fit in fits]
    chosen = [
        m
        for m, (plan, fit) in enumerate(zip(plans, fits, strict=True))
        if plan.finetuning is not None and fit.outcome in WHOLE
    ]
    if interrupted:
        for m in chosen:
            fits[m] = replace(fits[m], outcome="interrupted")
    elif chosen:
        tuned = _finetune(
            [plans[m] for m in chosen], [fits[m] for m in chosen], follow, n_threads
        )
        for m, fit in zip(chosen, tuned, strict=True):
            fits[m] = fit
    return [
        Outcome(fit, gap, fit.n_iter - n_iter)
        for fit, gap, n_iter in zip(fits, gaps, trained, strict=True)
    ]


def _sharing(jobs: Sequence[Any]) -> list[Any]:
    """Let jobs whose problems are equal have the same one."""
    problems: dict[tuple[Any, ...], Any] = {}
    shared = []
    for job in jobs:
        problem = job.problem
        penalty, labels = problem.penalty, problem.labels
        key = (
            *map(id, (problem.X, problem.y, problem.group_sizes, problem.columns)),
            penalty if type(penalty) in PENALTIES.values() else id(penalty),
            None if labels is None else labels.tobytes(),
            problem.loss,
            problem.penalize_bias,
            problem.device,
            problem.keep_zeros,
            problem.fit_intercept,
        )
        shared.append(replace(job, problem=problems.setdefault(key, problem)))
    return shared


def _as_it_is(network: Network) -> Network:
    return network


def _adapt(
    jobs: Sequence[Any],
    fits: Sequence[Any],
    follow: Callable[[Sequence[InFull]], Callable[[Any], bool] | None],
    n_threads: int | None,
) -> tuple[list[Any], list[Any]]:
    """Fit again where the weights of the groups follow from a first fit."""
    from skgroupnet.engine import solve

    jobs, fits = list(jobs), list(fits)
    chosen = [
        m
        for m, (job, fit) in enumerate(zip(jobs, fits, strict=True))
        if job.problem.penalty.adaptive and fit.outcome in WHOLE
    ]
    if any(fit.outcome == "interrupted" for fit in fits):
        for m in chosen:
            fits[m] = replace(fits[m], outcome="interrupted")
    elif chosen:
        adapted = [_adapted(jobs[m], fits[m].network) for m in chosen]
        again = solve(adapted, follow([_as_it_is] * len(chosen)), n_threads)
        for m, job, fit in zip(chosen, adapted, again, strict=True):
            jobs[m], fits[m] = _second((jobs[m], fits[m]), (job, fit))
    return jobs, fits


def _adapted(job: Any, network: Network) -> Any:
    """Go on from a first fit, with the weights of the groups that follow from it."""
    from skgroupnet.engine import group_norms

    factors = job.problem.penalty.factors(group_norms(job.problem, network))
    return replace(job, model=replace(job.model, start=network, factors=factors))


def _second(before: tuple[Any, Any], after: tuple[Any, Any]) -> tuple[Any, Any]:
    """Job and fit of the second time, unless it was interrupted at once."""
    (job, fit), (_, first) = after, before
    if not fit.loss_curve:
        return before[0], replace(first, outcome="interrupted")
    unfinished = (first.outcome, fit.outcome) == ("max_iter", "converged")
    return job, replace(fit, outcome="max_iter") if unfinished else fit


def _finetune(
    plans: Sequence[Plan],
    fits: Sequence[Any],
    follow: Callable[[Sequence[InFull]], Callable[[Any], bool] | None],
    n_threads: int | None,
) -> list[Any]:
    """Train the compact networks on without the penalty, zeros staying zero."""
    from skgroupnet.engine import solve

    pruned = [prune(fit.network) for fit in fits]
    left = [m for m, compact in enumerate(pruned) if compact.kept[0].any()]
    if not left:
        return list(fits)
    jobs = [_compact_job(plans[m], pruned[m]) for m in left]
    in_full = [_scattering(pruned[m].kept, fits[m].network.widths) for m in left]
    results = list(fits)
    tuned = solve(jobs, follow(in_full), n_threads)
    for m, fit, full in zip(left, tuned, in_full, strict=True):
        results[m] = _joined(fits[m], replace(fit, network=full(fit.network)))
    return results


def _compact_job(plan: Plan, pruned: Pruned) -> Any:
    columns = np.flatnonzero(pruned.kept[0])
    held_out = plan.held_out
    score = None if held_out is None else held_out.columns(columns).score
    # Keeping zeros takes the place of the penalty.
    return replace(
        plan.job,
        problem=replace(
            plan.job.problem,
            columns=columns,
            labels=None,
            group_sizes=None,
            keep_zeros=True,
        ),
        model=replace(plan.job.model, start=pruned.network, score=score),
        settings=plan.finetuning,
    )


def _scattering(kept: tuple[np.ndarray, ...], widths: tuple[int, ...]) -> InFull:
    return lambda network: scatter(network, kept, widths)


def _joined(trained: Any, tuned: Any) -> Any:
    """Join two runs; the best epoch of all counts under early stopping."""
    best = max(trained.scores, default=-np.inf)
    no_worse = max(tuned.scores, default=-np.inf) >= best
    ended_early = tuned.outcome in ("interrupted", "diverged")
    return replace(
        trained,
        network=tuned.network if no_worse else trained.network,
        loss_curve=trained.loss_curve + tuned.loss_curve,
        scores=trained.scores + tuned.scores,
        outcome=tuned.outcome if ended_early else trained.outcome,
    )
