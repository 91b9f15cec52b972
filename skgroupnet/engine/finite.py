"""Whether a network predicts finite numbers: finite weights do not see to it."""

from __future__ import annotations

import numpy as np

from skgroupnet.engine.problem import Model, Problem
from skgroupnet.network import Network

# Beyond this the exponential of a prediction need not be finite in float32.
LARGEST_EXPONENT = 80.0


def predicts_finite(
    problem: Problem, model: Model, network: Network, largest: float
) -> bool:
    """Whether a network predicts finite numbers for all rows of a model.

    The rows are only looked at where the size of the weights allows something else.

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        Says which rows.
    network : Network
        The network.
    largest : float
        No number in X is larger.

    Returns
    -------
    bool
    """
    with np.errstate(all="ignore"):
        if _is_bounded(network, largest):
            return True
        prediction = network.predict(problem.X, problem.columns)
        rows, _ = model.weighted_rows(len(prediction))
        return bool(np.isfinite(prediction[rows]).all())


def _is_bounded(network: Network, largest: float) -> bool:
    """Whether no input up to ``largest`` can make a number of a network infinite."""
    limit = float(np.finfo(network.dtype).max)
    bound = largest
    for layer, (weight, bias) in enumerate(
        zip(network.weights, network.biases, strict=True)
    ):
        if layer:
            bound = _activated(network.activation, bound)
        sums = np.abs(weight).sum(axis=0, dtype=np.float64)
        bound = float((bound * sums + np.abs(bias)).max(initial=0.0))
        if not bound < limit:
            return False
    return network.output != "exp" or bound < LARGEST_EXPONENT


def _activated(activation: str, bound: float) -> float:
    if activation in ("tanh", "logistic"):
        return 1.0
    return bound * bound if activation == "relu2" else bound
