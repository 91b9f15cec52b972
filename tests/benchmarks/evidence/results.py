"""Rows of results, and what validation chooses among them."""

from dataclasses import dataclass

import pandas as pd

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


def write(table, path):
    """A table as CSV, with as few digits as tell models apart."""
    pd.DataFrame(table).to_csv(path, index=False, float_format="%.6g")
