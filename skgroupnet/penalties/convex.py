"""Convex penalties: none, l1, l2, group lasso, sparse group lasso."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from skgroupnet.penalties.base import NormPenalty

if TYPE_CHECKING:
    from torch import Tensor

    from skgroupnet.penalties.groups import Groups


@dataclass(frozen=True)
class NoPenalty(NormPenalty):
    """No penalty: R(W) = 0.

    Examples
    --------
    >>> from skgroupnet.penalties import NoPenalty
    >>> NoPenalty()
    NoPenalty()
    """

    elementwise: ClassVar[bool] = True

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Zero."""
        return norms * 0.0

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Leave the norms as they are."""
        return norms.clone()

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Zero."""
        return norms * 0.0


class SoftThreshold(NormPenalty):
    """The scalar function p(r) = lam r, of single weights or of groups."""

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam r."""
        return lam * norms

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Soft threshold (r - step lam)_+."""
        return norms.addcmul(step, lam, value=-1).relu_()

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam everywhere."""
        return lam.expand_as(norms)


@dataclass(frozen=True)
class L1(SoftThreshold):
    """Lasso penalty: R(W) = lam sum abs(w).

    Examples
    --------
    >>> from skgroupnet.penalties import L1
    >>> L1()
    L1()
    """

    elementwise: ClassVar[bool] = True


@dataclass(frozen=True)
class L2(NormPenalty):
    """Ridge penalty: R(W) = lam/2 sum w^2.

    Examples
    --------
    >>> from skgroupnet.penalties import L2
    >>> L2()
    L2()
    """

    elementwise: ClassVar[bool] = True

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam r^2 / 2."""
        return lam * norms * norms / 2

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Shrink proportionally: r / (1 + step lam)."""
        return norms / (step * lam + 1)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam r."""
        return lam * norms


@dataclass(frozen=True)
class GroupLasso(SoftThreshold):
    """Group lasso: R(W) = lam sum_g sqrt(size of g) norm(W_g).

    The scalar function is the lasso's; the groups are not single weights but the
    outgoing weights of a unit, or of a set of features.

    References
    ----------
    .. [1] M. Yuan, Y. Lin, "Model selection and estimation in regression with grouped
       variables", JRSS B 68(1), 2006.
    .. [2] S. Scardapane, D. Comminiello, A. Hussain, A. Uncini, "Group sparse
       regularization for deep neural networks", Neurocomputing 241, 2017.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupLasso
    >>> GroupLasso()
    GroupLasso()
    """

    elementwise: ClassVar[bool] = False


@dataclass(frozen=True)
class SparseGroupLasso:
    """Sparse group lasso: R(W) = lam (sum_g sqrt(size) norm(W_g) + a sum abs(w)).

    Parameters
    ----------
    l1_weight : float, default=1.0
        Weight a >= 0 of the lasso part.

    References
    ----------
    .. [1] N. Simon, J. Friedman, T. Hastie, R. Tibshirani, "A sparse-group lasso",
       JCGS 22(2), 2013.

    Examples
    --------
    >>> from skgroupnet.penalties import SparseGroupLasso
    >>> SparseGroupLasso(l1_weight=0.5)
    SparseGroupLasso(l1_weight=0.5)
    """

    l1_weight: float = 1.0
    elementwise: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not (self.l1_weight >= 0 and math.isfinite(self.l1_weight)):
            raise ValueError(
                f"l1_weight must be a finite number >= 0, got {self.l1_weight!r}."
            )

    def lasso_strength(self, groups: Groups, lam: Tensor) -> Tensor:
        """Strength of the lasso part, (M, G); zero for unpenalised parameters."""
        return lam[:, None] * (groups.penalised * self.l1_weight)

    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Penalty of each network: (M, P), (M,) -> (M,)."""
        lasso = groups.sum(W.abs()) * self.lasso_strength(groups, lam)
        return (lasso + groups.norm(W) * groups.strength(lam)).sum(-1)

    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Soft threshold every weight, then the group; in this order it is exact."""
        threshold = groups.spread(step * self.lasso_strength(groups, lam))
        W = _soft_threshold(W, threshold)
        return GroupLasso().prox(W, groups, step, lam, out)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the subdifferential, (M, P), (M, P) -> (M, G)."""
        lasso = groups.spread(self.lasso_strength(groups, lam))
        with_sign = grad + lasso * W.sign()
        free = _soft_threshold(grad, lasso)
        rest = with_sign.where(W != 0, free)
        return GroupLasso().subgradient_distance(W, rest, groups, lam)


def _soft_threshold(W: Tensor, threshold: Tensor) -> Tensor:
    """Elementwise sign(w) (abs(w) - threshold)_+, with exact zeros."""
    return W - W.clamp(-threshold, threshold)
