"""A model ends with the same weights alone and among different ones in a stack."""

from dataclasses import replace

import numpy as np
import pytest

from skgroupnet.engine import (
    RMDA,
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    train,
)
from skgroupnet.penalties import PENALTIES, GroupLasso, get_penalty

UPDATES = {
    "adam": (Adam(), 0.01),
    "adamax": (AdaMax(), 0.01),
    "rmsprop": (RMSprop(), 0.01),
    "sgd": (SGD(0.0), 0.3),
    "momentum": (SGD(0.9, nesterov=False), 0.05),
    "nesterov": (SGD(0.9, nesterov=True), 0.05),
    "rmda": (RMDA(), 0.3),
}
SCHEDULES = ["constant", "invscaling", "adaptive", "cosine"]
N_ROWS, BATCH = 130, 32


@pytest.fixture
def members(random_network, make_model):
    """Functions that make eight models that differ in everything they may."""

    def members(rate, dtype=np.float64):
        rng = np.random.RandomState(0)
        weight = rng.randint(0, 3, N_ROWS).astype(float)
        differences = [
            {},
            {"lam": 0.0, "rate": rate / 3},
            {"rows": rng.permutation(N_ROWS)[:100], "lam": 0.01},
            {"rows": np.arange(3, N_ROWS), "lam": 0.05},
            {"row_weight": weight},
            {"row_weight": weight + 0.5, "rows": np.arange(20, 120)},
            # The objective hardly moves: this one ends early.
            {"rate": 1e-9},
            {"rate": 1e300, "lam": 0.0},
        ]

        def make(m):
            start = random_network(
                "cross_entropy", (6, 8, 4, 3), "relu", seed=m, dtype=dtype
            )
            values = {"lam": 0.003 * m, "rate": rate, "seed": 50 + m}
            return make_model(start, **(values | differences[m]))

        return make

    return members


def _same(together, alone, flat, tolerance):
    __tracebackhide__ = True
    assert together.outcome == alone.outcome
    assert together.n_iter == alone.n_iter
    np.testing.assert_allclose(
        together.loss_curve, alone.loss_curve, rtol=tolerance, equal_nan=True
    )
    scale = np.abs(flat(alone.network)).max()
    difference = np.abs(flat(together.network) - flat(alone.network)).max()
    assert difference <= tolerance * scale


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_alone_and_in_a_stack(name, schedule, draw, members, flat):
    X, y = draw("cross_entropy", n=N_ROWS, d=6)
    update, rate = UPDATES[name]
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    settings = Settings(
        update, schedule, batch_size=BATCH, max_iter=5, tol=1e-4, n_iter_no_change=1
    )
    make = members(rate)
    together = train(problem, [make(m) for m in range(8)], settings)
    for m, fit in enumerate(together):
        (alone,) = train(problem, [make(m)], settings)
        _same(fit, alone, flat, 1e-9)
    outcomes = {fit.outcome for fit in together}
    assert together[7].outcome == "diverged"
    assert outcomes >= {"max_iter", "diverged"}
    if schedule != "adaptive":
        assert together[6].outcome == "converged"
        assert together[6].n_iter < 5
    moved = [flat(fit.network) - flat(make(m).start) for m, fit in enumerate(together)]
    assert all(np.abs(move).max() > 0.01 for move in moved[:6])


@pytest.mark.parametrize("penalty", PENALTIES)
def test_alone_and_in_a_stack_with_every_penalty(penalty, draw, members, flat):
    X, y = draw("cross_entropy", n=N_ROWS, d=6)
    penalty, labels = get_penalty(penalty), np.array([0, 1, 0, -1, 1, 2])
    labels = None if penalty.groups_of == "pairs" else labels
    problem = Problem(X, y, "cross_entropy", penalty, labels, True)
    settings = Settings(Adam(), batch_size=BATCH, max_iter=5, tol=0)
    make = members(0.02)
    for m, fit in enumerate(train(problem, [make(m) for m in range(8)], settings)):
        _same(fit, train(problem, [make(m)], settings)[0], flat, 1e-9)


