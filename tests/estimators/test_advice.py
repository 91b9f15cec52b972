"""What a user is told: scales that differ, outcomes, an empty model."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning

from skgroupnet.estimators.advice import (
    warn_about_nothing_left,
    warn_about_outcome,
    warn_about_scales,
)

rng = np.random.RandomState(0)
NORMAL = rng.normal(size=(50, 3))


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize(
    "factors", [(1, 1, 1e5), (1e-5, 1, 1)], ids=["one large", "one small"]
)
def test_scales_that_differ_by_orders_of_magnitude(container, factors):
    with pytest.warns(UserWarning, match="differ in scale.*StandardScaler") as record:
        warn_about_scales(container(NORMAL * factors))
    assert len(record) == 1


RARE = np.zeros((5000, 1))
RARE[0] = 1


@pytest.mark.parametrize("container", [np.asarray, csr_array])
@pytest.mark.parametrize(
    "X",
    [
        NORMAL * 1e6,
        NORMAL * (1, 10, 100),
        np.column_stack([NORMAL, np.full(50, 1e6)]),
        np.column_stack([NORMAL, np.zeros(50)]),
        np.column_stack([np.eye(50), NORMAL]),
        np.column_stack([RARE, rng.normal(size=(5000, 1))]),
        rng.randint(256, size=(50, 5)) * (1, 1, 1, 1, 0.01),
        np.ones((50, 2)) * (1, 1e6),
        NORMAL[:1] * (1, 1, 1e6),
    ],
    ids=[
        "all large",
        "two orders",
        "constant",
        "zero",
        "one-hot",
        "rare",
        "pixels",
        "nothing varies",
        "one row",
    ],
)
def test_scales_that_are_fine(X, container):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_about_scales(container(X))


@pytest.mark.parametrize(
    ("outcome", "category", "message"),
    [
        ("max_iter", ConvergenceWarning, "max_iter=20 iterations before it converged"),
        ("interrupted", UserWarning, "interrupted by the user after 7 iterations"),
        ("diverged", ConvergenceWarning, "iteration 7.*[Ss]cale.*learning_rate_init"),
    ],
)
def test_outcomes_that_need_attention(outcome, category, message):
    with pytest.warns(category, match=message):
        warn_about_outcome(outcome, 7, 20)


@pytest.mark.parametrize("outcome", ["converged", "stopped"])
def test_outcomes_that_are_fine(outcome):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_about_outcome(outcome, 7, 20)


def test_nothing_left_names_the_value_to_go_below():
    with pytest.warns(ConvergenceWarning, match=r"lam=0\.5 .* lam_max=0\.125 on"):
        warn_about_nothing_left(0.5, 0.125)
