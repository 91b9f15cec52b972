"""Initial weights."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from skgroupnet.engine.memory import memory_named
from skgroupnet.network import Network


@memory_named()
def initial_network(
    widths: tuple[int, ...],
    activation: str,
    output: str,
    random_state: np.random.RandomState,
    dtype: np.typing.DTypeLike,
) -> Network:
    """Draw a network with Glorot's uniform distribution, as MLPClassifier does.

    Parameters
    ----------
    widths : tuple of int
        Units per layer, inputs first, outputs last.
    activation, output : str
        The maps of the network.
    random_state : RandomState
        Where the numbers come from.
    dtype : dtype
        Type of the weights.

    Returns
    -------
    Network
        Weights and biases uniform in +-sqrt(c / (n_l + n_{l+1})), c = 2 for the
        logistic activation, else 6; a linear model (two widths) starts at zero.

    References
    ----------
    X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward
    neural networks", AISTATS 2010.
    """
    linear = len(widths) == 2
    spread = 0.0 if linear else (2.0 if activation == "logistic" else 6.0)
    weights, biases = [], []
    for fan_in, fan_out in pairwise(widths):
        bound = np.sqrt(spread / max(fan_in + fan_out, 1))
        weights.append(random_state.uniform(-bound, bound, (fan_in, fan_out)))
        biases.append(random_state.uniform(-bound, bound, fan_out))
    return Network(
        tuple(weight.astype(dtype) for weight in weights),
        tuple(bias.astype(dtype) for bias in biases),
        activation,
        output,
    )
