"""Samples: rows, columns, and the part that is held out."""

import numpy as np
import pytest

from skgroupnet.estimators.sample import Sample, split
from skgroupnet.estimators.tasks import Classification, Regression
from skgroupnet.network import Network


@pytest.fixture
def sample():
    X = np.arange(200.0).reshape(100, 2)
    y = np.repeat([0, 1, 2], [60, 30, 10])
    return Sample(X, y, Classification(np.arange(3)), np.ones(100), np.arange(100.0))


def test_split_takes_its_share_of_every_class(sample):
    rows, held_out = split(sample, 0.2, np.random.RandomState(0))
    np.testing.assert_array_equal(np.bincount(held_out.target), [12, 6, 2])
    np.testing.assert_array_equal(np.bincount(sample.target[rows]), [48, 24, 8])


def test_split_is_a_partition(sample):
    rows, held_out = split(sample, 0.25, np.random.RandomState(0))
    together = np.concatenate([rows, held_out.X[:, 0].astype(int) // 2])
    np.testing.assert_array_equal(np.sort(together), np.arange(100))
    np.testing.assert_array_equal(held_out.training_weight * 2, held_out.X[:, 0])
    assert len(held_out.weight) == 25


@pytest.mark.parametrize(
    ("target", "task"),
    [
        (np.linspace(0, 1, 100)[:, None], Regression("squared_error", 1)),
        (np.eye(100, 2), Classification(np.arange(2), multilabel=True)),
    ],
)
def test_only_single_labels_are_stratified(sample, target, task):
    rows, held_out = split(
        Sample(sample.X, target, task), 0.1, np.random.RandomState(0)
    )
    assert (len(rows), len(held_out.target)) == (90, 10)
    assert held_out.weight is None


REMEDY = "Change validation_fraction, pass .* X_val and y_val, or set early_stopping"
NUMBERS = Regression("squared_error", 1)
THREE = Classification(np.array(["a", "b", "c"]))
TWO = Classification(np.array([False, True]))


@pytest.mark.parametrize(
    ("counts", "task", "fraction", "words"),
    [
        ([9], NUMBERS, 0.1, "=0.1 of 9 rows; these are 1 and leave 8 .* 2 and 1 are"),
        ([9], NUMBERS, 0.95, "these are 9 and leave 0 to train on"),
        ([1], NUMBERS, 0.5, "these are 1 and leave 0"),
        ([20, 19, 1], THREE, 0.1, "class by class; class 'c' has 1 row, and 2 are"),
        ([20, 1], TWO, 0.1, "class by class; class True has 1 row"),
        ([7, 7, 6], THREE, 0.1, "=0.1 of 20 rows.*are 2 and leave 18 .* 3 and 3 are"),
        ([2, 2, 2], THREE, 0.6, "are 4 and leave 2 .* 3 and 3"),
    ],
)
def test_too_few_rows_to_hold_some_out(counts, task, fraction, words):
    target = np.repeat(np.arange(len(counts)), counts)
    if task is not THREE:
        target = target[:, None].astype(float)
    sample = Sample(np.ones((sum(counts), 1)), target, task)
    with pytest.raises(ValueError, match=f"{words}.*{REMEDY}"):
        split(sample, fraction, np.random.RandomState(0))


@pytest.mark.parametrize("counts", [[2, 2, 2], [9, 2, 2]])
def test_just_enough_rows_of_each_class(counts):
    target = np.repeat(np.arange(3), counts)
    sample = Sample(np.ones((sum(counts), 1)), target, THREE)
    rows, held_out = split(sample, 0.5, np.random.RandomState(0))
    assert set(target[rows]) == set(held_out.target) == {0, 1, 2}


def test_score_of_some_columns():
    task = Regression("squared_error", 1)
    X = np.random.RandomState(0).normal(size=(20, 3))
    sample = Sample(X, X[:, [1]], task, np.ones(20))
    network = Network((np.ones((1, 1)),), (np.zeros(1),), "identity", "identity")
    assert sample.columns(np.array([1])).score(network) == 1.0
