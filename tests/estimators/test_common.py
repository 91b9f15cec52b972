"""scikit-learn's own checks, for every estimator."""

import pytest
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
    GroupSparsePoissonRegressor,
)

# Many checks train for the default number of epochs on data that need more.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ESTIMATORS = [
    GroupSparseLogisticRegression(),
    GroupSparseMLPClassifier(),
    GroupSparseMLPRegressor(),
    GroupSparseLinearRegression(),
    GroupSparsePoissonRegressor(),
]


@parametrize_with_checks(ESTIMATORS)
def test_estimator_check(estimator, check):
    check(estimator)


# scikit-learn runs these two on itself, but not in check_estimator.
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize(
    "check", [check_param_validation, check_dataframe_column_names_consistency]
)
def test_check_of_scikit_learn_itself(estimator, check):
    check(type(estimator).__name__, estimator)
