"""Table 1: what is chosen among its runs, and what is set beside it."""

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.evidence import report
from tests.benchmarks.evidence.report_grid import DENSE, EITHER, FULL, Grid

SDD = FULL[0]


@pytest.fixture
def runs():
    """Sparse runs of one seed: the best on each set of rows, a small one; and dense."""
    columns = ["method", "validation", "test", "share", "counted_share"]
    table = pd.DataFrame(
        [
            ("group lasso", 0.9, 0.7, 0.9, 0.9),
            ("group lasso", 0.8, 0.8, 0.6, 0.7),
            ("sparse group lasso", 0.7, 0.6, 0.2, 0.3),
            (DENSE, 0.95, 0.9, 1.0, 1.0),
            (DENSE, 0.5, 0.5, 0.1, 0.1),
        ],
        columns=columns,
    )
    same = {"data": SDD.label, "seed": 0, "procedure": report.THEIRS}
    sizes = {"parameters": 1, "neurons": 1, "features": 1}
    return table.assign(**same, **sizes)


def test_the_size_of_the_report_counts_what_is_of_no_use(runs):
    limit = SDD.picked / SDD.n_parameters
    table = report._chosen(SDD, runs).set_index(["method", "chosen by", "limit"])
    assert table.loc[(EITHER, "validation", 1.0), "test"] == 0.7
    assert table.loc[(EITHER, "test", 1.0), "test"] == 0.8
    assert table.loc[(EITHER, "validation", limit), "test"] == 0.8
    # 0.7 of the parameters as the report counts them.
    assert table.loc[(EITHER, "test", limit), "test"] == 0.6
    assert (DENSE, "validation", limit) not in table.index


def test_published_figures():
    assert report._published(SDD, EITHER, 1.0) == (0.9372, 1970 / 2987)
    assert report._published(SDD, EITHER, SDD.limits[1]) == (0.9372, 1970 / 2987)
    assert report._published(SDD, EITHER, 0.6) == (0.8837, 1733 / 2987)
    assert report._published(SDD, EITHER, 0.2) == (None, None)
    assert report._published(SDD, "l1", 1.0) == (None, None)
    assert report._published(SDD, DENSE, 1.0) == (0.92725, None)


def test_the_grid_is_that_of_the_report():
    """80 dense runs, 72 with groups, of four optimizers; l1 besides."""
    runs = Grid().networks()
    assert len(runs) == len(set(runs)) == (80 + 72 + 36) / 4
    assert len(Grid().logistic()) == len(set(Grid().logistic())) == 33
    rates = np.array([run.rate for run in runs])
    assert (np.diff(rates) >= 0).all()
