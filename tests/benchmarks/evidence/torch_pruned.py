"""Torch-Pruning as a peer: whole neurons and inputs go, then training goes on."""

import copy
import time
from itertools import product

import torch
import torch_pruning as tp
from torch import nn

from tests.benchmarks.evidence.splits import TRAINING
from tests.benchmarks.evidence.torch_stack import Stack, layers, rows, train
from tests.benchmarks.evidence.weight_peers import SHARES

# The part of the inputs that is kept: this power of the share of the parameters. Of
# 0.25, 0.5 and 0.75 the two that came out best with few epochs.
POWERS = {
    "sdd": (0.25, 0.5),
    "cover": (0.25, 0.5),
    "mnist": (0.5, 0.75),
    "digits": (0.5, 0.75),
}
# Of the sparse learning of GroupNormPruner. Without it (MagnitudePruner) and with 1e-2
# most sizes of SDD came out worse; on MNIST the two hardly differ with few epochs.
REGS = {
    "sdd": (3e-4, 1e-3),
    "cover": (3e-4, 1e-3),
    "mnist": (3e-4,),
    "digits": (1e-3,),
}


def torch_pruning(split, settings, epochs=None):
    """Neurons and inputs of a trained network, ranked by the norm of their group.

    The library's recipe: dense training, sparse learning with GroupNormPruner, pruning,
    training again; as many epochs each. Inputs are ranked by the norm of their group,
    too; the library ranks the neurons of both layers together, and as many stay as the
    size allows. Validation chooses.
    """
    epochs = epochs or TRAINING[split.name].epochs
    shares = SHARES[-2:] if settings.quick else SHARES
    powers = POWERS[split.name][: 1 if settings.quick else None]
    dense = train(Stack.of([layers(split)]), split, epochs)
    found = []
    for reg in REGS[split.name]:
        start = time.perf_counter()
        model = _sequential(dense.layers(0))
        _sparse_learning(model, split, epochs, reg)
        named = {}
        for power, share in product(powers, shares):
            name = f"reg={reg:g}, share={share:g}, inputs={share**power:.2f}"
            network = _largest(model, share**power, share)
            # A layer of which nothing would stay is left whole by the library.
            if network is not None:
                named[name] = network
        stack = Stack.of(list(named.values()))
        train(stack, split, epochs, masks=stack.masks())
        found += rows(split, "torch-pruning", named, stack, start)
    return found


def _largest(model, inputs, share):
    """The network of the most neurons with this share of the parameters, or None."""
    total = sum(number.numel() for number in model.parameters())
    n_neurons = model[0].out_features + model[2].out_features
    found, few, many = None, 1, n_neurons + 1
    while many - few > 1:
        n_kept = (few + many) // 2
        network, size = _pruned(model, inputs, n_kept / n_neurons)
        if size <= share * total:
            found, few = network, n_kept
        else:
            many = n_kept
    return found


def _pruned(model, inputs, neurons):
    """Linear layers of the old shape, zero where the library pruned, and the size."""
    small = copy.deepcopy(model)
    pruner = _pruner(small, kept=neurons)
    order = pruner.estimate_importance(_inputs(pruner, small)).argsort().tolist()
    # Given a ratio, the library (1.6.1) leaves all columns of the weights in place.
    few = order[: round((1 - inputs) * len(order))]
    pruner.manual_prune_width(small[0], tp.prune_linear_in_channels, few)
    pruner.step()
    size = sum(number.numel() for number in small.parameters())
    first, second, last = (copy.deepcopy(model[index]) for index in (0, 2, 4))
    following = {"0": (first, second), "2": (second, last)}
    with torch.no_grad():
        for name, of_outputs, units in pruner.pruning_history():
            gone = [int(unit) for unit in units]
            if of_outputs:
                before, after = following[name]
                before.weight[gone] = 0
                before.bias[gone] = 0
                after.weight[:, gone] = 0
            else:
                first.weight[:, gone] = 0
    return [first, second, last], size


def _sequential(network):
    first, second, last = network
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), last)


def _pruner(model, reg=0.0, kept=1.0):
    return tp.pruner.GroupNormPruner(
        model,
        torch.zeros(1, model[0].in_features),
        importance=tp.importance.GroupMagnitudeImportance(p=2),
        reg=reg,
        global_pruning=True,
        pruning_ratio=1 - kept,
        ignored_layers=[model[-1]],
    )


def _sparse_learning(model, split, epochs, reg):
    pruner = _pruner(model, reg)
    # Inputs are no module's outputs, so that the library has no groups of them.
    pruner._groups.append(_inputs(pruner, model))
    train(model, split, epochs, regularize=lambda: pruner.regularize(model))


def _inputs(pruner, model):
    """The group of each input."""
    every = list(range(model[0].in_features))
    return pruner.DG.get_pruning_group(model[0], tp.prune_linear_in_channels, every)
