"""Table 2: accuracy against size, for every family of penalties and for peers.

Networks d-32-32-C, trained as `splits.TRAINING` says, peers and all. A path of each
penalty, down from the largest `lam` (the one that empties the network in some epochs);
SDD, where a run takes seconds, from two starts. Each path without fine-tuning, and
again with it. Validation chooses within a limit of size.
"""

import time
from itertools import product

import numpy as np
import pandas as pd

from tests.benchmarks.evidence import peers
from tests.benchmarks.evidence.paths import path, path_rows, scheduled
from tests.benchmarks.evidence.results import by_limit, chosen, summary
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
LIMITS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6)
SHOWN = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
TUNED, ITERATIVE = ", fine-tuned", ", iterative"
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
            for penalty in _penalties(seed, settings):
                if seed == 0:
                    lams[penalty] = _lams(split, penalty, settings)
                rows += _paths(split, penalty, lams[penalty], settings)
            seconds = time.perf_counter() - start
            print(f"{name}, seed {seed}: {seconds:.0f} s", flush=True)
    runs = pd.DataFrame(rows + peers.run(settings))
    return tables(runs)


def tables(runs):
    """The runs, what validation chooses for each method, family, and against peers."""
    # The same with and without fine-tuning, in one go or in rounds.
    family = runs["method"].str.removesuffix(TUNED).str.removesuffix(ITERATIVE)
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


def _paths(split, penalty, lams, settings):
    """Rows of the paths of one penalty, without and with fine-tuning."""
    training = TRAINING[split.name]
    n_starts = STARTS[split.name] if penalty in PENALTIES else 1
    rows = []
    for start in range(n_starts):
        seed = split.seed + 100 * start
        network = scheduled(training, penalty=penalty, random_state=seed)
        rows += path_rows(split, network, lams, penalty, settings)
        # As many epochs again, as the peers have.
        network.set_params(finetune_iter=training.epochs)
        rows += path_rows(split, network, lams, penalty + TUNED, settings)
    return rows
