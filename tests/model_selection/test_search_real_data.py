"""The batched search against scikit-learn's on whole data sets."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.config import chosen_step
from skgroupnet.engine import compiled
from skgroupnet.model_selection import BatchedGridSearchCV

pytestmark = pytest.mark.filterwarnings(
    "ignore:Training stopped after max_iter:sklearn.exceptions.ConvergenceWarning"
)


@pytest.fixture
def covertype(real_data):
    """The Covertype sample: X (92962, 54), y (92962,) of 7 classes."""
    data = real_data("covtype")
    return data["X"].astype(np.float64), data["y"]


def _check_same_results(estimator, grid, X, y, n_splits):
    __tracebackhide__ = True
    cv = StratifiedKFold(n_splits, shuffle=True, random_state=0)
    ours = BatchedGridSearchCV(estimator, grid, cv=cv, n_jobs=2).fit(X, y)
    theirs = GridSearchCV(estimator, grid, cv=cv).fit(X, y)
    assert ours.best_params_ == theirs.best_params_
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    for name, values in theirs.cv_results_.items():
        assert np.shape(ours.cv_results_[name]) == np.shape(values)
    # Compiled steps do not depend on the neighbours at all.
    exact = compiled._step is not None and chosen_step() != "torch"
    assert_allclose(
        ours.cv_results_["mean_test_score"],
        theirs.cv_results_["mean_test_score"],
        rtol=0,
        atol=0 if exact else 0.005,
    )
    return ours


def test_digits(digits):
    mlp = GroupSparseMLPClassifier((32, 16), max_iter=15, random_state=0)
    grid = {"lam": [1e-5, 1e-4, 1e-3], "learning_rate_init": [3e-3, 1e-2]}
    search = _check_same_results(mlp, grid, *digits, n_splits=5)
    assert search.best_score_ > 0.95


def test_covertype(covertype):
    mlp = GroupSparseMLPClassifier(
        (32, 32), max_iter=2, learning_rate_init=5e-3, random_state=0
    )
    grid = {"groupsparsemlpclassifier__lam": [1e-4, 1e-3, 1e-2]}
    pipeline = make_pipeline(StandardScaler(), mlp)
    search = _check_same_results(pipeline, grid, *covertype, n_splits=3)
    assert search.best_score_ > 0.7
