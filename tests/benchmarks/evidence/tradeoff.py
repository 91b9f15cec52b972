"""Table 2: accuracy against size, for every family of penalties and for peers.

Networks d-32-32-C, trained as `splits.TRAINING` says, peers and all; SDD, where a run
takes seconds, from two starts. For each penalty, three paths down from the largest
`lam` (the one that empties the network in some epochs):

- cold: each model on its own;
- warm: from the smallest `lam` up, each model from the weights of the one before, so
  that zeros come late and a few at a time;
- warm, fine-tuned: each of them trained on without the penalty.

Validation chooses within a limit of size.
"""

import time
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from tests.benchmarks.evidence import peers
from tests.benchmarks.evidence.paths import path, path_rows, scheduled
from tests.benchmarks.evidence.results import by_limit, chosen, in_processes, summary
from tests.benchmarks.evidence.splits import STARTS, TRAINING, load
from tests.benchmarks.evidence.tradeoff_pictures import draw

__all__ = ["draw", "run"]

# All seeds; the others once, to show where they stand.
PENALTIES = (
    "l1",
    "l12",
    "group_lasso",
    "sparse_group_lasso",
    "adaptive_group_lasso",
    "group_log",
    "group_l12",
    "group_l23",
)
ONCE = (
    "mcp",
    "group_mcp",
    "group_scad",
    "group_capped_l1",
    "group_transformed_l1",
    "group_l0",
    "hoyer_square",
    "group_hoyer_square",
    "path_norm",
)
# From the largest lam by the first to it by the second, in so many steps.
SPAN = 2, 400
N_LAMS = {"sdd": 14, "cover": 16, "mnist": 10, "digits": 3}
# A warm path: so many models, each trained for this part of the epochs, and fine-tuned
# for that part.
N_WARM, WARM_PART, TUNED_PART = 24, 0.5, 0.25
LIMITS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
SHOWN = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
WARM, TUNED, ITERATIVE = ", warm", ", fine-tuned", ", iterative"
# Validation chooses the penalty, too, among those that all seeds have.
BEST, ANY = "group_l12", "any penalty"
RIVALS = ("l1 + threshold", "magnitude pruning", "torch-pruning")


def run(settings):
    """Train the paths and the peers, and let validation choose."""
    rows = []
    for name in settings.names:
        lams = {}
        for seed in settings.seeds(name):
            split = load(name, seed, home=settings.home)
            start = time.perf_counter()
            penalties = _penalties(seed, settings)
            for penalty in penalties:
                if seed == 0:
                    lams[penalty] = _lams(split, penalty, settings)
                rows += _cold(split, penalty, lams[penalty], settings)
            middle = time.perf_counter()
            rows += _all_warm(split, {p: lams[p] for p in penalties}, settings)
            end = time.perf_counter()
            times = f"cold {middle - start:.0f} s, warm {end - middle:.0f} s"
            print(f"{name}, seed {seed}: {times}", flush=True)
    runs = pd.DataFrame(rows + peers.run(settings))
    return tables(runs)


def tables(runs):
    """The runs, what validation chooses for each method, family, and against peers."""
    family = runs["method"]
    for way in (TUNED, WARM, ITERATIVE):
        family = family.str.removesuffix(way)
    ours = runs[family.isin(PENALTIES)]
    families = pd.concat([runs.assign(method=family), ours.assign(method=ANY)])
    best = fronts(families)
    shown = by_limit(best, SHOWN, [ANY, *PENALTIES, *ONCE, *RIVALS])
    return {
        "tradeoff_runs": runs,
        "tradeoff": fronts(runs),
        "tradeoff_families": best,
        "tradeoff_margins": _margins(families),
        **{f"tradeoff_{name}": grid for name, grid in shown.items()},
    }


def fronts(runs):
    """What validation chooses within each limit of size, mean and sd over the seeds."""
    return pd.concat(
        [summary(chosen(runs, limit)).assign(limit=limit) for limit in LIMITS]
    )


def _margins(runs):
    """How much more accurate than each rival, mean and sd of the seeds' differences."""
    tables = []
    for limit in LIMITS:
        best = chosen(runs, limit).pivot(
            index=["data", "seed"], columns="method", values="test"
        )
        best = best.reindex(columns=[BEST, ANY, *RIVALS])
        for ours, rival in product((BEST, ANY), RIVALS):
            margin = (best[ours] - best[rival]).groupby("data", sort=False)
            table = margin.agg(["mean", "std", "count"]).round(4).reset_index()
            tables.append(table.assign(limit=limit, ours=ours, rival=rival))
    return pd.concat(tables)


def _penalties(seed, settings):
    if settings.quick:
        return "l1", BEST
    return PENALTIES + ONCE if seed == 0 else PENALTIES


def _lams(split, penalty, settings):
    """Values of lam; what the largest is does not depend on the number of epochs."""
    short = scheduled(TRAINING[split.name], penalty=penalty, max_iter=1, random_state=0)
    largest = path(split, short, 2, settings).lams[0]
    first, last = (largest / factor for factor in SPAN)
    return np.geomspace(first, last, N_LAMS[split.name])


def _starts(split, penalty):
    """Seeds of the networks' random starts."""
    n_starts = STARTS[split.name] if penalty in PENALTIES else 1
    return [split.seed + 100 * start for start in range(n_starts)]


def _cold(split, penalty, lams, settings):
    """Rows of the cold paths of one penalty."""
    rows = []
    for seed in _starts(split, penalty):
        network = scheduled(TRAINING[split.name], penalty=penalty, random_state=seed)
        rows += path_rows(split, network, lams, penalty, settings)
    return rows


def _all_warm(split, lams, settings):
    """Rows of the warm paths of all penalties, in processes of one thread."""
    n_lams = 3 if settings.quick else N_WARM
    one_job = replace(settings, n_jobs=1)
    jobs = [
        (split, penalty, np.geomspace(grid[0], grid[-1], n_lams), seed, tuned, one_job)
        for penalty, grid in lams.items()
        for seed in _starts(split, penalty)
        for tuned in (False, True)
    ]
    return in_processes(_warm, jobs, settings)


def _warm(split, penalty, lams, seed, tuned, settings):
    """Rows of one warm path."""
    training = TRAINING[split.name]
    network = scheduled(
        training,
        penalty=penalty,
        random_state=seed,
        max_iter=round(WARM_PART * training.epochs),
        finetune_iter=round(TUNED_PART * training.epochs) if tuned else 0,
    )
    method = penalty + WARM + (TUNED if tuned else "")
    return path_rows(split, network, lams, method, settings, warm_start=True)
