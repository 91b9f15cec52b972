"""Columns of CSR rows: their moments and shifts, made without a copy of the rows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

# Entries that are looked at, or whose products are added, at a time: they stay in the
# cache.
CHUNK_ENTRIES = 1 << 18
# From this share of entries on, products of dense matrices are faster.
DENSE_SHARE = 1 / 8


def are_full(X: Any) -> np.ndarray:
    """Tell which columns have no entry that is left out, (c,)."""
    n_rows, n_columns = X.shape
    count = np.zeros(n_columns, dtype=np.int64)
    for start in range(0, X.nnz, CHUNK_ENTRIES):
        part = X.indices[start : start + CHUNK_ENTRIES]
        count += np.bincount(part, minlength=n_columns)
    return count == n_rows


def mean_and_variance(X: Any, share: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each column, in float64: (n,) -> (c,) twice.

    The shares of the rows sum to one.  The zeros count as what they are.
    """
    n_columns = X.shape[1]
    mean, absent, first, second = np.zeros((4, n_columns))

    def total(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
        return np.bincount(columns, values, minlength=n_columns)

    for values, columns, weight in _entries(X, share):
        mean += total(weight * values, columns)
        absent -= total(weight, columns)
    absent[~are_full(X)] += 1
    absent = np.maximum(absent, 0)
    for values, columns, weight in _entries(X, share):
        deviation = values - mean[columns]
        first += total(weight * deviation, columns)
        second += total(weight * deviation**2, columns)
    first -= absent * mean
    second += absent * mean**2
    return mean + first, np.maximum(second - first**2, 0)


def _entries(
    X: Any, share: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Values, columns and shares of the entries of rows, some at a time."""
    many = np.arange(CHUNK_ENTRIES, X.nnz, CHUNK_ENTRIES)
    cuts = np.unique([0, *np.searchsorted(X.indptr, many), X.shape[0]])
    for first, last in pairwise(cuts):
        part = slice(X.indptr[first], X.indptr[last])
        counts = np.diff(X.indptr[first : last + 1])
        weight = np.repeat(share[first:last], counts)
        yield X.data[part].astype(np.float64), X.indices[part], weight


def second_moments(X: Any, weight: np.ndarray) -> Tensor:
    """Second moments of the columns under weights of the rows: (n,) -> (c, c).

    In float64.  The weights are not negative.
    """
    n_rows, n_columns = X.shape
    total = torch.zeros((n_columns, n_columns), dtype=torch.float64)
    dense = X.nnz > DENSE_SHARE * n_rows * n_columns
    of_row = n_columns if dense else X.nnz / max(1, n_rows)
    # To add a part costs what the total has numbers: parts are no smaller.
    together = int(max(CHUNK_ENTRIES, n_columns**2) / max(1.0, of_row)) + 1
    root = np.sqrt(weight, dtype=np.float64)
    for start in range(0, n_rows, together):
        rows = slice(start, start + together)
        part = X[rows].astype(np.float64)
        part.data *= np.repeat(root[rows], np.diff(part.indptr))
        if dense:
            numbers = torch.from_numpy(part.toarray())
            total.addmm_(numbers.T, numbers)
        else:
            total += torch.from_numpy((part.T @ part).toarray())
    return total


def shifted(X: Any, offset: np.ndarray, kept: np.ndarray) -> Any:
    """Take offsets (c,) from the entries; those of columns not kept become zero.

    The places are those of X, on the same memory.
    """
    values = np.empty_like(X.data)
    for start in range(0, len(values), CHUNK_ENTRIES):
        part = slice(start, start + CHUNK_ENTRIES)
        at = X.indices[part]
        values[part] = (X.data[part] - offset[at]) * kept[at]
    return type(X)((values, X.indices, X.indptr), shape=X.shape)
