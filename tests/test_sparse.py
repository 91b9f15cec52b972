"""Sparse matrices with index arrays that point outside: refused; others: converted."""

import numpy as np
import pytest
import scipy.sparse as sp

from skgroupnet.sparse import as_csr

D = np.array([[0.0, 1, 2, 0], [3, 0, 0, 4], [0, 0, 0, 0], [5, 0, 6, 0]])
FORMATS = ("csr", "csc", "bsr", "coo", "lil", "dok", "dia")


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("name", FORMATS)
def test_any_format_becomes_csr(name, kind):
    X = getattr(sp, f"{name}_{kind}")(D)
    converted = as_csr(X)
    assert converted.format == "csr"
    np.testing.assert_array_equal(converted.toarray(), D)
    np.testing.assert_array_equal(X.toarray(), D)


def test_csr_is_not_copied():
    X = sp.csr_array(D)
    assert as_csr(X) is X


@pytest.mark.parametrize("X", [D, [[0, 1]], None, "text"], ids=str)
def test_anything_else_passes(X):
    assert as_csr(X) is X


@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (0, 0), (3, 2)])
@pytest.mark.parametrize("name", FORMATS)
def test_no_entries(name, shape):
    assert as_csr(getattr(sp, f"{name}_array")(shape)).shape == shape


def test_what_is_unusual_and_sound():
    # Unsorted, twice the same place, 64-bit, and room that indptr does not use.
    X = sp.csr_array((np.ones(4), [3, 0, 0, 2], [0, 3, 4]), shape=(2, 4))
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    X.data, X.indices = np.append(X.data, 7.0), np.append(X.indices, 1)
    np.testing.assert_array_equal(as_csr(X).toarray(), [[2, 0, 0, 1], [0, 0, 1, 0]])
    blocks = sp.bsr_array(np.eye(6), blocksize=(2, 3))
    np.testing.assert_array_equal(as_csr(blocks).toarray(), np.eye(6))


def malformed(name, **arrays):
    X = getattr(sp, f"{name}_array")(D)
    for attribute, value in arrays.items():
        setattr(X, attribute, value(getattr(X, attribute)))
    return X


def put(place, value):
    def changed(array):
        array = array.copy()
        array[place] = value
        return array

    return changed


LINES = [
    ({"indices": put(0, 10**8)}, "between 0 and .* go from .* to 100000000"),
    ({"indices": put(0, -(10**8))}, "between 0 and .* go from -100000000 to"),
    ({"indices": put(-1, -1)}, "between 0 and"),
    ({"indices": lambda a: put(0, 2**40)(a.astype(np.int64))}, "between 0 and"),
    ({"indices": lambda a: a.astype(float)}, "row of integers, but is float64"),
    ({"indices": lambda a: a[:, None]}, "of shape"),
    ({"indices": lambda a: a[:-1]}, "indices and data have"),
    ({"data": lambda a: a[:-1]}, "indices and data have"),
    ({"indptr": put(0, 1)}, "begin with 0"),
    ({"indptr": put(0, -1)}, "begin with 0"),
    ({"indptr": put(1, 10**8)}, "never decrease"),
    ({"indptr": put(-1, 10**8)}, "end within"),
    ({"indptr": put(-1, 0)}, "never decrease"),
    ({"indptr": lambda a: a[:-1]}, "indptr must be . integers, but is int32"),
    ({"indptr": lambda a: np.append(a, a[-1])}, "indptr must be . integers"),
    ({"indptr": lambda a: a.astype(float)}, "but is float64"),
]
CASES = [(name, *case) for name in ("csr", "csc", "bsr") for case in LINES] + [
    ("coo", {"row": put(0, 10**8)}, "row must lie between 0 and 3"),
    ("coo", {"col": put(0, -1)}, "col must lie between 0 and 3, but .* -1 to 3"),
    ("coo", {"data": lambda a: a[:2]}, r"row, col and data have \[6, 6, 2\]"),
    ("dia", {"offsets": lambda a: np.arange(100)}, "one offset for each row"),
    ("lil", {"rows": put(0, [1, 10**8])}, "rows must lie between 0 and 3"),
    ("lil", {"rows": put(0, [0, 1, 2])}, "differ in length"),
    ("lil", {"data": put(0, [1.0] * 10**5)}, "differ in length"),
    ("lil", {"rows": lambda a: a[:2]}, "rows and data have 2 and 4 lists"),
]


@pytest.mark.parametrize(("name", "arrays", "words"), CASES)
def test_malformed(name, arrays, words):
    X = malformed(name, **arrays)
    message = rf"A is a malformed sparse matrix in {name} format, .*\(4, 4\): .*{words}"
    with pytest.raises(ValueError, match=message):
        as_csr(X, "A")


def test_keys_outside():
    X = sp.dok_array(D)
    X._dict[1, 10**8] = 1.0
    with pytest.raises(ValueError, match="X is a malformed .* dok format.* 100000000"):
        as_csr(X)


def test_one_dimension():
    with pytest.raises(ValueError, match=r"two dimensions, but is .* shape \(4,\)"):
        as_csr(sp.coo_array(D[0]))
