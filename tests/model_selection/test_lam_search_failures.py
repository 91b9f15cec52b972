"""Cross-validation of lam where fits fail, are interrupted, or cannot begin."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning, NotFittedError
from sklearn.linear_model import LogisticRegressionCV
from sklearn.preprocessing import scale

from skgroupnet.model_selection import (
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifierCV,
    lam_search,
)

X, Y = make_classification(
    n_samples=150, n_features=6, n_informative=3, n_redundant=0, random_state=0
)
X = scale(X)
WEIGHT = np.linspace(0, 2, len(X))
LAMS = [0.01, 0.1, 0.03]


@pytest.fixture
def logistic():
    return GroupSparseLogisticRegressionCV(lams=LAMS, cv=3)


def with_errors(monkeypatch, error_of):
    """Make some fits of the folds fail; ``error_of(number)`` is an error or None."""
    together = lam_search.fit_together

    def fit_together(fittings, **resources):
        fits = together(fittings, **resources)
        return [replace(fit, error=error_of(n)) for n, fit in enumerate(fits)]

    monkeypatch.setattr(lam_search, "fit_together", fit_together)


def test_some_fits_fail(logistic, monkeypatch):
    whole = clone(logistic).fit(X, Y)
    with_errors(
        monkeypatch, lambda n: FloatingPointError("not finite") if n == 4 else None
    )
    with pytest.warns(FitFailedWarning, match="1 of 9 fits failed .*: not finite"):
        logistic.fit(X, Y)
    expected = whole.scores_.copy()
    expected[1, 1] = np.nan
    np.testing.assert_array_equal(logistic.scores_, expected)
    assert np.isnan(logistic.n_active_parameters_path_[1, 1])
    assert logistic.lam_ != logistic.lams_[1]


def test_all_fits_fail(logistic, monkeypatch):
    with_errors(monkeypatch, lambda n: FloatingPointError(f"number {n}"))
    with pytest.raises(FloatingPointError, match="number 0") as info:
        logistic.fit(X, Y)
    assert info.value.__notes__ == [
        "All of the 9 fits failed; this is the first error."
    ]
    assert not hasattr(logistic, "scores_")


def test_a_fold_in_which_all_fits_fail_does_not_count(logistic):
    zeros = np.flatnonzero(Y == 0)
    good = np.arange(100), np.arange(100, 150)
    expected = clone(logistic).set_params(cv=[good]).fit(X, Y)
    with pytest.warns(
        FitFailedWarning, match="3 of 6 fits failed .* at least 2 classes"
    ):
        logistic.set_params(cv=[good, (zeros, np.arange(100))]).fit(X, Y)
    np.testing.assert_array_equal(logistic.scores_[:, 0], expected.scores_[:, 0])
    assert np.isnan(logistic.scores_[:, 1]).all()
    assert logistic.lam_ == expected.lam_


def test_a_scorer_that_fails_on_a_fold(logistic):
    def scorer(estimator, X, y):
        if len(y) < 50:
            raise ValueError("too few rows")
        return estimator.score(X, y)

    folds = [(np.arange(100), np.arange(100, 150)), (np.arange(120), np.arange(9))]
    expected = clone(logistic).set_params(cv=folds[:1]).fit(X, Y)
    with pytest.warns(
        UserWarning, match="failed on 3 of 6 models.*ValueError: too few rows"
    ):
        logistic.set_params(cv=folds, scoring=scorer).fit(X, Y)
    np.testing.assert_array_equal(logistic.scores_[:, 0], expected.scores_[:, 0])
    assert np.isnan(logistic.scores_[:, 1]).all()
    assert logistic.lam_ == expected.lam_


def test_a_lam_on_which_the_scorer_fails_is_not_chosen(logistic):
    whole = clone(logistic).fit(X, Y)

    def scorer(estimator, X, y):
        if estimator.lam == whole.lam_ and y[0]:
            return 1 / 0
        return estimator.score(X, y)

    with pytest.warns(UserWarning, match="The scorer failed on .*ZeroDivisionError"):
        logistic.set_params(scoring=scorer).fit(X, Y)
    row = logistic.lams_ == whole.lam_
    assert 0 < np.isnan(logistic.scores_[row]).sum() < 3
    np.testing.assert_array_equal(logistic.scores_[~row], whole.scores_[~row])
    means = whole.scores_[~row].mean(axis=1)
    assert logistic.lam_ == logistic.lams_[~row][means.argmax()]


def test_a_scorer_that_always_fails(logistic):
    def scorer(estimator, X, y):
        raise ValueError("no score")

    with pytest.raises(ValueError, match="no score") as info:
        logistic.set_params(scoring=scorer).fit(X, Y)
    assert info.value.__notes__ == [
        "The scorer failed on all of the 9 models; this is the first error."
    ]
    assert not hasattr(logistic, "scores_")


@pytest.mark.parametrize(
    "scoring",
    ["accuracy", "neg_log_loss", "neg_brier_score", "roc_auc_ovr", "f1_macro"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_class_that_folds_lack(scoring):
    """The scores of scikit-learn's LogisticRegressionCV, which copes."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(60, 4))
    y = np.r_[np.zeros(29, int), np.ones(30, int), 2]
    X[:, 0] += y
    lams = np.array([0.3, 0.1, 0.03])
    peer = LogisticRegressionCV(
        Cs=1 / (48 * lams),
        cv=5,
        scoring=scoring,
        l1_ratios=(0,),
        use_legacy_attributes=False,
        tol=1e-8,
        max_iter=10_000,
    ).fit(X, y)
    model = GroupSparseLogisticRegressionCV(
        lams=lams, penalty="l2", cv=5, scoring=scoring, tol=1e-5
    ).fit(X, y)
    # The rows of the last fold lack the third class: its log loss has no limit.
    comparable = slice(4 if scoring == "neg_log_loss" else 5)
    expected = peer.scores_.squeeze().T[:, comparable]
    np.testing.assert_allclose(model.scores_[:, comparable], expected, atol=1e-4)
    # The folds without any score do not count.
    counting = ~np.isnan(model.scores_).all(axis=0)
    means = model.scores_[:, counting].mean(axis=1)
    assert model.lam_ == model.lams_[means.argmax()]


