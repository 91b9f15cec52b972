"""A linear model over all its rows: loss, gradient and gap at any coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.data import Data
from skgroupnet.engine.problem import Epoch, Model, Problem
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.network import Network

LEAST_CURVATURE = 1e-6


class LinearModel:
    """A model without a hidden layer; flat vectors (1, P) hold W (d, k) and b (k,).

    Raw predictions, errors and targets lie output by output, (k, n).

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        The model; its strength and its start can be changed later.
    data : Data, default=None
        The rows of the problem, if they are there already.

    Attributes
    ----------
    scale : Tensor of shape (n,)
        Weight of each row in the mean loss.
    y : Tensor of shape (k, n)
        Targets.
    """

    def __init__(
        self, problem: Problem, model: Model, data: Data | None = None
    ) -> None:
        n_outputs = model.start.widths[-1]
        rows, weight = model.weighted_rows(problem.X.shape[0])
        if model.rows is not None or len(rows) < problem.X.shape[0]:
            part = replace(problem, X=problem.X[rows], y=problem.y[rows])
            data = Data(part, n_outputs)
        self.data = data or Data(problem, n_outputs)
        self.problem = problem
        self.stack = Stack([model.start], problem.loss, self.data.device)
        self.loss = self.stack.loss
        scale = np.ones(len(rows)) if weight is None else weight
        self.scale = torch.as_tensor(scale / len(rows)).to(self.stack.flat)
        self.y = self.data.targets(torch.arange(len(rows))).T.contiguous()
        self.shrinkage = Shrinkage(
            problem, self.stack, np.array([model.lam]), [model.factors]
        )

    @property
    def start(self) -> Tensor:
        """Weights and intercept to start from."""
        return self.stack.flat

    def split(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Matrix (d, k) and intercept (k,) of a flat vector, as views."""
        (W,), (b,) = self.stack.layout.split(flat)
        return W[0], b[0, 0]

    def raw(self, flat: Tensor) -> Tensor:
        """Raw prediction of all rows, (k, n)."""
        W, b = self.split(flat)
        return self.data.dot(W).add_(b).T.contiguous()

    def mean_loss(self, raw: Tensor) -> float:
        """Mean loss of the raw prediction."""
        value = self.loss.value(raw, self.y)
        return float((value * self.scale).sum(dtype=torch.float64))

    def predicted(self, raw: Tensor) -> Tensor:
        """Prediction, (k, n)."""
        predicted = torch.empty_like(raw)
        self.loss.predict(raw, predicted)
        return predicted

    def errors(self, raw: Tensor) -> Tensor:
        """Gradient of the mean loss with respect to the raw prediction, (k, n)."""
        return self.predicted(raw).sub_(self.y).mul_(self.scale)

    def curvatures(self, raw: Tensor) -> Tensor:
        """Second derivatives of the mean loss, (k, n), or (1, n) if all are the same.

        No row is without: a Newton step divides by them.
        """
        assert self.loss.curvatures is not None
        second = self.loss.curvatures(self.predicted(raw))
        return second.clamp_min_(LEAST_CURVATURE).mul_(self.scale)

    def gradient(self, errors: Tensor) -> Tensor:
        """Gradient of the mean loss, flat."""
        matrix = self.data.tdot(errors.T)
        return torch.cat([matrix.reshape(-1), self.bias_gradient(errors)])[None]

    def bias_gradient(self, errors: Tensor) -> Tensor:
        """Gradient with respect to the intercept, (k,)."""
        total = errors.sum(1)
        return total if self.problem.fit_intercept else torch.zeros_like(total)

    def value(self, flat: Tensor) -> float:
        """Penalty."""
        shrinkage = self.shrinkage
        return float(shrinkage.penalty.value(flat, shrinkage.groups, shrinkage.lam))

    def network(self, flat: Tensor) -> Network:
        """Make the network with these weights."""
        return self.stack.network(flat[0])


def epoch_of(
    number: int,
    n_models: int,
    curve: list[float],
    running: bool,
    network: Callable[[], Network],
) -> Epoch:
    """Describe an iteration of one of several models that are solved in turn.

    Parameters
    ----------
    number, n_models : int
        Which model, of how many.
    curve : list of float
        Its objective, iteration by iteration.
    running : bool
        Whether it goes on.
    network : callable
        Makes the network where it is.
    """
    losses = np.full(n_models, np.nan)
    losses[number] = curve[-1]
    runs = np.zeros(n_models, dtype=bool)
    runs[number] = running
    return Epoch(len(curve), losses, None, lambda m: network(), runs)
