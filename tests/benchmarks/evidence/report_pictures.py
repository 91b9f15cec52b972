"""The pictures of table 1: the course of training, and accuracy against size."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FixedLocator,
    FuncFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
)

from skgroupnet.plotting.style import BLUE, FAINT, INK, PALE, VERMILION, despine
from tests.benchmarks.evidence.report_grid import DENSE, FULL, GROUPED, QUICK

ACCURACIES = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98)
# Procedure: its colour, its marker, its name in a legend.
PROCEDURES = {
    "report": (VERMILION, "v", "the report's procedure"),
    "skgroupnet": (BLUE, "o", "skgroupnet"),
}


def draw(folder):
    """Draw report_curves.png and report_tradeoff.png from the CSV files."""
    _draw_curves(pd.read_csv(folder / "report_curves.csv")).savefig(
        folder / "report_curves.png", dpi=150
    )
    _draw_tradeoff(pd.read_csv(folder / "report_runs.csv")).savefig(
        folder / "report_tradeoff.png", dpi=150
    )


def _drawn(table):
    """The data sets that are in a table."""
    return [data for data in (*FULL, *QUICK) if (table["data"] == data.label).any()]


def _draw_curves(curves):
    """Loss and test accuracy by epoch, a row of axes for each data set."""
    plan = _drawn(curves)
    figure = Figure(figsize=(7, 0.7 + 2.1 * len(plan)), layout="constrained")
    grid = figure.subplots(len(plan), 2, squeeze=False)
    for data, (losses, tests) in zip(plan, grid, strict=True):
        own = curves[curves["data"] == data.label]
        for (procedure, method), line in own.groupby(["procedure", "method"]):
            colour, _, name = PROCEDURES[procedure]
            kind = "dense" if method == DENSE else "sparse"
            style = {"color": colour, "ls": "-" if kind == "sparse" else ":", "lw": 1.6}
            losses.plot(line["epoch"], line["loss"], label=f"{name}, {kind}", **style)
            tests.plot(line["epoch"], line["test"], **style)
        losses.set_yscale("log")
        losses.set_title(data.title, loc="left", fontsize=9, color=INK)
        _finish(losses, ylabel="loss and penalty")
        _finish(tests, ylabel="test accuracy")
        for ax in (losses, tests):
            ax.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    for ax in grid[-1]:
        ax.set_xlabel("epoch", fontsize=8, color=INK)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=2, fontsize=8, frameon=False
    )
    return figure


def _draw_tradeoff(runs):
    """Test accuracy against parameters kept, of all runs with a group penalty."""
    plan = _drawn(runs)
    n_rows = (len(plan) + 1) // 2
    figure = Figure(figsize=(7, 0.8 + 2.7 * n_rows), layout="constrained")
    grid = figure.subplots(n_rows, min(2, len(plan)), squeeze=False)
    runs = runs[runs["method"].isin(GROUPED)]
    for data, ax in zip(plan, grid.flat, strict=False):
        own = runs[runs["data"] == data.label]
        for procedure, (colour, marker, name) in PROCEDURES.items():
            points = own[own["procedure"] == procedure]
            ax.scatter(
                points["share"],
                points["test"],
                s=14,
                c=colour,
                marker=marker,
                alpha=0.45,
                linewidths=0,
                label=f"{name}, same rows",
            )
        tests, kept = zip(*data.published, strict=True) if data.published else ((), ())
        ax.scatter(
            [number / data.n_parameters for number in kept],
            tests,
            s=34,
            c=INK,
            marker="x",
            linewidths=1.3,
            label="published, all rows of the data",
            zorder=3,
        )
        ax.set_title(data.title, loc="left", fontsize=9, color=INK)
        # Accuracies differ near one.
        ax.set_yscale("logit")
        ax.yaxis.set_major_locator(FixedLocator(ACCURACIES))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_locator(NullLocator())
        ax.set_xlim(0, 1.04)
        ax.xaxis.set_major_formatter(PercentFormatter(1))
        _finish(ax, ylabel="test accuracy")
    for ax in grid[-1]:
        ax.set_xlabel("parameters left", fontsize=8, color=INK)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside upper center", ncols=3, fontsize=8, frameon=False
    )
    return figure


def _finish(ax, ylabel):
    ax.set_ylabel(ylabel, fontsize=8, color=INK)
    ax.tick_params(which="both", labelsize=8, colors=FAINT)
    ax.grid(color=PALE, lw=0.4)
    ax.set_axisbelow(True)
    despine(ax, "top", "right")
