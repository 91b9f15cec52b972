"""Rows into batches: every row once, weights without bias, sparse as dense."""

import numpy as np
import pytest
import scipy.sparse
import torch

from skgroupnet.engine import LOSSES, SGD, Adam, Problem, Settings, train
from skgroupnet.engine.data import Data, Rows
from skgroupnet.engine.plan import rows_fields
from skgroupnet.engine.problem import Model
from skgroupnet.penalties import GroupLasso, NoPenalty


def _unstopped(batch_size, **changes):
    return Settings(
        SGD(0.0), batch_size=batch_size, max_iter=1, tol=0, shuffle=False, **changes
    )


@pytest.mark.parametrize("container", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("batch", [1, 7, 32, 200])
def test_chunks_hold_every_row_once_and_in_order(container, batch, draw):
    X, y = draw("cross_entropy", n=100, d=6)
    data = Data(Problem(container(X), y, "cross_entropy", GroupLasso()), 3)
    rng = np.random.RandomState(0)
    order = torch.from_numpy(np.stack([rng.permutation(100) for _ in range(4)]))
    scale = torch.from_numpy(rng.rand(4, 100))
    for scales in (scale, None):
        chunks = list(data.chunks(order, scales, batch))
        inputs = _in_order(_dense(c.X) for c in chunks)
        assert torch.equal(inputs, torch.from_numpy(X)[order])
        targets = torch.eye(3).double()[torch.from_numpy(y)[order]]
        assert torch.equal(_in_order(c.y for c in chunks), targets)
        sizes = [batch.shape[2] for c in chunks for batch, _, _ in c.batches()]
        assert sizes[:-1] == [min(batch, 100)] * (len(sizes) - 1)
        assert sum(sizes) == 100
    weights = _in_order(c.scale for c in data.chunks(order, scale, batch))
    assert torch.equal(weights[..., 0], scale)


def _dense(X):
    """Rows of a chunk as a tensor; what sparse ones are multiplied with is 1."""
    if isinstance(X, torch.Tensor):
        return X
    (n_models, n_features, _) = X[0].shape
    ones = torch.eye(n_features).double().expand(n_models, -1, -1)
    parts = [ones.new_empty(rows.shape) for rows in X]
    for rows, part in zip(X, parts, strict=True):
        rows.affine(ones, ones.new_zeros((n_models, n_features, 1)), part)
    return torch.stack(parts)


def _in_order(parts):
    """Chunks of shape (K, M, k, b) side by side: (M, n, k)."""
    return torch.cat([part.permute(1, 0, 3, 2).flatten(1, 2) for part in parts], 1)


def test_many_batches_are_cut_into_several_chunks():
    X, y = np.zeros((4000, 200), dtype=np.float32), np.zeros((4000, 1))
    data = Data(Problem(X, y, "squared_error", GroupLasso()), 1)
    chunks = list(data.chunks(torch.arange(4000)[None], None, 32))
    assert len(chunks) > 2
    assert sum(c.X.shape[0] * c.X.shape[3] for c in chunks) == 4000


def test_dtype_is_that_of_the_rows(draw):
    for dtype, expected in ((np.float32, torch.float32), (np.float64, torch.float64)):
        X, y = draw("squared_error", dtype=dtype)
        data = Data(Problem(X, y.astype("d"), "squared_error", GroupLasso()), 3)
        assert data.dtype == data.rows(torch.arange(3)).dtype == expected
        assert data.targets(torch.arange(3)).dtype == expected


def _by_batches(objective, tensors, start, X, y, loss, weight, batch):
    """Sum of the batch gradients sum_B s_i grad_i / |B|, weights s_i of mean 1."""
    weight = np.ones(len(X)) if weight is None else weight
    keep = np.flatnonzero(weight)
    total = 0
    for first in range(0, len(keep), batch):
        rows = keep[first : first + batch]
        leaves = tensors(start)
        value = objective(leaves, X[rows], y[rows], loss, "tanh", weight[rows])
        factor = weight[rows].mean() / weight[keep].mean()
        grads = torch.autograd.grad(value * factor, leaves)
        total = total + np.concatenate([g.numpy().ravel() for g in grads])
    return total


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("batch", [16, 20])
def test_batch_gradient_is_unbiased(
    loss, weighted, batch, draw, random_network, make_model, objective, tensors, flat
):
    X, y = draw(loss, n=80)
    weight = None
    if weighted:
        weight = np.random.RandomState(0).randint(0, 5, 80) * 0.3
    start = random_network(loss, (5, 4, 3))
    model = make_model(start, rate=1e-7, row_weight=weight)
    problem = Problem(X, y, loss, NoPenalty())
    (fit,) = train(problem, [model], _unstopped(batch))
    moved = (flat(start) - flat(fit.network)) / 1e-7
    expected = _by_batches(objective, tensors, start, X, y, loss, weight, batch)
    np.testing.assert_allclose(moved, expected, atol=1e-5 * np.abs(expected).max())
    n = 80 if weight is None else np.count_nonzero(weight)
    if n % batch == 0:
        leaves = tensors(start)
        whole = objective(leaves, X, y, loss, "tanh", weight)
        gradient = [g.numpy() for g in torch.autograd.grad(whole, leaves)]
        np.testing.assert_allclose(moved * batch / n, flat(gradient), atol=1e-4)


def test_loss_of_an_epoch_is_the_weighted_mean(
    draw, random_network, make_model, objective, tensors
):
    X, y = draw("cross_entropy", n=75)
    weight = np.random.RandomState(0).randint(0, 5, 75) * 0.3
    start = random_network("cross_entropy", (5, 4, 3))
    problem = Problem(X, y, "cross_entropy", NoPenalty())
    for batch in (10, 16, 75, "auto"):
        model = make_model(start, rate=0.0, row_weight=weight)
        (fit,) = train(problem, [model], _unstopped(batch))
        expected = objective(tensors(start), X, y, "cross_entropy", "tanh", weight)
        assert fit.loss_curve == pytest.approx([expected.item()], rel=1e-13)


@pytest.mark.parametrize("container", [scipy.sparse.csr_array, scipy.sparse.csr_matrix])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_train_as_dense_ones(
    container, dtype, draw, random_network, make_model, flat
):
    X, y = draw("cross_entropy", n=110, d=8, dtype=dtype)
    X[np.random.RandomState(0).rand(*X.shape) < 0.7] = 0
    start = random_network("cross_entropy", (8, 6, 3), dtype=dtype)
    settings = Settings(Adam(), batch_size=32, max_iter=4, tol=0)
    fits = []
    for rows in (X, container(X)):
        models = [make_model(start, 0.01), make_model(start, 0.03, rows=np.arange(99))]
        problem = Problem(rows, y, "cross_entropy", GroupLasso())
        fits.append(train(problem, models, settings))
    tolerance = 1e-6 if dtype == np.float32 else 1e-13
    for dense, sparse in zip(*fits, strict=True):
        weights = flat(dense.network), flat(sparse.network)
        np.testing.assert_allclose(*weights, rtol=tolerance, atol=tolerance)


def _model(rows=None, weight=None, seed=0):
    return Model(None, 0.0, 0.1, np.random.RandomState(seed), rows, weight)


def test_weighted_rows():
    rows, weight = _model().weighted_rows(5)
    assert rows.tolist() == [0, 1, 2, 3, 4] and weight is None
    rows, weight = _model(weight=np.array([2, 0, 2, 0, 2])).weighted_rows(5)
    assert rows.tolist() == [0, 2, 4] and weight is None
    rows, weight = _model(np.array([3, 1, 0]), np.array([1, 0, 9, 3])).weighted_rows(4)
    assert rows.tolist() == [3, 0]
    np.testing.assert_allclose(weight, [1.5, 0.5])


def _rows(*weights):
    states = [np.random.RandomState(m) for m in range(2)]
    numbers = [np.arange(10), np.arange(20, 30)]
    pairs = list(zip(numbers, weights, strict=True))
    return Rows(pairs, states, 4, np.float64)


def test_order_of_rows_and_scale():
    weights = np.arange(1.0, 11), np.ones(10)
    rows = _rows(*weights)
    assert (rows.n_rows, rows.n_batches) == (10, 3)
    np.testing.assert_allclose(rows.shares, [0.4, 0.4, 0.2])
    order, scale = rows.order(shuffle=True)
    sizes = np.repeat([4, 4, 2], [4, 4, 2])
    for m, (first, weight) in enumerate(zip((0, 20), weights, strict=True)):
        drawn = np.random.RandomState(m).permutation(10)
        assert order[m].tolist() == (drawn + first).tolist()
        np.testing.assert_allclose(scale[m], weight[drawn] / sizes)
    in_order, none = _rows(None, None).order(shuffle=False)
    assert in_order[0].tolist() == list(range(10))
    assert none is None


def test_batch_size_auto_and_too_large():
    settings = Settings(SGD())
    assert settings.batch_rows(1000) == 200
    assert settings.batch_rows(150) == 150
    assert Settings(SGD(), batch_size=64).batch_rows(10) == 10


@pytest.mark.parametrize("order", ["read-only", "reversed", "Fortran", "sliced"])
def test_arrays_of_any_layout_are_read_and_left_alone(
    order, draw, random_network, make_model, full_batch, flat
):
    X, y = draw("squared_error")
    start = random_network("squared_error", (5, 3))
    given = {
        "read-only": X.copy(),
        "reversed": np.ascontiguousarray(X[::-1])[::-1],
        "Fortran": np.asfortranarray(X),
        "sliced": np.repeat(X, 2, axis=1)[:, ::2],
    }[order]
    given.flags.writeable = order != "read-only"
    y_before = y.copy()
    fits = []
    for rows in (X.copy(), given):
        problem = Problem(rows, y, "squared_error", NoPenalty())
        fits += train(problem, [make_model(start)], full_batch(SGD(), max_iter=3))
    np.testing.assert_allclose(flat(fits[0].network), flat(fits[1].network), rtol=1e-12)
    np.testing.assert_array_equal(given, X)
    np.testing.assert_array_equal(y, y_before)


@pytest.mark.parametrize("sparse", [False, True])
def test_columns_of_columns(sparse):
    X = np.arange(24.0).reshape(4, 6)
    given = scipy.sparse.csr_array(X) if sparse else X
    columns = np.array([5, 1, 3])
    problem = Problem(given, X[:, :1], "squared_error", NoPenalty(), columns=columns)
    assert problem.n_features == 3
    data = Data(problem, 1)
    index = torch.tensor([[2, 0], [1, 1]])

    def taken(data):
        if sparse:
            return data.sparse.toarray()[index]
        return data.rows(index).numpy()

    np.testing.assert_array_equal(taken(data), X[index.numpy()][..., columns])
    narrowed = data.narrowed(np.array([2, 0]))
    np.testing.assert_array_equal(taken(narrowed), X[index.numpy()][..., [3, 5]])
    np.testing.assert_array_equal(taken(data), X[index.numpy()][..., columns])


def test_columns_beyond_32_bits_never_reach_compiled_code():
    n = 2**31
    for n_columns in (n - 1, n):
        last = np.array([n_columns - 1])
        X = scipy.sparse.csr_array((np.ones(1), last, [0, 1]), shape=(1, n_columns))
        problem = Problem(X, np.ones((1, 1)), "squared_error", GroupLasso())
        if n_columns == n:
            with pytest.raises(ValueError, match=f"X has {n} columns, .* {n - 1}"):
                rows_fields(problem, Data(problem, 1))
        else:
            fields = rows_fields(problem, Data(problem, 1))
            assert fields["columns"].tolist() == [n - 2]
