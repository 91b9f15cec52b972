"""Searches over pipelines: earlier steps are fitted once for each fold and setting."""

import warnings
from itertools import count
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_classification
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KernelCenterer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
)

import skgroupnet.model_selection.models as models
import skgroupnet.model_selection.pipelines as pipelines
from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier
from skgroupnet.model_selection import BatchedGridSearchCV, BatchedRandomizedSearchCV
from skgroupnet.model_selection.together import Fitted, fit_together

X, y = make_classification(
    n_samples=90, n_features=6, n_informative=4, class_sep=1.5, random_state=0
)
MLP = GroupSparseMLPClassifier(
    (4,), learning_rate_init=0.05, max_iter=4, tol=1e6, n_iter_no_change=2,
    random_state=0,
)  # fmt: skip
LAMS = {"clf__lam": [1e-3, 3e-2]}


class Counting(TransformerMixin, BaseEstimator):
    """Scales, and counts how often it is fitted."""

    n_fits = 0

    def __init__(self, factor=1.0, fail_at=None):
        self.factor = factor
        self.fail_at = fail_at

    def fit(self, X, y=None, sample_weight=None):
        Counting.n_fits += 1
        if self.fail_at == Counting.n_fits:
            raise ValueError(f"failing in fit {self.fail_at}")
        self.weight_ = 1.0 if sample_weight is None else np.mean(sample_weight)
        return self

    def transform(self, X):
        return self.factor * self.weight_ * X


@pytest.fixture(autouse=True)
def start_to_count():
    Counting.n_fits = 0


def both(pipeline, grid, X=X, y=y, fit_params=None, **settings):
    """Fit our search and scikit-learn's, and check that they agree."""
    ours, theirs = (
        cls(pipeline, grid, **{"cv": 3, **settings}).fit(X, y, **fit_params or {})
        for cls in (BatchedGridSearchCV, GridSearchCV)
    )
    assert ours.best_params_ == theirs.best_params_
    assert list(ours.cv_results_) == list(theirs.cv_results_)
    for name, values in theirs.cv_results_.items():
        if not name.endswith("_time"):
            assert_same = assert_allclose if "_t" in name else assert_array_equal
            assert_same(ours.cv_results_[name], values, err_msg=name)
    assert type(ours.best_estimator_) is type(theirs.best_estimator_)
    assert_array_equal(ours.predict_proba(X), theirs.predict_proba(X))
    return ours


def pipeline(**settings):
    return Pipeline([("scale", StandardScaler()), ("clf", MLP)], **settings)


def test_same_results():
    both(pipeline(), LAMS, return_train_score=True)


def test_transformers_are_fitted_once_for_each_fold_and_setting():
    grid = {"count__factor": [1.0, 0.5, 2], **LAMS}
    search = Pipeline([("count", Counting()), ("clf", MLP)])
    both(search, grid)
    GridSearchCV(search, grid, cv=3, refit=False).fit(X, y)
    Counting.n_fits = 0
    BatchedGridSearchCV(search, grid, cv=3, refit=False).fit(X, y)
    assert Counting.n_fits == 3 * 3
    BatchedGridSearchCV(search, LAMS, cv=4).fit(X, y)
    assert Counting.n_fits == 3 * 3 + 4 + 1


def test_settings_that_are_the_same_object_are_fitted_once():
    grid = {"count": [Counting(), Counting(2.0)], **LAMS}
    search = Pipeline([("count", None), ("clf", MLP)])
    BatchedGridSearchCV(search, grid, cv=3, refit=False).fit(X, y)
    assert Counting.n_fits == 2 * 3


def test_draws_of_a_random_search_share_steps():
    search = BatchedRandomizedSearchCV(
        Pipeline([("count", Counting()), ("clf", MLP)]),
        {"count__factor": np.array([1.0, 2.0]), "clf__lam": [1e-3, 1e-2, 3e-2]},
        n_iter=6,
        cv=3,
        random_state=0,
        refit=False,
    )
    results = search.fit(X, y).cv_results_
    assert Counting.n_fits == 2 * 3
    settings = search.get_params(deep=False)
    del settings["stack_memory"]
    theirs = RandomizedSearchCV(**settings).fit(X, y)
    assert_array_equal(
        results["mean_test_score"], theirs.cv_results_["mean_test_score"]
    )


