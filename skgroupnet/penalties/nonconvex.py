"""Concave penalties of group norms that level off: MCP, SCAD, capped l1, tl1, log.

Each is the scalar penalty p(r; lam) of single weights, or of the norms of groups with
lam sqrt(size) in the place of lam, knots included.  Their proximal operators are exact
for every step: where the proximal problem has two minima, the lower one.

References
----------
J. Huang, P. Breheny, S. Ma, "A selective review of group selection in high-dimensional
models", Stat. Sci. 27(4), 2012 (the group forms).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skgroupnet.penalties.base import LARGEST, NormPenalty, check

if TYPE_CHECKING:
    from torch import Tensor

    from skgroupnet.penalties.groups import Groups


class FirmThreshold(NormPenalty):
    """Minimax concave: lam r - r^2/(2 gamma) up to gamma lam, then constant."""

    gamma: float

    def __post_init__(self) -> None:
        check(self.gamma > 1, "gamma", "> 1", self.gamma)

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value of the scalar function."""
        r = norms.minimum(self.gamma * lam)
        return r * (lam - r / (2 * self.gamma))

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Firm threshold; for steps of gamma and longer a hard one."""
        firm = (norms - step * lam).clamp_min(0.0) / (1 - step / self.gamma)
        firm = firm.minimum(norms).where(norms <= self.gamma * lam, norms)
        hard = norms.where(norms > lam * (step * self.gamma).sqrt(), 0.0)
        return firm.where(step < self.gamma, hard)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope (lam - r / gamma)_+."""
        return (lam - norms / self.gamma).clamp_min(0.0)

    def concavity(self, lam: Tensor) -> Tensor:
        """Slope that falls by 1 / gamma."""
        return lam.new_full(lam.shape, 1 / self.gamma)


@dataclass(frozen=True)
class MCP(FirmThreshold):
    """Minimax concave penalty: R(W) = sum p(abs(w); lam).

    p(r; lam) = lam r - r^2/(2 gamma) for r <= gamma lam, then gamma lam^2/2.

    Parameters
    ----------
    gamma : float, default=3.0
        Where the penalty levels off, in units of lam; > 1.

    References
    ----------
    .. [1] C.-H. Zhang, "Nearly unbiased variable selection under minimax concave
       penalty", Ann. Stat. 38(2), 2010.

    Examples
    --------
    >>> from skgroupnet.penalties import MCP
    >>> MCP(gamma=2.0)
    MCP(gamma=2.0)
    """

    gamma: float = 3.0
    groups_of = "weights"


@dataclass(frozen=True)
class GroupMCP(FirmThreshold):
    """Group minimax concave penalty: R(W) = sum_g p(norm(W_g); lam sqrt(size of g)).

    p(r; lam) = lam r - r^2/(2 gamma) for r <= gamma lam, then gamma lam^2/2.

    Parameters
    ----------
    gamma : float, default=3.0
        Where the penalty levels off, in units of lam sqrt(size); > 1.

    References
    ----------
    .. [1] C.-H. Zhang, "Nearly unbiased variable selection under minimax concave
       penalty", Ann. Stat. 38(2), 2010.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupMCP
    >>> GroupMCP(gamma=2.0)
    GroupMCP(gamma=2.0)
    """

    gamma: float = 3.0


