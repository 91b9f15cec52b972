"""Pictures of the trade-off: fronts next to peers, and all penalties."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator, PercentFormatter

from tests.benchmarks.evidence.results import chosen

TITLES = {
    "sdd": "SDD (a sample), 48-32-32-11",
    "cover": "COVER (a sample), 54-32-32-7",
    "mnist": "MNIST, 784-32-32-10",
    "digits": "digits, 64-32-32-10",
}
# Line and marker of each method; ours are solid.
LOOKS = {
    "any penalty": {"color": "#0072B2", "marker": "o", "linewidth": 3},
    "group_l12": {"color": "#56B4E9", "marker": "v"},
    "l12": {"color": "#009E73", "marker": "^"},
    "magnitude pruning": {"color": "#D55E00", "marker": "s", "linestyle": "--"},
    "torch-pruning": {"color": "#CC79A7", "marker": "D", "linestyle": "--"},
    "l1 + threshold": {"color": "#E69F00", "marker": "x", "linestyle": "--"},
    "LassoNet": {"color": "#777777", "marker": "*", "linestyle": ":"},
    "dense, same size": {"color": "#000000", "marker": ".", "linestyle": ":"},
}
LABELS = {"any penalty": "skgroupnet, any penalty"}
# At any size: the forest is far larger than all networks.
LEVELS = {"logistic regression": "-.", "random forest": (0, (1, 1))}
TICKS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6)
# What is worth telling apart lies above this accuracy.
FLOORS = {"sdd": 0.78, "cover": 0.66, "mnist": 0.88, "digits": 0.0}


def draw(folder):
    """Read the CSV files of a folder and draw next to them."""
    table = pd.read_csv(folder / "tradeoff_families.csv")
    # A mean of some of a method's seeds does not compare with that of all.
    all_seeds = table.groupby(["data", "method"])["seeds"].transform("max")
    table = table[table["seeds"] == all_seeds]
    levels = chosen(pd.read_csv(folder / "tradeoff_runs.csv"), np.inf)
    levels = levels.groupby(["data", "method"])["test"].mean()
    names = [name for name in TITLES if (table["data"] == name).any()]
    _fronts(table, names, levels, folder / "tradeoff.png")
    _penalties(table, names, folder / "tradeoff_penalties.png")


def _fronts(table, names, levels, path):
    figure, axes = plt.subplots(
        1, len(names), figsize=(4.2 * len(names), 5.4), squeeze=False, dpi=110
    )
    for name, ax in zip(names, axes[0], strict=True):
        panel = table[table["data"] == name]
        for method, look in LOOKS.items():
            front = panel[panel["method"] == method]
            ax.plot(
                front["limit"],
                front["test"],
                label=LABELS.get(method, method),
                **{"markersize": 5, "linewidth": 1.5} | look,
            )
        for method, style in LEVELS.items():
            level = levels[name, method]
            ax.axhline(level, color="#777777", linestyle=style, lw=1, label=method)
        # Room above the highest line.
        ax.margins(y=0.08)
        ax.set(xscale="log", title=TITLES[name], ylim=(FLOORS[name], None))
        ax.set_xlabel("size limit, share of the dense parameters")
        ax.xaxis.set_major_locator(FixedLocator(TICKS))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.grid(color="#DDDDDD", linewidth=0.6)
    axes[0, 0].set_ylabel("test accuracy, mean over the seeds")
    handles, labels = axes[0, -1].get_legend_handles_labels()
    figure.legend(handles, labels, ncols=5, loc="lower center", frameon=False)
    figure.tight_layout(rect=(0, 0.11, 1, 1))
    figure.savefig(path)
    plt.close(figure)


def _penalties(table, names, path):
    """Accuracy of each method at some limits, as a table with colours; best first."""
    figure, axes = plt.subplots(
        1, len(names), figsize=(4 * len(names), 8), squeeze=False, dpi=110, sharey=True
    )
    wide = table.pivot(index="method", columns=["data", "limit"], values="test")
    order = wide.fillna(0).mean(axis=1).sort_values(ascending=False).index
    methods = [method for method in order if method not in LEVELS]
    for name, ax in zip(names, axes[0], strict=True):
        panel = table[table["data"] == name]
        grid = panel.pivot_table(index="method", columns="limit", values="test")
        grid = grid.reindex(index=methods, columns=TICKS)
        best = np.nanmax(grid.to_numpy(), initial=0)
        # Ten points below the best and less are one colour.
        ax.imshow(grid, vmin=best - 0.1, vmax=best, cmap="cividis", aspect="auto")
        for (i, j), value in np.ndenumerate(grid.to_numpy()):
            text = "" if np.isnan(value) else f"{100 * value:.1f}"
            dark = value < best - 0.05
            ax.text(
                j, i, text, ha="center", va="center", color="w" if dark else "k", size=8
            )
        ax.set_xticks(range(len(TICKS)), [f"{100 * t:.0f} %" for t in TICKS])
        ax.set_yticks(range(len(methods)), methods)
        ax.set_title(TITLES[name], size=10)
        ax.set_xlabel("size limit")
    figure.suptitle("Test accuracy in %, mean over the seeds")
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
