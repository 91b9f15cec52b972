"""Adaptive group lasso: groups that were long in a first fit are shrunk less."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from skgroupnet.penalties.base import check
from skgroupnet.penalties.convex import SoftThreshold

if TYPE_CHECKING:
    import numpy as np

# Instead of an infinite factor: such a group stays zero.
LARGEST_FACTOR = 1e10


@dataclass(frozen=True)
class AdaptiveGroupLasso(SoftThreshold):
    """Adaptive group lasso: R(W) = lam sum_g factor_g sqrt(size of g) norm(W_g).

    factor_g = 1 / norm(V_g)^gamma, V the weights of a first fit by group lasso: the
    penalty is trained in two stages.

    Parameters
    ----------
    gamma : float, default=1.0
        Exponent of the norms, > 0.

    References
    ----------
    .. [1] H. Zou, "The adaptive lasso and its oracle properties", JASA 101, 2006.
    .. [2] V. C. Dinh, L. S. Ho, "Consistent feature selection for analytic deep neural
       networks", NeurIPS 2020.

    Examples
    --------
    >>> from skgroupnet.penalties import AdaptiveGroupLasso
    >>> AdaptiveGroupLasso(gamma=2.0)
    AdaptiveGroupLasso(gamma=2.0)
    """

    adaptive: ClassVar[bool] = True
    gamma: float = 1.0

    def __post_init__(self) -> None:
        check(self.gamma > 0, "gamma", "> 0", self.gamma)

    def factors(self, norms: np.ndarray) -> np.ndarray:
        """Relative weights of groups with these norms in the first fit, at most 1e10.

        Parameters
        ----------
        norms : ndarray of shape (G,)
            Norms of the groups.

        Returns
        -------
        ndarray of shape (G,)
            The weights.
        """
        return 1 / (norms.astype(float) ** self.gamma).clip(1 / LARGEST_FACTOR)