@pytest.mark.filterwarnings("ignore:The least populated class:UserWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_network_knows_a_class_that_its_fold_lacks():
    y = np.r_[Y[:-1], 2]
    model = GroupSparseMLPClassifierCV(
        (4,), lams=[0.01, 0.001], cv=5, scoring="neg_log_loss", max_iter=3, refit=False
    ).fit(X, y)
    assert np.isfinite(model.scores_).all()


def test_an_interrupt_scores_what_is_there(logistic, monkeypatch):
    with_errors(monkeypatch, lambda n: KeyboardInterrupt() if n > 4 else None)
    with pytest.warns(UserWarning, match="search was interrupted by the user"):
        logistic.fit(X, Y)
    assert np.isnan(logistic.scores_).sum() == 4
    assert logistic.lam_ == 0.1
    with pytest.raises(NotFittedError):
        logistic.predict(X)


def test_an_interrupt_before_any_lam_was_scored(logistic, monkeypatch):
    with_errors(monkeypatch, lambda n: KeyboardInterrupt() if n % 3 else None)
    with pytest.raises(KeyboardInterrupt):
        logistic.fit(X, Y)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"lams": []}, "lams must be a number of values or a list"),
        ({"lams": [0.1, -1]}, "lams must hold finite values"),
        ({"lams": 0}, "The 'lams' parameter"),
        ({"selection": "2se"}, "The 'selection' parameter"),
        ({"scoring": "acuracy"}, "The 'scoring' parameter"),
        ({"cv": 1.5}, "The 'cv' parameter"),
        ({"cv": []}, "cv must give at least one fold"),
        ({"refit": "yes"}, "The 'refit' parameter"),
        ({"max_iter": 0}, "The 'max_iter' parameter"),
        ({"stack_memory": -1}, "The 'stack_memory' parameter"),
        ({"groups": [1]}, "one label for each of the 6 features"),
    ],
)
def test_bad_parameters(logistic, params, match):
    with pytest.raises(ValueError, match=match):
        logistic.set_params(**params).fit(X, Y)


def test_bad_weights(logistic):
    with pytest.raises(ValueError, match="sample_weight"):
        logistic.fit(X, Y, WEIGHT[1:])


def test_the_refit_warns_of_what_the_folds_kept_to_themselves(logistic):
    with pytest.warns(ConvergenceWarning, match="Nothing is left of the model"):
        logistic.set_params(lams=[3.0]).fit(X, Y)


def test_more_folds_than_rows_of_any_class(logistic):
    few = np.r_[:4, -4:0]
    y = np.arange(8) % 2
    with pytest.raises(ValueError, match=r"cv=5 cannot split the 8 rows: n_splits=5 "):
        logistic.set_params(cv=5).fit(X[few], y)
    assert not hasattr(logistic, "n_features_in_")


def test_early_stopping_where_a_fold_has_one_row_of_a_class():
    y = np.where(np.arange(60) % 2, "a", "b")
    y[:2] = "c"
    search = GroupSparseMLPClassifierCV(
        (4,), lams=[0.1], cv=2, early_stopping=True, random_state=0, max_iter=3
    )
    words = "holds out validation_fraction=0.1 of 30 rows.*class 'c' has 1 row"
    with pytest.raises(ValueError, match=words):
        search.fit(X[:60], y)
