"""Picture of MNIST 784-300-100-10: test accuracy against multiply-adds."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

# Multiply-adds of the dense compact network and test accuracy; the best one ever seen
# in training, as most of these papers report. Marked: from the literature as recalled.
# Last, where the label stands, in points.
PUBLISHED = {
    "Sparse VD 2017 *": (67_300, 0.982, (-40, 6)),
    "BC-GNJ 2017 *": (28_600, 0.982, (6, -3)),
    "L0 2018": (26_600, 0.982, (0, -12)),
    "Bayes l1-trim 2019 *": (20_500, 0.983, (5, 4)),
    "DeepHoyer 2020 *": (16_500, 0.982, (-24, -12)),
    "its reproduction": (13_900, 0.978, (5, -3)),
    "group lasso, same": (25_500, 0.978, (5, -3)),
    "VIBNet 2018": (9_600, 0.984, (-30, 6)),
}
TICKS = (2_000, 5_000, 10_000, 20_000, 50_000)
COLORS = ("#56B4E9", "#0072B2", "#009E73")


def draw(folder):
    """Read the CSV files of a folder and draw next to them."""
    runs = pd.read_csv(folder / "lenet_runs.csv")
    figure, ax = plt.subplots(figsize=(8, 5.4), dpi=110)
    for color, (method, rows) in zip(COLORS, runs.groupby("method"), strict=False):
        means = rows.groupby("lam")[["multiply-adds", "test"]].agg(["mean", "count"])
        means = means[means["test", "count"] == rows["seed"].nunique()]
        means = means.xs("mean", axis=1, level=1).sort_values("multiply-adds")
        ax.plot(means["multiply-adds"], means["test"], "o-", color=color, label=method)
        ax.plot(rows["multiply-adds"], rows["test"], ".", color=color, alpha=0.5)
    for name, (macs, accuracy, offset) in PUBLISHED.items():
        ax.plot(macs, accuracy, "x", color="#D55E00")
        ax.annotate(name, (macs, accuracy), offset, textcoords="offset points", size=8)
    ax.set(xscale="log", xlabel="multiply-adds of the dense compact network")
    ax.xaxis.set_major_locator(FixedLocator(TICKS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_ylabel("test accuracy (published: the best one seen in training)")
    ax.set_title("MNIST 784-300-100-10; lines: means over the seeds for each lam")
    ax.grid(color="#DDDDDD", linewidth=0.6)
    ax.legend(frameon=False, loc="lower right")
    figure.tight_layout()
    figure.savefig(folder / "lenet.png")
    plt.close(figure)