def test_fits_of_one_fold_and_setting_share_their_rows(monkeypatch):
    shared = []

    def note(fittings, **settings):
        shared.extend(id(fitting.X) for fitting in fittings)
        return fit_together(fittings, **settings)

    monkeypatch.setattr(models, "fit_together", note)
    BatchedGridSearchCV(pipeline(), LAMS, cv=3).fit(X, y)
    assert len(shared) == 6
    assert shared[:3] == shared[3:]
    assert len(set(shared)) == 3


def test_the_time_of_the_steps_is_shared(monkeypatch):
    clock = count(step=6.0)
    monkeypatch.setattr(
        pipelines, "time", SimpleNamespace(perf_counter=lambda: next(clock))
    )
    monkeypatch.setattr(
        models,
        "fit_together",
        lambda fittings, **_: [
            Fitted(fitting.estimator.fit(fitting.X, fitting.y), None, 1.0)
            for fitting in fittings
        ],
    )
    search = BatchedGridSearchCV(pipeline(), LAMS, cv=3).fit(X, y)
    assert_allclose(search.cv_results_["mean_fit_time"], 1 + 6 / 2)


@pytest.mark.parametrize(
    "grid",
    [
        {"clf": [MLP, GroupSparseLogisticRegression(tol=1e-2)]},
        {"clf": [clone(MLP)], "clf__lam": [1e-3, 1e-2]},
        [
            {"clf": [MLP], "clf__lam": [1e-2], "scale": ["passthrough"]},
            {"clf": [GroupSparseLogisticRegression(tol=1e-2)], "scale": [None]},
        ],
        {"scale": [StandardScaler(), MinMaxScaler(), "passthrough", None], **LAMS},
        {"scale__with_mean": [True, False], **LAMS},
        {"steps": [[("pca", PCA(2)), ("clf", MLP)], [("clf", MLP)]], **LAMS},
    ],
    ids=["classes", "class", "both", "scalers", "settings", "steps"],
)
def test_steps_that_the_grid_chooses(grid):
    both(pipeline(), grid)


def test_the_last_step_may_be_missing_before_the_grid_chooses_it():
    missing = Pipeline([("scale", StandardScaler()), ("clf", None)])
    both(missing, {"clf": [MLP]}, scoring="accuracy")
    other = make_pipeline(StandardScaler(), LogisticRegression())
    both(other, {"logisticregression": [MLP]})


def test_a_last_step_that_is_not_ours():
    grid = {"clf": [MLP, LogisticRegression()]}
    with pytest.raises(TypeError, match="or pipelines that end in one"):
        BatchedGridSearchCV(pipeline(), grid).fit(X, y)
    for steps in ([], [("scale", StandardScaler())]):
        search = BatchedGridSearchCV(Pipeline(steps), {}, scoring="accuracy")
        with pytest.raises(TypeError, match="or pipelines that end in one"):
            search.fit(X, y)


def test_kernels():
    """The columns of a kernel are rows, too."""
    search = Pipeline([("center", KernelCenterer()), ("clf", MLP)])
    both(search, LAMS, X @ X.T)
    both(pipeline(), {"scale": [StandardScaler(), KernelCenterer()]}, X @ X.T)


