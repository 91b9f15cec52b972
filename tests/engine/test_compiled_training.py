"""Whole fits in compiled steps: schedules, resuming, unusual settings and data."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from skgroupnet import config_context
from skgroupnet.engine import (
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    compiled,
    train,
)
from skgroupnet.penalties import L1, L2, GroupLasso, NoPenalty, SparseGroupLasso

pytestmark = pytest.mark.skipif(
    compiled._step is None, reason="the compiled step is not built"
)

UPDATES = [Adam(), AdaMax(), RMSprop(), SGD(0.0), SGD(0.9, False), SGD(0.9, True)]

every_update = pytest.mark.parametrize("update", UPDATES, ids=repr)


@every_update
@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive", "cosine"])
def test_schedules(schedule, update, problem, model, compare):
    # Some of the models are done before the others.
    models = [model(rate=rate, seed=m) for m, rate in enumerate((0.02, 1e-9, 0.01))]
    changes = {"tol": 1e-4, "n_iter_no_change": 1, "max_iter": 8}
    fits = compare(problem, models, update, learning_rate=schedule, **changes)
    assert schedule == "adaptive" or fits[1].n_iter < fits[0].n_iter


@every_update
@pytest.mark.parametrize("order", [("torch", "compiled"), ("compiled", "torch")])
def test_one_goes_on_where_the_other_stopped(order, update, problem, model, distance):
    settings = Settings(update, batch_size=16, max_iter=5, tol=0, n_iter_no_change=9)
    random_state = np.random.RandomState(0)
    fit = replace(model(), random_state=random_state)
    for step in order:
        with config_context(step=step):
            (half,) = train(problem, [fit], settings)
        fit = replace(fit, start=half.network, state=half.state)
    with config_context(step="torch"):
        (whole,) = train(problem, [model()], replace(settings, max_iter=10))
    found = distance(replace(half, loss_curve=whole.loss_curve), whole)
    assert max(found.values()) <= 1e-11, found
    np.testing.assert_allclose(half.loss_curve, whole.loss_curve[5:], rtol=1e-12)


@pytest.mark.parametrize(
    "update",
    [
        Adam(0.0, 0.9),
        Adam(0.2, 0.1),
        AdaMax(0.0, 0.0, epsilon=1e-2),
        AdaMax(0.2, 0.1),
        RMSprop(0.1),
        SGD(1.0, nesterov=False),
        SGD(1.0, nesterov=True),
        SGD(0.0, nesterov=True),
    ],
    ids=repr,
)
@pytest.mark.parametrize("penalty", [GroupLasso(), L1()], ids=repr)
def test_unusual_settings(update, penalty, problem, model, compare):
    compare(replace(problem, penalty=penalty), [model()], update, shuffle=False)


@pytest.mark.parametrize("update", [Adam(0.0, 0.0), RMSprop(0.0)], ids=repr)
def test_a_state_that_forgets_does_so_at_once(
    update, draw, random_network, make_model, both
):
    """Gradients of 1e-5 after gradients of one leave nothing of these."""
    X, y = draw("squared_error", dtype=np.float32)
    start = random_network("squared_error", (5, 3), dtype=np.float32)
    tiny = Problem(X * np.float32(1e-5), y, "squared_error", NoPenalty())
    settings = Settings(update, batch_size=60, max_iter=1, tol=0)
    (fit,) = train(tiny, [make_model(start)], settings)
    names = fit.state.keys() & {"first", "second"}
    state = fit.state | {name: np.ones_like(fit.state[name]) for name in names}
    models = [make_model(start, rate=0.01, state=state)]
    ((reference, fit),) = both(tiny, models, settings)
    for name in names:
        np.testing.assert_allclose(fit.state[name], reference.state[name], rtol=1e-3)


@pytest.mark.parametrize("hidden", [(), (4,)])
@pytest.mark.parametrize("k", [1, 3])
def test_without_columns(hidden, k, draw, random_network, make_model, compare):
    X, y = draw("squared_error", k=k)
    start = random_network("squared_error", (0, *hidden, k))
    compare(
        Problem(X[:, :0], y, "squared_error", GroupLasso()), [make_model(start)], Adam()
    )


WAYS = {
    "columns first": np.asfortranarray,
    "strided": lambda X: np.repeat(np.repeat(X, 2, 0), 3, 1)[::2, ::3],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "CSR": scipy.sparse.csr_array,
    "CSR matrix": scipy.sparse.csr_matrix,
    "CSR with long indices": lambda X: _csr(X, np.int64),
    "CSR with strides": lambda X: _csr(X, np.int32, 2),
    "CSR in disorder": lambda X: _csr(X[:, ::-1])[:, ::-1],
    "CSR with duplicates": lambda X: _csr(np.hstack([X / 4, X * 3 / 4]), fold=True),
}


def _csr(X, dtype=np.int32, stride=1, fold=False):
    """Rows in three arrays: with strides, or with two values for each place."""
    X = scipy.sparse.csr_array(X)
    parts = [X.data, X.indices.astype(dtype), X.indptr.astype(dtype)]
    shape = X.shape
    if fold:
        shape = (len(X.indptr) - 1, X.shape[1] // 2)
        parts[1] %= shape[1]
    parts = [np.repeat(part, stride)[::stride] for part in parts]
    made = scipy.sparse.csr_array(tuple(parts), shape=shape)
    assert made.indices.dtype == dtype
    return made


def _read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


@pytest.mark.parametrize("way", [*WAYS, "read-only"])
def test_rows_however_they_lie(way, draw, random_network, make_model, compare, flat):
    X, y = draw("squared_error")
    X[X < 0.5] = 0
    way = WAYS.get(way, _read_only)
    start = random_network("squared_error", (5, 6, 3))
    plain, other = (
        compare(
            Problem(rows, targets, "squared_error", GroupLasso()),
            [make_model(start, 0.01)],
            Adam(),
        )
        for rows, targets in [(X, y), (way(X), np.asfortranarray(y))]
    )
    np.testing.assert_allclose(flat(other[0].network), flat(plain[0].network), 1e-11)


@pytest.mark.parametrize("rows", ["int32", "uint8", "strided", "codes"])
def test_rows_and_codes_of_any_integer_type(rows, problem, model, compare, flat):
    chosen = np.random.RandomState(0).permutation(60)[:50]
    (plain,) = compare(problem, [model(rows=chosen)], Adam())
    if rows == "codes":
        codes = np.stack([problem.y, 2 - problem.y], axis=1)
        problem = replace(problem, y=codes[:, 0])
    elif rows == "strided":
        chosen = np.repeat(chosen, 2)[::2]
    else:
        chosen = chosen.astype(rows)
    (other,) = compare(problem, [model(rows=chosen)], Adam())
    np.testing.assert_array_equal(flat(other.network), flat(plain.network))


@pytest.mark.parametrize("penalty", [GroupLasso(), SparseGroupLasso(), L1(), L2()])
def test_group_sizes_of_a_pruned_network(penalty, problem, model, compare):
    counted = replace(
        problem,
        penalty=penalty,
        labels=np.array([3, -1, 0, 3, -1]),
        group_sizes=(np.array([40, 1, 12, 40, 1]), np.full(6, 7)),
    )
    compare(counted, [model(lam=0.02), model(lam=0.2, seed=1)], Adam())
