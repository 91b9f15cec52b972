"""Fine-tuning of the compact network."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor


@pytest.fixture
def classifier():
    return GroupSparseMLPClassifier(
        (12, 8),
        lam=0.02,
        learning_rate_init=0.03,
        batch_size=60,
        tol=1e-3,
        random_state=0,
    )


def test_finetuning_keeps_every_zero_and_lowers_the_loss(classifier, three_classes):
    X, y = three_classes
    plain = clone(classifier).fit(X, y)
    tuned = classifier.set_params(finetune_iter=9).fit(X, y)
    assert plain.n_active_neurons_ < 20
    for mask, first, second in zip(
        plain.active_neurons_, plain.coefs_, tuned.coefs_, strict=True
    ):
        assert first.shape == second.shape
        np.testing.assert_array_equal(second[~mask], 0)
    np.testing.assert_array_equal(plain.get_support(), tuned.get_support())
    assert tuned.n_iter_ == len(tuned.loss_curve_) == plain.n_iter_ + 9
    assert tuned.loss_curve_[: plain.n_iter_] == plain.loss_curve_
    assert tuned.stationarity_gap_ == plain.stationarity_gap_
    log_loss = {
        est: -est.predict_log_proba(X)[np.arange(len(X)), y].mean()
        for est in (plain, tuned)
    }
    assert log_loss[tuned] < log_loss[plain]
    assert tuned.loss_ < plain.loss_
    compact = tuned.prune()
    np.testing.assert_allclose(compact.predict_proba(X), tuned.predict_proba(X))


def test_weights_inside_stay_zero_too(three_classes, classifier):
    X, y = three_classes
    classifier.set_params(penalty="l1", lam=0.005)
    plain = clone(classifier).fit(X, y)
    tuned = classifier.set_params(finetune_iter=5).fit(X, y)
    inside = plain.coefs_[0][plain.get_support()][:, plain.active_neurons_[1]] == 0
    assert inside.any()
    after = tuned.coefs_[0][plain.get_support()][:, plain.active_neurons_[1]]
    np.testing.assert_array_equal(after[inside], 0)


def test_finetuning_under_early_stopping_keeps_the_best_epoch(
    classifier, three_classes
):
    X, y = three_classes
    classifier.set_params(early_stopping=True, finetune_iter=5)
    classifier.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])
    assert len(classifier.validation_scores_) == classifier.n_iter_
    best = max(classifier.validation_scores_)
    assert classifier.best_validation_score_ == best
    assert classifier.score(X[160:], y[160:]) == best


def test_finetuning_that_only_hurts_is_not_used(numbers):
    X, y = numbers
    regressor = GroupSparseMLPRegressor(
        (8,),
        lam=0.01,
        learning_rate_init=0.01,
        early_stopping=True,
        n_iter_no_change=5,
        random_state=0,
    )
    held_out = {"X_val": X[:50], "y_val": y[:50]}
    plain = clone(regressor).fit(X[50:], y[50:], **held_out)
    # The first step of a fresh average is large.
    tuned = regressor.set_params(
        finetune_iter=1, epsilon=1e-30, learning_rate_init=0.01
    )
    tuned.fit(X[50:], y[50:], **held_out)
    better = tuned.validation_scores_[-1] >= plain.best_validation_score_
    expected = tuned.validation_scores_[-1] if better else plain.best_validation_score_
    assert tuned.score(X[:50], y[:50]) == pytest.approx(expected)


def test_sparse_rows_and_weights(classifier, three_classes):
    from scipy.sparse import csr_array

    X, y = three_classes
    weight = np.linspace(1, 2, len(X))
    classifier.set_params(finetune_iter=3)
    dense = clone(classifier).fit(X, y, weight).predict_proba(X)
    sparse = classifier.fit(csr_array(X), y, weight).predict_proba(X)
    np.testing.assert_allclose(sparse, dense, rtol=1e-6)


def test_an_empty_network_is_not_finetuned(classifier, three_classes):
    X, y = three_classes
    classifier.set_params(lam=1.0, finetune_iter=5)
    with pytest.warns(ConvergenceWarning, match="Nothing is left"):
        classifier.fit(X, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_)
    assert classifier.n_active_features_ == 0
