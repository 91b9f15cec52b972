"""Networks of other methods, in torch: trained many at once, measured by one ruler."""

import math
import time

import numpy as np
import torch
from torch import nn

from skgroupnet.estimators.sparsity import sparsity_attributes
from skgroupnet.network import Network
from tests.benchmarks.evidence.results import row
from tests.benchmarks.evidence.splits import HIDDEN, TRAINING


class Stack(nn.Module):
    """Networks of one shape as one module, each with its own weights.

    Neither the sum of their losses nor Adam ties them together: each is trained as it
    would be alone.
    """

    def __init__(self, weights, biases):
        super().__init__()
        self.weights = nn.ParameterList(weights)
        self.biases = nn.ParameterList(biases)

    @classmethod
    def of(cls, networks):
        """The stack of networks given as lists of linear layers."""
        layers = [list(same) for same in zip(*networks, strict=True)]
        return cls(
            [torch.stack([layer.weight.data.T for layer in same]) for same in layers],
            [torch.stack([layer.bias.data for layer in same]) for same in layers],
        )

    def __len__(self):
        return len(self.weights[0])

    def forward(self, X):
        """Logits of shape (n_networks, n_samples, n_classes)."""
        first, *others = zip(self.weights, self.biases, strict=True)
        # One wide product: the networks share the rows.
        wide = first[0].transpose(0, 1).reshape(X.shape[1], -1)
        values = torch.addmm(first[1].reshape(-1), X, wide)
        values = values.view(len(X), len(self), -1).transpose(0, 1)
        for weight, bias in others:
            values = torch.baddbmm(bias[:, None], torch.relu(values), weight)
        return values

    def masks(self):
        """One for each number that is not zero, else zero; in the order of a step."""
        return [(number != 0).to(number.dtype) for number in self.parameters()]

    def layers(self, index):
        """One of the networks as linear layers."""
        return [
            _linear(weight[index].T, bias[index])
            for weight, bias in zip(self.weights, self.biases, strict=True)
        ]

    def networks(self):
        """The networks as this package holds them."""
        weights = [weight.detach().numpy() for weight in self.weights]
        biases = [bias.detach().numpy() for bias in self.biases]
        each = zip(zip(*weights, strict=True), zip(*biases, strict=True), strict=True)
        return [Network(*arrays, "relu", "softmax") for arrays in each]


def _linear(weight, bias):
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data = weight.detach().clone(memory_format=torch.contiguous_format)
    layer.bias.data = bias.detach().clone()
    return layer


def layers(split, hidden=HIDDEN):
    """The linear layers of a dense network as torch starts them."""
    torch.manual_seed(split.seed)
    widths = [split.train.X.shape[1], *hidden, len(np.unique(split.train.y))]
    return [nn.Linear(a, b) for a, b in zip(widths[:-1], widths[1:], strict=True)]


def train(module, split, epochs, *, lams=None, masks=None, regularize=None):
    """Train with Adam, a cosine to 0, the batches and rate of `splits.TRAINING`.

    Parameters
    ----------
    module : Module
        From rows to logits; the last axis is that of the classes.
    split : Split
        It is trained on ``split.train``.
    epochs : int
        Passes over the rows.
    lams : tensor of shape (n_networks,), default=None
        Of a stack: lam times the sum of the absolute weights is part of the loss.
    masks : list of tensor, default=None
        What each parameter is multiplied by after each step.
    regularize : callable, default=None
        Called without arguments before each step, to change the gradients.
    """
    X = torch.from_numpy(split.train.X)
    y = torch.from_numpy(np.unique(split.train.y, return_inverse=True)[1])
    _, batch, rate = TRAINING[split.name]
    optimizer = torch.optim.Adam(module.parameters(), lr=rate, fused=True)
    order = torch.Generator().manual_seed(split.seed)
    n_steps, step = epochs * math.ceil(len(X) / batch), 0
    for _ in range(epochs):
        shuffled = torch.randperm(len(X), generator=order)
        batches = X[shuffled].split(batch), y[shuffled].split(batch)
        for inputs, target in zip(*batches, strict=True):
            optimizer.param_groups[0]["lr"] = rate * _cosine(step / n_steps)
            optimizer.zero_grad()
            loss = _loss(module(inputs), target)
            if lams is not None:
                loss = loss + _l1(module.weights, lams)
            loss.backward()
            if regularize is not None:
                regularize()
            optimizer.step()
            if masks is not None:
                _apply(masks, module)
            step += 1
    return module


def _cosine(done):
    return (1 + math.cos(math.pi * done)) / 2


def _loss(logits, target):
    """The mean over the rows, summed over the networks."""
    n_networks = logits.numel() // (len(target) * logits.shape[-1])
    rows = logits.reshape(-1, logits.shape[-1])
    total = nn.functional.cross_entropy(rows, target.repeat(n_networks))
    return total * n_networks


def _l1(weights, lams):
    return sum((weight.abs().sum(dim=(1, 2)) * lams).sum() for weight in weights)


@torch.no_grad()
def _apply(masks, module):
    for number, mask in zip(module.parameters(), masks, strict=True):
        number.mul_(mask)


class Measured:
    """A network with the attributes of a fitted classifier, counted as theirs are."""

    def __init__(self, network, split):
        self.network = network
        self.classes = np.unique(split.train.y)
        n_features = network.widths[0]
        self.__dict__.update(sparsity_attributes(network, None, n_features))

    def score(self, X, y):
        """Accuracy."""
        return float(np.mean(self.classes[self.network.raw(X).argmax(axis=1)] == y))


def rows(split, method, settings, stack, start):
    """Rows of results, one for each network of a stack and its setting."""
    seconds = (time.perf_counter() - start) / len(stack)
    return [
        row(split, method, setting, Measured(network, split), seconds=seconds)
        for setting, network in zip(settings, stack.networks(), strict=True)
    ]
