"""Where linear models start whose penalty lets nothing lead away from zero."""

import inspect
from dataclasses import replace

import numpy as np
import pytest

from skgroupnet.engine import (
    ADMM,
    FullBatch,
    Job,
    Problem,
    is_steep,
    solve,
    stationarity_gap,
)
from skgroupnet.penalties import PENALTIES, GroupL0, GroupMCP

STEEP = {"l0", "l12", "l23", "hoyer_square"}
STEEP |= {f"group_{name}" for name in STEEP}


@pytest.fixture
def problem():
    rng = np.random.RandomState(0)
    X = rng.randn(100, 12)
    y = X[:, :4] @ [1.0, -1.0, 0.7, 0.7] + 0.3 * rng.randn(100)
    return lambda penalty: Problem(
        X, y[:, None], "squared_error", penalty, labels=np.arange(12) // 2
    )


@pytest.mark.parametrize("name", PENALTIES)
def test_which_penalties_are_steep(name, problem, zeros):
    penalty = PENALTIES[name]()
    stated = problem(penalty)
    if penalty.groups_of == "pairs":
        stated = replace(stated, labels=None)
    assert is_steep(stated, zeros("squared_error", (12, 1))) == (name in STEEP)


@pytest.mark.parametrize("name", sorted(STEEP))
@pytest.mark.parametrize("settings", [FullBatch(10_000), ADMM(10_000)], ids=repr)
def test_steep_penalties_leave_zero(name, settings, problem, zeros, make_model):
    stated = problem(PENALTIES[name]())
    model = make_model(zeros("squared_error", (12, 1)), 0.1)
    (fit,) = solve([Job(stated, model, settings)])
    assert set(np.flatnonzero(fit.network.weights[0][:, 0])) == {0, 1, 2, 3}
    assert stationarity_gap(stated, model, fit.network) <= 2e-6
    null = stated.y.var() / 2
    assert fit.loss_curve[-1] < null


def test_another_start_is_kept(problem, zeros, make_model):
    stated = problem(GroupL0())
    start = zeros("squared_error", (12, 1))
    weights = np.zeros((12, 1))
    weights[:2] = 1
    start = replace(start, weights=(weights,))
    (fit,) = solve([Job(stated, make_model(start, 0.5), FullBatch())])
    assert set(np.flatnonzero(fit.network.weights[0][:, 0])) == {0, 1}


def test_models_of_a_nonconvex_chain_are_those_alone(problem, zeros, make_model):
    stated = problem(GroupMCP())
    start = zeros("squared_error", (12, 1))
    models = [make_model(start, lam) for lam in (0.5, 0.1, 0.02)]
    settings = FullBatch(10_000)
    together = solve([Job(stated, model, settings, chain="one") for model in models])
    for model, fit in zip(models, together, strict=True):
        (alone,) = solve([Job(stated, model, settings)])
        np.testing.assert_array_equal(fit.network.weights[0], alone.network.weights[0])


def test_an_interrupt_before_the_start(problem, zeros, make_model, monkeypatch):
    inside = inspect.unwrap(solve).__globals__
    monkeypatch.setitem(inside, "_of_lasso", inside["_not_begun"])
    model = make_model(zeros("squared_error", (12, 1)), 0.1)
    (fit,) = solve([Job(problem(GroupL0()), model, FullBatch())])
    assert (fit.outcome, fit.n_iter) == ("interrupted", 0)