def test_pipelines_within_pipelines():
    inner = Pipeline([("pca", PCA(3)), ("clf", MLP)])
    outer = Pipeline([("scale", make_pipeline(StandardScaler())), ("inner", inner)])
    both(outer, {"inner__clf__lam": [1e-3, 1e-2], "inner__pca__n_components": [2, 4]})
    both(outer, {"inner": [inner, pipeline()], "inner__clf__lam": [1e-3, 1e-2]})
    seen = []

    def scorer(estimator, X, y):
        seen.append(estimator)
        return 1.0

    grid = {"inner__clf__lam": [1e-3, 1e-2]}
    BatchedGridSearchCV(outer, grid, cv=2, scoring=scorer).fit(X, y)
    assert [estimator["inner"]["clf"].lam for estimator in seen] == [1e-3] * 2 + [
        1e-2
    ] * 2
    counting = Pipeline([("a", Counting()), ("b", make_pipeline(Counting(), MLP))])
    Counting.n_fits = 0
    grid = {"b__groupsparsemlpclassifier__lam": [1e-3, 1e-2]}
    BatchedGridSearchCV(counting, grid, cv=3, refit=False).fit(X, y)
    assert Counting.n_fits == 2 * 3


def test_memory_is_used(tmp_path):
    both(pipeline(memory=str(tmp_path)), LAMS)
    search = Pipeline([("count", Counting()), ("clf", MLP)], memory=str(tmp_path))
    for _ in range(2):
        BatchedGridSearchCV(search, LAMS, cv=3, refit=False).fit(X, y)
    assert Counting.n_fits == 3


def test_a_scorer_meets_the_whole_pipeline():
    seen = []

    def scorer(estimator, X, y):
        seen.append(estimator)
        return estimator[-1].n_active_neurons_

    original = pipeline()
    BatchedGridSearchCV(original, LAMS, scoring=scorer, cv=2).fit(X, y)
    assert [type(estimator) for estimator in seen] == [Pipeline] * 4
    assert [estimator["clf"].lam for estimator in seen] == [1e-3] * 2 + [3e-2] * 2
    assert seen[0]["scale"] is seen[2]["scale"]
    assert seen[0]["scale"] is not seen[1]["scale"]
    assert not hasattr(original["scale"], "mean_")
    assert not hasattr(original["clf"], "coefs_")


def test_one_hot_columns_as_groups():
    random = np.random.RandomState(0)
    frame = pd.DataFrame(
        {
            "colour": random.choice(["red", "green", "blue"], 120),
            "size": random.randn(120),
            "noise": random.choice(["a", "b"], 120),
        }
    )
    target = (frame["colour"] == "red") ^ (frame["size"] > 1)
    columns = ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["size"]),
            ("colour", OneHotEncoder(), ["colour"]),
            ("noise", OneHotEncoder(), ["noise"]),
        ],
        sparse_threshold=0,
    )
    grouped = clone(MLP).set_params(groups=[0, 1, 1, 1, 2, 2], max_iter=8)
    search = both(
        Pipeline([("columns", columns), ("clf", grouped)]),
        {**LAMS, "columns__numbers": [StandardScaler(), MinMaxScaler()]},
        frame,
        target.to_numpy(),
    )
    support = search.best_estimator_[-1].get_support()
    assert support[1] == support[2] == support[3]
    assert list(search.feature_names_in_) == ["colour", "size", "noise"]


def test_a_pipeline_that_makes_sparse_rows_or_frames():
    sparse = FunctionTransformer(lambda X: np.round(X), accept_sparse=True)
    both(Pipeline([("round", sparse), ("clf", MLP)]), LAMS)
    frames = pipeline().set_output(transform="pandas")
    search = both(frames, LAMS)
    assert list(search.best_estimator_[-1].feature_names_in_) == [
        f"x{i}" for i in range(6)
    ]


