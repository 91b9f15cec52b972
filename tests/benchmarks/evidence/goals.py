"""The accuracies asked for: the best penalty, trained for as long as it helps.

Group l1/2 on d-32-32-C networks, fine-tuned, longer and on a finer grid than in the
trade-off table; SDD from several starts; SDD and MNIST on copies of the rows with
noise. Next to it logistic regression. Validation chooses within the limit of size; the
last columns are what Chen et al. 2020 report, on all rows of the data.
"""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone

from skgroupnet import GroupSparseLogisticRegression
from tests.benchmarks.evidence.paths import path_rows, scheduled
from tests.benchmarks.evidence.preprocessing import COMPOSED
from tests.benchmarks.evidence.results import chosen, percent, summary
from tests.benchmarks.evidence.splits import Training, load, noisy

TRAINING = {
    "sdd": Training(1280, 32, 1e-2),
    "cover": Training(80, 256, 1e-2),
    "mnist": Training(80, 128, 4e-3),
    "digits": Training(8, 64, 1e-2),
}
FINE_TUNING = {"sdd": 128, "cover": 20, "mnist": 20, "digits": 4}
# Standard deviation of the noise and number of copies; fewer epochs of more rows.
NOISE = {"sdd": (0.05, 8), "cover": (0.0, 1), "mnist": (0.2, 4), "digits": (0.1, 2)}
STARTS = {"sdd": 3, "cover": 1, "mnist": 1, "digits": 1}
LAMS = {
    "sdd": np.geomspace(9e-4, 4e-3, 8),
    "cover": np.geomspace(2.5e-4, 1.2e-3, 12),
    "mnist": np.geomspace(1.2e-4, 1e-3, 10),
    "digits": np.geomspace(1e-3, 1e-2, 3),
}
NAMES = {"sdd": "SDD (sample)", "cover": "COVER (sample)"}
NAMES |= {"mnist": "MNIST", "digits": "digits"}
LOGISTIC_LAMS = np.geomspace(1e-6, 1e-3, 4)
# The best of the table of preprocessing, by its validation accuracy.
ROBUST_SCALER = "robust, soft sign, standard"
ROBUST = f"group_l12, {ROBUST_SCALER}"
# Data set, method, limit of size, the accuracy asked for, what was reported and where.
GOALS = (
    ("sdd", "group_l12", 0.20, 0.95, 0.9372, 0.66),
    ("sdd", ROBUST, 0.20, 0.96, 0.9372, 0.66),
    ("sdd", "logistic regression", 1.0, 0.87, 0.6281, 1.0),
    ("cover", "group_l12", 0.55, 0.815, 0.7708, 0.84),
    ("cover", "group_l12", 0.23, 0.77, 0.6831, 0.23),
    ("cover", "logistic regression", 1.0, 0.70, 0.6671, 1.0),
    ("mnist", "group_l12", 0.30, 0.972, 0.9574, 0.63),
    ("mnist", "group_l12", 0.13, 0.960, 0.9574, 0.63),
    ("mnist", "logistic regression", 1.0, 0.92, 0.8953, 1.0),
    ("digits", "group_l12", 1.0, 0.0, np.nan, np.nan),
)


def run(settings):
    """Train, and let validation choose."""
    rows = []
    for name in settings.names:
        for seed in settings.seeds(name):
            split = load(name, seed, home=settings.home)
            rows += _networks(split, "group_l12", settings)
            rows += _logistic(split, settings)
            if name == "sdd":
                split = load(name, seed, clone(COMPOSED[ROBUST_SCALER]), settings.home)
                rows += _networks(split, ROBUST, settings)
            print(f"{name}, seed {seed}", flush=True)
    runs = pd.DataFrame(rows)
    goals = _goals(runs)
    return {"goals_runs": runs, "goals": goals, "goals_table": readable(goals)}


def readable(goals):
    """The same to read, in per cent."""
    texts = [
        percent(*pair) for pair in zip(goals["test"], goals["test sd"], strict=True)
    ]
    columns = {
        "data": goals["data"].map(NAMES),
        "method": goals["method"],
        "size at most": [f"{limit:.0%}" for limit in goals["limit"]],
        "goal": 100 * goals["goal"],
        "test accuracy": texts,
        "size": [f"{share:.1%}" for share in goals["share"]],
        "neurons": goals["neurons"].round(1),
        "features": goals["features"].round(1),
        "reported": 100 * goals["reported"],
        "at size": [f"{share:.0%}" for share in goals["reported share"]],
    }
    return pd.DataFrame(columns)


def draw(folder):
    """What was reported and what is reached, each with its size."""
    table = pd.read_csv(folder / "goals.csv").iloc[::-1]
    figure, ax = plt.subplots(figsize=(8, 4.6), dpi=110)
    lines = np.arange(len(table))
    for line, (_, goal) in zip(lines, table.iterrows(), strict=True):
        ax.plot([goal["reported"], goal["test"]], [line, line], color="#BBBBBB")
    ax.plot(table["reported"], lines, "o", color="#999999", label="report, all rows")
    ax.plot(table["goal"], lines, "|", color="k", markersize=14, label="goal")
    ax.plot(table["test"], lines, "o", color="#0072B2", label="skgroupnet")
    limits = [f"{limit:.0%}" for limit in table["limit"]]
    names = table["data"].map(NAMES) + ", " + table["method"] + ", " + limits
    ax.set_yticks(lines, names)
    ax.set_xlabel("test accuracy, mean over the seeds (SDD and COVER: samples)")
    ax.set_xlim(0.6, 1)
    ax.grid(axis="x", color="#DDDDDD", linewidth=0.6)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3)
    figure.tight_layout()
    figure.savefig(folder / "goals.png")
    plt.close(figure)


def _networks(split, method, settings):
    training = TRAINING[split.name]
    noise, n_copies = NOISE[split.name]
    rows = []
    for start in range(STARTS[split.name]):
        seed = split.seed + 100 * start
        copies = replace(split, train=noisy(split.train, noise, n_copies, seed))
        network = scheduled(
            training,
            penalty="group_l12",
            max_iter=training.epochs // n_copies,
            finetune_iter=FINE_TUNING[split.name] // n_copies,
            random_state=seed,
        )
        rows += path_rows(copies, network, LAMS[split.name], method, settings)
    return rows


def _logistic(split, settings):
    model = GroupSparseLogisticRegression(penalty="l2", max_iter=500, tol=1e-4)
    return path_rows(split, model, LOGISTIC_LAMS, "logistic regression", settings)


def _goals(runs):
    """A row for each goal whose data set was run."""
    tables = []
    for name, method, limit, goal, reported, reported_share in GOALS:
        mine = runs[(runs["data"] == name) & (runs["method"] == method)]
        table = summary(chosen(mine, limit))
        columns = {"limit": limit, "goal": goal}
        columns |= {"reported": reported, "reported share": reported_share}
        tables.append(table.assign(**columns))
    return pd.concat(tables)
