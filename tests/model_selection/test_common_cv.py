"""The estimators that cross-validate lam: scikit-learn's checks, what is documented."""

import inspect

import numpy as np
import pytest
from numpydoc.docscrape import ClassDoc
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
from skgroupnet.model_selection import (
    GroupSparseLinearRegressionCV,
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifierCV,
    GroupSparseMLPRegressorCV,
    GroupSparsePoissonRegressorCV,
)

# Many checks train for too few epochs for the data, or on columns of any scale.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SEARCH = {"lams": 2, "cv": 2}
NETWORK = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.02, "max_iter": 40}
ESTIMATORS = [
    GroupSparseLogisticRegressionCV(**SEARCH),
    GroupSparseMLPClassifierCV(**NETWORK, **SEARCH),
    GroupSparseMLPRegressorCV(**NETWORK, **SEARCH),
    GroupSparseLinearRegressionCV(**SEARCH),
    GroupSparsePoissonRegressorCV(**SEARCH),
]
PAIRS = [
    (GroupSparseLogisticRegression, GroupSparseLogisticRegressionCV),
    (GroupSparseMLPClassifier, GroupSparseMLPClassifierCV),
    (GroupSparseMLPRegressor, GroupSparseMLPRegressorCV),
    (GroupSparseLinearRegression, GroupSparseLinearRegressionCV),
    (GroupSparsePoissonRegressor, GroupSparsePoissonRegressorCV),
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


@pytest.mark.parametrize(("plain", "search"), PAIRS)
def test_parameters_and_their_documentation_are_those_of_the_plain_estimator(
    plain, search
):
    mine, theirs = (inspect.signature(cls).parameters for cls in (search, plain))
    added = {"lams", "cv", "scoring", "selection", "refit", "n_jobs", "stack_memory"}
    assert set(mine) == set(theirs) - {"lam", "warm_start"} | added
    assert set(search._parameter_constraints) == set(mine)
    documented = [
        {entry.name: entry for entry in ClassDoc(cls)["Parameters"]}
        for cls in (search, plain)
    ]
    assert list(documented[0]) == list(mine)
    for name in set(mine) & set(theirs):
        assert mine[name].default == theirs[name].default
        assert documented[0][name].type == documented[1][name].type
        if name not in ("verbose", "early_stopping"):
            assert documented[0][name].desc == documented[1][name].desc


@pytest.mark.parametrize(("plain", "search"), PAIRS)
def test_attributes_are_documented(plain, search):
    documented = [
        {entry.name: entry.desc for entry in ClassDoc(cls)["Attributes"]}
        for cls in (search, plain)
    ]
    assert documented[1].items() <= documented[0].items()
    X, y = np.arange(24.0).reshape(12, 2) / 24, np.arange(12) % 2
    model = search(lams=[0.01], cv=2, max_iter=5).fit(X, y)
    public = {name for name in vars(model) if name.endswith("_")}
    assert public == set(documented[0]) - {"feature_names_in_", "admm_history_"}