def test_a_step_that_fails_fails_its_fold_only():
    search = BatchedGridSearchCV(
        Pipeline([("count", Counting(fail_at=2)), ("clf", MLP)]), LAMS, cv=3
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(X, y)
    failed, not_finite = (str(warning.message) for warning in caught)
    assert "2 fits failed out of a total of 6" in failed
    # Both candidates met the same error.
    assert "2 fits failed with the following error" in failed
    assert "ValueError: failing in fit 2" in failed
    assert "non-finite" in not_finite
    results = search.cv_results_
    assert np.isnan(results["split1_test_score"]).all()
    assert np.isfinite(results["split0_test_score"]).all()
    assert (results["mean_fit_time"] > 0).all()


# Fit parameters


WEIGHT = np.random.RandomState(0).randint(1, 4, 90)


def test_fit_parameters_by_the_name_of_the_step():
    weights = {"scale__sample_weight": WEIGHT, "clf__sample_weight": WEIGHT[::-1]}
    weighted = both(pipeline(), LAMS, fit_params=weights)
    plain = BatchedGridSearchCV(pipeline(), LAMS, cv=3).fit(X, y)
    assert (weighted.best_estimator_[0].mean_ != plain.best_estimator_[0].mean_).all()
    assert (weighted.predict_proba(X) != plain.predict_proba(X)).any()


def test_fit_parameters_without_a_step():
    search = BatchedGridSearchCV(pipeline(), LAMS, cv=2, scoring="accuracy")
    message = "(?s)All the 4 fits failed.*Pipeline.fit does not accept the sample_weigh"
    with pytest.raises(ValueError, match=message):
        search.fit(X, y, sample_weight=WEIGHT)


def test_rows_to_stop_early_on_are_passed_on():
    early = pipeline().set_params(clf__early_stopping=True)
    both(early, LAMS, fit_params={"clf__X_val": X[:20], "clf__y_val": y[:20]})


@config_context(enable_metadata_routing=True)
def test_routed_metadata():
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight="of_score")
    routed = Pipeline(
        [
            ("scale", StandardScaler().set_fit_request(sample_weight="of_scale")),
            ("clf", clone(MLP).set_fit_request(sample_weight=True)),
        ]
    )
    metadata = {
        "of_score": WEIGHT,
        "of_scale": WEIGHT**2,
        "sample_weight": WEIGHT[::-1],
        "groups": np.arange(90) % 4,
    }
    settings = {"scoring": scorer, "cv": GroupKFold(2), "return_train_score": True}
    both(routed, LAMS, fit_params=metadata, **settings)
    # The bare estimator, and none at all.
    del metadata["of_scale"]
    both(routed["clf"], {"lam": [1e-3, 3e-2]}, fit_params=metadata, **settings)
    both(routed, LAMS)


@config_context(enable_metadata_routing=True)
def test_metadata_that_nobody_asked_for():
    messages = []
    for cls in (BatchedGridSearchCV, GridSearchCV):
        with pytest.raises(TypeError) as caught:
            cls(MLP, {}).fit(X, y, spam=WEIGHT)
        messages.append(str(caught.value).replace("Batched", ""))
    assert messages[0] == messages[1]


@config_context(enable_metadata_routing=True)
def test_last_steps_that_ask_for_different_metadata():
    asking = clone(MLP).set_fit_request(sample_weight=True)
    silent = clone(MLP).set_fit_request(sample_weight=False)
    routed = pipeline()
    routed.set_params(scale=StandardScaler().set_fit_request(sample_weight=True))
    scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
    search = both(
        routed.set_params(clf=asking),
        {"clf": [asking, silent]},
        fit_params={"sample_weight": WEIGHT**3},
        scoring=scorer,
        return_train_score=True,
    )
    first, second = search.cv_results_["mean_train_score"]
    assert first != second


@config_context(enable_metadata_routing=True)
def test_rows_to_stop_early_on_go_through_the_steps():
    early = clone(MLP).set_params(early_stopping=True)
    early.set_fit_request(X_val=True, y_val=True)
    search = Pipeline(
        [("count", Counting(factor=0.1)), ("clf", early)], transform_input=["X_val"]
    )
    validation = {"X_val": X[:25], "y_val": y[:25]}
    both(search, LAMS, fit_params=validation)
    theirs = clone(search).set_params(clf__lam=1e-3).fit(X, y, **validation)
    ours = BatchedGridSearchCV(search, {"clf__lam": [1e-3]}, cv=2).fit(
        X, y, **validation
    )
    assert ours.best_estimator_[-1].validation_scores_ == theirs[-1].validation_scores_
