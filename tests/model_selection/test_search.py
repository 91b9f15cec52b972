"""The searches against scikit-learn's, over the same estimator, grid and splits."""

import inspect
import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import csr_array
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer, recall_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneGroupOut,
    RandomizedSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    cross_validate,
)
from sklearn.utils._param_validation import InvalidParameterError

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
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)
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
    for name in names & {
        "best_index_",
        "best_params_",
        "best_score_",
        "multimetric_",
        "n_splits_",
    }:
        assert getattr(ours, name) == getattr(theirs, name), name
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


# Scoring


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
    ids=str,
)
def test_same_results_for_any_scoring_and_refit(settings):
    ours, theirs = both(MLP, LAMS, X, y, return_train_score=True, **settings)
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
        assert set(vars(estimator)) == set(vars(alone))
        assert_array_equal(estimator.coefs_[0], alone.coefs_[0])
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


# Grids and parameters


@pytest.mark.parametrize(
    ("grid", "error", "message"),
    [
        ({"lam": 0.1}, TypeError, "needs to be a list or a numpy array"),
        ({"lam": []}, ValueError, "need to be a non-empty sequence"),
        ({"lam": "auto"}, TypeError, "needs to be a list or a numpy array"),
        ({"lam": np.ones((3, 2))}, ValueError, "should be one-dimensional"),
        ({"spam": [1]}, ValueError, "Invalid parameter 'spam'"),
        ([0], TypeError, "is not a dict"),
        (0, InvalidParameterError, "'param_grid' parameter"),
    ],
)
def test_grids_that_make_no_sense(grid, error, message):
    with pytest.raises(error, match=message):
        BatchedGridSearchCV(MLP, grid).fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stack_memory", 0),
        ("stack_memory", "1GB"),
        ("cv", 1.5),
        ("refit", 2.5),
        ("n_jobs", 0.5),
        ("error_score", "ignore"),
    ],
)
def test_parameters_that_make_no_sense(name, value):
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter"):
        BatchedGridSearchCV(MLP, LAMS, **{name: value}).fit(X, y)


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), GridSearchCV(MLP, LAMS)], ids=["C", "search"]
)
def test_an_estimator_that_is_not_ours(estimator):
    message = "BatchedGridSearchCV trains estimators of skgroupnet, or pipelines that"
    with pytest.raises(TypeError, match=message):
        BatchedGridSearchCV(estimator, {}).fit(X, y)


@pytest.mark.parametrize("estimator", [3, GroupSparseMLPClassifier], ids=str)
def test_what_is_no_estimator(estimator):
    with pytest.raises(TypeError):
        BatchedGridSearchCV(estimator, {}).fit(X, y)


def test_no_target():
    with pytest.raises(ValueError, match="requires y to be passed"):
        BatchedGridSearchCV(MLP, LAMS).fit(X)


def test_targets_of_another_length():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        BatchedGridSearchCV(MLP, LAMS).fit(X[:80], y)


def test_parameters_that_are_equal_to_nothing():
    class Odd(BaseEstimator):
        def __eq__(self, other):
            raise RuntimeError("not to be compared")

        __hash__ = None

    odd = [Odd(), Odd()]
    sizes = [np.array([3]), [4]]
    grid = {"verbose": [False], "hidden_layer_sizes": sizes, "class_weight": [None]}
    search = BatchedGridSearchCV(WithNote(**SHORT), {**grid, "note": odd}, cv=2)
    search.fit(X, y)
    params = search.cv_results_["params"]
    assert all(params[i]["note"] is odd[i % 2] for i in range(4))
    assert params[0]["hidden_layer_sizes"] is sizes[0]
    assert isinstance(search.best_estimator_.note, Odd)
    assert all(search.best_estimator_.note is not note for note in odd)


class WithNote(GroupSparseMLPClassifier):
    """An estimator of ours with a parameter that can be anything."""

    def __init__(self, hidden_layer_sizes=(100,), *, note=None, **params):
        super().__init__(hidden_layer_sizes, **params)
        self.note = note

    @classmethod
    def _get_param_names(cls):
        return [*GroupSparseMLPClassifier._get_param_names(), "note"]


def test_the_constructor_is_that_of_scikit_learn():
    for ours, theirs in (
        (BatchedGridSearchCV, GridSearchCV),
        (BatchedRandomizedSearchCV, RandomizedSearchCV),
    ):
        expected = inspect.signature(theirs).parameters
        found = dict(inspect.signature(ours).parameters)
        assert found.pop("stack_memory").default == 1e9
        # As text, since one default is nan.
        assert list(map(str, found.values())) == list(map(str, expected.values()))


# The fitted search


