"""Training on sparse rows: the same as on dense ones, at the cost of their entries."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse
import torch

from skgroupnet import config_context
from skgroupnet.engine import (
    LOSSES,
    RMDA,
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    bytes_in_training,
    compiled,
    stationarity_gap,
    train,
)
from skgroupnet.engine.data import Data
from skgroupnet.engine.sparse_rows import SparseRows, _product, _tensor
from skgroupnet.penalties import L1, GroupLasso, NoPenalty, SparseGroupLasso

UPDATES = {
    "adam": Adam(),
    "adamax": AdaMax(),
    "rmsprop": RMSprop(),
    "sgd": SGD(0.0),
    "momentum": SGD(0.9, nesterov=False),
    "nesterov": SGD(0.9, nesterov=True),
    "rmda": RMDA(),
}
STEPS = ["torch"] + ["compiled"] * (compiled._step is not None)
# Rounding, relative to the largest number.
DIGITS = {np.float32: 1e-6, np.float64: 1e-13}


def thin(X, seed=0, duplicates=True):
    """CSR with empty rows and columns, in disorder; some places have two entries."""
    X[:, 1] = X[5] = X[-1] = 0
    entries = scipy.sparse.coo_array(
        X * (np.random.RandomState(seed).rand(*X.shape) < 0.4)
    )
    order = np.random.RandomState(seed).permutation(entries.nnz)
    row, column, value = entries.row[order], entries.col[order], entries.data[order]
    if duplicates:
        row, column = np.r_[row, row[::3]], np.r_[column, column[::3]]
        value = np.r_[value, value[::3] / 2]
    order = np.argsort(row, kind="stable")
    starts = np.searchsorted(row[order], np.arange(len(X) + 1))
    sparse = scipy.sparse.csr_array((value[order], column[order], starts), X.shape)
    assert sparse.has_canonical_format == (not duplicates)
    return sparse


@pytest.fixture
def fits(flat):
    """Train on sparse and on dense rows; compare weights, state, losses, gap."""

    def fits(problem, models, settings, tolerance):
        dense = replace(problem, X=problem.X.toarray())
        both = []
        for posed in (problem, dense):
            fresh = [replace(m, random_state=deepcopy(m.random_state)) for m in models]
            both.append(train(posed, fresh, settings))
        for model, fit, expected in zip(models, *both, strict=True):
            found, right = flat(fit.network), flat(expected.network)
            assert np.abs(found - right).max() <= tolerance * np.abs(right).max()
            for name, value in expected.state.items():
                error = np.abs(fit.state[name] - value).max()
                assert error <= 10 * tolerance * max(1e-3, np.abs(value).max()), name
            np.testing.assert_allclose(fit.loss_curve, expected.loss_curve, tolerance)
            gap = stationarity_gap(problem, model, fit.network)
            right = stationarity_gap(dense, model, fit.network)
            assert gap == pytest.approx(right, rel=100 * tolerance, abs=tolerance)
        return both[0]

    return fits


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("hidden", [(), (33, 3)])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("update", UPDATES)
def test_sparse_equals_dense(
    update, loss, step, hidden, dtype, draw, random_network, make_model, fits
):
    if step == "compiled" and update == "rmda":
        pytest.skip("rmda takes its steps in torch")
    X, y = draw(loss, n=50, d=12, dtype=dtype)
    weight = np.random.RandomState(1).randint(0, 3, 50)
    start = random_network(loss, (12, *hidden, 3), dtype=dtype)
    models = [
        make_model(start, lam, 1e-3, seed, row_weight=weights)
        for seed, (lam, weights) in enumerate(
            [(0.01, None), (0.0, weight), (0.1, None)]
        )
    ]
    problem = Problem(thin(X), y, loss, GroupLasso())
    settings = Settings(UPDATES[update], batch_size=16, max_iter=3, tol=0)
    with config_context(step=step):
        fits(problem, models, settings, DIGITS[dtype])


CASES = {
    "groups of columns": {"labels": np.arange(12) // 5 - 1},
    "lasso": {"penalty": L1()},
    "no penalty": {"penalty": NoPenalty()},
    "sparse groups and biases": {"penalty": SparseGroupLasso(), "penalize_bias": True},
    "fixed zeros": {"keep_zeros": True},
    "some columns": {"columns": np.array([7, 2, 1, 11, 4])},
    "no intercept": {"fit_intercept": False},
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("update", ["adam", "nesterov", "rmsprop"])
@pytest.mark.parametrize("case", CASES)
def test_sparse_equals_dense_in_every_case(
    case, update, step, draw, random_network, make_model, fits
):
    X, y = draw("cross_entropy", n=50, d=12)
    problem = Problem(thin(X), y, "cross_entropy", GroupLasso())
    problem = replace(problem, **CASES[case])
    start = random_network("cross_entropy", (problem.n_features, 8, 3))
    settings = Settings(UPDATES[update], batch_size=16, max_iter=4, tol=0)
    with config_context(step=step):
        fits(problem, [make_model(start, 0.02, 0.01)], settings, 1e-12)


@pytest.mark.parametrize("step", STEPS)
def test_freezing_and_a_batch_of_all_rows(step, draw, random_network, make_model, fits):
    X, y = draw("squared_error", n=60, d=900)
    problem = Problem(thin(X), y, "squared_error", GroupLasso())
    start = random_network("squared_error", (900, 24, 3))
    settings = Settings(Adam(), batch_size=60, max_iter=30, tol=0)
    with config_context(step=step):
        (fit,) = fits(problem, [make_model(start, 0.03, 0.02)], settings, 1e-11)
    assert 0 < (fit.network.weights[0] == 0).all(1).sum() < 900


@pytest.mark.skipif(compiled._step is None, reason="the compiled step is not built")
def test_neighbours_and_calls_do_not_matter(
    draw, random_network, make_model, flat, monkeypatch
):
    X, y = draw("cross_entropy", n=60, d=12, dtype=np.float32)
    problem = Problem(thin(X), y, "cross_entropy", GroupLasso())
    start = random_network("cross_entropy", (12, 8, 3), dtype=np.float32)
    settings = Settings(SGD(), batch_size=16, max_iter=3, tol=0)

    def models():
        return [make_model(start, 0.01 * m, 0.01, m) for m in range(4)]

    together = train(problem, models(), settings)
    monkeypatch.setattr(compiled, "OPERATIONS", 1.0)
    for model, fit in zip(models(), together, strict=True):
        (alone,) = train(problem, [model], settings)
        np.testing.assert_array_equal(flat(alone.network), flat(fit.network))


@pytest.mark.skipif(compiled._step is None, reason="the compiled step is not built")
def test_very_wide_rows_are_not_made_dense(make_model, random_network):
    """Two thousand dense rows would take 16 GB, in one batch."""
    n, d = 2000, 2_000_000
    columns = np.random.RandomState(0).randint(d, size=3 * n)
    starts = np.arange(0, 3 * n + 1, 3)
    X = scipy.sparse.csr_array((np.ones(3 * n), columns, starts), (n, d))
    y = np.arange(n)[:, None] / n
    problem = Problem(X.astype(np.float32), y.astype("f"), "squared_error", NoPenalty())
    start = random_network("squared_error", (d, 1), dtype=np.float32)
    settings = Settings(SGD(0.0), batch_size=n, max_iter=1)
    (fit,) = train(problem, [make_model(start)], settings)
    moved = (fit.network.weights[0] != start.weights[0])[:, 0]
    assert set(np.flatnonzero(moved)) <= set(X.indices.tolist())
    assert moved.any()


def test_work_of_a_step():
    """It counts entries, and decides over threads and the length of a call."""
    dense = np.zeros((10, 30))
    dense[:, :3] = 1
    y = np.zeros((10, 2))
    for X, entries in ((dense, 30), (scipy.sparse.csr_array(dense), 3)):
        data = Data(Problem(X, y, "squared_error", GroupLasso()), 2)
        assert data.row_entries == entries
        assert data.work((30, 7, 5, 2)) == 6 * (entries * 7 + 7 * 5 + 5 * 2)
    wide = bytes_in_training((100_000, 32, 1), 4, 4000)
    sparse = bytes_in_training((100_000, 32, 1), 4, 4000, row_entries=100)
    assert wide - sparse == 4 * 3 * 200 * (100_000 - 100)


def test_products_of_a_batch():
    X = scipy.sparse.csr_array(([1.0, 2, 4, 8], [2, 0, 2, 1], [0, 3, 3, 4]), (3, 3))
    rows = SparseRows([X, 2 * X], torch.device("cpu"))
    assert rows.shape == (2, 3, 3)
    weights, biases = torch.rand(2, 3, 4).double(), torch.rand(2, 4, 1).double()
    errors, out = torch.rand(2, 3, 4).double(), torch.empty(2, 4, 3).double()
    rows.affine(weights, biases, out)
    dense = torch.from_numpy(np.stack([X.toarray(), 2 * X.toarray()]))
    torch.testing.assert_close(out, (dense @ weights).transpose(1, 2) + biases)
    gradient = torch.empty_like(weights)
    rows.gradient(errors, gradient)
    torch.testing.assert_close(gradient, dense.transpose(1, 2) @ errors)


def test_products_in_torch():
    """As on a device that scipy does not reach."""
    X = scipy.sparse.csr_array(([1.0, 2, 4, 8], [2, 0, 2, 1], [0, 3, 3, 4]), (3, 3))
    rows, T = _tensor(X, torch.device("cpu")), torch.rand(3, 4).double()
    dense = torch.from_numpy(X.toarray())
    torch.testing.assert_close(_product(rows, T), dense @ T)
    torch.testing.assert_close(_product(rows.T, T), dense.T @ T)


@pytest.mark.parametrize("shape", [(1100, 700), (1100, 40)])
def test_gap_of_many_rows(shape, random_network, make_model):
    """Those of several batches of dense rows; with many columns, of fewer batches."""
    rng = np.random.RandomState(0)
    X = scipy.sparse.csr_array(rng.standard_normal(shape) * (rng.rand(*shape) < 0.05))
    y = rng.standard_normal((shape[0], 2))
    network = random_network("squared_error", (shape[1], 5, 2))
    model = make_model(network, 0.01, row_weight=rng.randint(0, 3, shape[0]))
    problem = Problem(X, y, "squared_error", GroupLasso())
    right = stationarity_gap(replace(problem, X=X.toarray()), model, network)
    assert stationarity_gap(problem, model, network) == pytest.approx(right, rel=1e-12)
