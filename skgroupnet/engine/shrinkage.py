"""The penalty of a stack: one penalty, its groups in the buffer, a strength a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.problem import Problem
from skgroupnet.engine.stack import Stack
from skgroupnet.penalties import NoPenalty, Penalty
from skgroupnet.penalties.groups import Groups


@dataclass(frozen=True, eq=False)
class FixedZeros:
    """Indicator of a pattern of zeros: its prox puts them back."""

    free: Tensor
    elementwise: ClassVar[bool] = True

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
    """

    def __init__(self, problem: Problem, stack: Stack, lam: np.ndarray) -> None:
        self._problem = problem
        self.penalty: Penalty = problem.penalty
        self.lam = torch.as_tensor(lam).to(stack.flat)
        if problem.keep_zeros:
            free = (stack.flat != 0).to(stack.flat)
            if not problem.penalize_bias:
                free[:, stack.layout.n_weights :] = 1
            self.penalty = FixedZeros(free)
        self._shrinks = not isinstance(self.penalty, NoPenalty)
        self._attach(stack)

    def _attach(self, stack: Stack) -> None:
        self._stack = stack
        self.groups = stack.layout.groups(
            self._problem.labels,
            self._problem.penalize_bias,
            self.penalty.elementwise,
            stack.flat,
            self._problem.group_sizes,
        )
        self.groups.remember(stack.flat)

    def keep(self, index: Tensor) -> None:
        """Go on with some of the models; the stack has been cut already."""
        self.lam = self.lam[index]
        if isinstance(self.penalty, FixedZeros):
            self.penalty = FixedZeros(self.penalty.free[index])
        self._attach(self._stack)

    def apply(self, step: Tensor) -> None:
        """Prox of the weights, in place, in the metric of the step taken."""
        if self._shrinks:
            flat = self._stack.flat
            self.penalty.prox(flat, self.groups, step, self.lam, out=flat)

    def value(self) -> Tensor:
        """Penalty of each model, (M,)."""
        return self.penalty.value(self._stack.flat, self.groups, self.lam)

    def gap(self, W: Tensor, grad: Tensor) -> float:
        """Largest distance of a group from stationarity over its root size.

        (M, P) twice: the weights, and the gradient of the mean loss there.
        """
        distance = self.penalty.subgradient_distance(W, grad, self.groups, self.lam)
        return float((distance / self.groups.sizes.sqrt()).amax())
