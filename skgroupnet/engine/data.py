"""The one way in: numpy or CSR rows become tensors on a device, batch by batch."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse
import torch
from torch import Tensor

from skgroupnet.engine import sparse_columns
from skgroupnet.engine.problem import Problem
from skgroupnet.engine.sparse_rows import SparseRows

# Rows are gathered for several batches at a time: one gather costs as much as a
# matrix product of a small network.  This many numbers of a chunk stay in the cache.
CHUNK_NUMBERS = 1 << 18
# Numbers of X whose deviations are made at a time.
MOMENT_NUMBERS = 1 << 16


@dataclass(frozen=True, eq=False)
class Chunk:
    """K batches of b rows for each of M models.

    Parameters
    ----------
    X : Tensor of shape (K, M, n_features, b), or K times SparseRows
        Rows.
    y : Tensor of shape (K, M, n_outputs, b)
        Targets.
    scale : Tensor of shape (K, M, 1, b), or (1, 1, 1, 1) if all rows count equally
        Weight of each row in the gradient of its batch.
    """

    X: Tensor | Sequence[SparseRows]
    y: Tensor
    scale: Tensor

    def batches(self) -> Iterator[tuple[Tensor | SparseRows, Tensor, Tensor]]:
        """Rows, minus the scaled targets, and scale of each batch."""
        scaled = self.y * -self.scale
        scales = self.scale.unbind()
        if len(scales) == 1:
            scales *= len(self.X)
        return zip(self.X, scaled.unbind(), scales, strict=True)

    def losses(self, value: Tensor) -> Tensor:
        """Loss of each batch from the losses of its rows: (K, M, b) -> (K, M)."""
        return (value * self.scale.squeeze(2)).sum(-1, dtype=torch.float64)


class _Memory:
    """The memory of an array as numpy's interface describes it, but writeable."""

    def __init__(self, array: np.ndarray) -> None:
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (address, False),
        }
        self._alive = array


def _to_read(array: np.ndarray) -> np.ndarray:
    """Give the same memory to torch, which warns of arrays that are read-only.

    Nothing here writes to rows and targets; a memory map need not be copied.
    """
    return np.asarray(_Memory(array))


