"""Every penalty, by name, in every estimator."""

import numpy as np
import pytest

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
    GroupSparsePoissonRegressor,
)
from skgroupnet.penalties import PENALTIES, get_penalty

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    GroupSparseLinearRegression(max_iter=300),
    GroupSparseLogisticRegression(max_iter=300),
    GroupSparsePoissonRegressor(max_iter=300),
    GroupSparseMLPClassifier(
        (6,), learning_rate_init=0.03, max_iter=20, random_state=0
    ),
    GroupSparseMLPRegressor((6,), learning_rate_init=0.03, max_iter=20, random_state=0),
]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("name", PENALTIES)
def test_by_name_and_as_an_object(estimator, name, two_classes):
    X, y = two_classes[0], (two_classes[1] == "yes").astype(int)
    models = [
        type(estimator)(**estimator.get_params() | {"penalty": penalty, "lam": 1e-3})
        for penalty in (name, get_penalty(name))
    ]
    first, second = (model.fit(X, y) for model in models)
    np.testing.assert_array_equal(first.coefs_[0], second.coefs_[0])
    assert np.isfinite(first.stationarity_gap_)
    assert first.score(X, y) > 0.3
