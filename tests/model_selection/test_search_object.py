"""What a search is made of: parameters, what a fit leaves, what it prints."""

import inspect
import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    RandomizedSearchCV,
    cross_validate,
)
from sklearn.utils._param_validation import InvalidParameterError

import skgroupnet.model_selection.models as models
from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPClassifierCV
from skgroupnet.model_selection import BatchedGridSearchCV, BatchedRandomizedSearchCV
from skgroupnet.model_selection.together import fit_together

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


def test_an_estimator_that_chooses_lam_itself():
    search = BatchedGridSearchCV(GroupSparseMLPClassifierCV(), {"momentum": [0.9]})
    with pytest.raises(TypeError, match="chooses it by a cross-validation of its own"):
        search.fit(X, y)


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
    assert loaded.best_params_ == search.best_params_
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
    def slowly(fittings, **settings):
        return [
            type(fitted)(fitted.estimator, fitted.error, 100.0 + number)
            for number, fitted in enumerate(fit_together(fittings, **settings))
        ]

    monkeypatch.setattr(models, "fit_together", slowly)
    results = BatchedGridSearchCV(MLP, LAMS, cv=3).fit(X, y).cv_results_
    np.testing.assert_allclose(results["mean_fit_time"], [101, 104, 107])
    np.testing.assert_allclose(results["std_fit_time"], np.std([0, 1, 2]))
    assert (results["mean_score_time"] < 10).all()


@pytest.mark.parametrize("return_train_score", [False, True])
def test_training_rows_are_not_copied_for_each_model(monkeypatch, return_train_score):
    import sklearn.model_selection._validation as validation

    sizes = set()

    def split(estimator, X, y, rows, training_rows=None):
        if training_rows is None:
            sizes.add(len(rows))
        return safe_split(estimator, X, y, rows, training_rows)

    safe_split = validation._safe_split
    monkeypatch.setattr(validation, "_safe_split", split)
    search = BatchedGridSearchCV(MLP, LAMS, cv=3, return_train_score=return_train_score)
    search.fit(X, y)
    assert sizes == ({60} if return_train_score else {1})


def test_settings_reach_the_training(monkeypatch):
    seen = {}

    def note(fittings, **settings):
        seen.update(settings)
        seen["n"], seen["X"] = len(fittings), {id(fitting.X) for fitting in fittings}
        return fit_together(fittings, **settings)

    monkeypatch.setattr(models, "fit_together", note)
    BatchedGridSearchCV(MLP, LAMS, cv=3, n_jobs=3, stack_memory=5e6).fit(X, y)
    assert seen.pop("n") == 9
    assert seen.pop("X") == {id(X)}
    expected = {"n_jobs": 3, "stack_memory": 5e6, "watch": None, "certify": False}
    assert seen == expected


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
