"""Measures of the sparsity of a whole layer: Hoyer-square, and l1 minus l2.

The groups of a layer are tied to each other, so that a layer has one step.  With r the
vector of the norms of its penalised groups (of single weights: of the absolute values),

    R(W) = lam sum_layers measure(r)

and the prox moves every group along itself.  Groups are not weighted by their size.
Biases, if they are penalised, are a layer of their own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from skgroupnet.penalties.base import (
    LARGEST,
    SMALLEST,
    Penalty,
    check,
    distance_with_slope,
)

if TYPE_CHECKING:
    from torch import Tensor

    from skgroupnet.penalties.groups import Groups

# A gain that is smaller, relative to what it is the difference of, is rounding.
ROUNDING = 1e-14
# Gains that differ by less, relative to the square of the norm, are equal.
EQUAL = 1e-15


class LayerMeasure(Penalty):
    """A measure of the norms of the groups of a layer.

    A penalty says only, for norms of shape (M, n) and tau = step lam of shape (M, 1):

    - ``measure(norms)``: its value, (M,);
    - ``shrink(norms, tau)``: argmin over s >= 0 of norm(s - norms)^2 / 2 + tau measure;
    - ``slope(norms)``: its derivative by each norm, from the right at zero, in a layer
      that is not zero altogether.
    """

    one_step_per: ClassVar[Literal["group", "layer"]] = "layer"

    def measure(self, norms: Tensor) -> Tensor:
        """Value of the measure."""
        raise NotImplementedError

    def shrink(self, norms: Tensor, tau: Tensor) -> Tensor:
        """Minimiser of the proximal problem of the norms."""
        raise NotImplementedError

    def slope(self, norms: Tensor) -> Tensor:
        """Slope of the measure along each norm, from the right at zero."""
        raise NotImplementedError

    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Penalty of each network: (M, P), (M,) -> (M,)."""
        norms = groups.norm(W)
        return lam * sum(self.measure(norms[:, layer]) for layer in groups.of_layer)

    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Proximal point; a layer takes the step of its first group."""
        norms = groups.norm(W).clamp_(SMALLEST, LARGEST)
        tau, factors = step * lam[:, None], norms.new_ones(norms.shape)
        for layer in groups.of_layer:
            r = norms[:, layer]
            factors[:, layer] = self.shrink(r, tau[:, layer[:1]]) / r
        return groups.scale(W, factors, out)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the directional subdifferential, (M, G)."""
        norms = groups.norm(W)
        slopes = self._slopes(norms, groups, lam)
        return distance_with_slope(W, grad, groups, norms, slopes)

    def _slopes(self, norms: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Slope of the penalty by every norm, (M, G); infinite in a layer of zeros."""
        slopes = norms.new_zeros(norms.shape)
        for layer in groups.of_layer:
            r = norms[:, layer]
            slope = self.slope(r).masked_fill((r == 0).all(1, keepdim=True), math.inf)
            slopes[:, layer] = lam[:, None] * slope
        return slopes.masked_fill(lam[:, None] == 0, 0.0)


@dataclass(frozen=True)
class L1MinusL2(LayerMeasure):
    """Sum of the weights minus their length: R(W) = lam sum_layers (l1 - alpha l2).

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the length, from 0 (the lasso) to 1.

    References
    ----------
    .. [1] Y. Lou, M. Yan, "Fast L1-L2 minimization via a proximal operator", J. Sci.
       Comput. 74, 2018.

    Examples
    --------
    >>> from skgroupnet.penalties import L1MinusL2
    >>> L1MinusL2(alpha=0.5)
    L1MinusL2(alpha=0.5)
    """

    alpha: float = 1.0
    groups_of = "weights"

    def __post_init__(self) -> None:
        check(0 <= self.alpha <= 1, "alpha", "from 0 to 1", self.alpha)

    def measure(self, norms: Tensor) -> Tensor:
        """Value sum r - alpha norm(r)."""
        r = norms.double()
        return (r.sum(1) - self.alpha * r.norm(dim=1)).to(norms)

    def shrink(self, norms: Tensor, tau: Tensor) -> Tensor:
        """Soft threshold, then longer by alpha tau; at least the largest one stays."""
        longest, at = norms.max(1, keepdim=True)
        largest = longest - tau
        soft = (norms - tau).clamp_min(0.0)
        length = (soft / largest).norm(dim=1, keepdim=True) * largest
        many = soft * (1 + self.alpha * tau / length)
        # Not largest + alpha tau, which cancels.
        height = (longest - (1 - self.alpha) * tau).clamp_min(0.0)
        one = norms.new_zeros(norms.shape).scatter(1, at, height)
        return many.where(largest > 0, one).minimum(norms)

    def slope(self, norms: Tensor) -> Tensor:
        """Slope 1 - alpha r / norm(r)."""
        r = norms.double()
        return (1 - self.alpha * r / r.norm(dim=1, keepdim=True)).to(norms)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the directional subdifferential, (M, G).

        At a layer of zeros, where the measure is homogeneous but not a sum over the
        weights, it is how far a step of length one leads.
        """
        norms = groups.norm(W)
        slopes = self._slopes(norms, groups, lam)
        distance = distance_with_slope(W, grad, groups, norms, slopes)
        step = distance.new_ones(distance.shape)
        away = groups.norm(self.prox(-grad, groups, step, lam))
        return away.where(slopes.isinf(), distance)


class SquaredRatio(LayerMeasure):
    """Hoyer-square: (sum r)^2 / sum r^2, the effective number of groups; 0 at zero."""

    def measure(self, norms: Tensor) -> Tensor:
        """Value (sum r)^2 / sum r^2."""
        r = norms.double()
        square = r.square().sum(1)
        ratio = r.sum(1).square() / square
        return ratio.masked_fill(square == 0, 0.0).to(norms)

    def shrink(self, norms: Tensor, tau: Tensor) -> Tensor:
        """Compare the best points with 1, 2, ... groups left, the largest ones.

        With s groups left the minimiser is a multiple of r - delta there; it is one as
        long as all of these are positive.
        """
        ordered, order = norms.sort(1, descending=True)
        r, tau = ordered.double(), tau.double()
        s = r.new_ones(r.shape[1:]).cumsum(0)
        A, B = r.cumsum(1), r.square().cumsum(1)
        # s B - A^2, which cancels.
        deviations = (1 - 1 / s) * (r - (A / s).roll(1, 1)).square()
        Q = s * deviations.cumsum(1)
        root = ((B - 2 * tau * s).square() + 8 * tau * Q).sqrt()
        delta = 4 * tau * A / (B + 2 * tau * s + root)
        gain = ((B - delta * A) / 2).where(r > delta, -math.inf)
        best = gain.amax(1, keepdim=True)
        # Of equal ones the most groups: small ones decide by the last digits only.
        at = (s * (gain >= best - EQUAL * B)).argmax(1, keepdim=True)
        best, delta = gain.gather(1, at), delta.gather(1, at)
        d = (r - delta).where(s <= at + 1, 0.0)
        scale = 2 * best / d.square().sum(1, keepdim=True)
        kept = best > ROUNDING * (at + 1) * B.gather(1, at)
        shrunk = (d * scale).where(kept, 0.0).where(tau > 0, r)
        return r.scatter(1, order, shrunk).to(norms)

    def slope(self, norms: Tensor) -> Tensor:
        """Slope 2 a / b (1 - r a / b), a = sum r, b = sum r^2."""
        r = norms.double()
        ratio = r.sum(1, keepdim=True) / r.square().sum(1, keepdim=True)
        slope = 2 * ratio * (1 - r * ratio)
        return slope.clamp(-LARGEST, LARGEST).to(norms)


@dataclass(frozen=True)
class HoyerSquare(SquaredRatio):
    """Hoyer-square of each layer: R(W) = lam sum_layers (sum abs(w))^2 / sum w^2.

    The measure is the number of weights, if they are equally large, and it does not
    depend on their scale: it takes small weights to exact zeros and leaves the others
    as long as they were.

    References
    ----------
    .. [1] H. Yang, W. Wen, H. Li, "DeepHoyer: learning sparser neural network with
       differentiable scale-invariant sparsity measures", ICLR 2020 (the measure; the
       prox is exact here, and needs no threshold).

    Examples
    --------
    >>> from skgroupnet.penalties import HoyerSquare
    >>> HoyerSquare()
    HoyerSquare()
    """

    groups_of = "weights"


@dataclass(frozen=True)
class GroupHoyerSquare(SquaredRatio):
    """Hoyer-square of the norms: lam sum_layers (sum_g norm(W_g))^2 / sum_g norm^2.

    The measure is the number of groups of a layer, if they are equally long, and it
    does not depend on their scale.

    References
    ----------
    .. [1] H. Yang, W. Wen, H. Li, "DeepHoyer: learning sparser neural network with
       differentiable scale-invariant sparsity measures", ICLR 2020 (the measure; the
       prox is exact here, and needs no threshold).

    Examples
    --------
    >>> from skgroupnet.penalties import GroupHoyerSquare
    >>> GroupHoyerSquare()
    GroupHoyerSquare()
    """