class ClippedDeviation(NormPenalty):
    """Slope lam up to lam, then falling to zero at a lam."""

    a: float

    def __post_init__(self) -> None:
        check(self.a > 2, "a", "> 2", self.a)

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value of the scalar function."""
        bent = norms.minimum(self.a * lam)
        beyond = (bent - lam).clamp_min(0.0)
        return lam * bent - beyond * beyond / (2 * (self.a - 1))

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Soft, bent, or none; for long steps soft or none; for longer ones hard."""
        a, tau = self.a, step * lam
        soft = (norms - tau).clamp_min(0.0)
        bent = norms - step * (a * lam - norms) / (a - 1 - step)
        bent = bent.clamp_min(0.0).minimum(norms)
        short = bent.where(norms <= a * lam, norms)
        short = soft.where(norms <= (1 + step) * lam, short)
        long = soft.where(norms <= lam * ((a + 1 + step) / 2), norms)
        hard = norms.where(norms > lam * (step * (a + 1)).sqrt(), 0.0)
        return short.where(step < a - 1, long.where(step <= a + 1, hard))

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam, then (a lam - r)_+ / (a - 1)."""
        return ((self.a * lam - norms).clamp_min(0.0) / (self.a - 1)).minimum(lam)

    def concavity(self, lam: Tensor) -> Tensor:
        """Slope that falls by 1 / (a - 1)."""
        return lam.new_full(lam.shape, 1 / (self.a - 1))


@dataclass(frozen=True)
class SCAD(ClippedDeviation):
    """Smoothly clipped absolute deviation: R(W) = sum p(abs(w); lam).

    p(r; lam) = lam r for r <= lam, (2 a lam r - r^2 - lam^2) / (2 (a - 1)) for
    r <= a lam, then lam^2 (a + 1) / 2.

    Parameters
    ----------
    a : float, default=3.7
        Where the penalty levels off, in units of lam; > 2.

    References
    ----------
    .. [1] J. Fan, R. Li, "Variable selection via nonconcave penalized likelihood and
       its oracle properties", JASA 96, 2001.

    Examples
    --------
    >>> from skgroupnet.penalties import SCAD
    >>> SCAD()
    SCAD(a=3.7)
    """

    a: float = 3.7
    groups_of = "weights"


@dataclass(frozen=True)
class GroupSCAD(ClippedDeviation):
    """Group SCAD: R(W) = sum_g p(norm(W_g); lam sqrt(size of g)).

    p(r; lam) = lam r for r <= lam, (2 a lam r - r^2 - lam^2) / (2 (a - 1)) for
    r <= a lam, then lam^2 (a + 1) / 2.

    Parameters
    ----------
    a : float, default=3.7
        Where the penalty levels off, in units of lam sqrt(size); > 2.

    References
    ----------
    .. [1] J. Fan, R. Li, "Variable selection via nonconcave penalized likelihood and
       its oracle properties", JASA 96, 2001.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupSCAD
    >>> GroupSCAD()
    GroupSCAD(a=3.7)
    """

    a: float = 3.7


class Capped(NormPenalty):
    """Linear up to theta, then constant."""

    theta: float

    def __post_init__(self) -> None:
        check(self.theta > 0, "theta", "> 0", self.theta)

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam min(r, theta)."""
        return lam * norms.clamp_max(self.theta)

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Soft below the middle of the jump, none above; for long steps hard."""
        tau = step * lam
        soft = (norms - tau).clamp_min(0.0)
        soft = soft.where(norms <= self.theta + tau / 2, norms)
        hard = norms.where(norms > (2 * self.theta * tau).sqrt(), 0.0)
        return soft.where(tau <= 2 * self.theta, hard)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam, then 0."""
        return lam.where(norms < self.theta, 0.0)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance to the directional subdifferential; at the kink there is none.

        There it is the longer one of the ways downhill, inwards and outwards.
        """
        outwards = super().subgradient_distance(W, grad, groups, lam)
        norms = groups.norm(W)
        pull = groups.scale(W, groups.strength(lam) / norms.clamp_min(self.theta))
        inwards = groups.norm(grad + pull)
        return outwards.maximum(inwards).where(norms == self.theta, outwards)


@dataclass(frozen=True)
class CappedL1(Capped):
    """Capped l1 penalty: R(W) = lam sum min(abs(w), theta).

    Parameters
    ----------
    theta : float, default=1.0
        Size from which on a weight costs no more; > 0.

    References
    ----------
    .. [1] T. Zhang, "Analysis of multi-stage convex relaxation for sparse
       regularization", JMLR 11, 2010.

    Examples
    --------
    >>> from skgroupnet.penalties import CappedL1
    >>> CappedL1(theta=0.5)
    CappedL1(theta=0.5)
    """

    theta: float = 1.0
    groups_of = "weights"


@dataclass(frozen=True)
class GroupCappedL1(Capped):
    """Group capped l1: R(W) = lam sum_g sqrt(size of g) min(norm(W_g), theta).

    Parameters
    ----------
    theta : float, default=1.0
        Norm from which on a group costs no more; > 0.

    References
    ----------
    .. [1] T. Zhang, "Analysis of multi-stage convex relaxation for sparse
       regularization", JMLR 11, 2010.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupCappedL1
    >>> GroupCappedL1(theta=0.5)
    GroupCappedL1(theta=0.5)
    """

    theta: float = 1.0


class Transformed(NormPenalty):
    """Fractional: lam (a + 1) r / (a + r)."""

    a: float

    def __post_init__(self) -> None:
        check(self.a > 0, "a", "> 0", self.a)

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam (a + 1) r / (a + r)."""
        return lam * ((self.a + 1) / (1 + self.a / norms))

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Largest root of a cubic, in a form that does not cancel."""
        a, tau, reach = self.a, step * lam, self.a + norms
        early = tau * ((a + 1) / a)
        late = (2 * (a + 1) * tau).sqrt() - a / 2
        threshold = early.where(tau <= a * a / (2 * (a + 1)), late)
        cube = 6.75 * (tau / reach) * (a / reach) * ((a + 1) / reach)
        angle = cube.clamp_max(1.0).sqrt().arcsin() / 3
        root = norms - reach * (4 / 3 * angle.sin().square())
        return root.clamp_min(0.0).where(norms > threshold, 0.0)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam a (a + 1) / (a + r)^2."""
        reach = self.a + norms
        return lam * (self.a / reach) * ((self.a + 1) / reach)

    def concavity(self, lam: Tensor) -> Tensor:
        """Slope that falls fastest at zero, by 2 lam (a + 1) / a^2."""
        return lam * (2 * (self.a + 1) / self.a / self.a)


