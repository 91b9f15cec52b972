"""The gallery's experiments, at the size that the documentation quotes.

Each example takes its number of repeats as an argument and prints the table::

    python -m pytest tests/benchmarks/test_group_sparsity.py -s
"""

import runpy
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

pytestmark = [pytest.mark.benchmark, pytest.mark.filterwarnings("ignore")]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(monkeypatch):
    """Run an example with arguments and without windows; return its variables."""

    def run(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        plt.switch_backend("Agg")
        print()
        try:
            return runpy.run_path(str(EXAMPLES / name))
        finally:
            plt.close("all")

    return run


def test_right_groups_beat_wrong_ones(run):
    minima = run("plot_strong_group_sparsity.py", 100)["minima"][:, :5]
    gaps = np.diff(minima, axis=1)
    error = gaps.std(axis=0, ddof=1) / np.sqrt(len(gaps))
    assert len(minima) == 100
    assert (gaps.mean(axis=0) > 2 * error).all()


def test_right_groups_beat_wrong_ones_in_a_network(run):
    chosen = run("plot_wrong_groups_network.py", 100)["chosen"]
    gaps = np.diff(chosen[:, :5], axis=1)
    assert len(chosen) == 100
    assert (gaps.mean(axis=0) > 0).all()
    assert chosen[:, 0].mean() < chosen[:, 5].mean() < chosen[:, 1].mean()


def test_nonconvex_penalties_estimate_better_than_the_group_lasso(run):
    results = run("plot_simulation_glm.py", 10)["results"]
    result = results["linear", 1.0, 7]
    lasso, *nonconvex, _ = result[:, :, 0].T
    found_by_lasso, *found, _ = (result[:, :, 1:].sum(axis=2) == 0).mean(axis=0)
    assert len(result) == 10
    for errors, share in zip(nonconvex, found, strict=True):
        gain = lasso - errors
        assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(len(gain))
        assert share > found_by_lasso
