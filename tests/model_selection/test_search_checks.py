"""scikit-learn's own checks, for both searches."""

import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import (
    check_dataframe_column_names_consistency,
    check_param_validation,
    parametrize_with_checks,
)

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor
from skgroupnet.model_selection import BatchedGridSearchCV, BatchedRandomizedSearchCV

# The checks need models that are no worse than guessing, not converged ones.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SHORT = {"learning_rate_init": 0.05, "max_iter": 20, "batch_size": 20}
# As with scikit-learn's search over the same estimator.
FAILS = {
    BatchedGridSearchCV: {
        "check_classifiers_one_label_sample_weights": (
            "the message names the rows of positive weight, not sample_weight"
        )
    }
}
CLASSIFIER = GroupSparseMLPClassifier((10,), random_state=0, **SHORT)
REGRESSOR = make_pipeline(
    StandardScaler(), GroupSparseMLPRegressor((10,), random_state=0, **SHORT)
)
SEARCHES = [
    BatchedGridSearchCV(CLASSIFIER, {"lam": [1e-3, 1e-2]}, cv=2, error_score="raise"),
    BatchedRandomizedSearchCV(
        REGRESSOR,
        {"groupsparsemlpregressor__lam": [1e-3, 1e-2]},
        n_iter=2,
        cv=2,
        error_score="raise",
    ),
]


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(
    SEARCHES, expected_failed_checks=lambda search: FAILS.get(type(search), {})
)
def test_search_check(estimator, check):
    check(estimator)


# scikit-learn runs these two on itself, but not in check_estimator.
@pytest.mark.parametrize("search", SEARCHES, ids=lambda search: type(search).__name__)
@pytest.mark.parametrize(
    "check", [check_param_validation, check_dataframe_column_names_consistency]
)
def test_check_of_scikit_learn_itself(search, check):
    check(type(search).__name__, search)
