"""Rows of results, and what validation chooses among them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, parallel_config

from tests.benchmarks.evidence.splits import SEEDS

ALL = ("sdd", "cover", "mnist")


@dataclass(frozen=True)
class Settings:
    """What to run.

    Parameters
    ----------
    quick : bool
        Whether to run a small form on the digits of scikit-learn.
    home : str or None
        The ``data_home`` of the fetchers.
    n_jobs : int
        Threads.
    """

    quick: bool = False
    home: str | None = None
    n_jobs: int = 2

    @property
    def names(self):
        """The data sets."""
        return ("digits",) if self.quick else ALL

    def seeds(self, name):
        """The seeds of a data set."""
        return SEEDS[name]


def row(split, method, setting, model, **more):
    """One trained model as a row of results; ``model`` is one of this package."""
    return {
        "data": split.name,
        "seed": split.seed,
        "method": method,
        "setting": setting,
        "validation": model.score(*split.validation),
        "test": model.score(*split.test),
        "features": model.n_active_features_,
        "neurons": model.n_active_neurons_,
        "parameters": model.n_active_parameters_,
        "share": model.n_active_parameters_ / split.n_parameters(),
        **more,
    }


def in_processes(function, jobs, settings):
    """The rows of all jobs, each a call of ``function``, in processes of one thread."""
    with parallel_config("loky", inner_max_num_threads=1):
        found = Parallel(1 if settings.quick else settings.n_jobs)(
            delayed(function)(*job) for job in jobs
        )
    return [row for rows in found for row in rows]


def chosen(rows, limit, size="share"):
    """The row of each data set, method and seed that validation chooses.

    Among those whose ``size`` is at most ``limit``; on a tie, the smaller.
    """
    small = rows[rows[size] <= limit]
    order = small.sort_values(["validation", size], ascending=[False, True])
    return order.groupby(["data", "method", "seed"], sort=False).head(1)


def summary(rows, columns=("test", "share", "neurons", "features")):
    """Mean and standard deviation over the seeds, by data set and method."""
    groups = rows.groupby(["data", "method"], sort=False)[list(columns)]
    table = groups.agg(["mean", "std"]).round(4)
    table.columns = [
        name if kind == "mean" else f"{name} sd" for name, kind in table.columns
    ]
    return table.join(groups.size().rename("seeds")).reset_index()


def percent(mean, sd):
    """Accuracy in per cent as text, "96.1 ± 0.3"; nothing where it is unknown."""
    if np.isnan(mean):
        return ""
    return f"{100 * mean:.1f}" + ("" if np.isnan(sd) else f" ± {100 * sd:.1f}")


def by_limit(table, limits, methods):
    """For each data set a table to read: methods down, limits of size across.

    ``methods``: the order of the first of them. Blank where some seed of a method has
    no model within the limit.
    """
    most = table.groupby(["data", "method"])["seeds"].transform("max")
    table = table[table["limit"].isin(limits) & (table["seeds"] == most)]
    texts = [
        percent(*pair) for pair in zip(table["test"], table["test sd"], strict=True)
    ]
    names = [f"{limit:.0%}" for limit in table["limit"]]
    table = table.assign(text=texts, size=names)
    answer = {}
    for name, rows in table.groupby("data", sort=False):
        grid = rows.pivot(index="method", columns="size", values="text")
        others = sorted(set(rows["method"]) - set(methods))
        order = [method for method in methods if method in grid.index] + others
        grid = grid.reindex(index=order, columns=[f"{limit:.0%}" for limit in limits])
        answer[name] = grid.fillna("").reset_index()
    return answer


def write(table, path):
    """A table as CSV, with as few digits as tell models apart."""
    pd.DataFrame(table).to_csv(path, index=False, float_format="%.6g")
