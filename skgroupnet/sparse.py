"""Sparse matrices whose index arrays lie within their shape, as C code trusts."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import numpy as np
import scipy.sparse


def as_csr(X: Any, name: str = "X") -> Any:
    """Check the index arrays of a sparse matrix, and convert it to CSR.

    Compiled code, scipy's and this package's, reads and writes where these arrays
    point to, and scipy checks them only when a matrix is made.

    Parameters
    ----------
    X : {array-like, sparse matrix}
        What a user gave. Anything but a sparse matrix is returned as it is.
    name : str, default="X"
        What the user calls it.

    Returns
    -------
    {array-like, sparse CSR}
    """
    if not scipy.sparse.issparse(X):
        return X
    if X.ndim != 2:
        raise ValueError(
            f"{name} must have two dimensions, but is a sparse array of shape "
            f"{X.shape}."
        )
    try:
        CHECKS[X.format](X)
        if X.format == "dok":
            # Its keys are checked when it becomes arrays.
            X = X.tocoo()
        return X.tocsr()
    except ValueError as error:
        raise ValueError(
            f"{name} is a malformed sparse matrix in {X.format} format, of shape "
            f"{X.shape}: {error}."
        ) from error


def _check_lines(X: Any) -> None:
    """Check rows (CSR), columns (CSC) or rows of blocks (BSR)."""
    height, width = X.blocksize if X.format == "bsr" else (1, 1)
    n_lines, n_places = X.shape[0] // height, X.shape[1] // width
    if X.format == "csc":
        n_lines, n_places = n_places, n_lines
    starts, n_entries = X.indptr, len(X.indices)
    if n_entries != len(X.data):
        raise ValueError(f"indices and data have {n_entries} and {len(X.data)} entries")
    if starts.dtype.kind != "i" or starts.shape != (n_lines + 1,):
        raise ValueError(
            f"indptr must be {n_lines + 1} integers, but is {starts.dtype} of shape "
            f"{starts.shape}"
        )
    if starts[0] != 0 or (starts[1:] < starts[:-1]).any() or starts[-1] > n_entries:
        raise ValueError(
            f"indptr must begin with 0, never decrease and end within the {n_entries} "
            "entries of indices"
        )
    _check_places("indices", X.indices, n_places)


def _check_entries(X: Any) -> None:
    lengths = [len(X.row), len(X.col), len(X.data)]
    if len({*lengths}) > 1:
        raise ValueError(f"row, col and data have {lengths} entries")
    _check_places("row", X.row, X.shape[0])
    _check_places("col", X.col, X.shape[1])


def _check_diagonals(X: Any) -> None:
    if X.data.ndim != 2 or X.offsets.shape != X.data.shape[:1]:
        raise ValueError(
            "there must be one offset for each row of data, but offsets and data have "
            f"the shapes {X.offsets.shape} and {X.data.shape}"
        )


def _check_lists(X: Any) -> None:
    n_rows = X.shape[0]
    if len(X.rows) != n_rows or len(X.data) != n_rows:
        raise ValueError(f"rows and data have {len(X.rows)} and {len(X.data)} lists")
    if any(len(row) != len(data) for row, data in zip(X.rows, X.data, strict=True)):
        raise ValueError("a list in rows and one in data differ in length")
    places = np.fromiter(chain.from_iterable(X.rows), dtype=np.int64)
    _check_places("rows", places, X.shape[1])


def _check_nothing(X: Any) -> None:
    pass


def _check_places(name: str, places: np.ndarray, n_places: int) -> None:
    if places.dtype.kind != "i" or places.ndim != 1:
        raise ValueError(
            f"{name} must be one row of integers, but is {places.dtype} of shape "
            f"{places.shape}"
        )
    if not len(places):
        return
    smallest, largest = places.min(), places.max()
    if smallest < 0 or largest >= n_places:
        raise ValueError(
            f"{name} must lie between 0 and {n_places - 1}, but the entries go from "
            f"{smallest} to {largest}"
        )


CHECKS: dict[str, Callable[[Any], None]] = {
    "csr": _check_lines,
    "csc": _check_lines,
    "bsr": _check_lines,
    "coo": _check_entries,
    "dia": _check_diagonals,
    "lil": _check_lists,
    "dok": _check_nothing,
}
