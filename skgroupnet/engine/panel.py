"""Some columns of X, taken in as they are needed: the working set of newton.py."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.data import Data
from skgroupnet.engine.sparse_columns import second_moments


class Panel(Protocol):
    """Some columns of X."""

    columns: Tensor
    """Their numbers, (c,)."""

    def add(self, columns: np.ndarray) -> None:
        """Take in more columns."""

    def dot(self, W: Tensor) -> Tensor:
        """Product with a matrix: (c, k) -> (k, n)."""

    def tdot(self, R: Tensor) -> Tensor:
        """Product of the transpose with a matrix: (k, n) -> (c, k)."""

    def moments(self, weight: Tensor) -> Tensor:
        """Second moments of the columns under weights of the rows: (n,) -> (c, c)."""


class DensePanel:
    """Columns of dense X, each of them contiguous.

    Parameters
    ----------
    data : Data
        The rows.
    """

    def __init__(self, data: Data) -> None:
        self._X = data.X.numpy()
        self.columns = torch.empty(0, dtype=torch.long)
        self._room = data.X.new_empty((0, data.n_rows))

    @property
    def rows(self) -> Tensor:
        """The columns as rows, (c, n)."""
        return self._room[: len(self.columns)]

    def add(self, columns: np.ndarray) -> None:
        """Take in more columns."""
        n_before, n_now = len(self.columns), len(self.columns) + len(columns)
        if n_now > len(self._room):
            before = self.rows
            room = min(self._X.shape[1], max(n_now, 2 * n_before))
            self._room = before.new_empty((room, before.shape[1]))
            self._room[:n_before] = before
        in_order = np.array_equal(columns, np.arange(self._X.shape[1]))
        part = self._X if in_order else self._X[:, columns]
        self._room.numpy()[n_before:n_now] = part.T
        self.columns = torch.cat([self.columns, torch.from_numpy(columns)])

    def dot(self, W: Tensor) -> Tensor:
        """Product with a matrix: (c, k) -> (k, n)."""
        return W.T @ self.rows

    def tdot(self, R: Tensor) -> Tensor:
        """Product of the transpose with a matrix: (k, n) -> (c, k)."""
        return self.rows @ R.T

    def moments(self, weight: Tensor) -> Tensor:
        """Second moments of the columns under weights of the rows: (n,) -> (c, c)."""
        return ((self.rows * weight) @ self.rows.T).double()


class SparsePanel:
    """Columns of sparse X; only their second moments are dense.

    Parameters
    ----------
    data : Data
        The rows.
    """

    def __init__(self, data: Data) -> None:
        self._X = data.sparse
        self._like = torch.empty(0, dtype=data.dtype)
        self.columns = torch.empty(0, dtype=torch.long)
        self._part = self._X[:, :0]

    def add(self, columns: np.ndarray) -> None:
        """Take in more columns."""
        self.columns = torch.cat([self.columns, torch.from_numpy(columns)])
        # Made anew from X, which costs what one product does; the old goes first.
        self._part = self._X
        if not np.array_equal(self.columns, np.arange(self._X.shape[1])):
            self._part = self._X[:, self.columns.numpy()]

    def dot(self, W: Tensor) -> Tensor:
        """Product with a matrix: (c, k) -> (k, n)."""
        return self._tensor((self._part @ W.numpy()).T)

    def tdot(self, R: Tensor) -> Tensor:
        """Product of the transpose with a matrix: (k, n) -> (c, k)."""
        return self._tensor(self._part.T @ R.T.numpy())

    def moments(self, weight: Tensor) -> Tensor:
        """Second moments of the columns under weights of the rows: (n,) -> (c, c)."""
        return second_moments(self._part, weight.double().numpy())

    def _tensor(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self._like)
