"""The searches against scikit-learn's, over the same estimator, grid and splits."""

import re

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedShuffleSplit,
)

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
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
TIMES = {"mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"}

pytestmark = pytest.mark.filterwarnings(
    "ignore:Nothing is left of the model:UserWarning"
)


def assert_same_results(ours, theirs):
    """Check that two dicts of results are equal in all but times."""
    assert list(ours) == list(theirs)
    for name in set(ours) - TIMES:
        assert type(ours[name]) is type(theirs[name]), name
        if name == "params":
            assert ours[name] == theirs[name]
            continue
        assert ours[name].dtype == theirs[name].dtype, name
        if re.search("(test|train)_", name):
            # Stacks may sum in another order.
            assert_allclose(ours[name], theirs[name], rtol=1e-6, err_msg=name)
            continue
        assert_array_equal(ours[name], theirs[name], err_msg=name)
        mask = np.ma.getmaskarray(ours[name])
        assert_array_equal(mask, np.ma.getmaskarray(theirs[name]))
    for name in TIMES:
        assert ours[name].shape == theirs[name].shape
        assert ours[name].dtype == theirs[name].dtype


def both(estimator, grid, X, y, fit_params=None, **settings):
    """Fit our search and scikit-learn's, and check that they agree."""
    searches = [
        cls(estimator, grid, **{"cv": 3, **settings}).fit(X, y, **fit_params or {})
        for cls in (BatchedGridSearchCV, GridSearchCV)
    ]
    assert_same(*searches)
    return searches


def assert_same(ours, theirs):
    assert_same_results(ours.cv_results_, theirs.cv_results_)
    names = {name for name in vars(theirs) if name.endswith("_")}
    assert {name for name in vars(ours) if name.endswith("_")} == names
    for name in names & {"best_index_", "best_params_", "multimetric_", "n_splits_"}:
        assert getattr(ours, name) == getattr(theirs, name), name
    if "best_score_" in names:
        assert_allclose(ours.best_score_, theirs.best_score_, rtol=1e-6)
    if "best_estimator_" in names:
        assert type(ours.best_estimator_) is type(theirs.best_estimator_)
        assert repr(ours.best_estimator_) == repr(theirs.best_estimator_)


@pytest.mark.parametrize(
    "grid",
    [
        LAMS,
        {"lam": np.array([1e-3, 0.1]), "learning_rate_init": (0.01, 0.05)},
        {"lam": [0.01, 0.01], "hidden_layer_sizes": [(4,), (3, 2)]},
        [{"lam": [0.01]}, {"activation": ["tanh", "relu"], "solver": ["sgd"]}],
        [{}],
        {},
        {"random_state": range(3)},
        {"penalty": [None, "l1"], "class_weight": [None, {0: 2, 1: 1}]},
    ],
    ids=str,
)
def test_same_results_for_any_grid(grid):
    ours, theirs = both(MLP, grid, X, y, return_train_score=True)
    assert_array_equal(ours.predict(X), theirs.predict(X))
    assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    assert ours.score(X, y) == theirs.score(X, y)


def test_same_results_of_a_random_search():
    distributions = {"lam": loguniform(1e-3, 1), "activation": ["relu", "tanh"]}
    searches = [
        cls(MLP, distributions, n_iter=4, cv=3, random_state=state).fit(X, y)
        for cls, state in (
            (BatchedRandomizedSearchCV, np.random.RandomState(7)),
            (RandomizedSearchCV, np.random.RandomState(7)),
        )
    ]
    assert_same(*searches)
    # Drawn once: the generators are where the other one is.
    ours, theirs = (search.random_state.randint(10**6) for search in searches)
    assert ours == theirs


@pytest.mark.filterwarnings("ignore:The total space of parameters:UserWarning")
def test_random_search_among_lists():
    searches = [
        cls(MLP, [LAMS, {"activation": ["tanh"]}], random_state=1, cv=2).fit(X, y)
        for cls in (BatchedRandomizedSearchCV, RandomizedSearchCV)
    ]
    assert_same(*searches)
    assert len(searches[0].cv_results_["params"]) == 4


