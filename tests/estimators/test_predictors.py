"""Answers of fitted estimators: classes, probabilities, numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csc_matrix, csr_array, csr_matrix
from sklearn.metrics import accuracy_score, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor


@pytest.fixture
def classifier(epochs):
    return GroupSparseMLPClassifier((12,), random_state=0, **epochs(30))


@pytest.fixture
def regressor(epochs):
    return GroupSparseMLPRegressor((12,), random_state=0, **epochs(30))


def as_mlp(estimator, ours):
    """scikit-learn's estimator with our weights."""
    X, y = np.zeros((2, ours.n_features_in_)), np.zeros(2)
    if hasattr(ours, "classes_"):
        y = np.resize(ours.classes_, max(2, len(ours.classes_)))
        X = np.resize(X, (len(y), X.shape[1]))
    estimator.set_params(hidden_layer_sizes=(12,), max_iter=1).partial_fit(
        X, y, **({"classes": ours.classes_} if hasattr(ours, "classes_") else {})
    )
    estimator.coefs_, estimator.intercepts_ = ours.coefs_, ours.intercepts_
    estimator.out_activation_ = ours.out_activation_
    return estimator


@pytest.mark.parametrize("data", ["two_classes", "three_classes"])
def test_classes_and_probabilities_are_those_of_scikit_learn(classifier, data, request):
    X, y = request.getfixturevalue(data)
    reference = as_mlp(MLPClassifier(), classifier.fit(X, y))
    np.testing.assert_array_equal(classifier.classes_, np.unique(y))
    np.testing.assert_array_equal(classifier.predict(X), reference.predict(X))
    probability = reference.predict_proba(X)
    np.testing.assert_allclose(classifier.predict_proba(X), probability, atol=1e-14)
    np.testing.assert_allclose(
        classifier.predict_log_proba(X), np.log(probability), atol=1e-12
    )
    assert classifier.score(X, y) == accuracy_score(y, reference.predict(X))


def test_labels(classifier, labels):
    X, y = labels
    classifier.fit(X, y)
    assert (classifier.n_outputs_, classifier.out_activation_) == (3, "logistic")
    np.testing.assert_array_equal(classifier.classes_, [0, 1, 2])
    probability = classifier.predict_proba(X)
    assert probability.shape == classifier.decision_function(X).shape == y.shape
    np.testing.assert_array_equal(classifier.predict(X), probability > 0.5)
    np.testing.assert_allclose(classifier.predict_log_proba(X), np.log(probability))
    classifier.set_params(learning_rate_init=0.02).fit(X, y)
    assert np.mean(classifier.predict(X) == y) > 0.9


def test_decision_function_is_the_log_odds(classifier, two_classes):
    X, y = two_classes
    decision = classifier.fit(X, y).decision_function(X)
    no, yes = classifier.predict_proba(X).T
    assert decision.shape == (len(X),)
    np.testing.assert_allclose(decision, np.log(yes / no), rtol=1e-6)


def test_log_probabilities_do_not_underflow(classifier, three_classes, two_classes):
    for X, y in (three_classes, two_classes):
        log_probability = classifier.fit(X, y).predict_log_proba(1e6 * X)
        assert np.isfinite(log_probability).all()
        assert log_probability.min() < -1e3


@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers_are_those_of_scikit_learn(regressor, numbers, loss, n_outputs):
    X, y = numbers
    y = np.abs(y) if n_outputs == 1 else np.abs(np.column_stack([y, 1 - y]))
    regressor.set_params(loss=loss).fit(X, y)
    prediction = regressor.predict(X)
    assert prediction.shape == y.shape
    assert regressor.out_activation_ == {"poisson": "exp"}.get(loss, "identity")
    assert regressor.score(X, y) == pytest.approx(r2_score(y, prediction))
    if n_outputs == 1:
        reference = as_mlp(MLPRegressor(loss=loss), regressor)
        np.testing.assert_allclose(prediction, reference.predict(X))


@pytest.mark.parametrize("container", [csr_array, csr_matrix, csc_matrix])
def test_sparse_rows_train_and_predict_the_same(classifier, three_classes, container):
    X, y = three_classes
    X = X * (np.abs(X) > 0.5)
    dense = classifier.fit(X, y).predict_proba(X)
    np.testing.assert_allclose(classifier.predict_proba(container(X)), dense)
    np.testing.assert_allclose(
        classifier.fit(container(X), y).predict_proba(X), dense, rtol=1e-9
    )


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_frames(classifier, three_classes, frame):
    X, y = three_classes
    expected = classifier.fit(X, y).predict_proba(X)
    assert not hasattr(classifier, "feature_names_in_")
    named = frame({f"c{i}": column for i, column in enumerate(X.T)})
    classifier.fit(named, pd.Series(y) if frame is pd.DataFrame else pl.Series(y))
    np.testing.assert_array_equal(classifier.predict_proba(named), expected)
    assert classifier.feature_names_in_.tolist() == [f"c{i}" for i in range(8)]
    classifier.fit(X, y)
    assert not hasattr(classifier, "feature_names_in_")


@pytest.mark.parametrize(
    "of_y",
    [
        list,
        pd.Series,
        pl.Series,
        lambda y: y.astype(object),
        lambda y: pd.Series(y, dtype="category"),
        lambda y: pd.Series(y, dtype="string"),
    ],
)
def test_string_labels(classifier, two_classes, of_y):
    X, y = two_classes
    expected = classifier.fit(X, y).predict(X)
    classifier.fit(X, of_y(y))
    assert classifier.classes_.tolist() == ["no", "yes"]
    assert classifier.predict(X).tolist() == expected.tolist()
    assert classifier.score(X, of_y(y)) == np.mean(expected == y)


def test_a_column_target_is_flattened_with_a_warning(regressor, numbers):
    X, y = numbers
    expected = regressor.fit(X, y).predict(X)
    with pytest.warns(UserWarning, match="column-vector y"):
        regressor.fit(X, y[:, np.newaxis])
    np.testing.assert_array_equal(regressor.predict(X), expected)


@pytest.mark.parametrize(
    ("of_X", "of_weights"),
    [
        (lambda X: X, "f8"),
        (lambda X: X.astype("f4"), "f4"),
        (lambda X: X.astype("f2"), "f4"),
        (lambda X: (X * 9).astype(int), "f4"),
        (lambda X: (X * 9).astype("i1"), "f4"),
        (lambda X: X > 0, "f4"),
        (lambda X: X.tolist(), "f8"),
        (lambda X: (X > 0).tolist(), "f4"),
        (lambda X: X.astype(object), "f8"),
        (pl.DataFrame, "f8"),
        (lambda X: pl.DataFrame(X.astype("f4")), "f4"),
        (lambda X: pd.DataFrame(X.astype("f4")), "f4"),
        (lambda X: pd.DataFrame(X).convert_dtypes(), "f8"),
        (lambda X: csr_array((X * 9).astype(int)), "f4"),
    ],
)
def test_the_dtype_of_training_follows_X(epochs, three_classes, of_X, of_weights):
    X, y = three_classes
    X = of_X(X)
    classifier = GroupSparseMLPClassifier((4,), random_state=0, **epochs(3)).fit(X, y)
    dtypes = {a.dtype for a in classifier.coefs_ + classifier.intercepts_}
    assert dtypes == {np.dtype(of_weights)}
    assert classifier.predict_proba(X).dtype == of_weights
