r"""The training procedure of Chen et al. 2020 as its runs were made, in plain torch.

It is not what their text says. One group per parameter tensor, instead of one per
neuron: the root of its rows times the norm of the whole tensor; a bias is a tensor of
as many rows as it has units. Subgradients instead of a proximal step, with
\|w\| <= 1e-7 counted as zero when training is over. Inputs as they are.

Assumed, where neither tells: the start of `torch.nn.Linear`, the last and smaller batch
of an epoch used, pixels in [0, 1].

Networks that differ in the penalty and the learning rate train side by side: a network
has no part in the loss of another, and each optimizer works number by number.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import cross_entropy, linear

from skgroupnet.network import Network
from skgroupnet.pruning import prune

# As torch has them: no momentum in SGD. What is fused or not only decides the speed.
OPTIMIZERS = {
    "adam": (torch.optim.Adam, {"fused": True}),
    "adamax": (torch.optim.Adamax, {"foreach": True}),
    "rmsprop": (torch.optim.RMSprop, {"foreach": True}),
    "sgd": (torch.optim.SGD, {"fused": True}),
}
ZERO = 1e-7


@dataclass(frozen=True)
class Run:
    """A setting; ``penalty`` is l1, l2, group_lasso or sparse_group_lasso."""

    penalty: str
    lam: float
    rate: float


@dataclass(frozen=True, eq=False)
class Trained:
    """A network, small weights set to zero, with the counts of an estimator."""

    network: Network
    classes: np.ndarray

    @cached_property
    def _pruned(self):
        return prune(self.network)

    @property
    def n_active_features_(self):
        """Inputs left."""
        return int(self._pruned.kept[0].sum())

    @property
    def n_active_neurons_(self):
        """Hidden units left."""
        return sum(int(mask.sum()) for mask in self._pruned.kept[1:])

    @property
    def n_active_parameters_(self):
        """Weights and biases left after exact pruning."""
        return self._pruned.network.n_parameters

    def score(self, X, y):
        """Return the accuracy."""
        return float(np.mean(self.classes[self.network.raw(X).argmax(1)] == y))


class Stack:
    """M networks of one shape and start, one for each run, trained in one loop.

    Parameters
    ----------
    widths : sequence of int
        Inputs, hidden units, outputs. Without hidden units: logistic regression.
    optimizer : {"adam", "adamax", "rmsprop", "sgd"}
    runs : sequence of Run
        Those of one learning rate must follow each other.
    seed : int
        Decides the start and the order of the rows.

    Attributes
    ----------
    tensors : list of Tensor
        Weights (M, n_out, n_in) and biases (M, n_out), layer by layer.
    """

    def __init__(self, widths, optimizer, runs, seed):
        self.runs = list(runs)
        self._random = torch.Generator().manual_seed(seed)
        self.tensors = [
            start.repeat(len(self.runs), *[1] * start.ndim).requires_grad_()
            for start in self._start(widths)
        ]
        rates = [run.rate for run in self.runs]
        self._parts = [
            slice(rates.index(rate), rates.index(rate) + rates.count(rate))
            for rate in dict.fromkeys(rates)
        ]
        self._slices = [
            [tensor.detach()[part] for tensor in self.tensors] for part in self._parts
        ]
        kind, settings = OPTIMIZERS[optimizer]
        self._optimizer = kind(
            [
                {"params": parameters, "lr": rates[part.start]}
                for part, parameters in zip(self._parts, self._slices, strict=True)
            ],
            **settings,
        )
        self._l2 = self._strength("l2")
        self._l1 = self._strength("l1", "sparse_group_lasso")
        self._group = self._strength("group_lasso", "sparse_group_lasso")

    def _start(self, widths):
        """Weights (n_out, n_in) and biases (n_out,) as `torch.nn.Linear` draws them."""
        for fan_in, fan_out in pairwise(widths):
            for shape in ((fan_out, fan_in), (fan_out,)):
                draw = torch.rand(shape, generator=self._random)
                yield (2 * draw - 1) / fan_in**0.5

    def _strength(self, *penalties):
        return torch.tensor([run.lam * (run.penalty in penalties) for run in self.runs])

    def logits(self, X):
        """Outputs (M, n, n_out) for rows X (n, n_in)."""
        n_models, n_units, _ = self.tensors[0].shape
        # All networks see the same rows: one product for the whole first layer.
        first, bias = self.tensors[0].flatten(0, 1), self.tensors[1].flatten()
        values = linear(X, first, bias).view(len(X), n_models, n_units).transpose(0, 1)
        for weight, bias in zip(self.tensors[2::2], self.tensors[3::2], strict=True):
            values = torch.baddbmm(bias.unsqueeze(1), values.relu(), weight.mT)
        return values

    def losses(self, X, y):
        """Cross-entropy of each network, (M,)."""
        logits = self.logits(X)
        target = y.repeat(len(self.runs))
        each = cross_entropy(logits.flatten(0, 1), target, reduction="none")
        return each.view(len(self.runs), -1).mean(1)

    @torch.no_grad()
    def penalties(self):
        """Penalty of each network, (M,); l2 as weight decay has it."""
        total = torch.zeros(len(self.runs))
        for tensor in self.tensors:
            flat = tensor.flatten(1)
            root = tensor.shape[1] ** 0.5
            total += self._l2 / 2 * flat.square().sum(1)
            total += self._l1 * flat.abs().sum(1)
            total += self._group * root * flat.norm(dim=1)
        return total

    @torch.no_grad()
    def _add_subgradient(self, tensor, grad):
        """Add the gradient of the penalty as autograd has it, in place: zero at zero.

        By hand it takes a third of the time of autograd.
        """
        shape = -1, *[1] * (tensor.ndim - 1)
        norms = tensor.flatten(1).norm(dim=1)
        group = self._group * tensor.shape[1] ** 0.5 / norms
        group[norms == 0] = 0
        grad.addcmul_(tensor, (self._l2 + group).view(shape))
        if self._l1.any():
            grad.addcmul_(tensor.sign(), self._l1.view(shape))

    def step(self, X, y):
        """Train on a batch; return the cross-entropies before the step, (M,)."""
        losses = self.losses(X, y)
        # The fused optimizers read a transposed gradient in the wrong order.
        grads = [
            grad.contiguous()
            for grad in torch.autograd.grad(losses.sum(), self.tensors)
        ]
        for tensor, grad in zip(self.tensors, grads, strict=True):
            self._add_subgradient(tensor, grad)
        for part, parameters in zip(self._parts, self._slices, strict=True):
            for parameter, grad in zip(parameters, grads, strict=True):
                parameter.grad = grad[part]
        self._optimizer.step()
        return losses.detach()

    def epoch(self, X, y, batch_size=32):
        """Go once through the rows; return the mean objectives, (M,)."""
        total = torch.zeros(len(self.runs))
        for rows in torch.randperm(len(y), generator=self._random).split(batch_size):
            total += self.step(X[rows], y[rows]) * len(rows)
        return (total / len(y) + self.penalties()).numpy()

    def trained(self, classes):
        """Return the `Trained` of each run."""
        return [self._trained(model, classes) for model in range(len(self.runs))]

    def _trained(self, model, classes):
        arrays = [tensor[model].detach().numpy().copy() for tensor in self.tensors]
        for array in arrays:
            array[np.abs(array) <= ZERO] = 0
        weights = tuple(np.ascontiguousarray(weight.T) for weight in arrays[::2])
        return Trained(
            Network(weights, tuple(arrays[1::2]), "relu", "softmax"), classes
        )
