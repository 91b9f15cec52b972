"""Estimators inside scikit-learn: pipelines, searches, routing, representations."""

import inspect

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
    GroupSparsePoissonRegressor,
)
from skgroupnet.penalties import GroupLasso, SparseGroupLasso

ESTIMATORS = [
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
    GroupSparseLogisticRegression,
    GroupSparseLinearRegression,
    GroupSparsePoissonRegressor,
]


def signature(cls):
    return {
        name: parameter.default
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if name != "self"
    }


NETWORK = {
    "hidden_layer_sizes": (100,),
    "activation": "relu",
    "penalty": "group_lasso",
    "lam": 1e-3,
    "groups": None,
    "penalize_bias": False,
    "solver": "adam",
    "learning_rate": "constant",
    "learning_rate_init": 1e-3,
    "power_t": 0.5,
    "momentum": 0.9,
    "nesterovs_momentum": True,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 1e-8,
    "batch_size": "auto",
    "max_iter": 200,
    "shuffle": True,
    "random_state": None,
    "tol": 1e-4,
    "verbose": False,
    "warm_start": False,
    "early_stopping": False,
    "validation_fraction": 0.1,
    "n_iter_no_change": 10,
    "finetune_iter": 0,
    "device": "cpu",
}
LINEAR = {
    "penalty": "group_lasso",
    "lam": 1e-3,
    "groups": None,
    "penalize_bias": False,
    "fit_intercept": True,
    "solver": "auto",
    "rho": "auto",
    "learning_rate_init": 1e-3,
    "batch_size": "auto",
    "max_iter": 1000,
    "tol": 1e-6,
    "warm_start": False,
    "random_state": None,
    "verbose": False,
    "device": "cpu",
}


def test_signatures():
    assert signature(GroupSparseMLPClassifier) == {**NETWORK, "class_weight": None}
    assert signature(GroupSparseMLPRegressor) == {**NETWORK, "loss": "squared_error"}
    assert signature(GroupSparseLogisticRegression) == {**LINEAR, "class_weight": None}
    assert signature(GroupSparseLinearRegression) == LINEAR
    assert signature(GroupSparsePoissonRegressor) == LINEAR


@pytest.fixture
def classifier(epochs):
    return GroupSparseMLPClassifier((6,), random_state=0, **epochs(4))


