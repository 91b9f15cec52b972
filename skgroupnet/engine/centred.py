r"""A linear model on all its rows whose intercept absorbs the column means.

Parameters are flat vectors (1, P) that hold W (d, k) and, in place of the intercept b,
c = b + mean W.  With an unpenalised intercept the mean is that of the columns, so that
c hardly depends on W; else it is zero.  Seen as a matrix theta (d + 1, k), c last, the
raw prediction is A theta with A = [X - mean, 1]; X may be sparse and stays so.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.data import Data
from skgroupnet.engine.linear import LinearModel
from skgroupnet.engine.problem import Model, Problem
from skgroupnet.network import Network

# Power iterations stop at this relative change, and the eigenvalue is raised by what
# they may have missed.
POWER_TOL, POWER_SLACK, MAX_POWER = 1e-4, 1.02, 300


class CentredModel:
    """The objective of one model without a hidden layer, in centred columns.

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        The model.
    source : Data, default=None
        The rows of the problem, if they are there already.

    Attributes
    ----------
    linear : LinearModel
        The model in its columns as they are.
    start : Tensor of shape (1, P)
        Where the model starts.
    split : Tensor of shape (d + 1, 1)
        1 for the rows of theta that the penalty sees, else 0.
    trained : Tensor of shape (d + 1, 1)
        1 for the rows of theta that change, else 0.
    """

    def __init__(
        self, problem: Problem, model: Model, source: Data | None = None
    ) -> None:
        self.linear = linear = LinearModel(problem, model, source)
        self.data, self.loss, self.shrinkage = (
            linear.data,
            linear.loss,
            linear.shrinkage,
        )
        self.n_outputs = k = len(linear.y)
        self.scale, self.y = linear.scale[:, None], linear.y.T
        self.mean, self.moment = linear.mean[:, None], linear.moment[:, None]
        groups = self.shrinkage.groups
        split = groups.spread(groups.penalised.clone()).view(-1, k)[:, :1]
        if problem.keep_zeros:
            split[:-1] = 1
        self.trained = torch.ones_like(split)
        self.trained[-1] = float(problem.fit_intercept)
        self.split = split * self.trained
        self.start = self.shifted(linear.first, 1.0)

    def shifted(self, x: Tensor, sign: float) -> Tensor:
        """Turn the intercept b into c = b + mean W (sign 1), or back (sign -1)."""
        theta = x.view(-1, self.n_outputs).clone()
        theta[-1] += sign * (self.mean * theta[:-1]).sum(0)
        return theta.view(1, -1)

    def forward(self, theta: Tensor) -> Tensor:
        """Product A theta: (d + 1, w) -> (n, w)."""
        W, c = theta[:-1], theta[-1]
        return self.data.dot(W).add_(c - (self.mean * W).sum(0))

    def backward(self, R: Tensor) -> Tensor:
        """Product A' R, zero where nothing is trained: (n, w) -> (d + 1, w)."""
        total = R.sum(0)
        product = torch.cat([self.data.tdot(R) - self.mean * total, total[None]])
        return product * self.trained

    def raw(self, x: Tensor) -> Tensor:
        """Raw prediction: (1, P) -> (n, k)."""
        return self.forward(x.view(-1, self.n_outputs))

    def mapped(self, raw: Tensor) -> Tensor:
        """Output map of raw predictions: (n, k) -> (n, k)."""
        return self.linear.predicted(raw.T).T

    def value(self, raw: Tensor) -> float:
        """Mean loss of raw predictions."""
        return self.linear.mean_loss(raw.T)

    def gradient(self, raw: Tensor) -> Tensor:
        """Gradient of the mean loss: (n, k) -> (1, P)."""
        error = (self.mapped(raw) - self.y) * self.scale
        return self.backward(error).view(1, -1)

    def rise(self, before: Tensor, raw: Tensor) -> float:
        """Rise of the slope of the mean loss from one raw prediction to another."""
        errors = (self.mapped(raw) - self.mapped(before)) * self.scale
        return float((errors * (raw - before)).sum(dtype=torch.float64))

    def penalty(self, x: Tensor) -> float:
        """Penalty of a point."""
        return self.linear.value(x)

    def prox(self, x: Tensor, step: float) -> Tensor:
        """Proximal point, with one step for all groups: (1, P) -> (1, P)."""
        shrinkage = self.shrinkage
        return shrinkage.prox(x, torch.full_like(shrinkage.metric.sizes, step))

    def weak_convexity(self) -> float:
        """Modulus of weak convexity of the penalty."""
        shrinkage = self.shrinkage
        return float(shrinkage.penalty.weak_convexity(shrinkage.groups, shrinkage.lam))

    def rounding(self, raw: Tensor) -> float:
        """Bound what rounding changes of the mean loss of raw predictions."""
        return self.linear.rounding(raw.T)

    def gap(self, x: Tensor, gradient: Tensor) -> float:
        """Stationarity gap of a point with its gradient, in the units of the groups."""
        return self.linear.gap(x, gradient)

    def network(self, x: Tensor) -> Network:
        """Network of a point."""
        return self.linear.network(self.shifted(x, -1.0))

    @property
    def loss_curvature(self) -> float:
        """Bound on the Hessian of the loss with respect to the raw prediction.

        The exponential has none: that of the model that predicts the mean of y takes
        the place.
        """
        bound = self.loss.curvature
        if np.isfinite(bound):
            return bound
        return float((self.scale * self.y).sum(0).amax())

    def group_curvatures(self) -> Tensor:
        """Bound on the curvature of the loss within each group of one step, (1, G).

        The sum of the second moments of the columns of the group bounds the largest
        eigenvalue of their matrix.
        """
        groups, k = self.shrinkage.metric, self.n_outputs
        moment = torch.cat([self.moment, torch.ones_like(self.split[:1])])
        n_columns = (groups.sizes / k).ceil()
        mean = groups.mean(moment.expand(-1, k).reshape(1, -1))
        bound = self.loss_curvature * n_columns * mean
        # Columns of zeros: any step will do that is not longer than all others.
        flat = ~(bound > 0)
        least = bound.masked_fill(flat, float("inf")).amin()
        return bound.where(~flat, least if torch.isfinite(least) else 1.0)

    def curvature(self) -> float:
        """Bound on the curvature of the loss along what is penalised.

        `loss_curvature` times the largest eigenvalue of A'SA, S the weights of the
        rows, by power iteration.
        """
        largest = 0.0
        v = torch.from_numpy(np.random.RandomState(0).randn(*self.split.shape))
        v = v.to(self.split) * self.split
        for _ in range(MAX_POWER):
            if not v.any():
                break
            v = v / v.norm()
            w = self.backward(self.scale * self.forward(v)) * self.split
            before, largest = largest, float((v * w).sum())
            if largest - before <= POWER_TOL * largest:
                break
            v = w
        return self.loss_curvature * largest * POWER_SLACK
