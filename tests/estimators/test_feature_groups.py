"""Groups of features: labels or blocks in, one integer label per feature out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skgroupnet.estimators.feature_groups import feature_labels

NAMES = ["age", "income", "job_a", "job_b"]


def partition(labels):
    """Sets of features with equal labels, and the unpenalised features."""
    groups = {tuple(np.flatnonzero(labels == label)) for label in labels if label >= 0}
    return groups, tuple(np.flatnonzero(labels < 0))


def test_without_groups_there_are_no_labels():
    assert feature_labels(None, 3, None) is None


@pytest.mark.parametrize(
    "groups",
    [
        [7, 0, 7, -1],
        ["b", "a", "b", -3],
        np.array([7, 0, 7, -1]),
        np.array([2.0, 1.0, 2.0, -1.0]),
        np.array([("x", 1), None, ("x", 1), -1], dtype=object),
        pd.Series(["b", "a", "b", -1], index=[4, 3, 2, 1]),
        pl.Series([3, 4, 3, -1]),
        [[0, 2], [1], [3]],
    ],
    ids=lambda groups: type(groups).__name__,
)
def test_labels_may_be_anything_hashable(groups):
    if isinstance(groups, np.ndarray) and groups.dtype == object:
        groups[1] = frozenset("a")
    labels = feature_labels(groups, 4, None)
    assert labels.dtype == np.int64
    if isinstance(groups, list) and groups[0] == [0, 2]:
        assert partition(labels) == ({(0, 2), (1,), (3,)}, ())
    else:
        assert partition(labels) == ({(0, 2), (1,)}, (3,))


@pytest.mark.parametrize("label", [-0.5, -np.inf])
def test_only_negative_integers_leave_a_feature_unpenalised(label):
    labels = feature_labels([label, 0, 0], 3, None)
    assert partition(labels) == ({(0,), (1, 2)}, ())


@pytest.mark.parametrize(
    "blocks",
    [
        [[2, 3]],
        [(3, 2)],
        [range(2, 4)],
        [np.array([2, 3])],
        [{2, 3}, []],
        [["job_a", "job_b"]],
        [["job_a", 3]],
        np.array([[2, 3]]),
    ],
    ids=str,
)
def test_blocks_of_columns_or_names(blocks):
    labels = feature_labels(blocks, 4, NAMES)
    assert partition(labels) == ({(0,), (1,), (2, 3)}, ())


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1], "one label for each of the 4 features.*has 2 entries"),
        ([], "has 0 entries"),
        ([0, 0, None, 1], "feature 2 has the label None"),
        ([0, 0, np.nan, 1], "feature 2 has the label nan"),
        ([{}, 1, 2, 3], "feature 0 has the label {}"),
        ([[0, 1], 2], "mixes blocks with the single entry 2"),
        ([[0, 1], [1, 2]], "must not overlap, but block 0 and block 1 both hold 1"),
        ([[0, 0]], "block 0 and block 0 both hold 0"),
        ([["age"], [0]], "block 0 and block 1 both hold 0"),
        ([[0, 4]], "between 0 and 3, but one is 4"),
        ([[-1]], "between 0 and 3, but one is -1"),
        ([["age", "height"]], "'height'.*not among the feature names"),
        ([[0.0, 1.0]], "holds 0.0 of type float"),
        ([[True, False, True, True]], "holds True of type bool"),
    ],
)
def test_groups_that_do_not_fit(groups, message):
    with pytest.raises(ValueError, match=message):
        feature_labels(groups, 4, NAMES)


def test_names_need_named_columns():
    with pytest.raises(ValueError, match="'age', but X has no feature names"):
        feature_labels([["age"]], 4, None)
