"""A partition of a network's parameters into penalty groups, with its sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

# From this many numbers on, multiplying row by row beats spreading the values first.
WORTH_VIEWS = 1 << 16


@dataclass(frozen=True, eq=False)
class _Views:
    """A buffer (M, P), its rows, and where their sums go: row by row and as a whole."""

    T: Tensor
    blocks: list[Tensor]
    rows: list[tuple[Tensor, Tensor]]
    singles: list[tuple[Tensor, Tensor]]
    result: Tensor


@dataclass(frozen=True)
class Block:
    """A run of ``n_rows`` rows of ``width`` consecutive parameters of one layer.

    Each row is a group; a run of single parameters has width 1.
    """

    n_rows: int
    width: int
    penalised: bool
    layer: int = 0

    @property
    def size(self) -> int:
        """Number of parameters."""
        return self.n_rows * self.width


class Groups:
    """Partition of the P parameters of every network of a stack into G groups.

    Parameters
    ----------
    blocks : sequence of Block
        The parameters in their order: runs of rows of equal width.  Blocks may be
        empty.
    like : Tensor
        A tensor of the dtype and device to work in.
    merged : int array of shape (n_rows,), default=None
        For every row of the blocks the group it belongs to, numbered from 0 without
        gaps; None: every row is a group.
    counted : array of shape (n_rows,), default=None
        For every row of the blocks the size that its group counts as in the penalty;
        None: the size it has.

    Attributes
    ----------
    n_groups : int
        Number of groups, G.
    sizes : Tensor of shape (1, G)
        Number of parameters of each group.
    penalised : Tensor of shape (1, G)
        1 for penalised groups, 0 for the others.
    index : int Tensor of shape (1, P) or (M, P)
        Group of every parameter, the same in every row.
    rows : tuple of (int ndarray of shape (n_rows,), int ndarray of shape (n_rows,))
        Group and width of every row of the blocks, in the order of the parameters.
    layer : int Tensor of shape (1, G)
        Number of the matrix that each group lies in; the biases have the number of
        matrices.
    weights : Tensor of shape (1, G) or (M, G)
        sqrt(size it counts as) for penalised groups, 0 for the others; times the
        factors of `weigh`.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        like: Tensor,
        merged: np.ndarray | None = None,
        counted: np.ndarray | None = None,
    ) -> None:
        rows_of_layer = [[block.layer] * block.n_rows for block in blocks if block.size]
        layer_of_row = np.concatenate([*rows_of_layer, []]).astype(np.int64)
        self._blocks = _runs(blocks)
        self._sizes = [block.size for block in self._blocks]
        self._n_rows = [block.n_rows for block in self._blocks]
        self._remembered: dict[int, _Views] = {}
        self._lam = self._strength = like.new_empty(0)
        self._merged = None
        group_of_row = np.arange(sum(self._n_rows))
        if merged is not None:
            self._merged = torch.as_tensor(merged, device=like.device)
            group_of_row = merged
        widths = np.repeat(
            np.array([block.width for block in self._blocks], dtype=int), self._n_rows
        )
        free = np.repeat([not block.penalised for block in self._blocks], self._n_rows)
        sizes = np.bincount(group_of_row, weights=widths)
        penalised = np.bincount(group_of_row, weights=free) == 0
        self.n_groups = len(sizes)
        layer = np.empty(self.n_groups, dtype=np.int64)
        layer[group_of_row] = layer_of_row
        self.layer = torch.as_tensor(layer[None], device=like.device)
        if counted is not None:
            sizes[group_of_row] = counted
        self.sizes = torch.as_tensor(sizes[None]).to(like)
        self.penalised = torch.as_tensor(penalised[None]).to(like)
        self._inverse_sizes = 1 / self.sizes
        self.rows = group_of_row, widths
        self._singles = self.n_groups == sum(self._sizes)
        self.index = torch.as_tensor(
            np.repeat(group_of_row, widths)[None], device=like.device
        )
        self._factors = like.new_empty(self.index.shape)
        self.weights = torch.as_tensor(np.sqrt(sizes * penalised)[None]).to(like)

    def weigh(self, factors: Tensor) -> None:
        """Multiply the weights of the groups, (G,) or (M, G), by factors."""
        self.weights = self.weights * factors
        self._lam = factors.new_empty(0)

    @cached_property
    def of_layer(self) -> list[Tensor]:
        """Numbers of the penalised groups of each layer that has any."""
        penalised = self.penalised[0] > 0
        numbers = [
            torch.nonzero(penalised & (self.layer[0] == layer))[:, 0]
            for layer in self.layer.unique().tolist()
        ]
        return [number for number in numbers if len(number)]

    def remember(self, T: Tensor) -> None:
        """Keep the row views of a buffer that is passed again and again."""
        self._remembered[id(T)] = self._views(T)

    def _views(self, T: Tensor) -> _Views:
        if id(T) in self._remembered:
            return self._remembered[id(T)]
        blocks = [
            part if block.width == 1 else part.view(len(T), block.n_rows, block.width)
            for block, part in zip(
                self._blocks, T.split_with_sizes(self._sizes, 1), strict=True
            )
        ]
        result = T.new_empty((len(T), sum(self._n_rows)))
        pairs = list(zip(blocks, result.split_with_sizes(self._n_rows, 1), strict=True))
        rows = [pair for pair in pairs if pair[0].dim() == 3]
        singles = [pair for pair in pairs if pair[0].dim() == 2]
        return _Views(T, blocks, rows, singles, result)

    def _by_row(
        self, T: Tensor, reduce: Callable[..., Tensor], single: Callable[..., Tensor]
    ) -> Tensor:
        """Reduce every row, or map the single parameters: (M, P) -> (M, n_rows)."""
        views = self._views(T)
        for row, slot in views.rows:
            reduce(row, dim=-1, out=slot)
        for row, slot in views.singles:
            single(row, out=slot)
        # What is kept for the next call is not given away.
        return views.result.clone() if id(T) in self._remembered else views.result

    def strength(self, lam: Tensor) -> Tensor:
        """Strength of every group: lam (M,) times its weight, (M, G).

        The last one is kept: in training lam is the same tensor at every step.
        """
        if lam is not self._lam:
            self._lam, self._strength = lam, lam.unsqueeze(1) * self.weights
        return self._strength.clone()

    def sum(self, T: Tensor) -> Tensor:
        """Sum over every group: (M, P) -> (M, G)."""
        if self._singles:
            return T.clone()
        rows = self._by_row(T, torch.sum, _copy)
        if self._merged is None:
            return rows
        total = rows.new_zeros((len(rows), self.n_groups))
        return total.index_add_(1, self._merged, rows)

    def mean(self, T: Tensor) -> Tensor:
        """Mean over every group: (M, P) -> (M, G), or T where all are single."""
        return T if self._singles else self.sum(T).mul_(self._inverse_sizes)

    def amax(self, T: Tensor) -> Tensor:
        """Largest entry of every group: (M, P) -> (M, G)."""
        if self._singles:
            return T.clone()
        rows = self._by_row(T, torch.amax, _copy)
        if self._merged is None:
            return rows
        index = self._merged.expand_as(rows)
        largest = rows.new_zeros((len(rows), self.n_groups))
        return largest.scatter_reduce_(1, index, rows, "amax", include_self=False)

    def norm(self, T: Tensor) -> Tensor:
        """Euclidean norm of every group: (M, P) -> (M, G)."""
        if self._singles:
            return T.abs()
        rows = self._by_row(T, torch.linalg.vector_norm, torch.abs)
        if self._merged is None:
            return rows
        total = rows.new_zeros((len(rows), self.n_groups))
        return total.index_add_(1, self._merged, rows * rows).sqrt_()

    def spread(self, values: Tensor) -> Tensor:
        """Give every parameter the value of its group: (M, G) -> (M, P)."""
        return self._spread(values).clone()

    def _spread(self, values: Tensor) -> Tensor:
        """Spread into a buffer, which the next call overwrites."""
        if self._singles:
            return values
        if self._factors.shape[0] != values.shape[0]:
            self.index = self.index[:1].expand(values.shape[0], -1)
            self._factors = values.new_empty(self.index.shape)
        # As fast as index_select, and in float64 several times faster.
        return torch.gather(values, 1, self.index, out=self._factors)

    def scale(self, T: Tensor, values: Tensor, out: Tensor | None = None) -> Tensor:
        """Multiply every group by its value: (M, P), (M, G) -> (M, P)."""
        if self._singles or T.numel() < WORTH_VIEWS:
            return torch.mul(T, self._spread(values), out=out)
        if out is None:
            out = torch.empty_like(T)
        for block, factor, result in zip(
            self._views(T).blocks,
            self._block_factors(values),
            self._views(out).blocks,
            strict=True,
        ):
            torch.mul(block, factor, out=result)
        return out

    def add_scaled(self, W: Tensor, T: Tensor, values: Tensor, by: float) -> None:
        """Add ``by`` times the scaled T to W (M, P), in place: (M, P), (M, G)."""
        if self._singles or T.numel() < WORTH_VIEWS:
            W.addcmul_(T, self._spread(values), value=by)
            return
        for target, block, factor in zip(
            self._views(W).blocks,
            self._views(T).blocks,
            self._block_factors(values),
            strict=True,
        ):
            target.addcmul_(block, factor, value=by)

    def _block_factors(self, values: Tensor) -> list[Tensor]:
        """Shape the values of the groups so that they broadcast over the blocks."""
        if self._merged is not None:
            values = values.index_select(1, self._merged)
        parts = values.split_with_sizes(self._n_rows, 1)
        return [
            part if block.width == 1 else part.unsqueeze(-1)
            for block, part in zip(self._blocks, parts, strict=True)
        ]


def _runs(blocks: Sequence[Block]) -> list[Block]:
    """Join neighbours of equal width; leave out what is empty."""
    runs: list[Block] = []
    for block in blocks:
        last = runs[-1] if runs else None
        if last and (last.width, last.penalised) == (block.width, block.penalised):
            runs[-1] = Block(last.n_rows + block.n_rows, block.width, block.penalised)
        elif block.size:
            runs.append(block)
    return runs


def _copy(values: Tensor, out: Tensor) -> Tensor:
    return out.copy_(values)
