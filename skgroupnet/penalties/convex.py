"""Convex penalties: none, l1, l2, elastic net, group lasso, sparse group lasso."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skgroupnet.penalties.base import NormPenalty, Penalty, check

if TYPE_CHECKING:
    from torch import Tensor

    from skgroupnet.penalties.groups import Groups


class Convex(Penalty):
    """What convex penalties share."""

    def weak_convexity(self, groups: Groups, lam: Tensor) -> Tensor:
        """Zero: it is convex."""
        return lam * 0.0


@dataclass(frozen=True)
class NoPenalty(Convex, NormPenalty):
    """No penalty: R(W) = 0.

    Examples
    --------
    >>> from skgroupnet.penalties import NoPenalty
    >>> NoPenalty()
    NoPenalty()
    """

    groups_of = "weights"

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Zero."""
        return norms * 0.0

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Leave the norms as they are."""
        return norms.clone()

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Zero."""
        return norms * 0.0


class SoftThreshold(Convex, NormPenalty):
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

    groups_of = "weights"


@dataclass(frozen=True)
class L2(Convex, NormPenalty):
    """Ridge penalty: R(W) = lam/2 sum w^2.

    Examples
    --------
    >>> from skgroupnet.penalties import L2
    >>> L2()
    L2()
    """

    groups_of = "weights"

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


@dataclass(frozen=True)
class SparseGroupLasso(Convex):
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

    def __post_init__(self) -> None:
        check(self.l1_weight >= 0, "l1_weight", ">= 0", self.l1_weight)

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


class LassoAndRidge(Convex):
    """Lasso and ridge, of single weights or of groups."""

    l1_ratio: float

    def __post_init__(self) -> None:
        check(0 <= self.l1_ratio <= 1, "l1_ratio", "from 0 to 1", self.l1_ratio)

    def ridge_strength(self, groups: Groups, lam: Tensor) -> Tensor:
        """Strength of the ridge part, (M, G); zero for unpenalised parameters."""
        return lam[:, None] * (groups.penalised * (1 - self.l1_ratio))

    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Penalty of each network: (M, P), (M,) -> (M,)."""
        ridge = groups.sum(W * W) * self.ridge_strength(groups, lam)
        return self.l1_ratio * GroupLasso().value(W, groups, lam) + ridge.sum(-1) / 2

    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Soft threshold every group, then shrink it proportionally."""
        U = GroupLasso().prox(W, groups, step * self.l1_ratio, lam, out)
        return groups.scale(U, 1 / (1 + step * self.ridge_strength(groups, lam)), U)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the subdifferential, (M, P), (M, P) -> (M, G)."""
        rest = grad + groups.scale(W, self.ridge_strength(groups, lam))
        lasso = self.l1_ratio * lam
        return GroupLasso().subgradient_distance(W, rest, groups, lasso)


@dataclass(frozen=True)
class ElasticNet(LassoAndRidge):
    """Elastic net: R(W) = lam (a sum abs(w) + (1 - a)/2 sum w^2).

    Parameters
    ----------
    l1_ratio : float, default=0.5
        Share a of the lasso, from 0 to 1.

    References
    ----------
    .. [1] H. Zou, T. Hastie, "Regularization and variable selection via the elastic
       net", JRSS B 67(2), 2005.

    Examples
    --------
    >>> from skgroupnet.penalties import ElasticNet
    >>> ElasticNet(l1_ratio=0.9)
    ElasticNet(l1_ratio=0.9)
    """

    l1_ratio: float = 0.5
    groups_of = "weights"


@dataclass(frozen=True)
class GroupElasticNet(LassoAndRidge):
    """Group elastic net, sum_g lam (a sqrt(size) norm(W_g) + (1 - a)/2 norm(W_g)^2).

    Parameters
    ----------
    l1_ratio : float, default=0.5
        Share a of the group lasso, from 0 to 1.

    References
    ----------
    .. [1] H. Zou, T. Hastie, "Regularization and variable selection via the elastic
       net", JRSS B 67(2), 2005.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupElasticNet
    >>> GroupElasticNet(l1_ratio=0.9)
    GroupElasticNet(l1_ratio=0.9)
    """

    l1_ratio: float = 0.5


def _soft_threshold(W: Tensor, threshold: Tensor) -> Tensor:
    """Elementwise sign(w) (abs(w) - threshold)_+, with exact zeros."""
    return W - W.clamp(-threshold, threshold)
