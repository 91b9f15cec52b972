r"""Updates of the stochastic engine; each returns the step it took, one per group.

An update moves the weights and says by how much it would have moved each penalty
group under a constant unit gradient: that step, and no other, is the metric in which
the prox that follows has to work.  Adam, AdaMax and RMSprop therefore keep one second
moment per penalty group (mean of g^2, or max of abs(g), over the group); where every
weight is a group of its own they are the textbook updates.

With g the gradient, t the number of the step (from 1) and lr the learning rate:

- SGD: u = mu u + g; W -= lr u (Nesterov: lr (g + mu u)).
  step = lr (1 - mu^t) / (1 - mu) (Nesterov: t + 1 for t).
- RMSprop: v = a v + (1 - a) mean_g g^2; step = lr / (sqrt(v) + eps); W -= step g.
- Adam: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) mean_g g^2;
  step = lr / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps); W -= step m, and the step
  handed over is that of the bias-corrected average, lr / (sqrt(v_hat) + eps).
- AdaMax: m as in Adam; v = max(b2 v, max_g abs(g) + eps); step = lr / v.

References
----------
Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015 (Adam, AdaMax).
Yun, Lozano, Yang, "Adaptive proximal gradient methods for structured neural networks",
NeurIPS 2021 (why the prox needs the metric of the update).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from skgroupnet.penalties.groups import Groups

State = dict[str, Tensor]


class Update(Protocol):
    """What the engine asks of an update."""

    def start(self, weights: Tensor, groups: Groups) -> State:
        """State before the first step; every tensor has the model axis in front."""

    def apply(
        self,
        weights: Tensor,
        grad: Tensor,
        groups: Groups,
        state: State,
        rate: Tensor,
        t: int,
    ) -> Tensor:
        """Move the weights (M, P) in place; return the step taken, (M, G) or (M, 1).

        ``rate`` is (M, 1), ``t`` counts the steps from 1; ``grad`` may be overwritten.
        """


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with (Nesterov's) momentum."""

    momentum: float = 0.9
    nesterov: bool = True

    def start(self, weights: Tensor, groups: Groups) -> State:
        """Zero momentum buffer, (M, P); none without momentum."""
        return {"momentum": weights.new_zeros(weights.shape)} if self.momentum else {}

    def apply(
        self,
        weights: Tensor,
        grad: Tensor,
        groups: Groups,
        state: State,
        rate: Tensor,
        t: int,
    ) -> Tensor:
        """Move the weights; the step is the same for all groups."""
        if not self.momentum:
            weights.addcmul_(grad, rate, value=-1)
            return rate.expand(-1, groups.n_groups)
        mu = self.momentum
        velocity = state["momentum"].mul_(mu).add_(grad)
        if self.nesterov:
            direction = grad.add_(velocity, alpha=mu)
            t += 1
        else:
            direction = velocity
        weights.addcmul_(direction, rate, value=-1)
        travelled = t if mu == 1 else (1 - mu**t) / (1 - mu)
        return (rate * travelled).expand(-1, groups.n_groups)


@dataclass(frozen=True)
class RMSprop:
    """RMSprop with one second moment per penalty group."""

    decay: float = 0.99
    epsilon: float = 1e-8

    def start(self, weights: Tensor, groups: Groups) -> State:
        """Zero second moment, (M, G)."""
        return {
            "second": weights.new_zeros((len(weights), groups.n_groups)),
            "epsilon": weights.new_full((len(weights), 1), self.epsilon),
        }

    def apply(
        self,
        weights: Tensor,
        grad: Tensor,
        groups: Groups,
        state: State,
        rate: Tensor,
        t: int,
    ) -> Tensor:
        """Move the weights by step * gradient."""
        second = state["second"]
        second.lerp_(groups.mean(grad * grad), 1 - self.decay)
        step = rate / torch.add(state["epsilon"], second.sqrt())
        groups.add_scaled(weights, grad, step, -1.0)
        return step


@dataclass(frozen=True)
class Adam:
    """Adam with one second moment per penalty group."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def start(self, weights: Tensor, groups: Groups) -> State:
        """Zero moments, (M, P) and (M, G)."""
        return {
            "first": weights.new_zeros(weights.shape),
            "second": weights.new_zeros((len(weights), groups.n_groups)),
            "epsilon": weights.new_full((len(weights), 1), self.epsilon),
        }

    def apply(
        self,
        weights: Tensor,
        grad: Tensor,
        groups: Groups,
        state: State,
        rate: Tensor,
        t: int,
    ) -> Tensor:
        """Move the weights by step * first moment, both bias-corrected."""
        first, second = state["first"], state["second"]
        first.lerp_(grad, 1 - self.beta_1)
        torch.mul(grad, grad, out=grad)
        second.lerp_(groups.mean(grad), 1 - self.beta_2)
        correction = 1 / math.sqrt(1 - self.beta_2**t)
        step = rate / torch.add(state["epsilon"], second.sqrt(), alpha=correction)
        groups.add_scaled(weights, first, step, -1 / (1 - self.beta_1**t))
        return step


@dataclass(frozen=True)
class AdaMax:
    """AdaMax with one infinity norm per penalty group."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def start(self, weights: Tensor, groups: Groups) -> State:
        """Zero moments, (M, P) and (M, G)."""
        return {
            "first": weights.new_zeros(weights.shape),
            "largest": weights.new_zeros((len(weights), groups.n_groups)),
        }

    def apply(
        self,
        weights: Tensor,
        grad: Tensor,
        groups: Groups,
        state: State,
        rate: Tensor,
        t: int,
    ) -> Tensor:
        """Move the weights by step * bias-corrected first moment."""
        first, largest = state["first"], state["largest"]
        first.lerp_(grad, 1 - self.beta_1)
        current = groups.amax(grad.abs_()) + self.epsilon
        largest.copy_(largest.mul_(self.beta_2).maximum(current))
        step = rate / largest
        groups.add_scaled(weights, first, step, -1 / (1 - self.beta_1**t))
        return step
