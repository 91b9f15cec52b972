"""Path norm of a network: the layers in pairs, a neuron as a group of both.

Matrices are taken in pairs, (W_1, W_2), (W_3, W_4), ...; w_k and v_k are the incoming
and the outgoing weights of the hidden unit k between the two matrices of a pair.  A
last matrix without a partner, and biases that are penalised, get weight decay::

    R(W) = lam sum_k norm(v_k) + lam/2 norm(rest)^2    with norm(w_k) = 1 for all k

Where activations are positively homogeneous, weight decay on w_k and v_k has the
same minima as lam sum_k norm(w_k) norm(v_k), and the constraint costs nothing.  It is
part of R: without strength (lam = 0) there is none.  Groups are not weighted by their
size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skgroupnet.penalties.base import (
    LARGEST,
    SMALLEST,
    Penalty,
    distance_with_slope,
)

if TYPE_CHECKING:
    from torch import Tensor

    from skgroupnet.penalties.groups import Groups


@dataclass(frozen=True)
class PathNorm(Penalty):
    """Path norm: R(W) = lam sum_k norm(w_k) norm(v_k), and norm(w_k) = 1.

    w_k and v_k are the incoming and the outgoing weights of a hidden unit between two
    matrices; these are taken in pairs. A last one without a partner gets weight decay,
    lam/2 sum w^2. The penalty is made for relu networks; it has groups of its own and
    no others.

    References
    ----------
    .. [1] R. Parhi, R. D. Nowak, "Banach space representer theorems for neural
       networks and ridge splines", JMLR 22, 2021.
    .. [2] L. Yang, J. Zhang, J. Shenouda, D. Papailiopoulos, K. Lee, R. D. Nowak,
       "A better way to decay: proximal gradient training algorithms for neural nets",
       2022 (the prox).

    Examples
    --------
    >>> from skgroupnet.penalties import PathNorm
    >>> PathNorm()
    PathNorm()
    """

    groups_of = "pairs"

    def value(self, W: Tensor, groups: Groups, lam: Tensor) -> Tensor:
        """Penalty of each network: (M, P), (M,) -> (M,).

        Off the constraint it is what the network has after w_k is divided by its
        length and v_k multiplied by it.
        """
        incoming, outgoing, rest = _roles(groups)
        norms = groups.norm(W)
        paths = norms[:, incoming[0]] * norms[:, outgoing[0]]
        decay = (norms.square() * rest).sum(1) / 2
        return lam * (paths.sum(1) + decay)

    def prox(
        self,
        W: Tensor,
        groups: Groups,
        step: Tensor,
        lam: Tensor,
        out: Tensor | None = None,
    ) -> Tensor:
        """Proximal point: w_k / norm(w_k), and a group soft threshold of v_k."""
        incoming, outgoing, rest = _roles(groups)
        bound = incoming & (lam[:, None] > 0)
        tau = step * lam[:, None]
        norms = groups.norm(W).clamp_(SMALLEST, LARGEST)
        soft = (norms - tau).clamp_min(0.0) / norms
        factors = (1 / (1 + tau)).where(rest, 1.0)
        factors = (1 / norms).where(bound, soft.where(outgoing, factors))
        U = groups.scale(W, factors, out)
        # Once more: the square of a norm may have been too small or too large.
        norms = groups.norm(U).clamp_min(SMALLEST)
        return groups.scale(U, (1 / norms).where(bound, 1.0), U)

    def subgradient_distance(
        self, W: Tensor, grad: Tensor, groups: Groups, lam: Tensor
    ) -> Tensor:
        """Distance from ``-grad`` to the subdifferential, (M, P), (M, P) -> (M, G).

        Of w_k only the part along the sphere counts.
        """
        incoming, outgoing, rest = _roles(groups)
        bound = incoming & (lam[:, None] > 0)
        norms = groups.norm(W)
        radial = -groups.sum(W * grad) / norms.clamp_min(SMALLEST)
        slope = (lam[:, None] * norms).where(rest, 0.0)
        slope = radial.where(bound, lam[:, None].where(outgoing, slope))
        return distance_with_slope(W, grad, groups, norms, slope)


def _roles(groups: Groups) -> tuple[Tensor, Tensor, Tensor]:
    """Which groups are incoming weights of a pair, outgoing ones, or neither."""
    layer, penalised = groups.layer, groups.penalised > 0
    n_matrices, first = layer.amax(), layer % 2 == 0
    incoming = penalised & first & (layer + 1 < n_matrices)
    outgoing = penalised & ~first & (layer < n_matrices)
    return incoming, outgoing, penalised & ~incoming & ~outgoing
