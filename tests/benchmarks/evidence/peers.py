"""The peers of the trade-off table: each gives rows of results for one split.

All networks start as d-32-32-C (relu) and are trained with Adam as `splits.TRAINING`
says. Each peer gets its epochs for dense training, and more to train again, as its
docstring says. Except for the forest, size is what
`skgroupnet.pruning.prune` leaves, whoever trained the network.
"""

import time
from dataclasses import replace

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier
from tests.benchmarks.evidence import splits
from tests.benchmarks.evidence.lassonet_path import lassonet
from tests.benchmarks.evidence.paths import path_rows
from tests.benchmarks.evidence.results import in_processes, row
from tests.benchmarks.evidence.splits import STARTS, TRAINING
from tests.benchmarks.evidence.torch_pruned import torch_pruning
from tests.benchmarks.evidence.weight_peers import l1_threshold, magnitude

WIDTHS = (2, 3, 4, 6, 8, 12, 16, 24, 32)
PENALTIES = ("l1", "l2", "group_lasso")
LAMS = np.geomspace(1e-5, 3e-2, 9)
MANY_ROWS = 10_000
ADAM = {"solver": "adam", "batch_size": 128, "max_iter": 20}
N_TREES = 300


def small_dense(split, settings, epochs=None):
    """Dense networks d-h-h-C from scratch, by this package without a penalty."""
    training = TRAINING[split.name]
    found = []
    for width in WIDTHS[:2] if settings.quick else WIDTHS:
        start = time.perf_counter()
        model = GroupSparseMLPClassifier(
            (width, width),
            penalty=None,
            learning_rate="cosine",
            learning_rate_init=training.rate,
            batch_size=training.batch_size,
            max_iter=epochs or training.epochs,
            random_state=split.seed,
        ).fit(*split.train)
        seconds = time.perf_counter() - start
        setting = f"h={width}"
        found.append(row(split, "dense, same size", setting, model, seconds=seconds))
    return found


def logistic(split, settings, epochs=None):
    """Logistic regression, by this package, for three penalties.

    Solved where there are few rows; else with Adam, a constant rate and 20 epochs,
    whatever `epochs` says.
    """
    found = []
    many = len(split.train.y) > MANY_ROWS
    params = ADAM if many else {"tol": 1e-4}
    for penalty in PENALTIES[:1] if settings.quick else PENALTIES:
        model = GroupSparseLogisticRegression(
            penalty=penalty, random_state=split.seed, **params
        )
        found += path_rows(
            split,
            model,
            LAMS[::4] if settings.quick else LAMS,
            "logistic regression",
            settings,
            prefix=f"{penalty}, ",
        )
    return found


def forest(split, settings, epochs=None):
    """A random forest with the settings of scikit-learn and 300 trees."""
    start = time.perf_counter()
    model = RandomForestClassifier(
        5 if settings.quick else N_TREES,
        random_state=split.seed,
        n_jobs=settings.n_jobs,
    ).fit(*split.train)
    seconds = time.perf_counter() - start
    trees = [tree.tree_ for tree in model.estimators_]
    # An inner node stores a feature and a threshold, a leaf the shares of the classes;
    # the numbers of the children are not counted.
    n_leaves = sum(tree.n_leaves for tree in trees)
    n_inner = sum(tree.node_count for tree in trees) - n_leaves
    n_parameters = 2 * n_inner + len(model.classes_) * n_leaves
    return [
        {
            "data": split.name,
            "seed": split.seed,
            "method": "random forest",
            "setting": f"{len(trees)} trees",
            "validation": model.score(*split.validation),
            "test": model.score(*split.test),
            "features": int(np.count_nonzero(model.feature_importances_)),
            "neurons": 0,
            "parameters": n_parameters,
            "share": n_parameters / split.n_parameters(),
            "seconds": seconds,
        }
    ]


PEERS = {
    "l1 + threshold": l1_threshold,
    "magnitude pruning": magnitude,
    "torch-pruning": torch_pruning,
    "LassoNet": lassonet,
    "dense, same size": small_dense,
    "logistic regression": logistic,
    "random forest": forest,
}


def run(settings, peers=PEERS):
    """Rows of the peers for all data sets and seeds, in processes of one thread."""
    jobs = [
        (peer, name, seed, start, settings)
        for name in reversed(settings.names)
        for peer in peers
        for seed in settings.seeds(name)
        for start in range(STARTS[name])
    ]
    return in_processes(_job, jobs, settings)


def _job(peer, name, seed, start, settings):
    begin = time.perf_counter()
    split = splits.load(name, seed, home=settings.home)
    # The rows of the seed, another start of the network.
    restarted = replace(split, seed=seed + 100 * start)
    rows = PEERS[peer](restarted, replace(settings, n_jobs=1))
    seconds = time.perf_counter() - begin
    print(f"{name}, seed {seed}, {peer}: {seconds:.0f} s", flush=True)
    return [{**row, "seed": seed} for row in rows]
