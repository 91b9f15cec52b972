"""What a penalty has to say, and penalties that are functions of group norms.

A penalty has a shape and no strength.  With the M networks of a stack as the rows of
``W`` (M, P), a partition of the P parameters into G groups and one strength per
network, ``lam`` (M,)::

    R(W; lam)   = sum_g p(norm(W_g); lam w_g)         (for a function of group norms)
    prox(W)     = argmin_U  sum_g |U_g - W_g|^2 / (2 step_g) + R(U; lam)

with w_g = sqrt(size of g), and w_g = 0 for parameters that are not penalised.  The
step is one number per network and group, (M, G): the metric of the prox is the metric
of the update that came before it, so an update hands over the very step it took.  A
penalty says on which groups it works, and how finely the step may vary: a measure of a
whole layer needs one step for all groups of that layer.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from torch import Tensor

    from skgroupnet.penalties.groups import Groups

# Norms are kept within the normal float32 range before they divide: a norm of zero
# then gives an exact zero, and an overflowing one leaves its group as it is.
SMALLEST, LARGEST = 1e-37, 3e38


def check(holds: bool, name: str, expected: str, value: float) -> None:
    """Refuse a setting that is not finite or does not fulfil its condition."""
    if not (holds and math.isfinite(value)):
        raise ValueError(f"{name} must be a finite number {expected}, got {value!r}.")


class Penalty(ABC):
    """What the engine asks of a penalty.

    A penalty of your own should derive from this class, or from `NormPenalty`. One that
    does not define every abstract method cannot be made.
    """

    groups_of: ClassVar[Literal["weights", "units", "pairs"]] = "units"
    """What a group is: one weight; the outgoing weights of a unit (or of a labelled set
    of features); or, with the layers taken in pairs, the incoming weights of a hidden
    unit in the first layer of a pair, its outgoing weights in the second one."""

    one_step_per: ClassVar[Literal["group", "layer"]] = "group"
    """How finely the step may vary: from group to group, or from layer to layer."""

    adaptive: ClassVar[bool] = False
    """Whether the weights of the groups follow from a first fit, by ``factors``."""

    @abstractmethod
    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Penalty of each network: (M, P), (M,) -> (M,)."""

    @abstractmethod
    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Proximal point of each network: (M, P), (M, G), (M,) -> (M, P).

        ``out`` may be ``W`` itself.
        """

    @abstractmethod
    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the subdifferential, per group.

        (M, P), (M, P), (M,) -> (M, G).
        """

    def weak_convexity(self, groups: Groups, lam: Tensor) -> Tensor:
        """Smallest c that makes R + c/2 norm(W)^2 convex: (M,) -> (M,).

        Zero for a convex penalty. Infinite, as it is unless a penalty says otherwise,
        if there is none. The prox is single-valued for steps below 1 / c.
        """
        return lam.new_full(lam.shape, math.inf)


class NormPenalty(Penalty):
    """A sum of one scalar function of the group norms.

    A penalty says only what that function is, for norms, steps and strengths (lam w_g)
    of shape (M, G):

    - ``profile(norms, lam)``: its value p;
    - ``shrink(norms, step, lam)``: argmin over s >= 0 of (s - norm)^2 / (2 step) + p;
    - ``slope(norms, lam)``: its derivative, from the right at zero; it may be infinite
      there;
    - ``concavity(lam)``: how fast that derivative falls at most; infinite, as it is
      unless a penalty says otherwise, if there is no bound.
    """

    @abstractmethod
    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value of the scalar function."""

    @abstractmethod
    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Minimiser of the scalar proximal problem."""

    @abstractmethod
    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope of the scalar function, from the right at zero."""

    def concavity(self, lam: Tensor) -> Tensor:
        """Largest value of minus the second derivative of the scalar function."""
        return lam.new_full(lam.shape, math.inf)

    def weak_convexity(self, groups: Groups, lam: Tensor) -> Tensor:
        """Smallest c that makes R + c/2 norm(W)^2 convex: (M,) -> (M,)."""
        return self.concavity(groups.strength(lam)).amax(1)

    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Penalty of each network: (M, P), (M,) -> (M,)."""
        return self.profile(groups.norm(W), groups.strength(lam)).sum(-1)

    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Proximal point: every group is scaled by shrink(norm) / norm."""
        norms = groups.norm(W).clamp_(SMALLEST, LARGEST)
        factors = self.shrink(norms, step, groups.strength(lam)).div_(norms)
        return groups.scale(W, factors, out)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the (directional) subdifferential, (M, G).

        A zero group is stationary as long as its gradient is no longer than the slope
        at zero; a non-zero one needs grad + slope(r) W_g / r = 0.
        """
        norms = groups.norm(W)
        slope = self.slope(norms, groups.strength(lam))
        return distance_with_slope(W, grad, groups, norms, slope)


def distance_with_slope(
    W: Tensor, grad: Tensor, groups: Groups, norms: Tensor, slope: Tensor
) -> Tensor:
    """Distance of every group from stationarity, from its norm and slope, (M, G).

    The slope (M, G) is the derivative of the penalty by the norm, from the right at
    zero.
    """
    # Length one first: slope / norm may overflow.
    unit = groups.scale(W, 1 / norms.clamp_min(SMALLEST))
    pull = groups.scale(unit, slope.masked_fill(norms == 0, 0.0))
    residual = groups.norm(grad + pull)
    return residual.where(norms > 0, (residual - slope).clamp_min(0.0))
