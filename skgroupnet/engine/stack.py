"""A stack of M networks of one shape in a flat buffer, with forward and backward.

The buffer is (M, P); a row holds one network::

    W_1 row by row | W_2 row by row | ... | W_L row by row | b_1 | ... | b_L

and every matrix, bias and gradient is a view of such a buffer.  Elementwise work runs
once over the buffer; matrix products run over the views, batched over the models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.losses import LOSSES, Loss
from skgroupnet.engine.sparse_rows import SparseRows
from skgroupnet.network import Network
from skgroupnet.penalties.groups import Block, Groups

aten = torch.ops.aten


@dataclass(frozen=True)
class Layout:
    """Where the weights and biases of a network lie in a row of the flat buffer.

    Parameters
    ----------
    widths : tuple of int
        Units per layer, inputs first, outputs last.
    """

    widths: tuple[int, ...]

    @property
    def n_weights(self) -> int:
        """Number of weights; the biases follow them."""
        return sum(a * b for a, b in pairwise(self.widths))

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return self.n_weights + sum(self.widths[1:])

    def split(self, flat: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """Cut a buffer into matrices (M, n_l, n_{l+1}) and biases (M, 1, n_{l+1})."""
        shapes = list(pairwise(self.widths))
        sizes = [a * b for a, b in shapes] + list(self.widths[1:])
        parts = flat.split_with_sizes(sizes, 1)
        n_layers = len(shapes)
        weights = [
            part.view(len(flat), *shape)
            for part, shape in zip(parts[:n_layers], shapes, strict=True)
        ]
        return weights, [part.unsqueeze(1) for part in parts[n_layers:]]

    def groups(
        self,
        labels: np.ndarray | None,
        penalize_bias: bool,
        groups_of: str,
        like: Tensor,
        sizes: Sequence[np.ndarray] | None = None,
    ) -> Groups:
        """Partition of a row into groups.

        Parameters
        ----------
        labels : int ndarray of shape (n_features,) or None
            Group of each input feature, see `Problem`.
        penalize_bias : bool
            Whether biases are penalised.
        groups_of : {"weights", "units", "pairs", "layers"}
            What a group is: one weight; a row of a matrix, or the rows of the first
            matrix that share a label; for two matrices in a row, a column of the first
            and a row of the second (a last one without a partner has rows); or all that
            is penalised in a matrix, or of the biases.  What is not penalised, and else
            biases, are groups of one.
        like : Tensor
            A tensor of the dtype and device to work in.
        sizes : sequence of ndarray, default=None
            For each row of each matrix how large its group was when training started.
        """
        if groups_of == "pairs" and labels is not None:
            raise ValueError(
                "A penalty of pairs of layers has groups of its own, but groups of "
                "features were given; leave groups=None."
            )
        n_features, n_first = self.widths[:2]
        apart = labels is None
        if labels is None:
            labels = np.arange(n_features)
        blocks = [
            Block(stop - start, n_first, True)
            if labels[start] >= 0
            else Block((stop - start) * n_first, 1, False)
            for start, stop in _runs(labels >= 0)
        ]
        shapes = list(pairwise(self.widths))
        blocks += [Block(a, b, True, at) for at, (a, b) in enumerate(shapes[1:], 1)]
        n_biases = sum(self.widths[1:])
        blocks.append(Block(n_biases, 1, penalize_bias, len(shapes)))
        if groups_of == "weights":
            return Groups([replace(b, n_rows=b.size, width=1) for b in blocks], like)
        if groups_of == "layers":
            return _whole_layers(blocks, like)
        if groups_of == "pairs":
            return _paired(blocks, like)
        n_rows = sum(block.n_rows for block in blocks)
        merged = None if apart else _group_of_rows(labels, n_first, n_rows)
        if sizes is None:
            return Groups(blocks, like, merged)
        first = np.repeat(
            np.where(labels >= 0, sizes[0], 1), np.where(labels >= 0, 1, n_first)
        )
        counted = np.concatenate([first, *sizes[1:], np.ones(n_biases)])
        return Groups(blocks, like, merged, counted)


def _whole_layers(blocks: Sequence[Block], like: Tensor) -> Groups:
    """Make a group of all that is penalised in a layer."""
    blocks = [
        replace(b, n_rows=1, width=b.size) if b.penalised and b.size else b
        for b in blocks
    ]
    # A layer has the number of its first row, every other row its own.
    first: dict[int, int] = {}
    rows: list[int] = []
    for block in blocks:
        numbers = range(len(rows), len(rows) + block.n_rows)
        if block.penalised:
            rows += [first.setdefault(block.layer, numbers.start)] * block.n_rows
        else:
            rows += numbers
    return Groups(blocks, like, np.unique(rows, return_inverse=True)[1])


def _paired(blocks: Sequence[Block], like: Tensor) -> Groups:
    """Make groups of the columns of every other matrix, of the rows of the others."""
    parts, rows, n_groups = [], [], 0
    firsts = range(0, len(blocks) - 2, 2)
    for block in blocks:
        if block.layer in firsts:
            parts.append(replace(block, n_rows=block.size, width=1))
            rows.append(n_groups + np.tile(np.arange(block.width), block.n_rows))
            n_groups += block.width
        else:
            parts.append(block)
            rows.append(n_groups + np.arange(block.n_rows))
            n_groups += block.n_rows
    return Groups(parts, like, np.concatenate(rows))


def _runs(flags: np.ndarray) -> list[tuple[int, int]]:
    """Start and stop of every run of equal flags."""
    cuts = np.flatnonzero(flags[1:] != flags[:-1]) + 1
    edges = [0, *cuts.tolist(), len(flags)]
    return list(pairwise(edges)) if len(flags) else []


def _group_of_rows(labels: np.ndarray, n_first: int, n_rows: int) -> np.ndarray | None:
    """Group of every row of the blocks; None when each is a group of its own."""
    penalised = labels >= 0
    if len(np.unique(labels[penalised])) == penalised.sum():
        return None
    first = np.repeat(np.where(penalised, labels, -1), np.where(penalised, 1, n_first))
    rows = np.concatenate([first, np.full(n_rows - len(first), -1)])
    alone = rows < 0
    rows[alone] = labels.max() + 1 + np.arange(alone.sum())
    return np.unique(rows, return_inverse=True)[1]


class Workspace:
    """Buffers for the activations and errors of one batch of b rows of M models.

    Activations are (M, n_l, b), unit by unit: what works on the outputs of a layer,
    softmax above all, then runs along contiguous memory.  The errors of all layers lie
    one above the other as the biases do: one sum gives all gradients of the biases.
    """

    def __init__(self, widths: Sequence[int], n_models: int, rows: int, like: Tensor):
        self.hidden = [like.new_empty((n_models, n, rows)) for n in widths[1:-1]]
        self.predicted = like.new_empty((n_models, widths[-1], rows))
        self.error = like.new_empty((n_models, sum(widths[1:]), rows))
        self.errors = self.error.split_with_sizes(list(widths[1:]), 1)
        self.errors_t = [error.transpose(1, 2) for error in self.errors]


class Stack:
    """M networks of one shape, trained side by side.

    Parameters
    ----------
    networks : sequence of Network
        The networks, of equal shape and maps.
    loss : str
        Name of the loss.
    device : torch device
        Where the buffers lie.

    Attributes
    ----------
    layout : Layout
        Shape of the networks.
    flat : Tensor of shape (M, P)
        Weights and biases.
    """

    def __init__(
        self, networks: Sequence[Network], loss: str, device: torch.device | str
    ) -> None:
        first = networks[0]
        self._template = first
        self.layout = Layout(first.widths)
        self.loss: Loss = LOSSES[loss]
        shape = (len(networks), self.layout.n_parameters)
        flat = np.empty(shape, dtype=first.weights[0].dtype)
        for row, network in zip(flat, networks, strict=True):
            parts = [part.ravel() for part in (*network.weights, *network.biases)]
            np.concatenate(parts, out=row)
        self._allocate(torch.as_tensor(flat).to(device))

    def _allocate(self, flat: Tensor) -> None:
        self.flat = flat
        self.__dict__.pop("_grads", None)
        self.weights, biases = self.layout.split(flat)
        self.biases = [bias.transpose(1, 2) for bias in biases]
        self.weights_t = [weight.transpose(1, 2) for weight in self.weights]
        self._workspaces: dict[int, Workspace] = {}

    @cached_property
    def _grads(self) -> tuple[Tensor, list[Tensor], Tensor]:
        """Gradient, its matrices and its biases; compiled steps do not need them."""
        grad = torch.zeros_like(self.flat)
        return grad, self.layout.split(grad)[0], grad[:, self.layout.n_weights :]

    @property
    def grad(self) -> Tensor:
        """Gradient, (M, P), after `backward`."""
        return self._grads[0]

    @property
    def n_models(self) -> int:
        """Number of networks, M."""
        return len(self.flat)

    @property
    def activation(self) -> str:
        """Name of the activation of the hidden layers."""
        return self._template.activation

    def keep(self, index: Tensor) -> None:
        """Go on with some of the networks."""
        self._allocate(self.flat[index])

    def network(self, flat: Tensor) -> Network:
        """Network with the weights of one row (P,) of a buffer; zeros are 0.0."""
        weights, biases = self.layout.split(flat[None].cpu() + 0.0)
        return Network(
            tuple(weight[0].numpy() for weight in weights),
            tuple(bias[0, 0].numpy() for bias in biases),
            self.activation,
            self._template.output,
        )

    def workspace(self, rows: int) -> Workspace:
        """Buffers for batches of so many rows."""
        if rows not in self._workspaces:
            widths = self.layout.widths
            self._workspaces[rows] = Workspace(widths, self.n_models, rows, self.flat)
        return self._workspaces[rows]

    def forward(self, X: Tensor | SparseRows, out: Tensor, work: Workspace) -> None:
        """Raw prediction: (M, n_features, b) -> (M, n_outputs, b), into ``out``."""
        activate = _ACTIVATE[self.activation]
        inputs = X
        for layer, hidden in enumerate(work.hidden):
            self._affine(layer, inputs, hidden)
            activate(hidden)
            inputs = hidden
        self._affine(-1, inputs, out)

    def _affine(self, layer: int, inputs: Tensor | SparseRows, out: Tensor) -> None:
        if isinstance(inputs, SparseRows):
            inputs.affine(self.weights[layer], self.biases[layer], out)
        else:
            torch.baddbmm(self.biases[layer], self.weights_t[layer], inputs, out=out)

    def backward(self, X: Tensor | SparseRows, work: Workspace) -> None:
        """Gradient from the error of the raw prediction in ``work.errors[-1]``."""
        derivative = _DERIVATIVE[self.activation]
        _, weight_grads, bias_grad = self._grads
        for layer in range(len(self.weights) - 1, 0, -1):
            hidden, below = work.hidden[layer - 1], work.errors[layer - 1]
            _multiply(hidden, work.errors_t[layer], weight_grads[layer])
            _multiply(self.weights[layer], work.errors[layer], below)
            derivative(below, hidden)
        if isinstance(X, SparseRows):
            X.gradient(work.errors_t[0], weight_grads[0])
        else:
            _multiply(X, work.errors_t[0], weight_grads[0])
        torch.sum(work.error, 2, out=bias_grad)

    def gradient(
        self, X: Tensor | SparseRows, target: Tensor, scale: Tensor, raw: Tensor
    ) -> None:
        """Gradient of sum_i scale_i loss_i, into ``grad``.

        Parameters
        ----------
        X : Tensor of shape (M, n_features, b) or SparseRows
            Rows of each model.
        target : Tensor of shape (M, n_outputs, b)
            Minus y times the scale: what the scaled prediction is added to.
        scale : Tensor broadcastable to (M, 1, b)
            Weight of each row.
        raw : Tensor of shape (M, n_outputs, b)
            Where the raw prediction is written.
        """
        work = self.workspace(X.shape[2])
        self.forward(X, raw, work)
        self.loss.predict(raw, work.predicted)
        torch.addcmul(target, work.predicted, scale, out=work.errors[-1])
        self.backward(X, work)


def _multiply(A: Tensor, B: Tensor, out: Tensor) -> None:
    """Product of matrices model by model, into a view."""
    if out.is_contiguous():
        torch.bmm(A, B, out=out)
    else:
        # Into a view with gaps torch would multiply the models one by one.
        out.copy_(torch.bmm(A, B))


_ACTIVATE = {
    "relu": Tensor.relu_,
    "relu2": lambda out: out.relu_().square_(),
    "tanh": Tensor.tanh_,
    "logistic": Tensor.sigmoid_,
    "identity": lambda out: out,
}


def _relu_backward(error: Tensor, out: Tensor) -> None:
    aten.threshold_backward.grad_input(error, out, 0, grad_input=error)


def _relu2_backward(error: Tensor, out: Tensor) -> None:
    error.mul_(out.sqrt().mul_(2))


def _tanh_backward(error: Tensor, out: Tensor) -> None:
    aten.tanh_backward.grad_input(error, out, grad_input=error)


def _logistic_backward(error: Tensor, out: Tensor) -> None:
    aten.sigmoid_backward.grad_input(error, out, grad_input=error)


def _identity_backward(error: Tensor, out: Tensor) -> None:
    """Leave the error as it is."""


_DERIVATIVE = {
    "relu": _relu_backward,
    "relu2": _relu2_backward,
    "tanh": _tanh_backward,
    "logistic": _logistic_backward,
    "identity": _identity_backward,
}
