"""The grid of lam: exact for linear models, else an estimate with a fallback."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV
from sklearn.preprocessing import scale

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.model_selection import lams as lams_module
from skgroupnet.model_selection.lams import (
    LAM_RATIO,
    LARGEST_TRIED,
    N_TRIED,
    _smallest_empty,
    lam_grid,
    largest_lam,
)
from skgroupnet.model_selection.together import Fitted
from skgroupnet.penalties import SparseGroupLasso

X, Y = make_classification(
    n_samples=200, n_features=8, n_informative=4, n_classes=3, random_state=0
)
X = scale(X)
WEIGHT = np.linspace(0, 2, len(X))
LOGISTIC = GroupSparseLogisticRegression(tol=1e-9, max_iter=5000)
NETWORK = GroupSparseMLPClassifier(
    (12,), learning_rate_init=0.03, batch_size=20, random_state=0
)
EMPTY = pytest.mark.filterwarnings("ignore:Nothing is left")


@EMPTY
@pytest.mark.parametrize(
    ("params", "weight", "n_unpenalised"),
    [
        ({}, None, 0),
        ({"penalty": "l1"}, None, 0),
        ({"penalty": SparseGroupLasso(l1_weight=0.5)}, None, 0),
        ({"groups": [0, 0, 0, 0, 1, 1, 1, 1]}, None, 0),
        ({"groups": [-1, -1, 0, 1, 2, 3, 4, 5]}, None, 2),
        ({"fit_intercept": False}, None, 0),
        ({}, WEIGHT, 0),
        ({"class_weight": {0: 5}}, WEIGHT, 0),
        ({"class_weight": "balanced"}, None, 0),
    ],
)
def test_exact_for_linear_models(params, weight, n_unpenalised):
    model = clone(LOGISTIC).set_params(**params)
    lam = largest_lam(model, X, Y, weight)
    model.set_params(lam=lam * 1.001).fit(X, Y, weight)
    assert model.n_active_features_ == n_unpenalised
    model.set_params(lam=lam * 0.99).fit(X, Y, weight)
    assert model.n_active_features_ > n_unpenalised


def test_the_grid_of_the_lasso():
    X, y = make_regression(n_samples=60, n_features=5, noise=1, random_state=0)
    lasso = LassoCV(alphas=7, cv=2).fit(X, y)
    network = GroupSparseMLPRegressor((), penalty="l1")
    np.testing.assert_allclose(lam_grid(7, network, X, y), lasso.alphas_, rtol=1e-9)


def test_rows_in_other_forms():
    lam = largest_lam(LOGISTIC, X, Y)
    assert largest_lam(LOGISTIC, csr_array(X), Y) == pytest.approx(lam, rel=1e-12)
    names = np.array(["a", "b", "c"])[Y]
    assert largest_lam(LOGISTIC, X.tolist(), names.tolist()) == lam


def test_a_penalty_that_empties_nothing_takes_the_scale_of_the_group_lasso():
    lam = largest_lam(LOGISTIC, X, Y)
    ridge = GroupSparseLogisticRegression(penalty="l2")
    assert largest_lam(ridge, X, Y) == pytest.approx(LARGEST_TRIED * lam)
    network = GroupSparseMLPClassifier((12,), penalty="l2", random_state=0)
    assert largest_lam(network, X, Y) == pytest.approx(LARGEST_TRIED * lam)


@pytest.mark.parametrize(
    ("penalty", "lasso"), [("group_l0", "group_lasso"), ("hoyer_square", "l1")]
)
def test_where_zero_is_always_stationary_it_is_no_less_than_that_of_the_start(
    penalty, lasso
):
    start = largest_lam(clone(LOGISTIC).set_params(penalty=lasso), X, Y)
    model = clone(LOGISTIC).set_params(penalty=penalty)
    lam = largest_lam(model, X, Y)
    assert lam >= start
    with pytest.warns(ConvergenceWarning, match="Nothing is left"):
        model.set_params(lam=1.01 * lam).fit(X, Y)


def test_where_nothing_is_penalised_it_is_tiny():
    free = GroupSparseLogisticRegression(groups=[-1] * 8)
    assert 0 < largest_lam(free, X, Y) < 1e-14
    assert (lam_grid(3, free, X, Y) > 0).all()
    constant = GroupSparseMLPRegressor(())
    assert 0 < largest_lam(constant, X, np.ones(len(X))) < 1e-14


@EMPTY
@pytest.mark.parametrize("groups", [None, [-1, 0, 0, 1, 1, 2, 2, 2]])
def test_the_estimate_is_the_smallest_tried_that_empties_a_network(groups):
    network = clone(NETWORK).set_params(groups=groups)
    lam = largest_lam(network, X, Y)
    # Tried without early stopping, fine-tuning and warm start, and silently.
    other = {"early_stopping": True, "finetune_iter": 9, "max_iter": 1, "verbose": 1}
    assert largest_lam(network.set_params(**other, warm_start=True), X, Y) == lam
    network = clone(NETWORK).set_params(groups=groups)
    network.set_params(max_iter=5, tol=1e6, n_iter_no_change=3)
    penalised = slice(None) if groups is None else slice(1, None)
    ratio = LAM_RATIO ** (1 / (N_TRIED - 1))
    assert not network.set_params(lam=lam).fit(X, Y).get_support()[penalised].any()
    network.set_params(lam=lam * ratio).fit(X, Y)
    assert network.get_support()[penalised].any()
    assert (groups is None) or network.get_support()[0]


@pytest.mark.parametrize(
    ("smallest", "expected"),
    [
        (np.inf, 2),
        (1.9, 2),
        (0.5, 0.672),
        (2e-3, 2e-3),
        (1e-3, 1.391e-3),
        (0, 2e-6),
    ],
)
def test_where_none_or_all_are_empty(smallest, expected):
    rounds = []

    def empty(lams):
        rounds.append(lams)
        return lams >= smallest * (1 - 1e-9)

    assert _smallest_empty(empty, 2.0) == pytest.approx(expected, rel=1e-3)
    assert len(rounds) == (1 if smallest > 2e-3 else 2)
    assert all(len(lams) == N_TRIED for lams in rounds)


def test_models_that_failed_are_not_empty(monkeypatch):
    def failing(fittings, **resources):
        fits = []
        assert {fitting.estimator.finetune_iter for fitting in fittings} == {0}
        for fitting in fittings:
            error = FloatingPointError() if fitting.estimator.lam > 0.1 else None
            fits.append(Fitted(fitting.estimator.fit(fitting.X, fitting.y), error, 0))
        return fits

    monkeypatch.setattr(lams_module, "fit_together", failing)
    lam = largest_lam(clone(NETWORK).set_params(finetune_iter=3), X, Y)
    assert 0 < lam <= 0.1

    def interrupted(fittings, **resources):
        return [
            Fitted(fitting.estimator, KeyboardInterrupt(), 0) for fitting in fittings
        ]

    monkeypatch.setattr(lams_module, "fit_together", interrupted)
    with pytest.raises(KeyboardInterrupt):
        largest_lam(NETWORK, X, Y)


def test_a_number_of_values():
    lams = lam_grid(4, LOGISTIC, X, Y)
    lam = largest_lam(LOGISTIC, X, Y)
    np.testing.assert_allclose(lams, lam * np.array([1, 0.1, 0.01, 0.001]))
    assert lam_grid(np.int64(1), LOGISTIC, X, Y) == [lam]


def test_given_values_are_sorted_each_of_them_once():
    lams = lam_grid([0.1, 0, 3, 0.1], LOGISTIC, X, Y)
    np.testing.assert_array_equal(lams, [3, 0.1, 0])
    assert lams.dtype == np.float64


@pytest.mark.parametrize(
    ("lams", "match"),
    [
        ([], "at least one value, but is"),
        ([[0.1]], r"at least one value, but is \[\[0.1\]\]"),
        ([0.1, -1], r"finite values >= 0, but is \[0.1, -1\]"),
        ([np.nan], "finite values >= 0"),
        ([np.inf, 1], "finite values >= 0"),
    ],
)
def test_values_that_cannot_be_used(lams, match):
    with pytest.raises(ValueError, match=match):
        lam_grid(lams, LOGISTIC, X, Y)


def test_errors_of_the_data():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        lam_grid(3, LOGISTIC, X, Y[1:])
    with pytest.raises(ValueError, match="one label for each of the 8 features"):
        lam_grid(3, GroupSparseLogisticRegression(groups=[0]), X, Y)
    with pytest.raises(ValueError, match="hidden_layer_sizes must be"):
        lam_grid(3, GroupSparseMLPClassifier((-1,)), X, Y)
