"""Logistic regression: the right optimum, in scikit-learn's shapes."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skgroupnet import GroupSparseLogisticRegression
from skgroupnet.engine import Problem
from skgroupnet.engine.descent import can_descend
from skgroupnet.penalties import GroupLasso


def objective(model, X, y):
    """Objective of a group-lasso model, written out."""
    log_p = model.predict_log_proba(X)
    loss = -log_p[np.arange(len(X)), np.searchsorted(model.classes_, y)].mean()
    norms = np.linalg.norm(model.coef_, axis=0)
    return loss + model.lam * np.sqrt(len(model.coef_)) * norms.sum()


@pytest.mark.parametrize("data", ["two_classes", "three_classes"])
@pytest.mark.parametrize("penalty", ["l1", "l2", "none"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_optimum_is_that_of_scikit_learn(
    data, penalty, fit_intercept, weighted, request
):
    X, y = request.getfixturevalue(data)
    X, lam, weight, total = X + 0.5, 0.02, None, len(X)
    # Without a penalty, classes that can be told apart have no optimum.
    y = np.where(np.arange(len(y)) % 5, y, np.roll(y, 7))
    class_weight = {y[0]: 2.0} if weighted else None
    if weighted:
        weight = np.linspace(0, 2, len(X))
        total = (weight * np.where(y == y[0], 2, 1)).sum()
    ours = GroupSparseLogisticRegression(
        penalty=penalty,
        lam=lam,
        fit_intercept=fit_intercept,
        class_weight=class_weight,
        # Relative to the units of the data, in which the gap below is not.
        tol=5e-10,
        max_iter=20_000,
    ).fit(X, y, weight)
    theirs = LogisticRegression(
        l1_ratio=float(penalty == "l1"),
        C=np.inf if penalty == "none" else 1 / (lam * total),
        solver="saga" if penalty == "l1" else "newton-cholesky",
        fit_intercept=fit_intercept,
        class_weight=class_weight,
        tol=1e-11,
        max_iter=100_000,
    ).fit(X, y, weight)
    # Only differences between the classes count, unless they are penalised.
    both = [np.column_stack([m.coef_, m.intercept_]) for m in (ours, theirs)]
    if len(ours.classes_) > 2:
        both = [values - values.mean(axis=0) for values in both]
    np.testing.assert_allclose(*both, atol=1e-6)
    if penalty != "none":
        np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-6)
    assert ours.stationarity_gap_ <= 1e-9
    if not fit_intercept:
        assert not ours.intercept_.any()


@pytest.mark.parametrize("data", ["two_classes", "three_classes", "labels"])
def test_attributes(data, request):
    X, y = request.getfixturevalue(data)
    model = GroupSparseLogisticRegression(lam=0.05).fit(X, y)
    n_outputs = {"two_classes": 1}.get(data, 3)
    assert model.coef_.shape == (n_outputs, 8)
    assert model.intercept_.shape == (n_outputs,)
    np.testing.assert_array_equal(model.coef_, model.coefs_[0].T)
    np.testing.assert_array_equal(model.intercept_, model.intercepts_[0])
    assert model.n_iter_ == len(model.loss_curve_) >= 1
    assert (model.n_layers_, model.n_outputs_) == (2, n_outputs)
    assert model.n_active_neurons_ == 0
    assert len(model.active_neurons_) == 1
    assert 0 < model.n_active_features_ < 8
    used = (model.coef_ != 0).any(axis=0)
    np.testing.assert_array_equal(model.get_support(), used)
    np.testing.assert_array_equal(model.feature_importances_ > 0, used)
    assert not hasattr(model, "validation_scores_")


def test_the_loss_curve_is_the_objective(three_classes):
    X, y = three_classes
    model = GroupSparseLogisticRegression(lam=0.05).fit(X, y)
    assert model.loss_ == pytest.approx(objective(model, X, y), rel=1e-9)
    rng = np.random.RandomState(0)
    for _ in range(20):
        other = clone(model).fit(X, y)
        other.coefs_ = [model.coefs_[0] + rng.normal(scale=1e-2, size=(8, 3))]
        other.coef_ = other.coefs_[0].T
        assert objective(other, X, y) > model.loss_


@pytest.mark.parametrize(
    ("solver", "rate"),
    [("adam", 0.1), ("adamax", 0.1), ("rmsprop", 0.01), ("sgd", 0.1), ("rmda", 1.0)],
)
def test_stochastic_solvers_come_near_the_same_optimum(three_classes, solver, rate):
    X, y = three_classes
    exact = GroupSparseLogisticRegression(lam=0.05).fit(X, y)
    model = GroupSparseLogisticRegression(
        lam=0.05,
        solver=solver,
        learning_rate_init=rate,
        batch_size=len(X),
        tol=1e-3,
        random_state=0,
    ).fit(X, y)
    assert model.stationarity_gap_ <= 1e-3
    assert model.n_iter_ < 1000
    np.testing.assert_array_equal(model.get_support(), exact.get_support())
    np.testing.assert_allclose(model.coef_, exact.coef_, atol=0.03)


def test_auto_ends_where_fista_does_and_sooner(two_classes):
    X, y = two_classes
    auto = GroupSparseLogisticRegression(tol=1e-9).fit(X, y)
    fista = GroupSparseLogisticRegression(solver="fista", tol=1e-9).fit(X, y)
    np.testing.assert_allclose(auto.coef_, fista.coef_, atol=1e-6)
    problem = Problem(X, y[:, None] == "yes", "log_loss", GroupLasso())
    assert (auto.n_iter_ < fista.n_iter_) == can_descend(problem)


def test_dual_averaging_needs_a_convex_penalty(two_classes):
    model = GroupSparseLogisticRegression(penalty="group_mcp", solver="rmda")
    with pytest.raises(
        ValueError, match=r"RMDA.* needs a convex penalty, but GroupMCP"
    ):
        model.fit(*two_classes)


@pytest.mark.parametrize("solver", ["fista", "adam"])
def test_max_iter_warns(two_classes, solver):
    X, y = two_classes
    with pytest.warns(ConvergenceWarning, match="max_iter=3 iterations"):
        model = GroupSparseLogisticRegression(solver=solver, max_iter=3).fit(X, y)
    assert model.n_iter_ == 3
    assert model.stationarity_gap_ > 1e-6


def test_groups_go_together(three_classes):
    X, y = three_classes
    groups = ["a", "b", "a", "b", "c", "c", -1, "d"]
    model = GroupSparseLogisticRegression(groups=groups, lam=0.15).fit(X, y)
    support = model.get_support()
    assert support[6]
    assert not support.all()
    for first, second in ((0, 2), (1, 3), (4, 5)):
        assert support[first] == support[second]


def test_lam_max_is_where_the_model_becomes_empty(three_classes):
    X, y = three_classes
    with pytest.warns(ConvergenceWarning) as record:
        model = GroupSparseLogisticRegression(lam=10).fit(X, y)
    assert model.n_active_features_ == 0
    lam_max = float(str(record[0].message).split("lam_max=")[1].split()[0])
    model.set_params(lam=0.99 * lam_max).fit(X, y)
    assert model.n_active_features_ == 1
    with pytest.warns(ConvergenceWarning, match="Nothing is left"):
        model.set_params(lam=1.01 * lam_max).fit(X, y)
    share = np.bincount(y) / len(y)
    np.testing.assert_allclose(model.predict_proba(X[:1])[0], share, atol=1e-6)


def test_warm_start_shortens_the_way(three_classes):
    X, y = three_classes
    model = GroupSparseLogisticRegression(lam=0.05, warm_start=True).fit(X, y)
    cold = model.n_iter_
    np.testing.assert_allclose(
        model.fit(X, y).coef_, clone(model).fit(X, y).coef_, atol=1e-4
    )
    assert model.n_iter_ < cold
    model.set_params(fit_intercept=False).fit(X, y)
    assert not model.intercept_.any()


def test_a_pruned_model_keeps_the_shape_of_its_coefficients(three_classes):
    X, y = three_classes
    model = GroupSparseLogisticRegression(lam=0.05).fit(X, y)
    compact = model.prune().set_params(warm_start=True, lam=0.1)
    compact.fit(X, y)
    assert compact.coefs_[0].shape == (model.n_active_features_, 3)
    full = clone(compact).fit(X, y)
    np.testing.assert_allclose(compact.coef_, full.coef_, atol=1e-5)
    np.testing.assert_allclose(compact.loss_, full.loss_, rtol=1e-9)


@pytest.mark.parametrize(("given", "used"), [("f4", "f4"), ("f8", "f8"), ("i4", "f8")])
def test_float32_only_for_float32(two_classes, given, used):
    X, y = two_classes
    X = (10 * X).astype(given)
    model = GroupSparseLogisticRegression(lam=0.1, tol=1e-4).fit(X, y)
    assert model.coef_.dtype == model.predict_proba(X).dtype == used


def test_sparse_rows_and_weights(two_classes):
    X, y = two_classes
    X = X * (np.abs(X) > 0.5)
    weight = np.arange(len(X)) % 3
    copies = GroupSparseLogisticRegression(lam=0.02, tol=1e-8).fit(
        X.repeat(weight, axis=0), y.repeat(weight)
    )
    model = GroupSparseLogisticRegression(lam=0.02, tol=1e-8)
    model.fit(csr_array(X), y, weight)
    np.testing.assert_allclose(model.coef_, copies.coef_, atol=1e-5)


def test_balanced_classes(three_classes):
    X, y = three_classes
    rows = np.concatenate([np.flatnonzero(y == k)[: 20 * (k + 1)] for k in range(3)])
    X, y = X[rows], y[rows]
    model = GroupSparseLogisticRegression(class_weight="balanced", lam=5)
    with pytest.warns(ConvergenceWarning, match="Nothing is left"):
        model.fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), 1 / 3, atol=1e-6)


def test_penalised_intercepts(two_classes):
    X, y = two_classes
    model = GroupSparseLogisticRegression(lam=0.2, penalize_bias=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(X + 1, y)
    free = clone(model).set_params(penalize_bias=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        free.fit(X + 1, y)
    assert abs(model.intercept_[0]) < abs(free.intercept_[0])


def test_verbose_prints_one_line_per_iteration(two_classes, capsys):
    X, y = two_classes
    model = GroupSparseLogisticRegression(lam=0.05, verbose=True).fit(X, y)
    assert len(capsys.readouterr().out.splitlines()) == model.n_iter_
    model.set_params(solver="adam", tol=0.05, learning_rate_init=0.05).fit(X, y)
    report, *lines = capsys.readouterr().out.splitlines()
    assert report.startswith("Steps ")
    assert len(lines) == model.n_iter_
