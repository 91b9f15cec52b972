"""scikit-learn's own checks, for networks with a penalty of every family."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor
from skgroupnet.penalties import PENALTIES

# Many checks train for too few epochs for the data.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

REPRESENTATIVES = (
    "group_elastic_net",
    "group_mcp",
    "group_l12",
    "group_hoyer_square",
    "adaptive_group_lasso",
    "path_norm",
)
SMALL = {"hidden_layer_sizes": (16,), "learning_rate_init": 0.02, "max_iter": 40}


def test_every_family_is_represented():
    families = {penalty.__module__ for penalty in PENALTIES.values()}
    assert {PENALTIES[name].__module__ for name in REPRESENTATIVES} == families


@parametrize_with_checks(
    [
        Model(penalty=penalty, **SMALL)
        for Model in (GroupSparseMLPClassifier, GroupSparseMLPRegressor)
        for penalty in REPRESENTATIVES
    ]
)
def test_estimator_check(estimator, check):
    check(estimator)
