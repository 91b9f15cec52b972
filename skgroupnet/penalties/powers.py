"""Concave powers of group norms, l_{1/2} and l_{2/3}, and the count of groups, l_0.

Their slope at zero is infinite: zero is stationary whatever the gradient, and their
proximal operators jump.

References
----------
Y. Hu, C. Li, K. Meng, J. Qin, X. Yang, "Group sparse optimization via l_{p,q}
regularization", JMLR 18, 2017 (the group forms).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skgroupnet.penalties.base import NormPenalty

if TYPE_CHECKING:
    from torch import Tensor


class Half(NormPenalty):
    """The scalar function p(r) = lam r^(1/2)."""

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam r^(1/2)."""
        return lam * norms.sqrt()

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Zero, or the largest root of a cubic."""
        tau = step * lam
        angle = (0.75 * (tau / norms) * (3 / norms).sqrt()).clamp_max(1.0).arccos()
        root = (2 / 3) * norms * (1 + (2 / 3 * (math.pi - angle)).cos())
        root = root.minimum(norms).where(norms > 1.5 * tau ** (2 / 3), 0.0)
        return root.where(tau > 0, norms)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam r^(-1/2) / 2."""
        return (lam / (2 * norms.sqrt())).masked_fill(lam == 0, 0.0)


@dataclass(frozen=True)
class L12(Half):
    """Sum of the roots of the weights: R(W) = lam sum abs(w)^(1/2).

    References
    ----------
    .. [1] Z. Xu, X. Chang, F. Xu, H. Zhang, "L1/2 regularization: a thresholding
       representation theory and a fast solver", IEEE TNNLS 23(7), 2012.

    Examples
    --------
    >>> from skgroupnet.penalties import L12
    >>> L12()
    L12()
    """

    groups_of = "weights"


@dataclass(frozen=True)
class GroupL12(Half):
    """Sum of the roots of the norms: R(W) = lam sum_g sqrt(size of g) norm(W_g)^(1/2).

    References
    ----------
    .. [1] Z. Xu, X. Chang, F. Xu, H. Zhang, "L1/2 regularization: a thresholding
       representation theory and a fast solver", IEEE TNNLS 23(7), 2012.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupL12
    >>> GroupL12()
    GroupL12()
    """


class TwoThirds(NormPenalty):
    """The scalar function p(r) = lam r^(2/3)."""

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam r^(2/3)."""
        return lam * norms ** (2 / 3)

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Zero, or the largest root of a quartic."""
        tau = step * lam
        k = 16 * (2 / 9 * tau) ** 1.5 / norms / norms
        third = (1 + (1 - k * k).clamp_min(0.0).sqrt()) ** (1 / 3)
        A = norms ** (1 / 3) * (norms / 16) ** (1 / 3) * third
        y = A + (2 / 9 * tau) / A
        v = (2 * y).sqrt()
        u = (v + (2 * norms / v - 2 * y).clamp_min(0.0).sqrt()) / 2
        root = (norms - (2 / 3 * tau) / u).clamp_min(0.0).minimum(norms)
        root = root.where(norms > 2 * (2 / 3 * tau) ** 0.75, 0.0)
        return root.where(tau > 0, norms)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope (2/3) lam r^(-1/3)."""
        return (lam / (1.5 * norms ** (1 / 3))).masked_fill(lam == 0, 0.0)


@dataclass(frozen=True)
class L23(TwoThirds):
    """Sum of powers of the weights: R(W) = lam sum abs(w)^(2/3).

    References
    ----------
    .. [1] W. Cao, J. Sun, Z. Xu, "Fast image deconvolution using closed-form
       thresholding formulas of Lq (q = 1/2, 2/3) regularization", J. Vis. Commun. Image
       Represent. 24(1), 2013.

    Examples
    --------
    >>> from skgroupnet.penalties import L23
    >>> L23()
    L23()
    """

    groups_of = "weights"


@dataclass(frozen=True)
class GroupL23(TwoThirds):
    """Sum of powers of the norms: R(W) = lam sum_g sqrt(size of g) norm(W_g)^(2/3).

    References
    ----------
    .. [1] W. Cao, J. Sun, Z. Xu, "Fast image deconvolution using closed-form
       thresholding formulas of Lq (q = 1/2, 2/3) regularization", J. Vis. Commun. Image
       Represent. 24(1), 2013.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupL23
    >>> GroupL23()
    GroupL23()
    """


class HardThreshold(NormPenalty):
    """The scalar function that is lam wherever r is not zero."""

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam, or 0 at zero."""
        return lam * (norms != 0)

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Hard threshold at (2 step lam)^(1/2)."""
        return norms.where(norms > (2 * step * lam).sqrt(), 0.0)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Infinite slope at zero, else 0."""
        infinite = lam.masked_fill(lam > 0, math.inf)
        return infinite.where(norms == 0, 0.0)


@dataclass(frozen=True)
class L0(HardThreshold):
    """Number of weights: R(W) = lam times the number of non-zero weights.

    References
    ----------
    .. [1] T. Blumensath, M. E. Davies, "Iterative thresholding for sparse
       approximations", J. Fourier Anal. Appl. 14, 2008.

    Examples
    --------
    >>> from skgroupnet.penalties import L0
    >>> L0()
    L0()
    """

    groups_of = "weights"


@dataclass(frozen=True)
class GroupL0(HardThreshold):
    """Weighted number of groups: R(W) = lam sum of sqrt(size) of the non-zero groups.

    References
    ----------
    .. [1] T. Blumensath, M. E. Davies, "Iterative thresholding for sparse
       approximations", J. Fourier Anal. Appl. 14, 2008.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupL0
    >>> GroupL0()
    GroupL0()
    """
