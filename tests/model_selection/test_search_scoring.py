"""What a search scores with, and what it refits."""

import re
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.metrics import accuracy_score, make_scorer, recall_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
)

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV, BatchedRandomizedSearchCV

X, y = make_classification(
    n_samples=90, n_features=6, n_informative=4, class_sep=1.5, random_state=0
)
SHORT = {
    "hidden_layer_sizes": (4,),
    "learning_rate_init": 0.05,
    "max_iter": 4,
    "tol": 1e6,
    "n_iter_no_change": 2,
    "random_state": 0,
}
MLP = GroupSparseMLPClassifier(**SHORT)
LAMS = {"lam": [1e-3, 3e-2, 1.0]}

pytestmark = pytest.mark.filterwarnings(
    "ignore:Nothing is left of the model:UserWarning"
)


def recall_and_accuracy(estimator, X, y):
    predicted = estimator.predict(X)
    return {
        "recall": recall_score(y, predicted),
        "accuracy": accuracy_score(y, predicted),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"scoring": "roc_auc"},
        {"scoring": "neg_log_loss"},
        {"scoring": make_scorer(recall_score, pos_label=0)},
        {"scoring": ["accuracy", "f1"], "refit": "f1"},
        {"scoring": ["accuracy", "f1"], "refit": False},
        {"scoring": {"a": "accuracy", "b": "roc_auc"}, "refit": "a"},
        {"scoring": recall_and_accuracy, "refit": "recall"},
        {"scoring": lambda estimator, X, y: -estimator.n_active_neurons_},
        {"refit": False},
        {"refit": lambda results: results["mean_test_score"].argmin()},
        {
            "scoring": ["accuracy", "f1"],
            "refit": lambda results: results["mean_test_f1"].argmin(),
        },
    ],
    ids=lambda params: ", ".join(params),
)
def test_same_results_for_any_scoring_and_refit(settings):
    ours, theirs = (
        cls(MLP, LAMS, cv=3, return_train_score=True, **settings).fit(X, y)
        for cls in (BatchedGridSearchCV, GridSearchCV)
    )
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, values in theirs.cv_results_.items():
        if not name.endswith("_time"):
            assert_same = assert_allclose if "_t" in name else assert_array_equal
            assert_same(ours.cv_results_[name], values, err_msg=name)
    names = {name for name in vars(theirs) if name.endswith("_")}
    assert {name for name in vars(ours) if name.endswith("_")} == names
    for name in names & {"best_index_", "best_params_", "multimetric_"}:
        assert getattr(ours, name) == getattr(theirs, name), name
    if settings.get("refit", True):
        assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    if not callable(settings.get("refit", True)) and settings.get("refit", True):
        assert ours.score(X, y) == theirs.score(X, y)


def test_a_scorer_meets_the_trained_estimator():
    seen = []

    def scorer(estimator, X, y):
        seen.append(estimator)
        return estimator.n_active_neurons_ + estimator.prune().score(X, y)

    BatchedGridSearchCV(MLP, LAMS, scoring=scorer, cv=3).fit(X, y)
    splits = list(StratifiedKFold(3).split(X, y))
    pairs = [(lam, *split) for lam in LAMS["lam"] for split in splits]
    for estimator, (lam, train, _) in zip(seen, pairs, strict=True):
        assert type(estimator) is GroupSparseMLPClassifier
        alone = clone(MLP).set_params(lam=lam).fit(X[train], y[train])
        # The certificate is left out: a model of a fold is only scored.
        assert set(vars(estimator)) >= set(vars(alone)) - {"stationarity_gap_"}
        assert not {"_estimator", "_models", "_number"} & set(vars(estimator))
        assert_allclose(estimator.coefs_[0], alone.coefs_[0])
        assert estimator.lam == lam


@pytest.mark.parametrize("cls", [BatchedGridSearchCV, BatchedRandomizedSearchCV])
@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (None, TypeError, "best_index_ returned is not an integer"),
        (-1, IndexError, "best_index_ index out of range"),
        (3, IndexError, "best_index_ index out of range"),
    ],
)
@pytest.mark.filterwarnings("ignore:The total space of parameters:UserWarning")
def test_a_refit_that_names_no_candidate(cls, answer, error, message):
    with pytest.raises(error, match=message):
        cls(MLP, LAMS, cv=2, refit=lambda results: answer).fit(X, y)


@pytest.mark.parametrize("refit", [True, "recall", "accuracy"])
def test_refit_must_name_one_of_several_metrics(refit):
    search = BatchedGridSearchCV(
        MLP, LAMS, refit=refit, scoring={"acc": "accuracy", "prec": "precision"}
    )
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        search.fit(X, y)


def test_a_callable_without_the_metric_of_the_refit():
    search = BatchedGridSearchCV(
        MLP, LAMS, scoring=lambda *_: {"bad": 1.0}, refit="good", cv=2
    )
    with pytest.raises(ValueError, match="refit must be set to a scorer key"):
        search.fit(X, y)


def test_without_refit_nothing_is_delegated():
    search = BatchedGridSearchCV(MLP, LAMS, refit=False, cv=2).fit(X, y)
    assert not hasattr(search, "best_estimator_")
    assert search.best_params_ == search.cv_results_["params"][search.best_index_]
    for name in ("predict", "predict_proba", "predict_log_proba"):
        with pytest.raises(AttributeError, match=f"has no attribute '{name}'"):
            getattr(search, name)


@pytest.mark.parametrize("return_train_score", [False, True])
def test_scores_that_are_not_finite(return_train_score):
    scores = iter(np.where(np.arange(100) % 5 == 4, np.nan, 1.0))
    search = BatchedGridSearchCV(
        MLP,
        {"lam": [1e-3, 1e-2, 3e-2]},
        cv=3,
        scoring=lambda estimator, X, y: next(scores),
        return_train_score=return_train_score,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    kinds = [re.search(r"of the (\w+) scores", str(w.message))[1] for w in caught]
    assert kinds == ["test", "train"][: 1 + return_train_score]
    results = search.cv_results_
    last = np.isnan(results["mean_test_score"])
    assert last.any()
    assert (results["rank_test_score"][last] == results["rank_test_score"].max()).all()


def test_ties_go_to_the_first():
    search = BatchedGridSearchCV(
        MLP, LAMS, cv=2, scoring=lambda estimator, X, y: estimator.lam < 0.5
    ).fit(X, y)
    assert_array_equal(search.cv_results_["rank_test_score"], [1, 1, 3])
    assert search.best_index_ == 0
