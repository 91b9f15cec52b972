"""The penalty of a stack: one penalty, its groups in the buffer, a strength a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.memory import memory_named
from skgroupnet.engine.problem import Model, Problem
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.threads import threads_for
from skgroupnet.network import Network
from skgroupnet.penalties import NoPenalty, Penalty
from skgroupnet.penalties.groups import Groups

# What is stationary at so small a lam is so at any.
NEGLIGIBLE = 1e-25


@dataclass(frozen=True, eq=False)
class FixedZeros(Penalty):
    """Indicator of a pattern of zeros: its prox puts them back."""

    free: Tensor
    groups_of: ClassVar = "weights"

    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Zero on the pattern."""
        return torch.zeros_like(lam)

    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Projection on the pattern."""
        return torch.mul(W, self.free, out=out)

    def weak_convexity(self, groups: Groups, lam: Tensor) -> Tensor:
        """Zero: the set is convex."""
        return lam * 0.0

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Gradient along the free directions."""
        return (grad * self.free).abs()


class Shrinkage:
    """The penalty applied to a stack.

    Parameters
    ----------
    problem : Problem
        Says which penalty, on which groups.
    stack : Stack
        The networks.
    lam : array of shape (M,)
        Strengths.
    factors : sequence of (ndarray of shape (G,) or None), default=None
        Relative weights of the groups in each model.

    Attributes
    ----------
    penalty : Penalty
        The penalty.
    lam : Tensor of shape (M,)
        Strengths.
    groups : Groups
        Groups of the penalty.
    metric : Groups
        Groups that share a step, each of them one or more groups of the penalty; the
        very same object if they are the same.  Updates work on these.
    factors : Tensor of shape (M, G) or None
        Relative weights of the groups.
    """

    def __init__(
        self,
        problem: Problem,
        stack: Stack,
        lam: np.ndarray,
        factors: Sequence[np.ndarray | None] | None = None,
    ) -> None:
        self._problem = problem
        self.penalty: Penalty = problem.penalty
        self.lam = torch.as_tensor(lam).to(stack.flat)
        if problem.keep_zeros:
            free = (stack.flat != 0).to(stack.flat)
            if not problem.penalize_bias:
                free[:, stack.layout.n_weights :] = 1
            self.penalty = FixedZeros(free)
        self._shrinks = not isinstance(self.penalty, NoPenalty)
        self.factors: Tensor | None = None
        self._attach(stack)
        if factors is not None and any(row is not None for row in factors):
            ones = np.ones(self.groups.n_groups)
            rows = [ones if row is None else row for row in factors]
            self.weigh(torch.as_tensor(np.stack(rows)).to(stack.flat))

    def _attach(self, stack: Stack) -> None:
        self._stack = stack
        self.groups = self.metric = self._partition(self.penalty.groups_of)
        self.groups.remember(stack.flat)
        self._metric_of_group: Tensor | None = None
        if self.penalty.one_step_per == "layer":
            self.metric = self._partition("layers")
            numbers = self.groups.index.new_empty(self.groups.n_groups)
            numbers[self.groups.index[0]] = self.metric.index[0]
            self._metric_of_group = numbers

    def _partition(self, groups_of: str) -> Groups:
        problem, stack = self._problem, self._stack
        return stack.layout.groups(
            problem.labels,
            problem.penalize_bias,
            groups_of,
            stack.flat,
            problem.group_sizes,
        )

    def weigh(self, factors: Tensor | None) -> None:
        """Multiply the weights of the groups by relative ones, (M, G)."""
        self.factors = factors
        if factors is not None:
            self.groups.weigh(factors)

    def keep(self, index: Tensor) -> None:
        """Go on with some of the models; the stack has been cut already."""
        self.lam = self.lam[index]
        if isinstance(self.penalty, FixedZeros):
            self.penalty = FixedZeros(self.penalty.free[index])
        self._attach(self._stack)
        self.weigh(None if self.factors is None else self.factors[index])

    def apply(self, step: Tensor) -> None:
        """Prox of the weights, in place, in the metric of the step of each group."""
        if self._shrinks:
            self.prox(self._stack.flat, step, out=self._stack.flat)

    def prox(self, W: Tensor, step: Tensor, out: Tensor | None = None) -> Tensor:
        """Prox of any weights (M, P); ``step`` has a number per group of the metric."""
        if self._metric_of_group is not None:
            step = step[:, self._metric_of_group]
        return self.penalty.prox(W, self.groups, step, self.lam, out=out)

    def value(self) -> Tensor:
        """Penalty of each model, (M,)."""
        return self.penalty.value(self._stack.flat, self.groups, self.lam)

    def gap(self, W: Tensor, grad: Tensor, unit: Tensor | None = None) -> float:
        """Largest distance of a group from stationarity over its root size.

        (M, P) twice: the weights, and the gradient of the mean loss there; then the
        unit (1, G) that the distance of each group is measured in.
        """
        distance = self.penalty.subgradient_distance(W, grad, self.groups, self.lam)
        distance = distance / self.groups.sizes.sqrt()
        return float((distance if unit is None else distance / unit).amax())


@memory_named()
@threads_for()
def group_norms(problem: Problem, network: Network) -> np.ndarray:
    """Norm of every penalty group of a network, biases included.

    Parameters
    ----------
    problem : Problem
        Says which penalty, on which groups.
    network : Network
        The network.

    Returns
    -------
    ndarray of shape (G,)
        The norms, in the order of `Model.factors`.
    """
    stack = Stack([network], problem.loss, "cpu")
    return Shrinkage(problem, stack, np.ones(1)).groups.norm(stack.flat)[0].numpy()


@memory_named()
@threads_for()
def is_convex(problem: Problem, model: Model) -> bool:
    """Whether the penalty of a model is convex.

    Parameters
    ----------
    problem : Problem
        Says which penalty, on which groups.
    model : Model
        Says which lam.
    """
    stack = Stack([model.start], problem.loss, "cpu")
    shrinkage = Shrinkage(problem, stack, np.array([model.lam]), [model.factors])
    modulus = shrinkage.penalty.weak_convexity(shrinkage.groups, shrinkage.lam)
    return not bool((modulus > 0).any())


@memory_named()
@threads_for()
def is_steep(problem: Problem, network: Network) -> bool:
    """Whether zero is stationary for any lam > 0, whatever the gradient there is.

    It is not where nothing is penalised.

    Parameters
    ----------
    problem : Problem
        Says which penalty, on which groups.
    network : Network
        A network of the shape.
    """
    stack = Stack([network], problem.loss, "cpu")
    shrinkage = Shrinkage(problem, stack, np.array([NEGLIGIBLE]))
    zero = torch.zeros_like(stack.flat)
    distance = shrinkage.penalty.subgradient_distance(
        zero, torch.ones_like(zero), shrinkage.groups, shrinkage.lam
    )
    penalised = shrinkage.groups.penalised
    return bool(penalised.any()) and not bool((distance * penalised).any())
