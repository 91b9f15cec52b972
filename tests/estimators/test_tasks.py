"""Targets: the loss and the codes that stand for them, and the score of a network."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics import accuracy_score, r2_score

from skgroupnet.estimators.tasks import Classification, Regression
from skgroupnet.network import Network

FLOAT = np.dtype("f4")


def linear(weights, output):
    """A network without a hidden layer and without bias."""
    weights = np.asarray(weights, dtype=float)
    return Network((weights,), (np.zeros(weights.shape[1]),), "identity", output)


@pytest.mark.parametrize(
    ("y", "loss", "codes"),
    [
        (["no", "yes", "no"], "log_loss", [[0], [1], [0]]),
        ([7.0, 3.0, 3.0], "log_loss", [[1], [0], [0]]),
        ([True, False], "log_loss", [[1], [0]]),
        ([5, -1, 2, 5], "cross_entropy", [2, 0, 1, 2]),
        ([[1, 0], [1, 1]], "log_loss", [[1, 0], [1, 1]]),
        ([[1, 0, 0], [0, 1, 1]], "log_loss", [[1, 0, 0], [0, 1, 1]]),
    ],
)
def test_classification_encodes(y, loss, codes):
    task = Classification.of(np.array(y))
    assert task.loss == loss
    target = task.encode(np.array(y), FLOAT)
    np.testing.assert_array_equal(target, codes)
    assert target.dtype.kind == ("i" if loss == "cross_entropy" else "f")
    assert task.n_outputs == (3 if loss == "cross_entropy" else target.shape[1])


def test_multilabel_targets_may_be_sparse():
    y = np.array([[1, 0], [0, 1]])
    task = Classification(np.arange(2), multilabel=True)
    np.testing.assert_array_equal(task.encode(csr_array(y), FLOAT), y)


@pytest.mark.parametrize("classes", [["b", "a"], ["a", "b", "a"]])
def test_declared_classes_are_sorted(classes):
    np.testing.assert_array_equal(Classification.declared(classes).classes, ["a", "b"])


@pytest.mark.parametrize(
    ("task", "y", "message"),
    [
        (Classification(np.array([0, 1])), [0, 2], r"classes \[2\] that are not among"),
        (Classification(np.array(["a", "b"])), [0, 1], "not among the classes"),
        (Classification(np.array([0, 1])), [[0, 1]], "one class label per row"),
        (Classification(np.arange(3), True), [[0, 1]], "3 columns, one per label"),
        (Classification(np.arange(2), True), [0, 1], "2 columns, one per label"),
        (Classification(np.arange(2), True), [[0, 2]], "only 0 and 1"),
        (Regression("squared_error", 2), [[1.0, 2.0, 3.0]], "2 columns, as when"),
        (Regression("poisson", 1), [1.0, -2.0], "y >= 0, but the smallest .* -2.0"),
    ],
)
def test_targets_that_do_not_fit(task, y, message):
    with pytest.raises(ValueError, match=message):
        task.encode(np.array(y), FLOAT)


def test_one_class_is_not_enough():
    with pytest.raises(ValueError, match=r"at least 2 classes .* 1 class: \['a'\]"):
        Classification.of(np.array(["a", "a"]))


def test_several_multiclass_targets_are_refused():
    with pytest.raises(ValueError, match="multiclass-multioutput target"):
        Classification.of(np.array([[0, 1], [2, 3], [4, 0]]))


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 6.0)])
def test_accuracy(weight):
    X = np.array([[2.0, 1, 0], [0, 2, 1], [1, 0, 3], [1, 2, 0], [0, 0, 1]])
    y = np.array([0, 1, 2, 0, 1])
    three = Classification.of(y)
    expected = accuracy_score(y, [0, 1, 2, 1, 2], sample_weight=weight)
    score = three.score(linear(np.eye(3), "softmax"), X, y, weight)
    assert score == pytest.approx(expected)

    both = (X > 0.5).astype(int)
    both[0, 2] = 1
    many = Classification(np.arange(3), multilabel=True)
    expected = accuracy_score(both, X > 0, sample_weight=weight)
    network = linear(np.eye(3), "logistic")
    assert many.score(network, X, both, weight) == pytest.approx(expected)


@pytest.mark.parametrize("weight", [None, np.arange(1.0, 5.0)])
def test_r2(weight):
    X, y = np.array([[0.0, 1], [1, 0], [2, 2], [1, 3]]), np.eye(4)[:, :2] + 1
    for loss, output, h in (
        ("squared_error", "identity", np.asarray),
        ("poisson", "exp", np.exp),
    ):
        score = Regression(loss, 2).score(linear(np.eye(2), output), X, y, weight)
        assert score == pytest.approx(r2_score(y, h(X), sample_weight=weight))


def test_predictions_that_overflow_score_worst():
    X, y = np.array([[1e3], [0.0]]), np.ones((2, 1))
    assert Regression("poisson", 1).score(linear([[1.0]], "exp"), X, y, None) == -np.inf


def test_regression_targets_get_two_dimensions():
    target = Regression("squared_error", 1).encode(np.arange(3), FLOAT)
    assert target.shape == (3, 1)
    assert target.dtype == FLOAT
