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


def test_one_row_is_not_enough_to_score_on():
    sample = Sample(np.ones((9, 1)), np.ones((9, 1)), Regression("squared_error", 1))
    with pytest.raises(ValueError, match="of 9 rows holds out 1 row, but at least 2"):
        split(sample, 0.1, np.random.RandomState(0))


def test_score_of_some_columns():
    task = Regression("squared_error", 1)
    X = np.random.RandomState(0).normal(size=(20, 3))
    sample = Sample(X, X[:, [1]], task, np.ones(20))
    network = Network((np.ones((1, 1)),), (np.zeros(1),), "identity", "identity")
    assert sample.columns(np.array([1])).score(network) == 1.0
