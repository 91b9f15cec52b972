"""Linear models that choose lam: scikit-learn's choice, and a loop of plain fits."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_regression
from sklearn.linear_model import LassoCV, PoissonRegressor
from sklearn.metrics import d2_tweedie_score, make_scorer
from sklearn.model_selection import KFold
from sklearn.preprocessing import scale

from skgroupnet import GroupSparseLinearRegression, GroupSparsePoissonRegressor
from skgroupnet.model_selection import (
    GroupSparseLinearRegressionCV,
    GroupSparsePoissonRegressorCV,
)

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = make_regression(
    n_samples=120, n_features=8, n_informative=3, noise=40, random_state=0
)
X, Y = scale(X), scale(Y)
COUNTS = np.random.RandomState(0).poisson(np.exp(Y))
LAMS = [0.5, 0.2, 0.05, 0.01]
FOLDS = KFold(3)
MODELS = {
    "numbers": (GroupSparseLinearRegression, GroupSparseLinearRegressionCV, Y),
    "two numbers": (
        GroupSparseLinearRegression,
        GroupSparseLinearRegressionCV,
        np.column_stack([Y, X[:, 0]]),
    ),
    "counts": (GroupSparsePoissonRegressor, GroupSparsePoissonRegressorCV, COUNTS),
}


def test_the_choice_of_scikit_learn():
    ours = GroupSparseLinearRegressionCV(
        penalty="l1", lams=LAMS, cv=FOLDS, scoring="neg_mean_squared_error", tol=1e-9
    ).fit(X, Y)
    theirs = LassoCV(alphas=LAMS, cv=FOLDS, tol=1e-12).fit(X, Y)
    np.testing.assert_array_equal(ours.lams_, theirs.alphas_)
    np.testing.assert_allclose(-ours.scores_, theirs.mse_path_, rtol=1e-7)
    assert ours.lam_ == theirs.alpha_
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)


def test_the_scores_of_poisson_regressions_are_those_of_scikit_learn():
    ours = GroupSparsePoissonRegressorCV(
        penalty="l2", lams=LAMS, cv=FOLDS, tol=1e-9
    ).fit(X, COUNTS)
    for lam, scores in zip(LAMS, ours.scores_, strict=True):
        theirs = PoissonRegressor(alpha=lam, tol=1e-12, solver="newton-cholesky")
        for score, (train, test) in zip(scores, FOLDS.split(X), strict=True):
            theirs.fit(X[train], COUNTS[train])
            assert score == pytest.approx(theirs.score(X[test], COUNTS[test]))
    assert ours.lam_ == LAMS[ours.scores_.mean(axis=1).argmax()]


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("weighted", [True, False])
def test_the_default_scores_are_those_of_plain_fits(kind, weighted):
    Plain, Search, y = MODELS[kind]
    weight = np.linspace(0, 2, len(X)) if weighted else None
    search = Search(lams=LAMS, cv=FOLDS, tol=1e-9).fit(X, y, weight)
    for lam, scores in zip(LAMS, search.scores_, strict=True):
        for score, (train, test) in zip(scores, FOLDS.split(X), strict=True):
            of_train, of_test = (
                {} if weight is None else {"sample_weight": weight[rows]}
                for rows in (train, test)
            )
            model = Plain(lam=lam, tol=1e-9).fit(X[train], y[train], **of_train)
            assert score == pytest.approx(
                model.score(X[test], y[test], **of_test), rel=1e-7
            )
    refit = Plain(lam=search.lam_, tol=1e-9).fit(X, y, weight)
    np.testing.assert_array_equal(search.coef_, refit.coef_)
    assert search.score(X, y, weight) == pytest.approx(refit.score(X, y, weight))
    copy = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(copy.predict(X), refit.predict(X))


def test_weights_are_routed_to_a_score_that_asks_for_them():
    weight = np.linspace(0, 2, len(X))
    expected = GroupSparsePoissonRegressorCV(lams=LAMS, cv=FOLDS).fit(X, COUNTS, weight)
    with config_context(enable_metadata_routing=True):
        scoring = make_scorer(d2_tweedie_score, power=1)
        routed = clone(expected).set_params(
            scoring=scoring.set_score_request(sample_weight=True)
        )
        routed.fit(X, COUNTS, sample_weight=weight)
    np.testing.assert_allclose(routed.scores_, expected.scores_)
