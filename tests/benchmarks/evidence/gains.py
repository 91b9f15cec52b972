"""What a compact network saves: file size, time and memory of prediction.

One seed for each case; SDD and COVER are samples of their data sets. The compact
network is the smallest of a path whose validation accuracy is within half a point of
the best. It stands next to the dense network of this package, scikit-learn's
MLPClassifier of the dense shape, trained for as many epochs, and a random forest. One
thread, and the contenders take turns.
"""

import io
import pickle
import tracemalloc
import warnings
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier

from skgroupnet import GroupSparseMLPClassifier
from tests.benchmarks.evidence.paths import path
from tests.benchmarks.evidence.splits import HIDDEN, load
from tests.benchmarks.timing import measure, medians, one_thread

N_ROWS = 10_000
# Predictions of one row that are timed together: what ran before, a forest above all,
# has emptied the caches, and only the first one should pay for it.
N_CALLS = 20
# How much validation accuracy the compact network may lack.
TOLERANCE = 0.005
COMPACT, DENSE = "compact", "dense"
SKLEARN, FOREST = "MLPClassifier", "random forest"
MEASURES = {
    "file_kB": "file, pickled",
    "predict_1_us": "time of one row",
    "predict_10000_ms": "time of 10,000 rows",
    "model_kB": "arrays in memory",
    "peak_MB": "peak memory, 10,000 rows",
}
DIGITS = {"test": 4, "predict_10000_ms": 2, "peak_MB": 2}
DIGITS |= dict.fromkeys(("file_kB", "npz_kB", "predict_1_us", "model_kB"), 1)
SAMPLES = {"sdd": "SDD (sample)", "cover": "COVER (sample)", "mnist": "MNIST"}
# Colour, marker and height; three heights, so that equal points stay apart.
LOOKS = {
    DENSE: ("#0072B2", "s", -0.15),
    SKLEARN: ("#D55E00", "^", 0.0),
    FOREST: ("#009E73", "D", 0.15),
}


@dataclass(frozen=True)
class Case:
    """A data set, the hidden layers of a network, and how it is trained."""

    name: str
    hidden: tuple
    batch_size: int
    max_iter: int
    lams: np.ndarray


CASES = (
    Case("sdd", HIDDEN, 16, 300, np.geomspace(3e-4, 1e-2, 12)),
    Case("cover", HIDDEN, 128, 40, np.geomspace(5e-5, 4e-3, 8)),
    Case("mnist", HIDDEN, 128, 20, np.geomspace(5e-5, 3e-3, 8)),
    Case("mnist", (300, 100), 128, 15, np.geomspace(2e-5, 1e-3, 6)),
    Case("digits", HIDDEN, 64, 10, np.geomspace(1e-2, 1e-1, 3)),
)


@dataclass(frozen=True)
class Contender:
    """A fitted model, and the arrays that it predicts with."""

    model: Any
    arrays: list
    parameters: float = np.nan
    features: float = np.nan
    neurons: float = np.nan


def run(settings):
    """One row for each case and contender."""
    rows = []
    for case in CASES:
        if case.name not in settings.names:
            continue
        split = load(case.name, 0, home=settings.home)
        contenders = _train(case, split, settings)
        repeats = (1, 1) if settings.quick else (31, 15)
        with one_thread():
            measured = _measure(contenders, split.test.X, *repeats)
        widths = [split.train.X.shape[1], *case.hidden, len(np.unique(split.train.y))]
        for method, contender in contenders.items():
            rows.append(
                {
                    "data": case.name,
                    "network": "-".join(map(str, widths)),
                    "method": method,
                    "test": contender.model.score(*split.test),
                    "parameters": contender.parameters,
                    "features": contender.features,
                    "neurons": contender.neurons,
                    **measured[method],
                }
            )
            print(rows[-1], flush=True)
    return {"gains": pd.DataFrame(rows).round(DIGITS)}


