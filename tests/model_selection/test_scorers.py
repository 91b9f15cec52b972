"""Scoring many models: where the scorer fails, and classes that the rows lack."""

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import f1_score, get_scorer, log_loss, make_scorer
from sklearn.preprocessing import scale

from skgroupnet import GroupSparseLinearRegression, GroupSparseLogisticRegression
from skgroupnet.model_selection import regularization_path
from skgroupnet.model_selection.scorers import Scores

X, Y = load_iris(return_X_y=True)
X = scale(X)


@pytest.fixture(scope="module")
def model():
    return GroupSparseLogisticRegression(lam=0.1).fit(X, Y)


def test_a_score_of_rows_that_lack_a_class(model):
    two = Y < 2
    scores = Scores(get_scorer("neg_log_loss"))
    expected = -log_loss(Y[two], model.predict_proba(X[two]), labels=[0, 1, 2])
    for y in (Y[two], Y[two].tolist()):
        assert scores.of(model, X[two], y, {}) == expected
    weight = np.linspace(1, 2, two.sum())
    expected = -log_loss(
        Y[two], model.predict_proba(X[two]), labels=[0, 1, 2], sample_weight=weight
    )
    assert scores.of(model, X[two], Y[two], {"sample_weight": weight}) == expected
    scores.check()


def test_labels_of_the_user_stay(model):
    two = Y < 2
    scorer = make_scorer(f1_score, labels=[1], average="macro")
    assert Scores(scorer).of(model, X[two], Y[two], {}) == scorer(model, X[two], Y[two])


def test_a_score_that_is_no_number(model):
    scores = Scores(lambda estimator, X, y: {"accuracy": 1.0})
    assert np.isnan(scores.of(model, X, Y, {}))
    with pytest.raises(TypeError, match="dict"):
        scores.check()


def test_an_interrupt_is_no_failure(model):
    def scorer(estimator, X, y):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scores(scorer).of(model, X, Y, {})


def test_a_path_whose_scorer_fails_on_a_model():
    def scorer(estimator, X, y):
        if estimator.n_active_features_ == 0:
            raise ValueError("no features")
        return estimator.score(X, y)

    estimator = GroupSparseLinearRegression()
    given = {"lams": [10.0, 0.1, 0.01], "X_val": X, "y_val": Y}
    whole = regularization_path(estimator, X, Y, **given)
    with pytest.warns(UserWarning, match="failed on 1 of 3 models.*no features"):
        path = regularization_path(estimator, X, Y, scoring=scorer, **given)
    np.testing.assert_array_equal(path.scores, [np.nan, *whole.scores[1:]])
    assert path.select() is path.estimators[path.scores[1:].argmax() + 1]


def test_a_path_whose_validation_rows_lack_a_class():
    two = Y < 2
    path = regularization_path(
        GroupSparseLogisticRegression(),
        X,
        Y,
        lams=[0.1, 0.01],
        X_val=X[two],
        y_val=Y[two],
        scoring="neg_log_loss",
    )
    expected = [
        -log_loss(Y[two], model.predict_proba(X[two]), labels=[0, 1, 2])
        for model in path.estimators
    ]
    np.testing.assert_array_equal(path.scores, expected)
