"""What the scaling of the inputs decides: accuracy and size behind each scaler.

SDD and COVER are samples of their data sets. For each scaler: the dense network, two
group penalties over a grid of lam, and logistic regression. Validation chooses among
the lam and the learning rates. To a random forest the scale of a column is all one.
"""

import warnings
from dataclasses import dataclass
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier
from tests.benchmarks.evidence.paths import path
from tests.benchmarks.evidence.results import chosen, percent, row, summary
from tests.benchmarks.evidence.splits import HIDDEN, load

PENALTIES = ("group_lasso", "group_l12")
LOGISTIC = "logistic, l2"
FOREST = "random forest"
BY_VALIDATION = "chosen by validation"
# The ten numeric columns of COVER; the others are one-hot.
NUMERIC, ONE_HOT = list(range(10)), list(range(10, 54))
# A one-hot column is rare that is 1 in at most this share of the rows.
RARE = 0.01
# In per cent; the picture starts here and names what is below.
FLOOR = 65
BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "0.55"
TITLES = {
    "sdd": "SDD, a sample of 2,200 rows",
    "cover": "COVER, a sample of 92,962 rows",
    "digits": "digits",
}


@dataclass(frozen=True)
class Plan:
    """How a data set is trained on.

    A network is trained for each penalty, lam and learning rate. ``limits`` are the
    shares of the dense network's parameters that a model may have.
    """

    scalers: dict
    lams: np.ndarray
    rates: tuple
    limits: tuple
    network: dict
    logistic_lams: tuple


def soft_sign(X):
    """Map each value x to x / (1 + |x|)."""
    return X / (1 + np.abs(X))


def signed_log(X):
    """Map each value x to sign(x) log(1 + |x|)."""
    return np.sign(X) * np.log1p(np.abs(X))


def clipped(X):
    """Cut values off at 3 and -3."""
    return np.clip(X, -3, 3)


def tripled(X):
    """Multiply by 3."""
    return 3 * X


def then(first, function, last=None):
    """A scaler, a function of each value, and another scaler or none."""
    return make_pipeline(first, FunctionTransformer(function), last or "passthrough")


def by_kind(numeric, one_hot="passthrough"):
    """One scaler for the numeric columns of COVER, another for the one-hot ones."""
    return ColumnTransformer(
        [("numeric", numeric, NUMERIC), ("one-hot", one_hot, ONE_HOT)]
    )


PLAIN = {
    "none": FunctionTransformer(),
    "min-max": MinMaxScaler(),
    "standard": StandardScaler(),
    "robust": RobustScaler(),
    "power": PowerTransformer(),
    "quantile, uniform": QuantileTransformer(random_state=0),
    "quantile, normal": QuantileTransformer(
        output_distribution="normal", random_state=0
    ),
}
COMPOSED = {
    "quantile, normal, clip 3": then(PLAIN["quantile, normal"], clipped),
    "standard, clip 3, standard": then(StandardScaler(), clipped, StandardScaler()),
    "robust, signed log, power": then(RobustScaler(), signed_log, PowerTransformer()),
    "robust, tanh, standard": then(RobustScaler(), np.tanh, StandardScaler()),
    "robust, soft sign, standard": then(RobustScaler(), soft_sign, StandardScaler()),
}
OF_COVER = {
    "none": FunctionTransformer(),
    "min-max, all": MinMaxScaler(),
    "standard, all": StandardScaler(),
    "standard, numeric only": by_kind(StandardScaler()),
    "standard, one-hot times 3": by_kind(
        StandardScaler(), FunctionTransformer(tripled)
    ),
    "robust, numeric only": by_kind(RobustScaler()),
    "power, rest standard": by_kind(PowerTransformer(), StandardScaler()),
    "quantile, rest standard": by_kind(PLAIN["quantile, normal"], StandardScaler()),
    "soft sign, rest standard": by_kind(
        COMPOSED["robust, soft sign, standard"], StandardScaler()
    ),
}
OF_DIGITS = {name: PLAIN[name] for name in ("none", "standard", "quantile, normal")}

