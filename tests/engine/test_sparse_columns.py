import numpy as np
import pytest
from scipy.sparse import csr_array

from skgroupnet.engine import sparse_columns


@pytest.fixture(params=[0.02, 0.5], ids=["few entries", "many entries"])
def rows(request, monkeypatch):
    """Rows that are looked at in several parts; one column is full, one empty."""
    monkeypatch.setattr(sparse_columns, "CHUNK_ENTRIES", 64)
    rng = np.random.default_rng(0)
    X = rng.standard_normal((1000, 7)) * (rng.random((1000, 7)) < request.param)
    X[:, 2], X[:, 4] = 5 + rng.standard_normal(1000), 0
    return X, rng.random(1000)


def test_full_columns(rows):
    X, _ = rows
    assert sparse_columns.are_full(csr_array(X)).tolist() == [j == 2 for j in range(7)]


def test_mean_and_variance(rows):
    X, weight = rows
    share = weight / weight.sum()
    mean, variance = sparse_columns.mean_and_variance(csr_array(X), share)
    np.testing.assert_allclose(mean, share @ X, rtol=1e-12)
    np.testing.assert_allclose(variance, share @ (X - share @ X) ** 2, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_second_moments(rows, dtype):
    X, weight = rows
    X = X.astype(dtype)
    moments = sparse_columns.second_moments(csr_array(X), weight.astype(dtype))
    X, weight = X.astype(float), weight.astype(dtype).astype(float)
    np.testing.assert_allclose(moments, X.T * weight @ X, rtol=1e-12, atol=1e-12)
    assert sparse_columns.second_moments(csr_array((0, 3)), np.ones(0)).sum() == 0


def test_second_moments_of_columns_out_of_order():
    X = csr_array(np.arange(12.0).reshape(3, 4))[:, [3, 0, 2]]
    moments = sparse_columns.second_moments(X, np.ones(3))
    np.testing.assert_allclose(moments, X.toarray().T @ X.toarray())


def test_shifted_rows_have_values_of_their_own(rows):
    X, _ = rows
    sparse = csr_array(X)
    offset = np.where(np.arange(7) == 2, 5.0, 0.0)
    kept = np.arange(7) != 0
    shifted = sparse_columns.shifted(sparse, offset, kept)
    np.testing.assert_array_equal(shifted.toarray(), (X - offset * (X != 0)) * kept)
    np.testing.assert_array_equal(sparse.toarray(), X)