@pytest.mark.parametrize(
    ("estimator", "target"),
    [
        (GroupSparseMLPRegressor(**SHORT), X[:, 0]),
        (GroupSparseMLPRegressor(**SHORT), X[:, :2] + 1),
        (GroupSparseMLPRegressor(**SHORT, loss="poisson"), np.exp(X[:, 0])),
        (MLP, np.column_stack([y, X[:, 0] > 0, X[:, 1] > 0]).astype(int)),
        (MLP, np.array(["no", "yes", "perhaps"])[y + (X[:, 0] > 1)]),
        (GroupSparseLogisticRegression(tol=1e-3), y),
    ],
    ids=["numbers", "two numbers", "counts", "labels", "three classes", "linear"],
)
def test_same_results_for_any_target(estimator, target):
    ours, theirs = both(estimator, {"lam": [1e-3, 1e-2]}, X, target)
    assert_array_equal(ours.predict(X), theirs.predict(X))


def test_same_results_on_digits(digits):
    X, y = digits[0][:500], digits[1][:500]
    mlp = clone(MLP).set_params(hidden_layer_sizes=(20, 10), max_iter=12)
    grid = {"lam": [1e-4, 1e-3, 1e-2], "learning_rate_init": [0.01, 0.03]}
    ours, _ = both(mlp.set_params(n_iter_no_change=10), grid, X, y)
    assert ours.best_score_ > 0.7


def test_classes():
    search = BatchedGridSearchCV(MLP, LAMS, cv=2)
    assert not hasattr(search, "classes_")
    assert_array_equal(search.fit(X, np.array(["b", "a"])[y]).classes_, ["a", "b"])
    search = BatchedGridSearchCV(GroupSparseMLPRegressor(**SHORT), LAMS, cv=2)
    assert not hasattr(search.fit(X, y), "classes_")
    search = BatchedGridSearchCV(MLP, LAMS, cv=2, refit=False).fit(X, y)
    assert not hasattr(search, "classes_")


def test_frames_sparse_rows_and_lists():
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(6)])
    ours, theirs = both(MLP, LAMS, frame, pd.Series(y))
    assert_array_equal(ours.feature_names_in_, theirs.feature_names_in_)
    assert ours.n_features_in_ == 6
    both(MLP, LAMS, csr_array(X), y)
    both(MLP, LAMS, X.tolist(), y.tolist())


# Splits


class OneTimeSplitter:
    """A splitter that can be asked only once."""

    def __init__(self):
        self.splits = KFold(3).split(X)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 3

    def split(self, X=None, y=None, groups=None):
        yield from self.splits


@pytest.mark.parametrize(
    "make_cv",
    [
        lambda: 4,
        lambda: OneTimeSplitter(),
        lambda: KFold(3, shuffle=True, random_state=0).split(X, y),
        lambda: ShuffleSplit(2, random_state=0),
        lambda: [(np.arange(90) < 50, np.arange(90) >= 50), (range(60), range(60, 90))],
        lambda: [([*range(80)], [*range(80, 90)])] * 2,
    ],
    ids=["number", "one-time", "generator", "shuffled", "masks", "equal"],
)
def test_same_results_for_any_splitter(make_cv):
    searches = [
        cls(MLP, LAMS, cv=make_cv(), return_train_score=True).fit(X, y)
        for cls in (BatchedGridSearchCV, GridSearchCV)
    ]
    assert_same(*searches)


def test_more_splits_than_rows():
    cv = StratifiedShuffleSplit(12, test_size=4, random_state=0)
    both(MLP, {"lam": [1e-3]}, X[:10], y[:10], cv=cv)


def test_a_random_splitter_is_asked_once():
    grid = {"lam": [0.01, 0.01, 0.1, 0.1]}
    cv = KFold(3, shuffle=True)
    search = BatchedGridSearchCV(MLP, grid, cv=cv, return_train_score=True).fit(X, y)
    for kind in ("train", "test"):
        scores = np.array(
            [search.cv_results_[f"split{fold}_{kind}_score"] for fold in range(3)]
        )
        assert_array_equal(scores[:, [0, 2]], scores[:, [1, 3]])


@pytest.mark.parametrize("cv", [GroupKFold(3), LeaveOneGroupOut()], ids=str)
def test_groups_reach_the_splitter(cv):
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        BatchedGridSearchCV(MLP, LAMS, cv=cv).fit(X, y)
    groups = np.random.RandomState(0).randint(0, 3, 90)
    ours, _ = both(MLP, LAMS, X, y, {"groups": groups}, cv=cv)
    assert ours.n_splits_ == 3