SHARED = {
    "learning_rate": "cosine",
    "tol": 0.0,
    "finetune_iter": 100,
}
PLANS = {
    "sdd": Plan(
        PLAIN | COMPOSED,
        np.geomspace(3e-4, 1e-2, 12),
        (3e-3, 6e-3),
        (1.0, 0.2),
        SHARED | {"batch_size": 16, "max_iter": 300},
        (1e-6, 1e-5, 1e-4),
    ),
    "cover": Plan(
        OF_COVER,
        np.geomspace(5e-5, 4e-3, 9),
        (3e-3,),
        (1.0, 0.55, 0.23),
        SHARED | {"batch_size": 128, "max_iter": 30, "finetune_iter": 10},
        (1e-5, 1e-3),
    ),
    "digits": Plan(
        OF_DIGITS,
        np.geomspace(1e-2, 1e-1, 3),
        (3e-3,),
        (1.0, 0.5),
        SHARED | {"batch_size": 64, "max_iter": 10, "finetune_iter": 0},
        (1e-3,),
    ),
}


def run(settings):
    """All models, what validation chose of them, and a wide table for each data set."""
    names = [name for name in settings.names if name in PLANS]
    rows = []
    with warnings.catch_warnings():
        # That some inputs are not scaled, and some lam leave nothing, is the subject.
        warnings.simplefilter("ignore", UserWarning)
        for name in names:
            for scaler, seed in product(PLANS[name].scalers, settings.seeds(name)):
                rows += _models(name, scaler, seed, settings)
            rows += [_forest(name, seed, settings) for seed in settings.seeds(name)]
    runs = pd.DataFrame(rows)
    table = _chosen(runs)
    wide = {
        f"preprocessing_{name}": _wide(part)
        for name, part in table.groupby("data", sort=False)
    }
    tables = {"preprocessing_runs": runs, "preprocessing": table} | wide
    return tables | _kinds(runs)


def _models(name, scaler, seed, settings):
    """The rows of a scaler and a seed: dense, both penalties, logistic regression."""
    plan = PLANS[name]
    split = load(name, seed, clone(plan.scalers[scaler]), settings.home)
    grids = [("none", [1.0])] + [(penalty, plan.lams) for penalty in PENALTIES]
    rows = []
    for (penalty, lams), rate in product(grids, plan.rates):
        estimator = GroupSparseMLPClassifier(
            HIDDEN,
            penalty=penalty,
            learning_rate_init=rate,
            random_state=seed,
            **plan.network,
        )
        method = "dense" if penalty == "none" else penalty
        models = path(split, estimator, lams, settings).estimators
        rows += [
            row(split, method, f"rate={rate:g}", model)
            | {"scaler": scaler, "lam": model.lam}
            | _kinds_kept(split, model)
            for model in models
        ]
    linear = GroupSparseLogisticRegression(penalty="l2", max_iter=100, tol=1e-4)
    rows += [
        row(split, LOGISTIC, "fista", model) | {"scaler": scaler, "lam": model.lam}
        for model in path(split, linear, plan.logistic_lams, settings).estimators
    ]
    best = max(rows, key=lambda one: one["validation"])
    told = f"{best['method']}, lam {best['lam']:.3g}: test {best['test']:.4f}"
    print(f"{name}, {scaler}, seed {seed}: {told}", flush=True)
    return rows


def _kinds_kept(split, model):
    """How many columns of each kind are left, where there are one-hot columns."""
    if split.name != "cover":
        return {}
    kept = model.get_support()
    X = split.train.X[:, ONE_HOT]
    # A scaler leaves a one-hot column with two values, the more frequent one lower.
    rare = (X > X.mean(axis=0)).mean(axis=0) <= RARE
    return {
        "numeric": kept[NUMERIC].sum(),
        "rare one-hot": kept[ONE_HOT][rare].sum(),
        "other one-hot": kept[ONE_HOT][~rare].sum(),
    }


def _kinds(runs):
    """How many columns of each kind group_l12 keeps, at the lam in mid-grid."""
    if "numeric" not in runs:
        return {}
    lam = np.median(PLANS["cover"].lams)
    rows = runs[(runs["method"] == "group_l12") & runs["numeric"].notna()]
    rows = rows[np.isclose(rows["lam"], lam)]
    columns = ["numeric", "other one-hot", "rare one-hot", "share", "test"]
    means = rows.groupby("scaler", sort=False)[columns].mean()
    return {"preprocessing_kinds": means.round(3).reset_index()}