def test_alone_and_in_a_stack_in_float32(draw, members, flat):
    X, y = draw("cross_entropy", n=N_ROWS, d=6, dtype=np.float32)
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    settings = Settings(Adam(), batch_size=BATCH, max_iter=5, tol=0)
    make = members(0.02, np.float32)
    for m, fit in enumerate(train(problem, [make(m) for m in range(7)], settings)):
        _same(fit, train(problem, [make(m)], settings)[0], flat, 1e-4)


def test_models_with_equally_many_rows_are_bitwise_the_same(draw, members, flat):
    X, y = draw("cross_entropy", n=N_ROWS, d=6)
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    settings = Settings(Adam(), batch_size=BATCH, max_iter=5, tol=0)
    make = members(0.02)
    chosen = [0, 1, 6, 7]
    for m, fit in zip(
        chosen, train(problem, [make(m) for m in chosen], settings), strict=True
    ):
        (alone,) = train(problem, [make(m)], settings)
        assert fit.outcome == alone.outcome
        np.testing.assert_array_equal(flat(fit.network), flat(alone.network))


def test_some_models_with_a_score_and_some_without(draw, members, flat):
    X, y = draw("cross_entropy", n=N_ROWS, d=6)
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    settings = Settings(Adam(), batch_size=BATCH, max_iter=6, tol=0, n_iter_no_change=2)
    make = members(0.02)

    def scored(m):
        # Best after two epochs, and worse from then on.
        scores = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.1])
        return replace(make(m), score=lambda network: next(scores))

    def mixed():
        return [scored(0), make(1), make(2), scored(3)]

    together = train(problem, mixed(), settings)
    for m, fit in enumerate(together):
        (alone,) = train(problem, [mixed()[m]], settings)
        _same(fit, alone, flat, 1e-9)
        assert fit.scores == alone.scores
    assert [fit.outcome for fit in together[::3]] == ["converged"] * 2
    assert [len(fit.scores) for fit in together] == [5, 0, 0, 5]
    # A score that never rises again: the network is that of the second epoch.
    two = replace(settings, max_iter=2)
    (second,) = train(problem, [make(0)], two)
    np.testing.assert_array_equal(flat(together[0].network), flat(second.network))


def test_a_row_that_a_model_does_not_train_on_cannot_hurt_it(
    draw, random_network, make_model, flat
):
    X, y = draw("poisson", n=70, d=4, k=1)
    start = random_network("poisson", (4, 1), seed=2)
    X[0] = 1e6 * start.weights[0][:, 0]
    problem = Problem(X, y, "poisson", GroupLasso())
    settings = Settings(Adam(), batch_size=32, max_iter=3, tol=0)

    def make(rows):
        return make_model(start, lam=0.01, rate=0.01, rows=np.arange(*rows))

    together = train(problem, [make((1, 69)), make((1, 66))], settings)
    for fit, rows in zip(together, [(1, 69), (1, 66)], strict=True):
        (alone,) = train(problem, [make(rows)], settings)
        assert fit.outcome == "max_iter"
        _same(fit, alone, flat, 1e-9)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_resumed_models_among_new_ones(schedule, draw, members, flat):
    X, y = draw("cross_entropy", n=N_ROWS, d=6)
    problem = Problem(X, y, "cross_entropy", GroupLasso())
    settings = Settings(
        Adam(), schedule, batch_size=BATCH, max_iter=2, tol=0, n_iter_no_change=9
    )
    make = members(0.02)

    def resumed(m, fit):
        return replace(make(m), start=fit.network, state=fit.state)

    first = train(problem, [make(m) for m in range(6)], settings)

    def mixed():
        return [make(0), *(resumed(m, first[m]) for m in range(1, 6))]

    for m, fit in enumerate(train(problem, mixed(), settings)):
        _same(fit, train(problem, [mixed()[m]], settings)[0], flat, 1e-9)
