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
- RMDA: s = lr sqrt(t); V += s g; a += s; the prox works at W_0 - V / sqrt(t) with
  step = a / sqrt(t), and of its point W^ the weights take a share c = 1 - mu:
  W = (1 - c) W + c W^.

RMDA is regularised dual averaging with momentum.  V / a is an average of all gradients,
whose noise dies out while the step grows, so that from some step on W^ has the zero
groups of the limit.  Its authors raise c to 1 in a last stage to hand these zeros to W;
here any epoch may be the last one, and a weight that is zero in W^ is zero in W at
once.  The limit is the same: with W^ zero for good, (1 - c)^n W would get there, too.
Unpenalised weights have the same averages, and no prox.  The penalty has to be convex:
with steps that grow for ever, the prox of a bounded one would leave nothing.

When the rate changes by a factor f, all that was averaged shrinks towards W by it:
V = f V, a = f a, W_0 = W + f (W_0 - W).  With c = 1 the prox then starts from the point
where it was; f = 0 would be the restart from W that its authors make.

References
----------
Kingma, Ba, "Adam: a method for stochastic optimization", ICLR 2015 (Adam, AdaMax).
Yun, Lozano, Yang, "Adaptive proximal gradient methods for structured neural networks",
NeurIPS 2021 (why the prox needs the metric of the update).
Huang, Lee, "Training structured neural networks through manifold identification and
variance reduction", ICLR 2022 (RMDA).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from skgroupnet.penalties.groups import Groups

State = dict[str, Tensor]
# What lies in a state but is a setting: training that goes on takes the present one.
SETTINGS = {"epsilon"}


class Update(ABC):
    """What the engine asks of an update.

    An update of your own derives from it, for what it leaves as it is here. One without
    `start` and `apply` cannot be made.
    """

    forgets: ClassVar[bool] = True
    """Whether weights may sit out some epochs: what they miss would soon not count."""

    convex_only: ClassVar[bool] = False
    """Whether the penalty has to be convex."""

    def check(self, dtype: np.dtype) -> None:
        """Refuse settings that the dtype of training cannot hold."""
        return None

    @abstractmethod
    def start(self, weights: Tensor, groups: Groups) -> State:
        """State before the first step; every tensor has the model axis in front."""

    @abstractmethod
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

    def after_prox(self, weights: Tensor, grad: Tensor) -> None:
        """Do what follows the prox of the weights, in place; as a rule, nothing.

        ``grad`` holds what `apply` left there.
        """
        return None


@dataclass(frozen=True)
class SGD(Update):
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
class RMSprop(Update):
    """RMSprop with one second moment per penalty group."""

    decay: float = 0.99
    epsilon: float = 1e-8

    def check(self, dtype: np.dtype) -> None:
        """Refuse an epsilon that would be zero or infinite."""
        _check_epsilon(self.epsilon, dtype)

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
class Adam(Update):
    """Adam with one second moment per penalty group."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def check(self, dtype: np.dtype) -> None:
        """Refuse an epsilon that would be zero or infinite."""
        _check_epsilon(self.epsilon, dtype)

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
class AdaMax(Update):
    """AdaMax with one infinity norm per penalty group."""

    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def check(self, dtype: np.dtype) -> None:
        """Refuse an epsilon that would be zero or infinite."""
        _check_epsilon(self.epsilon, dtype)

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


@dataclass(frozen=True)
class RMDA(Update):
    """Regularised dual averaging with momentum; every gradient counts for ever."""

    momentum: float = 0.9
    forgets: ClassVar[bool] = False
    convex_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise ValueError(
                f"The momentum of RMDA must be in [0, 1), got {self.momentum!r}."
            )

    def start(self, weights: Tensor, groups: Groups) -> State:
        """Where it starts, (M, P), and sums of nothing, (M, P) and (M, 1)."""
        zero = weights.new_zeros((len(weights), 1))
        return {
            "anchor": weights.clone(),
            "sum": weights.new_zeros(weights.shape),
            "total": zero,
            "count": zero.clone(),
            "last_rate": zero.clone(),
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
        """Move the weights to where the prox works; keep them in ``grad``."""
        anchor, total, last = state["anchor"], state["sum"], state["last_rate"]
        factor = (rate / last).where(last > 0, 1.0)
        torch.lerp(weights, anchor, factor, out=anchor)
        last.copy_(rate)
        root = state["count"].add_(1).sqrt()
        state["total"].mul_(factor).addcmul_(rate, root)
        total.mul_(factor).addcmul_(grad, rate * root)
        grad.copy_(weights)
        torch.addcdiv(anchor, total, root, value=-1, out=weights)
        return (state["total"] / root).expand(-1, groups.n_groups)

    def after_prox(self, weights: Tensor, grad: Tensor) -> None:
        """Go from the weights before the step a share of the way to their prox."""
        zero = weights == 0
        torch.lerp(grad, weights, 1 - self.momentum, out=weights)
        weights.masked_fill_(zero, 0.0)


def _check_epsilon(epsilon: float, dtype: np.dtype) -> None:
    smallest, largest = float(np.finfo(dtype).tiny), float(np.finfo(dtype).max)
    if not smallest <= epsilon <= largest:
        raise ValueError(
            f"epsilon must be between {smallest:.2g} and {largest:.2g} for "
            f"training in {dtype}, but is {epsilon!r}."
        )