def test_grid_search_over_penalties(three_classes, classifier):
    X, y = three_classes
    pipeline = Pipeline([("scale", StandardScaler()), ("mlp", classifier)])
    grid = {
        "mlp__lam": [1e-3, 1e-2],
        "mlp__penalty": ["group_lasso", SparseGroupLasso(0.5), None],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_params_["mlp__lam"] in grid["mlp__lam"]
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_parallel_jobs(three_classes, classifier):
    X, y = three_classes
    alone = cross_val_score(classifier, X, y, cv=2)
    with joblib.parallel_config("threading", n_jobs=2):
        parallel = cross_val_score(classifier, X, y, cv=2)
    np.testing.assert_array_equal(parallel, alone)


def test_named_groups_in_a_pipeline_of_frames(three_classes, classifier):
    X, y = three_classes
    X = pd.DataFrame(X).add_prefix("c")
    classifier.set_params(groups=[["c0", "c1"]])
    pipeline = make_pipeline(StandardScaler(), classifier)
    with pytest.raises(ValueError, match="set_output"):
        pipeline.fit(X, y)
    pipeline.set_output(transform="pandas").fit(X, y)
    assert pipeline[-1].feature_names_in_.tolist() == X.columns.tolist()


def test_held_out_rows_are_scaled_by_the_pipeline(three_classes, epochs):
    X, y = three_classes
    classifier = GroupSparseMLPClassifier(
        (6,), early_stopping=True, random_state=0, **epochs(4)
    )
    scaler = StandardScaler().fit(X[:160])
    by_hand = classifier.fit(
        scaler.transform(X[:160]),
        y[:160],
        X_val=scaler.transform(X[160:]),
        y_val=y[160:],
    ).validation_scores_
    with config_context(enable_metadata_routing=True):
        classifier = classifier.set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(
            StandardScaler(), classifier, transform_input=["X_val"]
        )
        pipeline.fit(X[:160], y[:160], X_val=X[160:], y_val=y[160:])
    assert pipeline[-1].validation_scores_ == by_hand


def test_weights_are_routed(two_classes, classifier):
    X, y = two_classes
    weight = np.linspace(0, 1, len(X))
    with config_context(enable_metadata_routing=True):
        classifier.set_fit_request(sample_weight=True)
        classifier.set_score_request(sample_weight=True)
        classifier.set_partial_fit_request(sample_weight=True, classes=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        pipeline = make_pipeline(scaler, classifier)
        scores = cross_validate(
            pipeline,
            X,
            y,
            cv=2,
            params={"sample_weight": weight},
        )
    classifier.fit(StandardScaler().fit_transform(X), y, sample_weight=weight)
    assert np.isfinite(scores["test_score"]).all()
    unweighted = cross_validate(make_pipeline(StandardScaler(), classifier), X, y, cv=2)
    assert not np.array_equal(scores["test_score"], unweighted["test_score"])


def test_meta_estimators(two_classes, numbers, epochs, classifier):
    X, y = two_classes
    calibrated = CalibratedClassifierCV(classifier, cv=2).fit(X, y)
    assert calibrated.predict_proba(X).shape == (len(X), 2)
    selector = SelectFromModel(
        GroupSparseLogisticRegression(lam=0.1), threshold=1e-10
    ).fit(X, y)
    np.testing.assert_array_equal(
        selector.get_support(), selector.estimator_.get_support()
    )
    X, y = numbers
    model = TransformedTargetRegressor(
        GroupSparseMLPRegressor((6,), **epochs(4)), transformer=StandardScaler()
    )
    assert model.fit(X, 1e4 + 1e3 * y).predict(X).mean() == pytest.approx(1e4, rel=0.2)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_representations(cls, two_classes, epochs):
    X, y = two_classes
    y = (y == "yes").astype(int)
    settings = epochs(3) if "MLP" in cls.__name__ else {}
    model = cls(lam=0.05, penalty=GroupLasso(), groups=[[0, 1]], **settings)
    assert "lam=0.05" in repr(model)
    assert cls.__name__ in model._repr_html_()
    for fitted in (model.fit(X, y), model.prune()):
        assert "n_active_neurons_" in fitted._repr_html_()
        assert repr(fitted) == repr(model)


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_not_fitted(cls):
    for method in ("predict", "predict_proba", "predict_log_proba", "score"):
        if hasattr(cls, method):
            data = ([[0.0]], [0]) if method == "score" else ([[0.0]],)
            with pytest.raises(NotFittedError):
                getattr(cls(), method)(*data)


def test_parameters_are_left_alone(classifier, three_classes):
    X, y = three_classes
    groups, sizes = np.arange(8) % 3, [5, 4]
    classifier.set_params(groups=groups, hidden_layer_sizes=sizes, penalty=GroupLasso())
    before = classifier.get_params()
    classifier.fit(X, y).prune().partial_fit(X, y)
    after = classifier.get_params()
    assert all(after[name] is value for name, value in before.items())
    assert (sizes, groups.tolist()) == ([5, 4], (np.arange(8) % 3).tolist())


def test_data_are_left_alone(classifier, three_classes):
    X, y = three_classes
    X, y, weight = X.copy(), y.copy(), np.linspace(0, 1, len(X))
    copies = X.copy(), y.copy(), weight.copy()
    for array in (X, y, weight):
        array.flags.writeable = False
    classifier.fit(X, y, weight).partial_fit(X, y, weight)
    classifier.predict(X)
    for array, copy in zip((X, y, weight), copies, strict=True):
        np.testing.assert_array_equal(array, copy)