@dataclass(frozen=True)
class TransformedL1(Transformed):
    """Transformed l1 penalty: R(W) = lam sum (a + 1) abs(w) / (a + abs(w)).

    Parameters
    ----------
    a : float, default=1.0
        Shape, > 0: from the number of non-zero weights (0) to l1 (infinite).

    References
    ----------
    .. [1] S. Zhang, J. Xin, "Minimization of transformed L1 penalty: closed form
       representation and iterative thresholding algorithms", Commun. Math. Sci. 15(2),
       2017.

    Examples
    --------
    >>> from skgroupnet.penalties import TransformedL1
    >>> TransformedL1(a=0.5)
    TransformedL1(a=0.5)
    """

    a: float = 1.0
    groups_of = "weights"


@dataclass(frozen=True)
class GroupTransformedL1(Transformed):
    """Group transformed l1: lam sum_g sqrt(size) (a + 1) norm(W_g) / (a + norm(W_g)).

    Parameters
    ----------
    a : float, default=1.0
        Shape, > 0: from the weighted number of groups (0) to group lasso (infinite).

    References
    ----------
    .. [1] S. Zhang, J. Xin, "Minimization of transformed L1 penalty: closed form
       representation and iterative thresholding algorithms", Commun. Math. Sci. 15(2),
       2017.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupTransformedL1
    >>> GroupTransformedL1(a=0.5)
    GroupTransformedL1(a=0.5)
    """

    a: float = 1.0


class Logarithmic(NormPenalty):
    """Logarithm: lam log(1 + r / eps)."""

    eps: float

    def __post_init__(self) -> None:
        check(self.eps > 0, "eps", "> 0", self.eps)

    def profile(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Value lam log(1 + r / eps)."""
        return lam * (norms / self.eps).log1p()

    def shrink(self, norms: Tensor, step: Tensor, lam: Tensor) -> Tensor:
        """Larger root of a quadratic, where that is lower than zero."""
        eps, tau = self.eps, step * lam
        reach = norms + eps
        discriminant = reach.square() - 4 * tau
        root = norms - 2 * tau / (reach + discriminant.clamp_min(0.0).sqrt())
        root = root.clamp_min(0.0).where(discriminant >= 0, 0.0)
        # Both sides over the root, which may be huge.
        gained = norms - root / 2
        paid = tau * (root / eps).clamp_max(LARGEST).log1p() / root
        far = root.where(gained > paid, 0.0)
        near = root.where(norms > tau / eps, 0.0)
        return near.where(tau <= eps * eps, far)

    def slope(self, norms: Tensor, lam: Tensor) -> Tensor:
        """Slope lam / (r + eps)."""
        return lam / (norms + self.eps)

    def concavity(self, lam: Tensor) -> Tensor:
        """Slope that falls fastest at zero, by lam / eps^2."""
        return lam / self.eps / self.eps


@dataclass(frozen=True)
class Log(Logarithmic):
    """Log penalty: R(W) = lam sum log(1 + abs(w) / eps).

    Parameters
    ----------
    eps : float, default=0.1
        Scale of the logarithm, > 0; the slope at zero is lam / eps.

    References
    ----------
    .. [1] E. J. Candes, M. B. Wakin, S. P. Boyd, "Enhancing sparsity by reweighted l1
       minimization", J. Fourier Anal. Appl. 14, 2008.

    Examples
    --------
    >>> from skgroupnet.penalties import Log
    >>> Log()
    Log(eps=0.1)
    """

    eps: float = 0.1
    groups_of = "weights"


@dataclass(frozen=True)
class GroupLog(Logarithmic):
    """Group log penalty: R(W) = lam sum_g sqrt(size of g) log(1 + norm(W_g) / eps).

    Parameters
    ----------
    eps : float, default=0.1
        Scale of the logarithm, > 0; the slope at zero is lam sqrt(size) / eps.

    References
    ----------
    .. [1] E. J. Candes, M. B. Wakin, S. P. Boyd, "Enhancing sparsity by reweighted l1
       minimization", J. Fourier Anal. Appl. 14, 2008.

    Examples
    --------
    >>> from skgroupnet.penalties import GroupLog
    >>> GroupLog()
    GroupLog(eps=0.1)
    """

    eps: float = 0.1
