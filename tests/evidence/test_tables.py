"""Every table of the evidence runs, in its small form on the digits."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from tests.benchmarks.evidence.__main__ import TABLES, main

CSV = {
    "report": {"report_runs", "report_chosen", "report_curves", "report_digits"},
    "tradeoff": {
        "tradeoff_runs",
        "tradeoff",
        "tradeoff_families",
        "tradeoff_margins",
        "tradeoff_digits",
    },
    "goals": {"goals_runs", "goals", "goals_table"},
    "lenet": {"lenet_runs", "lenet"},
    "gains": {"gains"},
    "preprocessing": {
        "preprocessing_runs",
        "preprocessing",
        "preprocessing_digits",
    },
}


@pytest.mark.parametrize("table", TABLES)
def test_small_form(table, tmp_path, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda: pytest.fail("a window was opened"))
    main([table, "--quick", "--out", str(tmp_path), "--jobs", "1"])

    files = {path.stem: pd.read_csv(path) for path in tmp_path.glob("*.csv")}
    assert set(files) == CSV[table]
    assert all(len(frame) for frame in files.values())
    pictures = list(tmp_path.glob("*.png"))
    assert pictures
    assert all(plt.imread(path).std() > 0.02 for path in pictures)
    assert not plt.get_fignums()


def test_pictures_are_drawn_again_from_the_files(tmp_path):
    main(["goals", "--quick", "--out", str(tmp_path)])
    (before,) = tmp_path.glob("*.png")
    pixels = plt.imread(before)
    before.unlink()
    main(["goals", "--draw", "--out", str(tmp_path)])
    assert (plt.imread(before) == pixels).all()


def test_tables_are_listed():
    with pytest.raises(SystemExit):
        main(["no such table"])