class Data:
    """Rows and targets of a problem on its device.

    Parameters
    ----------
    problem : Problem
        Where the rows come from.
    n_outputs : int
        Width of the targets.

    Attributes
    ----------
    X : Tensor of shape (n, n_columns)
        Dense rows; there is none if they are sparse.
    columns : int Tensor of shape (n_features,) or None
        The columns of dense rows that `rows` gives; None: all.
    sparse : scipy CSR or None
        Sparse rows.
    codes : int Tensor of shape (n,) or None
        Class codes.
    y : Tensor of shape (n, n_outputs)
        Targets; with codes, the targets of the classes.
    """

    def __init__(self, problem: Problem, n_outputs: int) -> None:
        X = problem.X
        self.device = torch.device(problem.device)
        self.dtype = torch.float32 if X.dtype == np.float32 else torch.float64
        self.n_rows, self.n_features = X.shape
        self.n_outputs = n_outputs
        self.columns: Tensor | None = None
        self.sparse: Any = X if scipy.sparse.issparse(X) else None
        if self.sparse is None:
            self.X = self._tensor(X)
        self.codes: Tensor | None = None
        if problem.y.ndim == 1:
            self.codes = torch.as_tensor(problem.y).long().to(self.device)
            self.y = torch.eye(n_outputs, dtype=self.dtype, device=self.device)
        else:
            self.y = self._tensor(problem.y)
        if problem.columns is not None:
            self._take(problem.columns)

    def _take(self, columns: np.ndarray) -> None:
        """Take columns of the rows from now on; dense rows are not copied."""
        self.n_features = len(columns)
        if self.sparse is not None:
            self.sparse = self.sparse[:, columns]
        else:
            self.columns = torch.as_tensor(columns, device=self.device)

    def narrowed(self, columns: np.ndarray) -> Data:
        """Make the data with some of the columns, on the same memory."""
        narrowed = copy.copy(self)
        if self.columns is not None:
            columns = self.columns.cpu().numpy()[columns]
        narrowed._take(columns)
        return narrowed

    @cached_property
    def largest(self) -> float:
        """Largest absolute value of X, whether or not networks take its column."""
        X = self.X if self.sparse is None else self._tensor(self.sparse.data)
        if not X.numel():
            return 0.0
        low, high = X.aminmax()
        return max(-float(low), float(high))

    @property
    def row_entries(self) -> float:
        """Numbers in a row that take part in products, in the mean."""
        if self.sparse is None:
            return self.n_features
        return self.sparse.nnz / max(1, self.n_rows)

    def work(self, widths: Sequence[int]) -> float:
        """Floating-point operations a row: one product forth, two back.

        Parameters
        ----------
        widths : sequence of int
            Units per layer of the network.
        """
        inner = sum(a * b for a, b in pairwise(widths[1:]))
        return 6.0 * (self.row_entries * widths[1] + inner)

    def _tensor(self, array: np.ndarray) -> Tensor:
        if any(s < 0 for s in array.strides) or not array.flags.aligned:
            array = array.copy()
        if not array.flags.writeable:
            array = _to_read(array)
        return torch.as_tensor(array).to(dtype=self.dtype, device=self.device)

    def rows(self, index: Tensor) -> Tensor:
        """Rows of a dense X: index of any shape (...) -> (..., n_features)."""
        shape = (*index.shape, self.n_features)
        rows = self.X.index_select(0, index.reshape(-1).to(self.device))
        if self.columns is not None:
            rows = rows.index_select(1, self.columns)
        return rows.view(shape)

    def targets(self, index: Tensor) -> Tensor:
        """Targets of rows: index (...) -> (..., n_outputs)."""
        shape = (*index.shape, self.n_outputs)
        index = index.reshape(-1).to(self.device)
        if self.codes is not None:
            index = self.codes.index_select(0, index)
        return self.y.index_select(0, index).view(shape)

    def dot(self, W: Tensor) -> Tensor:
        """Product of X with a matrix: (n_features, k) -> (n, k)."""
        if self.sparse is not None:
            return self._tensor(self.sparse @ W.cpu().numpy())
        return self.X @ W

    def tdot(self, R: Tensor) -> Tensor:
        """Product of the transpose of X with a matrix: (n, k) -> (n_features, k)."""
        if self.sparse is not None:
            return self._tensor(self.sparse.T @ R.cpu().numpy())
        return self.X.T @ R

    def moments(self, scale: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of each column, in float64: (n,) -> (n_features,) twice.

        ``scale`` are weights of the rows; what they sum to does not matter.
        """
        share = scale.double() / scale.sum(dtype=torch.float64)
        if self.sparse is not None:
            mean, variance = sparse_columns.mean_and_variance(
                self.sparse, share.cpu().numpy()
            )
            return torch.from_numpy(mean), torch.from_numpy(variance)
        rows = max(1, MOMENT_NUMBERS // max(1, self.n_features))
        # Deviations from a value that is near do not cancel.
        near = self.X[:rows].double().mean(0)
        first, second = near.new_zeros((2, self.n_features))
        for start in range(0, self.n_rows, rows):
            part = (self.X[start : start + rows] - near).T
            first.addmv_(part, share[start : start + rows])
            second.addmv_(part.square_(), share[start : start + rows])
        return near + first, (second - first.square()).clamp_min_(0.0)

    def shifted(self, offset: Tensor, constant: Tensor) -> Data:
        """Make the data with an offset (n_features,) taken from the columns.

        Those that are constant become zero. Sparse rows stay sparse: there the offset
        is that of columns without zeros.
        """
        shifted = copy.copy(self)
        if self.sparse is None:
            shifted.X = torch.empty_like(self.X)
            torch.sub(self.X, offset, out=shifted.X)
            shifted.X[:, constant] = 0
            return shifted
        by, kept = offset.cpu().numpy(), ~constant.cpu().numpy()
        shifted.sparse = sparse_columns.shifted(self.sparse, by, kept)
        return shifted

    def full_columns(self) -> Tensor:
        """Tell which columns have no entry that is left out, (n_features,)."""
        if self.sparse is None:
            return torch.ones(self.n_features, dtype=torch.bool, device=self.device)
        return torch.from_numpy(sparse_columns.are_full(self.sparse))

    def gram(self, scale: Tensor, mean: Tensor) -> Tensor:
        """Second moments of the columns: (n, 1), (d, 1) -> (d, d).

        The weights sum to one; the mean is that of the columns, or zero.
        """
        if self.sparse is None:
            deviation = (self.X - mean.T) * scale.sqrt()
            return deviation.T @ deviation
        weight, mean_of = (T[:, 0].double().cpu() for T in (scale, mean))
        second = sparse_columns.second_moments(self.sparse, weight.numpy())
        return (second - torch.outer(mean_of, mean_of)).to(scale)

    def kernel(self, chosen: Tensor, mean: Tensor) -> Tensor:
        """Inner products of the rows less the mean: (d,), (d, 1) -> (n, n).

        ``chosen`` is true for the columns that count.
        """
        if self.sparse is None:
            deviation = self.X - mean.T
            if not chosen.all():
                deviation = deviation[:, chosen]
            return deviation @ deviation.T
        X, shift = self.sparse, mean[chosen].double().cpu().numpy()
        if not chosen.all():
            X = X[:, chosen.cpu().numpy()]
        cross = torch.from_numpy(X @ shift)
        inner = sparse_columns.second_moments(X.T.tocsr(), np.ones(X.shape[1]))
        inner -= cross + cross.T
        return (inner + float((shift**2).sum())).to(mean)

    def chunks(
        self, order: Tensor, scale: Tensor | None, batch_rows: int
    ) -> Iterator[Chunk]:
        """Cut an order of the rows into batches, some of them at a time.

        Parameters
        ----------
        order : int Tensor of shape (M, n)
            Rows of each model in the order of training, on the CPU.
        scale : Tensor of shape (M, n) or None
            Weight of each of these rows; None: all equal, and each batch divides by
            its number of rows.
        batch_rows : int
            Rows in a batch; the last one may have fewer.
        """
        n_models, n = order.shape
        numbers = n_models * batch_rows * (self.row_entries + 2 * self.n_outputs)
        together = max(1, int(CHUNK_NUMBERS // numbers)) * batch_rows
        whole = n - n % batch_rows
        for start in range(0, whole, together):
            stop = min(start + together, whole)
            yield self._chunk(order, scale, slice(start, stop), batch_rows)
        if whole < n:
            yield self._chunk(order, scale, slice(whole, n), n - whole)

    def _chunk(
        self, order: Tensor, scale: Tensor | None, part: slice, batch_rows: int
    ) -> Chunk:
        def by_batch(T: Tensor) -> Tensor:
            return T[:, part].unflatten(1, (-1, batch_rows)).transpose(0, 1)

        index = by_batch(order)
        X: Tensor | list[SparseRows]
        if self.sparse is None:
            X = self.rows(index).transpose(2, 3)
        else:
            X = [
                SparseRows([self.sparse[rows] for rows in batch], self.device)
                for batch in index.numpy()
            ]
        y = self.targets(index).transpose(2, 3).contiguous()
        if scale is None:
            return Chunk(X, y, y.new_full((1, 1, 1, 1), 1 / batch_rows))
        return Chunk(X, y, by_batch(scale).unsqueeze(2).to(self.device))


class Rows:
    """The rows each model of a stack trains on, and their weights.

    All models have the same number of rows.

    Parameters
    ----------
    pairs : list of (int ndarray of shape (n,), ndarray of shape (n,) or None)
        Rows of each model, and their weights of mean 1; None for all models: all rows
        count equally.
    random_states : list of RandomState
        Decide the order of the rows.
    batch_rows : int
        Rows in a batch.
    dtype : dtype
        Type of the weights.
    """

    def __init__(
        self,
        pairs: list[tuple[np.ndarray, np.ndarray | None]],
        random_states: list[np.random.RandomState],
        batch_rows: int,
        dtype: np.typing.DTypeLike,
    ) -> None:
        self.batch_rows = batch_rows
        self._pairs, self._random_states = pairs, random_states
        whole, rest = divmod(self.n_rows, batch_rows)
        self._sizes = np.array([batch_rows] * whole + [rest] * (rest > 0))
        self._dtype = dtype

    def keep(self, index: list[int]) -> None:
        """Go on with some of the models."""
        self._random_states = [self._random_states[i] for i in index]
        self._pairs = [self._pairs[i] for i in index]

    @property
    def n_rows(self) -> int:
        """Number of rows of each model."""
        return len(self._pairs[0][0])

    @property
    def n_batches(self) -> int:
        """Number of batches of an epoch."""
        return len(self._sizes)

    @property
    def shares(self) -> np.ndarray:
        """Share of each batch in the rows, (n_batches,)."""
        return self._sizes / self.n_rows

    def epoch(self, m: int, shuffle: bool) -> tuple[np.ndarray, np.ndarray | None]:
        """Rows of an epoch of one model and their scale, each (n,).

        The scale is a row's weight over the size of its batch; None if all rows of
        the model count equally.
        """
        (rows, weight), n = self._pairs[m], self.n_rows
        by = self._random_states[m].permutation(n) if shuffle else np.arange(n)
        if weight is None:
            return rows[by], None
        scale = weight[by] / np.repeat(self._sizes, self._sizes)
        return rows[by], scale.astype(self._dtype)

    def order(self, shuffle: bool) -> tuple[Tensor, Tensor | None]:
        """Rows of an epoch and their scale, each (M, n); scale None as in `epoch`."""
        orders, scales = zip(
            *(self.epoch(m, shuffle) for m in range(len(self._pairs))), strict=True
        )
        order = torch.from_numpy(np.stack(orders))
        if scales[0] is None:
            return order, None
        return order, torch.from_numpy(np.stack(scales))