def test_the_search_is_left_as_it_was():
    cv, scoring, grid = KFold(3), ["accuracy"], {"lam": [0.1, 0.01]}
    estimator = clone(MLP)
    search = BatchedGridSearchCV(
        estimator, grid, cv=cv, scoring=scoring, refit="accuracy", n_jobs=2
    )
    before = search.get_params(deep=False)
    assert search.fit(X, y) is search
    after = search.get_params(deep=False)
    assert all(after[name] is before[name] for name in before)
    assert type(search) is BatchedGridSearchCV
    assert not hasattr(estimator, "coefs_")
    private = {name for name in vars(search) if name.startswith("_")}
    assert not private


def test_pickle_and_clone():
    search = BatchedGridSearchCV(MLP, LAMS, cv=3, stack_memory=1e8)
    copied = clone(search)
    assert copied.stack_memory == 1e8
    search.fit(X, y)
    loaded = pickle.loads(pickle.dumps(search))
    assert_same(loaded, search)
    assert_array_equal(loaded.predict(X), search.predict(X))
    # The models of the folds are gone.
    theirs = GridSearchCV(MLP, LAMS, cv=3).fit(X, y)
    assert len(pickle.dumps(search)) < len(pickle.dumps(theirs)) + 500
    assert not hasattr(clone(search), "cv_results_")


def test_fitting_again_forgets_the_first_fit():
    search = BatchedGridSearchCV(MLP, LAMS, cv=2).fit(X, y)
    search.set_params(refit=False).fit(X, y)
    assert not hasattr(search, "best_estimator_")


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_nested_in_a_cross_validation(n_jobs):
    scores = [
        cross_validate(cls(MLP, LAMS, cv=2), X, y, cv=2, n_jobs=n_jobs)["test_score"]
        for cls in (BatchedGridSearchCV, GridSearchCV)
    ]
    assert_array_equal(*scores)


def test_tags_and_the_estimator_check_of_scikit_learn():
    ours, theirs = (
        cls(MLP, LAMS).__sklearn_tags__() for cls in (BatchedGridSearchCV, GridSearchCV)
    )
    assert ours == theirs


def test_repr_shows_the_parameters_that_were_changed():
    search = BatchedGridSearchCV(MLP, LAMS, stack_memory=1e8)
    assert "stack_memory=100000000.0" in repr(search)
    assert "BatchedGridSearchCV" in search._repr_html_()


# Times and what is printed


def test_times_are_those_of_training(monkeypatch):
    import skgroupnet.model_selection.models as models

    def slowly(fittings, **settings):
        return [
            type(fitted)(fitted.estimator, fitted.error, 100.0 + number)
            for number, fitted in enumerate(fit_together(fittings, **settings))
        ]

    fit_together = models.fit_together
    monkeypatch.setattr(models, "fit_together", slowly)
    results = BatchedGridSearchCV(MLP, LAMS, cv=3).fit(X, y).cv_results_
    np.testing.assert_allclose(results["mean_fit_time"], [101, 104, 107])
    np.testing.assert_allclose(results["std_fit_time"], np.std([0, 1, 2]))
    assert (results["mean_score_time"] < 10).all()


def test_settings_reach_the_training(monkeypatch):
    import skgroupnet.model_selection.models as models

    seen = {}

    def note(fittings, **settings):
        seen.update(settings)
        seen["n"], seen["X"] = len(fittings), {id(fitting.X) for fitting in fittings}
        return fit_together(fittings, **settings)

    fit_together = models.fit_together
    monkeypatch.setattr(models, "fit_together", note)
    BatchedGridSearchCV(MLP, LAMS, cv=3, n_jobs=3, stack_memory=5e6).fit(X, y)
    assert seen.pop("n") == 9
    assert seen.pop("X") == {id(X)}
    assert seen == {"n_jobs": 3, "stack_memory": 5e6, "watch": None}


@pytest.mark.parametrize("verbose", [0, 1, 2, 3, 10])
def test_prints_what_scikit_learn_prints(capsys, verbose):
    printed = []
    for cls in (BatchedGridSearchCV, GridSearchCV):
        cls(MLP, LAMS, cv=2, verbose=verbose).fit(X, y)
        lines = capsys.readouterr().out.splitlines()
        printed.append([re.sub(r"total time=.*|\.\.+", "", line) for line in lines])
    assert printed[0] == printed[1]
    assert bool(printed[0]) == (verbose > 0)


def test_the_number_of_fits_is_printed_before_training(capsys):
    talking = clone(MLP).set_params(verbose=True)
    BatchedGridSearchCV(talking, LAMS, cv=2, verbose=1).fit(X, y)
    assert capsys.readouterr().out.startswith("Fitting 2 folds for each of 3")


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