def _forest(name, seed, settings):
    """A random forest; it has no size that compares with that of a network."""
    split = load(name, seed, FunctionTransformer(), settings.home)
    forest = RandomForestClassifier(random_state=seed, n_jobs=settings.n_jobs)
    forest.fit(*split.train)
    return {
        "data": name,
        "seed": seed,
        "method": FOREST,
        "setting": "100 trees",
        "validation": forest.score(*split.validation),
        "test": forest.score(*split.test),
        "scaler": "none",
    }


def _chosen(runs):
    """What validation chooses behind each scaler, and among all, by limit of size."""
    everywhere = runs.assign(scaler=BY_VALIDATION)
    parts = []
    for (name, scaler), rows in pd.concat([runs, everywhere]).groupby(
        ["data", "scaler"], sort=False
    ):
        for limit in PLANS[name].limits:
            best = chosen(rows, limit)
            if len(best):
                parts.append(
                    summary(best, ("validation", "test", "share", "features")).assign(
                        scaler=scaler, limit=limit
                    )
                )
    forest = runs[runs["method"] == FOREST].assign(share=np.nan, features=np.nan)
    parts.append(
        summary(forest, ("validation", "test", "share", "features")).assign(
            scaler="none"
        )
    )
    table = pd.concat(parts, ignore_index=True)
    first = ["data", "scaler", "method", "limit"]
    return table[first + [column for column in table if column not in first]]


def _wide(table):
    """One line for each scaler, test accuracies in per cent with their deviation.

    Blank where some seed has no model within the limit.
    """
    scalers = table["scaler"].unique()
    table = table[table["seeds"] == table["seeds"].max()]
    columns = [(LOGISTIC, 1.0), ("dense", 1.0)]
    limits = PLANS[table["data"].iloc[0]].limits[1:]
    columns += [(penalty, limit) for limit in limits for penalty in PENALTIES]
    wide = {"scaler": scalers}
    for method, limit in columns:
        part = table[(table["method"] == method) & (table["limit"] == limit)]
        cells = {
            line["scaler"]: percent(line["test"], line["test sd"])
            for line in part.to_dict("records")
        }
        name = method if limit == 1 else f"{method}, {100 * limit:.0f} %"
        wide[name] = [cells.get(scaler, "") for scaler in scalers]
    return pd.DataFrame(wide)


def draw(folder):
    """One panel for each data set: accuracy behind each scaler, dense and small."""
    table = pd.read_csv(folder / "preprocessing.csv")
    names = table["data"].unique()
    figure, axes = plt.subplots(
        len(names), 1, figsize=(7.5, 4.4 * len(names)), layout="constrained"
    )
    for ax, name in zip(np.atleast_1d(axes), names, strict=True):
        _draw_panel(ax, table[table["data"] == name], TITLES[name])
    figure.savefig(folder / "preprocessing.png", dpi=150)
    plt.close(figure)


def _draw_panel(ax, table, title):
    smallest = table["limit"].min()
    scalers = [s for s in table["scaler"].unique() if s != BY_VALIDATION]
    series = {
        "dense network": ("dense", 1.0, GREY, "s"),
        f"group l1/2, at most {100 * smallest:.0f} % of the parameters": (
            "group_l12",
            smallest,
            VERMILION,
            "o",
        ),
        "logistic regression": (LOGISTIC, 1.0, BLUE, "^"),
    }
    height = {scaler: -number for number, scaler in enumerate(scalers)}
    for label, (method, limit, colour, marker) in series.items():
        part = table[(table["method"] == method) & (table["limit"] == limit)]
        part = part[part["scaler"].isin(scalers)]
        ax.errorbar(
            100 * part["test"],
            part["scaler"].map(height),
            xerr=100 * part["test sd"],
            fmt=marker,
            color=colour,
            label=label,
        )
        below = part[100 * part["test"] < FLOOR]
        for scaler, test in zip(below["scaler"], below["test"], strict=True):
            told = f" \N{LEFTWARDS ARROW} {100 * test:.0f} %"
            ax.text(FLOOR, height[scaler], told, color=colour, va="center")
    ax.set_xlim(FLOOR, 100)
    forest = 100 * table.loc[table["method"] == FOREST, "test"].iloc[0]
    ax.axvline(forest, color="0.3", ls="--", lw=1, label="random forest")
    ax.set_yticks(list(height.values()), list(height))
    ax.set_xlabel("test accuracy, %: mean and standard deviation over the seeds")
    ax.set_title(title)
    ax.grid(axis="x", color="0.9")
    # Below the axes: on them it would cover points, wherever they are.
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2, fontsize=9)