def test_splits_that_are_not_as_many_as_announced():
    class Broken(KFold):
        def get_n_splits(self, *args, **kwargs):
            return 1

    with pytest.raises(ValueError, match="inconsistent results. Expected 1 splits"):
        BatchedGridSearchCV(MLP, LAMS, cv=Broken(3)).fit(X, y)


def test_no_splits():
    cv = KFold(3).split(X)
    list(cv)
    with pytest.raises(ValueError, match="Was the CV iterator empty"):
        BatchedGridSearchCV(MLP, LAMS, cv=cv).fit(X, y)


# Fit parameters


def test_weights_of_rows():
    weight = np.random.RandomState(0).randint(0, 4, 90)
    ours, theirs = both(
        MLP, LAMS, X, y, {"sample_weight": weight}, return_train_score=True
    )
    unweighted = BatchedGridSearchCV(MLP, LAMS, cv=3).fit(X, y)
    assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    assert (ours.predict_proba(X) != unweighted.predict_proba(X)).any()
    both(MLP, LAMS, X, y, {"sample_weight": weight.tolist()})


def test_weights_that_are_not_one_per_row():
    def scorer(estimator, X, y, sample_weight):
        return estimator.score(X, y) + sample_weight

    both(MLP, LAMS, X, y, {"sample_weight": 2.0}, scoring=scorer)
    search = BatchedGridSearchCV(MLP, LAMS, cv=2, scoring="accuracy")
    with pytest.raises(ValueError, match=r"(?s)All the 6 fits failed.*shape == \(7,\)"):
        search.fit(X, y, sample_weight=np.ones(7))


@pytest.mark.filterwarnings("ignore:.*does not support sample_weight:UserWarning")
def test_weights_and_a_scorer_that_takes_none():
    def scorer(estimator, X, y):
        return estimator.score(X, y)

    both(MLP, LAMS, X, y, {"sample_weight": np.arange(1, 91)}, scoring=scorer)


@pytest.mark.parametrize("n_val", [20, 90])
def test_rows_to_stop_early_on(n_val):
    early = clone(MLP).set_params(early_stopping=True)
    validation = {"X_val": X[:n_val] + 0.1, "y_val": y[:n_val]}
    ours, theirs = both(early, LAMS, X, y, validation)
    assert (
        ours.best_estimator_.validation_scores_
        == theirs.best_estimator_.validation_scores_
    )


def test_a_fit_parameter_that_is_not_known():
    with pytest.raises(ValueError, match="(?s)All the 6 fits failed.*spam"):
        BatchedGridSearchCV(MLP, LAMS, cv=2).fit(X, y, spam=1)


# Searches of one's own


class TwoRounds(BatchedGridSearchCV):
    """Searches around the better one of two values."""

    def _run_search(self, evaluate_candidates):
        results = evaluate_candidates([{"lam": 1e-3}, {"lam": 1.0}])
        best = results["params"][results["rank_test_score"].argmin()]["lam"]
        evaluate_candidates([{"lam": best / 2}, {"lam": best * 2}])


def test_a_search_in_several_rounds():
    search = TwoRounds(MLP, {}, cv=3).fit(X, y)
    best = {1e-3: [5e-4, 2e-3], 1.0: [0.5, 2.0]}[search.cv_results_["param_lam"][2] * 2]
    theirs = GridSearchCV(MLP, {"lam": [1e-3, 1.0, *best]}, cv=3).fit(X, y)
    assert_same(search, theirs)


class OnHalf(BatchedGridSearchCV):
    """Searches on splits of its own."""

    def _run_search(self, evaluate_candidates, callback_ctx=None):
        more = {"half": [1, 1, 1]}
        candidates = [{"lam": lam} for lam in self.param_grid["lam"]]
        evaluate_candidates(candidates, KFold(3, shuffle=True), more)


def test_a_search_on_splits_of_its_own():
    search = OnHalf(MLP, LAMS, cv=3, return_train_score=True).fit(X, y)
    assert_array_equal(search.cv_results_["half"], [1, 1, 1])
    assert search.cv_results_["mean_train_score"].max() > 0.6
