"""Which rows are trained on, and what validation chooses."""

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import FunctionTransformer

from tests.benchmarks.evidence.results import chosen, summary
from tests.benchmarks.evidence.splits import Rows, load, noisy
from tests.benchmarks.evidence.tradeoff import tables


def rows(*entries, method="a", data="sdd", seed=0):
    columns = ["validation", "test", "share"]
    frame = pd.DataFrame(entries, columns=columns, dtype=float)
    return frame.assign(data=data, method=method, seed=seed, neurons=1, features=2)


def test_validation_chooses_within_the_limit():
    table = rows((0.9, 0.1, 0.5), (0.8, 0.2, 0.2), (0.7, 0.99, 0.1))
    assert chosen(table, 1.0)["test"].tolist() == [0.1]
    assert chosen(table, 0.3)["test"].tolist() == [0.2]
    assert chosen(table, 0.1)["test"].tolist() == [0.99]
    assert not len(chosen(table, 0.05))


def test_on_a_tie_the_smaller():
    table = rows((0.9, 0.1, 0.5), (0.9, 0.2, 0.4), (0.9, 0.3, 0.45))
    assert chosen(table, 1.0)["test"].tolist() == [0.2]


def test_each_method_and_seed_for_itself():
    table = pd.concat(
        [
            rows((0.9, 0.5, 0.1)),
            rows((0.8, 0.7, 0.1), seed=1),
            rows((0.1, 1.0, 0.1), method="b"),
        ]
    )
    best = summary(chosen(table, 1.0)).set_index("method")
    assert best.loc["a", "test"] == pytest.approx(0.6)
    assert best.loc["a", "test sd"] == pytest.approx(
        np.std([0.5, 0.7], ddof=1), abs=1e-4
    )
    assert best.loc["a", "seeds"] == 2
    assert best.loc["b", "test"] == 1.0


def test_any_penalty_and_the_margin_over_a_rival():
    runs = pd.concat(
        [
            rows((0.8, 0.81, 0.05), method="group_l12"),
            rows((0.9, 0.88, 0.05), method="l1, warm, fine-tuned"),
            rows((0.7, 0.75, 0.05), method="magnitude pruning"),
            rows((0.9, 0.85, 0.05), method="magnitude pruning, iterative"),
        ]
    )
    found = tables(runs)
    families = found["tradeoff_families"].query("limit == 0.05").set_index("method")
    assert families.loc["any penalty", "test"] == 0.88
    assert families.loc["l1", "test"] == 0.88
    assert families.loc["magnitude pruning", "test"] == 0.85
    margins = found["tradeoff_margins"].query("limit == 0.05")
    margins = margins.set_index(["ours", "rival"])["mean"]
    assert margins["any penalty", "magnitude pruning"] == pytest.approx(0.03)
    assert margins["group_l12", "magnitude pruning"] == pytest.approx(-0.04)


def test_no_row_is_in_two_parts():
    split = load("digits", 0, FunctionTransformer())
    parts = [split.train, split.validation, split.test]
    seen = [set(map(bytes, part.X)) for part in parts]
    sizes = [len(part.y) for part in parts]
    assert sizes == [1047, 210, 540]
    # The digits have no two equal images, so that equal bytes are the same row.
    assert len(set.union(*seen)) == sum(sizes)
    shares = [np.bincount(part.y) / len(part.y) for part in parts]
    assert np.ptp(shares, axis=0).max() < 0.01


def test_the_seed_makes_the_split():
    first, again, other = load("digits", 0), load("digits", 0), load("digits", 1)
    np.testing.assert_array_equal(first.test.X, again.test.X)
    assert (first.test.y != other.test.y).any()


def test_mnist_keeps_its_test_set(real_data):
    data = real_data("mnist")
    split = load("mnist", 0)
    np.testing.assert_array_equal(split.test.y, data["y"][60_000:])
    assert len(split.train.y) == 50_000
    assert split.train.X.max() == 1.0


def test_one_hot_columns_of_covertype_stay(real_data):
    real_data("covtype")
    X = load("cover", 0).train.X
    assert set(np.unique(X[:, 10:])) == {0.0, 1.0}
    np.testing.assert_allclose(X[:, :10].std(axis=0), 1, rtol=1e-3)


def test_noisy_copies():
    X = np.zeros((500, 4), dtype=np.float32)
    copies = noisy(Rows(X, np.arange(500)), 0.1, 3, 0)
    assert copies.X.shape == (1500, 4)
    assert copies.X.dtype == np.float32
    assert copies.X.std() == pytest.approx(0.1, rel=0.05)
    assert (copies.X[:500] != copies.X[500:1000]).all()
    np.testing.assert_array_equal(copies.y[500:1000], np.arange(500))
