"""Exact pruning: a smaller network that predicts the same, and the way back."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from skgroupnet.network import ACTIVATIONS, Network


@dataclass(frozen=True, eq=False)
class Pruned:
    """A compact network and what it kept of the network it came from.

    Parameters
    ----------
    network : Network
        The compact network; its inputs are the columns ``kept[0]`` of X. If no input
        and so no hidden unit is left, it is one weight matrix of shape (0, n_outputs).
    kept : tuple of ndarray of bool of shape (n_l,)
        One read-only mask for the inputs and one for every hidden layer of the
        original network. Outputs are always kept.
    """

    network: Network
    kept: tuple[np.ndarray, ...]


@np.errstate(under="ignore")
def prune(network: Network) -> Pruned:
    """Drop every input and hidden unit that a network does not need.

    A unit with a zero outgoing row is dropped. A unit with a zero incoming column is a
    constant, which goes into the biases of the next layer. Both are repeated until
    nothing changes. Constants are added up in float64.

    Parameters
    ----------
    network : Network
        The network to prune.

    Returns
    -------
    pruned : Pruned
        The compact network, which is `network` itself if nothing can be dropped, and
        the masks of what it kept. Pruning it again changes nothing.
    """
    varying, biases = _fold_constants(network)
    kept = _reaching_an_output(network, varying)
    # A chain of varying units leads to every varying output, so that all layers have
    # something left or none has.
    emptied = not all(mask.any() for mask in kept)
    whole = all(mask.all() for mask in kept)
    if whole and (not emptied or len(network.weights) == 1):
        return Pruned(network, kept)
    n_outputs = network.widths[-1]
    if emptied:
        weights = [np.zeros((0, n_outputs), dtype=network.dtype)]
        biases = biases[-1:]
    else:
        masks = *kept, np.ones(n_outputs, dtype=bool)
        weights = [
            weight[np.ix_(rows, columns)]
            for weight, (rows, columns) in zip(
                network.weights, pairwise(masks), strict=True
            )
        ]
        biases = [bias[mask] for bias, mask in zip(biases, masks[1:], strict=True)]
    return Pruned(_like(network, weights, biases), kept)


def scatter(
    network: Network, kept: Sequence[np.ndarray], widths: Sequence[int]
) -> Network:
    """Write a compact network back into the shape it was pruned from.

    Parameters
    ----------
    network : Network
        A compact network, as `prune` returns it or trained further.
    kept : sequence of ndarray of bool of shape (n_l,)
        The masks of the inputs and of every hidden layer that `prune` returned.
    widths : sequence of int
        The widths of the network that was pruned: inputs, hidden layers, outputs.

    Returns
    -------
    network : Network
        A network of those widths, zero wherever a unit was dropped, that predicts from
        all columns of X what the compact network predicts from the kept ones.
    """
    kept = [np.asarray(mask, dtype=bool) for mask in kept]
    widths = [int(width) for width in widths]
    _check_masks(network, kept, widths)
    weights = [np.zeros(shape, dtype=network.dtype) for shape in pairwise(widths)]
    biases = [np.zeros(width, dtype=network.dtype) for width in widths[1:]]
    if not any(mask.any() for mask in kept):
        biases[-1] = network.biases[-1]
        return _like(network, weights, biases)
    masks = *kept, np.ones(widths[-1], dtype=bool)
    for layer, (rows, columns) in enumerate(pairwise(masks)):
        weights[layer][np.ix_(rows, columns)] = network.weights[layer]
        biases[layer][columns] = network.biases[layer]
    return _like(network, weights, biases)


def _fold_constants(
    network: Network,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Mask the units that depend on X; add the others to the biases they feed.

    Returns the masks of all layers, input and output included, and the biases in
    float64.
    """
    varying = [np.ones(network.widths[0], dtype=bool)]
    biases: list[np.ndarray] = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        bias = bias.astype(np.float64)
        constant = ~varying[-1]
        if constant.any():
            values = biases[-1][constant]
            ACTIVATIONS[network.activation](values)
            bias += values @ weight[constant].astype(np.float64)
        biases.append(bias)
        varying.append((weight[varying[-1]] != 0).any(axis=0))
    return varying, biases


def _reaching_an_output(
    network: Network, varying: list[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Mask the varying units of every layer, output apart, that an output depends on.

    Parameters
    ----------
    network : Network
    varying : list of ndarray of bool of shape (n_l,)
        Masks of all layers; the last one is left unread because outputs are kept.
    """
    kept: list[np.ndarray] = []
    needed = np.ones(network.widths[-1], dtype=bool)
    for weight, mask in zip(
        reversed(network.weights), reversed(varying[:-1]), strict=True
    ):
        needed = mask & (weight[:, needed] != 0).any(axis=1)
        needed.flags.writeable = False
        kept.append(needed)
    return tuple(reversed(kept))


def _like(
    network: Network, weights: list[np.ndarray], biases: list[np.ndarray]
) -> Network:
    """Build a network with the maps and the dtype of another one."""
    return Network(
        tuple(weights),
        tuple(bias.astype(network.dtype, copy=False) for bias in biases),
        network.activation,
        network.output,
    )


def _check_masks(network: Network, kept: list[np.ndarray], widths: list[int]) -> None:
    masks, layers = [mask.shape for mask in kept], [(n,) for n in widths[:-1]]
    if masks != layers or not kept:
        raise ValueError(
            f"kept must hold one mask for the inputs and each hidden layer of the "
            f"widths {tuple(widths)}, but the shapes of its masks are {masks}."
        )
    left = [int(mask.sum()) for mask in kept]
    compact = (*left, widths[-1]) if any(left) else (0, widths[-1])
    if network.widths != compact:
        raise ValueError(
            f"kept and widths describe a compact network of widths {compact}, but got "
            f"one of widths {network.widths}."
        )
