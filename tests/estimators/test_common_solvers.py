"""scikit-learn's own checks, for every linear estimator with every solver."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from skgroupnet.estimators.linear_base import FULL_BATCH
from skgroupnet.estimators.training import SOLVERS

# The stochastic ones have no time to converge on all data of the checks.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

# Learning rates and numbers of epochs with which a short training is a good one. The
# gradient of a Poisson regression is as large as the counts.
SHORT = {"adam": (0.2, 20), "adamax": (0.2, 20), "rmsprop": (0.1, 20)}
SHORT |= {"sgd": (0.05, 20), "rmda": (0.3, 20)}
OF_COUNTS = {"adam": (0.1, 50), "adamax": (0.1, 50), "rmsprop": (0.03, 50)}
OF_COUNTS |= {"sgd": (0.002, 100), "rmda": (0.03, 50)}
FULL = {"fista": {}, "admm": {"max_iter": 100, "tol": 1e-9}}


def stochastic(trainings):
    """Settings of every stochastic solver."""
    return {
        solver: {"learning_rate_init": rate, "max_iter": n_epochs, "tol": 1e-3}
        for solver, (rate, n_epochs) in trainings.items()
    }


SETTINGS = {
    GroupSparseLinearRegression: FULL | stochastic(SHORT),
    GroupSparseLogisticRegression: FULL | stochastic(SHORT),
    GroupSparsePoissonRegressor: FULL | stochastic(OF_COUNTS),
}


@pytest.mark.parametrize("Model", SETTINGS)
def test_no_solver_is_left_out(Model):
    # test_common.py has the default one.
    assert {"auto", *SETTINGS[Model]} == {*FULL_BATCH, *SOLVERS}


@parametrize_with_checks(
    [
        Model(solver=solver, **settings)
        for Model in SETTINGS
        for solver, settings in SETTINGS[Model].items()
    ]
)
def test_estimator_check(estimator, check):
    check(estimator)
