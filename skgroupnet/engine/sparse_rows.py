"""Batches of sparse rows: products that cost what their entries cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor


class SparseRows:
    """A batch of b sparse rows for each of M models, in the place of a tensor.

    Parameters
    ----------
    batches : sequence of scipy CSR of shape (b, n_features)
        The rows of each model; entries of the same place are summed.
    device : torch device
        Where they go.
    """

    def __init__(self, batches: Sequence[Any], device: torch.device) -> None:
        self._batches = batches
        if device.type != "cpu":
            self._batches = [_tensor(rows, device) for rows in batches]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of models, features and rows, as of a dense batch."""
        n_rows, n_features = self._batches[0].shape
        return len(self._batches), n_features, n_rows

    def affine(self, weights: Tensor, biases: Tensor, out: Tensor) -> None:
        """Write the inputs of the first units, (M, k, b).

        Weights (M, n_features, k) and biases (M, k, 1).
        """
        for rows, weight, bias, result in zip(
            self._batches, weights, biases, out, strict=True
        ):
            torch.add(_product(rows, weight).T, bias, out=result)

    def gradient(self, errors: Tensor, out: Tensor) -> None:
        """Write the gradient of the first weights, (M, n_features, k).

        Errors (M, b, k).
        """
        for rows, error, result in zip(self._batches, errors, out, strict=True):
            result.copy_(_product(rows.T, error))


def _product(rows: Any, T: Tensor) -> Tensor:
    """Product of sparse rows, or of their transpose, with a matrix."""
    if isinstance(rows, Tensor):
        return torch.sparse.mm(rows, T)
    # On the CPU several times as fast as that of torch.
    return torch.from_numpy(rows @ T.numpy())


def _tensor(rows: Any, device: torch.device) -> Tensor:
    """Entries of scipy rows; their places have been checked before."""
    places = rows.tocoo()
    index = torch.from_numpy(np.stack([places.row, places.col]).astype(np.int64))
    return torch.sparse_coo_tensor(
        index.to(device),
        torch.from_numpy(places.data).to(device),
        rows.shape,
        check_invariants=False,
    )
