"""Peers that set single weights to zero: l1 + threshold, and magnitude pruning."""

import math
import time

import numpy as np
import torch
from torch.nn.utils import prune

from tests.benchmarks.evidence.splits import TRAINING
from tests.benchmarks.evidence.torch_stack import (
    Measured,
    Stack,
    layers,
    rows,
    train,
)

# From nearly all of the weights to a few per cent of them, or none.
LAMS = {
    "sdd": np.geomspace(1e-4, 1.2e-2, 10),
    "cover": np.geomspace(2e-5, 8e-3, 10),
    "mnist": np.geomspace(1e-5, 3e-3, 10),
    "digits": np.geomspace(1e-5, 3e-3, 10),
}
THRESHOLDS = (1e-2, 3e-2, 1e-1)
# Larger networks are not trained again: the table compares up to 60 %.
FINE_TUNED = 0.7
SHARES = (0.05, 0.1, 0.13, 0.2, 0.23, 0.3, 0.4, 0.5, 0.6)
# Of the iterative form. All rounds but the last have this part of the epochs; with less
# the smallest networks came out worse.
N_ROUNDS = 4
ROUND = {"sdd": 1.0, "cover": 0.5, "mnist": 0.5, "digits": 0.5}


def l1_threshold(split, settings, epochs=None):
    """The l1 norm of the weights in the loss, small weights set to zero at the end.

    Autograd has a subgradient of the norm and so no weight ends at zero: the usual way.
    Each lam with each threshold, for validation to choose; as it is, and trained again
    for as many epochs with the weights at zero held there.
    """
    epochs = epochs or TRAINING[split.name].epochs
    lams = LAMS[split.name][-2 if settings.quick else 0 :]
    thresholds = THRESHOLDS[-1:] if settings.quick else THRESHOLDS
    start = time.perf_counter()
    trained = Stack.of([layers(split) for _ in lams])
    train(trained, split, epochs, lams=torch.tensor(lams, dtype=torch.float32))
    cut = _thresholded(trained, thresholds)
    names = [f"lam={lam:.3g}, threshold={t:g}" for t in thresholds for lam in lams]
    found = rows(split, "l1 + threshold", names, cut, start)
    small = [index for index, old in enumerate(found) if old["share"] <= FINE_TUNED]
    tuned = Stack.of([cut.layers(index) for index in small])
    train(tuned, split, epochs, masks=tuned.masks())
    names = [names[index] for index in small]
    return found + rows(split, "l1 + threshold, fine-tuned", names, tuned, start)


def _thresholded(stack, thresholds):
    """All networks with each of the thresholds."""
    weights = [
        torch.cat([torch.where(weight.abs() < t, 0, weight) for t in thresholds])
        for weight in stack.weights
    ]
    biases = [torch.cat([bias] * len(thresholds)) for bias in stack.biases]
    return Stack([w.detach() for w in weights], [b.detach() for b in biases])


def magnitude(split, settings, epochs=None):
    """The smallest weights of all layers of a trained network, set to zero at once.

    Then it is trained again for as many epochs as before, the weights at zero held
    there. Iterative: in `N_ROUNDS`, each followed by training, 2.5 times the epochs in
    all (SDD: 4 times).
    """
    epochs = epochs or TRAINING[split.name].epochs
    shares = SHARES[:2] if settings.quick else SHARES
    start = time.perf_counter()
    dense = train(Stack.of([layers(split)]), split, epochs)
    found = rows(split, "magnitude pruning", ["dense"], dense, start)
    names = [f"share={share:g}" for share in shares]
    for n_rounds in (1,) if settings.quick else (1, N_ROUNDS):
        start = time.perf_counter()
        stack = Stack.of([dense.layers(0) for _ in shares])
        for part in range(1, n_rounds + 1):
            goals = [share ** (part / n_rounds) for share in shares]
            stack = _pruned(stack, split, goals)
            last = part == n_rounds
            n_epochs = epochs if last else math.ceil(epochs * ROUND[split.name])
            train(stack, split, n_epochs, masks=stack.masks())
        method = "magnitude pruning" + (", iterative" if n_rounds > 1 else "")
        found += rows(split, method, names, stack, start)
    return found


def _pruned(stack, split, shares):
    """Each network with so many weights that its share is at most the one asked for."""
    networks = []
    for index, share in enumerate(shares):
        few, many = 0.0, 1.0
        for _ in range(12):
            kept = (few + many) / 2
            pruned = _smallest_to_zero(stack.layers(index), kept)
            n_left = Measured(Stack.of([pruned]).networks()[0], split)
            small = n_left.n_active_parameters_ <= share * split.n_parameters()
            few, many = (kept, many) if small else (few, kept)
        networks.append(_smallest_to_zero(stack.layers(index), few))
    return Stack.of(networks)


def _smallest_to_zero(network, kept):
    """Linear layers of which only this part of the weights is left."""
    parameters = [(layer, "weight") for layer in network]
    prune.global_unstructured(
        parameters, pruning_method=prune.L1Unstructured, amount=1 - kept
    )
    for layer, name in parameters:
        prune.remove(layer, name)
    return network
