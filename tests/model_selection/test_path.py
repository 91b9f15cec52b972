"""A regularisation path: its models, choosing among them, the order of entry."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import log_loss, make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.model_selection import (
    GroupSparseLogisticRegressionCV,
    RegularizationPath,
    regularization_path,
)
from skgroupnet.model_selection import path as path_module

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_classification(
    n_samples=240, n_features=8, n_informative=4, n_redundant=0, random_state=0
)
X, X_VAL, Y, Y_VAL = scale(X)[:160], scale(X)[160:], Y[:160], Y[160:]
WEIGHT, WEIGHT_VAL = np.linspace(0, 2, len(X)), np.linspace(0, 2, len(X_VAL))
LOGISTIC = GroupSparseLogisticRegression(tol=1e-9)
NETWORK = GroupSparseMLPClassifier(
    (8,), learning_rate_init=0.03, batch_size=20, max_iter=8, random_state=0
)
LAMS = [0.1, 0.01, 0.03]


@pytest.fixture(scope="module")
def path():
    """Five logistic regressions, scored on validation rows."""
    return regularization_path(LOGISTIC, X, Y, lams=5, X_val=X_VAL, y_val=Y_VAL)


# The models


@pytest.mark.parametrize("model", [LOGISTIC, NETWORK], ids=["logistic", "network"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["equal", "weighted"])
def test_the_models_are_those_of_separate_fits(model, weight):
    path = regularization_path(model, X, Y, lams=LAMS, sample_weight=weight)
    # Products in torch depend on how many there are, in their last bits; linear models
    # come from another start, to the same tolerance.
    rtol = 1e-12 if model is NETWORK else 1e-6
    np.testing.assert_array_equal(path.lams, [0.1, 0.03, 0.01])
    for number, lam in enumerate(path.lams):
        alone = clone(model).set_params(lam=float(lam)).fit(X, Y, weight)
        np.testing.assert_allclose(
            path.estimators[number].predict_proba(X),
            alone.prune().predict_proba(X),
            rtol=rtol,
        )
        assert path.estimators[number].get_params() == alone.get_params()
        assert path.objectives[number] == pytest.approx(alone.loss_, rel=1e-12)
        assert path.n_active_features[number] == alone.n_active_features_
        assert path.n_active_neurons[number] == alone.n_active_neurons_
        assert path.n_active_parameters[number] == alone.n_active_parameters_
        np.testing.assert_allclose(
            path.feature_strengths[number], alone.feature_importances_, rtol=rtol
        )
    assert path.scores is None
    assert not hasattr(model, "coefs_")


def test_the_grid_begins_with_an_empty_model(path):
    assert path.n_active_features[0] == 0 < path.n_active_features[1]
    assert path.lams[-1] == pytest.approx(path.lams[0] / 1000)
    assert path.n_active_features.dtype == path.n_active_parameters.dtype == np.int64


def test_the_models_are_pruned_and_take_all_columns(path):
    model = path.estimators[1]
    assert 0 < model.n_active_features_ < 8
    assert model.n_features_in_ == 8
    assert path.networks[1].widths == (model.n_active_features_, 1)
    np.testing.assert_array_equal(path.networks[1].weights[0], model.coefs_[0])


def test_numbers_names_and_sparse_rows():
    pandas = pytest.importorskip("pandas")
    numbers, y = make_regression(n_samples=80, n_features=4, random_state=0)
    model = GroupSparseMLPRegressor((4,), max_iter=4, random_state=0)
    dense = regularization_path(model, scale(numbers), scale(y), lams=[0.01])
    rows = csr_array(scale(numbers))
    sparse = regularization_path(model, rows, scale(y), lams=[0.01])
    np.testing.assert_allclose(
        sparse.feature_strengths, dense.feature_strengths, rtol=1e-6
    )
    assert dense.feature_names.tolist() == ["x0", "x1", "x2", "x3"]
    frame = pandas.DataFrame(scale(numbers), columns=list("abcd"))
    named = regularization_path(model, frame, scale(y), lams=[0.01])
    assert named.feature_names.tolist() == list("abcd")
    assert named.select().predict(frame).shape == (80,)


def test_warm_goes_from_dense_to_sparse():
    path = regularization_path(NETWORK, X, Y, lams=LAMS, warm_start=True)
    model = clone(NETWORK).set_params(warm_start=True)
    by_hand = []
    for lam in sorted(LAMS):
        model.set_params(lam=lam).fit(X, Y)
        by_hand.append(model.prune().predict_proba(X))
    for estimator, expected in zip(path.estimators, by_hand[::-1], strict=True):
        np.testing.assert_array_equal(estimator.predict_proba(X), expected)
        assert not estimator.warm_start
    cold = regularization_path(NETWORK, X, Y, lams=LAMS)
    assert not np.array_equal(cold.objectives, path.objectives)
    assert cold.objectives[-1] == path.objectives[-1]


def test_cold_and_warm_find_the_same_optimum():
    model = clone(LOGISTIC).set_params(tol=1e-9, max_iter=5000)
    cold = regularization_path(model, X, Y, lams=4)
    warm = regularization_path(model, X, Y, lams=4, warm_start=True)
    np.testing.assert_allclose(warm.objectives, cold.objectives, rtol=1e-8)
    np.testing.assert_array_equal(warm.n_active_features, cold.n_active_features)


def test_results_do_not_depend_on_resources():
    usual = regularization_path(NETWORK, X, Y, lams=LAMS)
    other = regularization_path(NETWORK, X, Y, lams=LAMS, n_jobs=2, stack_memory=1.0)
    np.testing.assert_array_equal(other.objectives, usual.objectives)


# Validation rows


@pytest.mark.parametrize(
    "scoring",
    [None, "neg_log_loss", make_scorer(log_loss, response_method="predict_proba")],
)
@pytest.mark.parametrize("weight", [None, WEIGHT_VAL], ids=["equal", "weighted"])
def test_scores(scoring, weight):
    validation = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": weight}
    path = regularization_path(LOGISTIC, X, Y, lams=LAMS, scoring=scoring, **validation)
    for model, score in zip(path.estimators, path.scores, strict=True):
        if scoring is None:
            expected = model.score(X_VAL, Y_VAL, weight)
        else:
            probability = model.predict_proba(X_VAL)
            expected = log_loss(Y_VAL, probability, sample_weight=weight)
        expected = -expected if scoring == "neg_log_loss" else expected
        assert score == pytest.approx(expected, rel=1e-12)


def test_a_callable_that_takes_no_weights():
    def scoring(estimator, X, y):
        return estimator.n_active_features_

    validation = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": WEIGHT_VAL}
    with pytest.warns(UserWarning, match="does not take sample_weight"):
        path = regularization_path(
            LOGISTIC, X, Y, lams=LAMS, scoring=scoring, **validation
        )
    np.testing.assert_array_equal(path.scores, path.n_active_features)


def test_early_stopping_uses_the_validation_rows():
    model = clone(NETWORK).set_params(early_stopping=True)
    validation = {"X_val": X_VAL, "y_val": Y_VAL, "sample_weight_val": WEIGHT_VAL}
    path = regularization_path(model, X, Y, lams=[0.01], **validation)
    alone = clone(model).set_params(lam=0.01).fit(X, Y, **validation)
    assert path.estimators[0].validation_scores_ == alone.validation_scores_
    assert path.scores[0] == pytest.approx(alone.best_validation_score_)
    held_out = regularization_path(model, X, Y, lams=[0.01])
    assert held_out.estimators[0].validation_scores_ != alone.validation_scores_


# Choosing


def table(scores=None):
    """A path of four models, numbered 0 to 3, of known sizes."""
    counts = {"n_active_neurons": [0, 2, 4, 4], "n_active_features": [0, 1, 3, 3]}
    strengths = [[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 3, 2], [1, 2, 3, 0]]
    return RegularizationPath(
        lams=np.array([1, 0.1, 0.01, 0.001]),
        estimators=(0, 1, 2, 3),
        scores=None if scores is None else np.array(scores, dtype=float),
        n_active_parameters=np.array([1, 10, 30, 25]),
        objectives=np.array([0.5, 0.4, 0.3, 0.2]),
        feature_names=np.array(["a", "b", "c", "d"], dtype=object),
        feature_strengths=np.array(strengths, dtype=float),
        **{name: np.array(values) for name, values in counts.items()},
    )


@pytest.mark.parametrize(
    ("scores", "budget", "expected"),
    [
        (None, {}, 3),
        (None, {"max_features": 2}, 1),
        (None, {"max_neurons": 4}, 3),
        (None, {"max_neurons": 1}, 0),
        (None, {"max_parameters": 29}, 3),
        (None, {"max_parameters": 24}, 1),
        ([0.5, 0.9, 0.8, 0.7], {}, 1),
        ([0.5, 0.6, 0.8, 0.9], {"max_parameters": 10}, 1),
        ([0.9, 0.6, 0.8, 0.8], {"max_parameters": 10}, 0),
        ([0.5, 0.6, 0.8, 0.8], {}, 3),
        ([0.5, 0.6, np.nan, 0.1], {}, 1),
        ([0.5, 0.6, 0.8, 0.9], {"min_score": 0.6, "max_features": 1}, 1),
        ([-3, -2, -1, -np.inf], {"min_score": -2}, 2),
    ],
)
def test_select(scores, budget, expected):
    assert table(scores).select(**budget) == expected


@pytest.mark.parametrize(
    ("scores", "budget", "match"),
    [
        (None, {"max_features": -1}, "has at most -1 features. The .* 0 to 3 features"),
        (
            [0.5, 0.6, 0.8, np.nan],
            {"max_neurons": 1, "min_score": 0.7},
            "at most 1 neurons, a score of at least 0.7. .* 0 to 4 neurons, 1 to 30 "
            "parameters, scores from 0.5 to 0.8",
        ),
        ([np.nan] * 4, {}, "No model of the path has a score"),
    ],
)
def test_nothing_within_the_budget(scores, budget, match):
    with pytest.raises(ValueError, match=match):
        table(scores).select(**budget)


def test_min_score_needs_scores():
    with pytest.raises(ValueError, match="min_score needs a path with scores"):
        table().select(min_score=0.5)


def test_what_is_selected_predicts_from_all_columns(path):
    model = path.select(max_features=3)
    assert model.n_active_features_ <= 3
    within = path.n_active_features <= 3
    assert model.score(X_VAL, Y_VAL) == path.scores[within].max()


def test_order_of_entry(path):
    assert table().order_of_entry().tolist() == ["b", "c", "d", "a"]
    assert (
        replace(table(), feature_strengths=np.zeros((4, 4))).order_of_entry().size == 0
    )
    names = path.order_of_entry()
    last = path.feature_names[path.estimators[-1].get_support()]
    assert set(names) >= set(last)
    first = path.feature_names[path.feature_strengths[1].argmax()]
    assert names[0] == first


def test_text(path):
    lines = repr(path).splitlines()
    assert lines[0].split()[0] == "lam"
    assert len(lines) == 6
    assert lines[1].split()[1:4] == ["0", "0", "1"]
    assert lines[-1].split()[-1] == f"{path.scores[-1]:.3f}"
    assert "score" not in repr(table())
    long = regularization_path(LOGISTIC, X, Y, lams=np.linspace(0.1, 1, 30))
    lines = repr(long).splitlines()
    assert len(lines) == 26
    assert lines[13].split() == ["..."] * 5
    assert lines[-1].split()[0] == "0.1"


def test_pickle(path):
    copy = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(copy.scores, path.scores)
    np.testing.assert_array_equal(
        copy.select().predict(X_VAL), path.select().predict(X_VAL)
    )


# What cannot be done


@pytest.mark.parametrize(
    "estimator",
    [
        make_pipeline(StandardScaler(), LOGISTIC),
        GroupSparseLogisticRegressionCV(),
        GroupSparseLogisticRegression,
        StandardScaler(),
    ],
)
def test_only_estimators_of_this_package(estimator):
    with pytest.raises(TypeError, match="that has the parameter lam, but is"):
        regularization_path(estimator, X, Y)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"X_val": X}, "given together, but y_val is missing"),
        ({"y_val": Y}, "given together, but X_val is missing"),
        ({"scoring": "accuracy"}, "for validation rows, but X_val is missing"),
        ({"sample_weight_val": WEIGHT}, "for validation rows, but X_val is missing"),
        ({"scoring": "acuracy"}, "The 'scoring' parameter"),
        ({"lams": 0}, "The 'lams' parameter"),
        ({"lams": [-1]}, "lams must hold finite values"),
        ({"warm_start": 2}, "The 'warm_start' parameter"),
        ({"stack_memory": 0}, "The 'stack_memory' parameter"),
    ],
)
def test_bad_arguments(params, match):
    with pytest.raises(ValueError, match=match):
        regularization_path(LOGISTIC, X, Y, **params)


@pytest.mark.parametrize("lams", [3, LAMS])
def test_bad_data(lams):
    with pytest.raises(ValueError, match="NaN"):
        regularization_path(LOGISTIC, np.full_like(X, np.nan), Y, lams=lams)
    with pytest.raises(ValueError, match="The 'max_iter' parameter"):
        bad = GroupSparseLogisticRegression(max_iter=-1)
        regularization_path(bad, X, Y, lams=lams)


def with_errors(monkeypatch, errors):
    """Make the fits of some lams fail."""
    together = path_module.fit_together

    def fit_together(fittings, **resources):
        return [
            replace(fit, error=errors.get(fit.estimator.lam))
            for fit in together(fittings, **resources)
        ]

    monkeypatch.setattr(path_module, "fit_together", fit_together)


@pytest.mark.parametrize("warm_start", [False, True])
def test_fits_that_fail_are_left_out(monkeypatch, warm_start):
    with_errors(monkeypatch, {0.03: FloatingPointError("not finite")})
    with pytest.warns(FitFailedWarning, match="1 of 3 fits .* FloatingPointError: not"):
        path = regularization_path(LOGISTIC, X, Y, lams=LAMS, warm_start=warm_start)
    np.testing.assert_array_equal(path.lams, [0.1, 0.01])
    assert len(path.estimators) == len(path.objectives) == 2


@pytest.mark.parametrize("warm_start", [False, True])
def test_an_interrupt_keeps_what_was_trained(monkeypatch, warm_start):
    with_errors(monkeypatch, {0.1: KeyboardInterrupt(), 0.03: KeyboardInterrupt()})
    with pytest.warns(UserWarning, match="path was interrupted by the user"):
        path = regularization_path(LOGISTIC, X, Y, lams=LAMS, warm_start=warm_start)
    np.testing.assert_array_equal(path.lams, [0.01])


def test_an_interrupt_in_training(monkeypatch):
    together = path_module.fit_together

    def interrupted(fittings, **resources):
        def watch(epoch):
            if fittings[0].estimator.lam == 0.03 and epoch.n_iter == 2:
                raise KeyboardInterrupt

        return together(fittings, watch=watch, **resources)

    monkeypatch.setattr(path_module, "fit_together", interrupted)
    with pytest.warns(UserWarning, match="path was interrupted by the user"):
        path = regularization_path(NETWORK, X, Y, lams=LAMS, warm_start=True)
    np.testing.assert_array_equal(path.lams, [0.03, 0.01])
    assert path.estimators[0].n_iter_ == 2


def test_nothing_was_trained(monkeypatch):
    with_errors(monkeypatch, dict.fromkeys(LAMS, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        regularization_path(LOGISTIC, X, Y, lams=LAMS)
