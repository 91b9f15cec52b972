"""Groups of features: labels or blocks in, one integer label per feature out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris

from skgroupnet import GroupSparseLogisticRegression
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
        pd.Series(["b", "a", "b", -1]),
        pd.Series([-1, "b", "a", "b"], index=[3, 2, 1, 0]),
        pd.array([7, 0, 7, -1]),
        pd.Index([7, 0, 7, -1]),
        np.ma.array([7, 0, 7, -1]),
        np.array([7, 0, 7, -1], dtype=">i4"),
        pl.Series([3, 4, 3, -1]),
        {0: "b", 1: "a", 2: "b", 3: -1},
        {3: -1, 2: "b", 0: "b", 1: "a"},
        {np.int32(3): -1, 2: ("b", 1), 0: ("b", 1), 1: "a"},
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


@pytest.mark.parametrize(
    "groups",
    [
        list("abac"),
        pd.Series(list("abac"), dtype="category"),
        pd.Series(list("abac"), dtype="string"),
        pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("x", 1), ("y", 1)]),
        pd.to_datetime(["2020-01-01", "2021-01-01", "2020-01-01", "2022-01-01"]),
        pl.Series(list("abac")),
        {"job_a": 1, "job_b": -1, "age": 1, "income": 2},
        {"job_a": 1, 3: -1, "age": 1, 1: 2},
        pd.Series({"job_a": 1, "job_b": -1, "age": 1, "income": 2}),
        pd.Series([1, 2, 1, 3]),
        dict.fromkeys(NAMES[::2], "a") | {"income": "b", "job_b": "c"},
        {"first": ["age", "job_a"], "second": ["income"]}.values(),
        [pd.Index(["age", "job_a"]), pd.Index(["income"])],
        [pd.Series([0, 2]), pd.Series([1])],
        [pl.Series(["age", "job_a"])],
        [{"age": 1, "job_a": 1}.keys()],
        {("age", "job_a"), ("income",)},
        pd.Series([("x", 1), ("x", 2), ("x", 1), ("y", 1)]),
    ],
    ids=lambda groups: f"{type(groups).__module__}.{type(groups).__name__}",
)
def test_forms_of_groups(groups):
    labels = feature_labels(groups, 4, NAMES)
    assert labels[0] == labels[2] >= 0
    assert len(set(labels.tolist())) == 3


def test_labels_by_name_are_those_of_the_columns():
    by_name = {"job_b": 5, "income": -1, "age": 5, "job_a": 6}
    for groups in (by_name, pd.Series(by_name)):
        np.testing.assert_array_equal(feature_labels(groups, 4, NAMES), [0, -1, 1, 0])


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
        (pd.array([1, 1, 2, pd.NA]), "feature 3 has the label"),
        (pd.Series([1, 1, 2, pd.NA], dtype=object), "feature 3 has the label <NA>"),
        (pd.to_datetime(["2020-01-01", None] * 2), "feature 1 has the label"),
        (pl.Series([1, None, 2, 2]), "feature 1 has the label nan"),
        (np.ma.array([1, 1, 2, 3], mask=[0, 0, 1, 0]), "feature 2 has the label None"),
        ({1, 2, 3, 4}, "in the order of the features, but is {1, 2, 3, 4}"),
        (np.array(3), "one label per feature .* but is a ndarray of shape ()"),
        (pd.DataFrame(np.eye(4)), r"is a DataFrame of shape \(4, 4\)"),
        (pl.DataFrame({"a": [0, 1]}), r"is a DataFrame of shape \(2, 1\)"),
        ({0: 1, 1: 1, 2: 1}, "each of the 4 features of X, but gives none for job_b"),
        ({"age": 1, "height": 1}, "'height'.*not among the feature names"),
        ({"age": 1, 0: 2, 1: 1, 2: 1}, "age is there twice, the second time as 0"),
        ({"u": ["age"], "v": ["income"]}, r"leads from 'u' to \['age'\]"),
        ({0: 1, 1: 1, 2: 1, 4: 1}, "between 0 and 3, but one is 4"),
        ({0: 1, 1: 1, 2: None, 3: 1}, "feature 2 has the label None"),
        ({0.0: 1, 1: 1, 2: 1, 3: 1}, "holds 0.0 of type float"),
        (pd.Series([1, 1, 2, 2], index=[1, 2, 3, 4]), "between 0 and 3, but one is 4"),
        (pd.Series([1, 2, 1, 1], index=list("abcd")), "'a'.*not among the feature"),
        (pd.Series([1] * 5, index=[0, 1, 2, 3, 3]), "job_b is there twice"),
        ([pd.Index(["age"]), "income"], "mixes blocks with the single entry 'income'"),
    ],
)
def test_groups_that_do_not_fit(groups, message):
    with pytest.raises(ValueError, match=message):
        feature_labels(groups, 4, NAMES)


def test_names_need_named_columns():
    with pytest.raises(ValueError, match="'age', but X has no feature names"):
        feature_labels([["age"]], 4, None)
    with pytest.raises(ValueError, match="'age', but X has no feature names"):
        feature_labels(pd.Series(1, index=NAMES), 4, None)


def test_a_name_of_two_columns_is_no_name():
    with pytest.raises(ValueError, match="'age', but 2 columns of X have this name"):
        feature_labels([["age"]], 3, ["age", "job", "age"])


@pytest.mark.parametrize(
    "groups",
    [
        {"a": "u", "b": "v", "c": "u", "d": "v"},
        pd.Series({"a": "u", "c": "u", "b": "v", "d": "v"}),
        [pd.Index(["a", "c"]), pd.Index(["b", "d"])],
    ],
)
def test_groups_by_name_give_the_model_of_their_labels(groups):
    X, y = load_iris(return_X_y=True, as_frame=True)
    X = ((X - X.mean()) / X.std()).set_axis(list("abcd"), axis=1)
    model = GroupSparseLogisticRegression(lam=0.1)
    expected = clone(model).set_params(groups=["u", "v", "u", "v"]).fit(X, y).coef_
    ungrouped = clone(model).fit(X, y).coef_
    coef = clone(model).set_params(groups=groups).fit(X, y).coef_
    np.testing.assert_array_equal(coef, expected)
    assert np.abs(coef - ungrouped).max() > 0.1


@pytest.mark.parametrize("groups", ["uvuv", 3, (label for label in "uvuv")])
def test_what_is_no_collection_is_refused(groups):
    model = GroupSparseLogisticRegression(groups=groups)
    with pytest.raises(ValueError, match="The 'groups' parameter"):
        model.fit(*load_iris(return_X_y=True))