def _train(case, split, settings):
    """The four contenders, fitted to the rows to train on."""
    network = {
        "learning_rate_init": 3e-3,
        "batch_size": case.batch_size,
        "max_iter": case.max_iter,
        "random_state": 0,
    }
    estimator = GroupSparseMLPClassifier(
        case.hidden, learning_rate="cosine", tol=0.0, **network
    )
    peer = MLPClassifier(
        case.hidden, tol=0.0, n_iter_no_change=case.max_iter, **network
    )
    forest = RandomForestClassifier(n_jobs=settings.n_jobs, random_state=0)
    with warnings.catch_warnings():
        # That the epochs have run out, and that the largest lam leaves nothing.
        warnings.simplefilter("ignore", UserWarning)
        (dense,) = path(
            split, estimator.set_params(penalty="none"), [1.0], settings
        ).estimators
        estimator.set_params(penalty="group_l12", finetune_iter=case.max_iter // 4)
        sparse = path(split, estimator, case.lams, settings)
        peer.fit(*split.train)
        forest.fit(*split.train)
    forest.set_params(n_jobs=1)
    trees = [tree.tree_.__getstate__() for tree in forest.estimators_]
    weights = peer.coefs_ + peer.intercepts_
    return {
        COMPACT: _ours(_smallest(sparse, split)),
        DENSE: _ours(dense),
        SKLEARN: Contender(
            peer,
            weights,
            sum(array.size for array in weights),
            split.train.X.shape[1],
            sum(case.hidden),
        ),
        FOREST: Contender(
            forest, [t[key] for t in trees for key in ("nodes", "values")]
        ),
    }


def _smallest(sparse, split):
    """The smallest model of a path that lacks no more than the tolerance."""
    scores = np.array([model.score(*split.validation) for model in sparse.estimators])
    within = scores >= scores.max() - TOLERANCE
    return sparse.estimators[
        np.where(within, sparse.n_active_parameters, np.inf).argmin()
    ]


def _ours(model):
    return Contender(
        model,
        [*model.coefs_, *model.intercepts_, model.get_support(indices=True)],
        model.n_active_parameters_,
        model.n_active_features_,
        model.n_active_neurons_,
    )


def _measure(contenders, X, n_one, n_many):
    """What each contender costs, by the names of ``MEASURES``.

    The times are medians: of ``n_one`` means of 20 predictions of one row, and of
    ``n_many`` predictions of 10,000 rows.
    """
    many = np.resize(X, (N_ROWS, X.shape[1]))
    ones = _times(contenders, [many[:1]] * N_CALLS, n_one)
    all_at_once = _times(contenders, [many], n_many)
    return {
        name: {
            "file_kB": len(pickle.dumps(contender.model)) / 1e3,
            "npz_kB": _npz_bytes(contender.arrays) / 1e3,
            "predict_1_us": 1e6 * ones[name].wall / N_CALLS,
            "predict_10000_ms": 1e3 * all_at_once[name].wall,
            "model_kB": sum(array.nbytes for array in contender.arrays) / 1e3,
            "peak_MB": _peak_bytes(contender.model, many) / 1e6,
        }
        for name, contender in contenders.items()
    }


def _times(contenders, parts, repeats):
    """Median time of the predictions of all parts, one after the other."""

    def predict(model):
        for rows in parts:
            model.predict(rows)

    calls = {
        name: partial(measure, partial(predict, contender.model))
        for name, contender in contenders.items()
    }
    return medians(calls, repeats)


def _npz_bytes(arrays):
    """Size of the arrays alone in a file of `numpy.savez`."""
    file = io.BytesIO()
    np.savez(file, *arrays)
    return len(file.getvalue())


def _peak_bytes(model, X):
    """What a prediction allocates at most, X itself not counted."""
    tracemalloc.start()
    try:
        model.predict(X)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def draw(folder):
    """One panel for each measure: how many times what the compact network takes."""
    table = pd.read_csv(folder / "gains.csv")
    cases = list(dict.fromkeys(zip(table["data"], table["network"], strict=True)))
    labels = [f"{SAMPLES.get(data, data)}\n{network}" for data, network in cases]
    figure, axes = plt.subplots(
        2, 3, figsize=(9, 5.6), layout="constrained", sharex=True, sharey=True
    )
    *panels, key = axes.flat
    costs = table.set_index(["data", "network", "method"])
    for ax, (column, title) in zip(panels, MEASURES.items(), strict=True):
        for method, (colour, marker, height) in LOOKS.items():
            ratios = [
                costs.loc[(*case, method), column] / costs.loc[(*case, COMPACT), column]
                for case in cases
            ]
            heights = height + np.arange(len(cases))
            ax.plot(ratios, heights, marker, color=colour, label=method)
        ax.axvline(1, color="0.3", lw=1)
        ax.set_xscale("log")
        ax.xaxis.set_major_formatter("{x:g}")
        ax.tick_params(axis="x", labelbottom=True)
        ax.set_title(title, fontsize=10)
        ax.grid(axis="x", color="0.9")
        ax.set_axisbelow(True)
    panels[0].set_yticks(range(len(cases)), labels)
    panels[0].set_ylim(len(cases) - 0.5, -0.5)
    key.axis("off")
    handles, names = panels[0].get_legend_handles_labels()
    key.legend(handles, names, loc="center", title="times the compact network's")
    figure.savefig(folder / "gains.png", dpi=150)
    plt.close(figure)
