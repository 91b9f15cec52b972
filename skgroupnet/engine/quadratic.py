r"""A quadratic model of few weights with a convex penalty, minimised to the end.

    g'(B - B_0) + (B - B_0)'M (B - B_0) / 2 + R(B)

Descent over the groups (descent.py) finds which of them are zero, but may need any
number of passes where columns are almost dependent.  Between its passes, Newton's
method finds the minimum over the weights that are not zero, where R is smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.descent import Blocks, Curvature, Descent
from skgroupnet.engine.plan import ELASTIC, RIDGE, SPARSE_SOFT

# Relative to the second moment of a column: what makes their matrix positive definite
# with the rounding of float64, of columns that nearly depend, and of float32.
JITTERS = 1e-10, 1e-8, 1e-6
# A Cholesky factor of P weights costs as much as P / 192 passes over them, products
# being faster; that many passes, and at least these, go between two of them.
LEAST_PASSES, WEIGHTS_PER_PASS = 10, 192
# Rows whose products with one another are made at a time: they stay in the cache.
MOMENT_ROWS = 1024
# Intercepts of a softmax count but for their mean: an eigenvalue of their curvature,
# its diagonal being one, that is not greater than this is zero.
UNDETERMINED = 1e-10
# Relative to second moments: rounding of differences of them.
CANCELLED = 1e-14
# Rounds of descent and Newton's method; and Newton steps, and halvings, in each.
MOST_ROUNDS, MOST_STEPS, MOST_HALVINGS = 30, 20, 50
# A round that lowers the objective by this share of all rounds before is rounding.
NO_FALL = 1e-12
# What is left of a weight that a line ends at the zero of, to rounding.
ZERO_SHARE = 1e-12


def minimise(
    blocks: Blocks,
    chosen: np.ndarray,
    moments: Tensor,
    slopes: Tensor,
    weights: Tensor,
    tol: float,
) -> bool:
    """Minimise a quadratic model with its penalty; the weights are changed in place.

    Parameters
    ----------
    blocks : Blocks
        All blocks.
    chosen : int ndarray
        The blocks of the model.
    moments : Tensor of shape (c, c)
        M, the same for every output; its diagonal is raised a little.
    slopes : Tensor of shape (c, k)
        g, the gradient where the weights are.
    weights : Tensor of shape (c, k)
        B_0, changed in place; all in float64.
    tol : float
        Largest gradient that may still move a block, per root of its size and in the
        unit of the block.

    Returns
    -------
    bool
        Whether M has a Cholesky factor; if not, nothing is changed.
    """
    if not len(weights):
        return True
    diagonal = moments.diagonal()
    size = diagonal.where(diagonal > 0, 1.0).sqrt()
    diagonal.copy_(size.square())
    for share in JITTERS:
        diagonal *= 1 + share
        root, failed = torch.linalg.cholesky_ex(moments / size / size[:, None])
        if not failed:
            break
    else:
        return False
    root *= size[:, None]
    root, start = root.contiguous(), weights.clone()
    begin = torch.linalg.solve_triangular(root, slopes, upper=False).T.contiguous()
    errors, flat = begin.clone(), Curvature(torch.ones_like(root[:1]), False)
    descent = Descent(blocks, chosen, root, flat, errors, weights)
    support = _Support(_Penalty.of(blocks, chosen, weights), moments, slopes, start)
    passes = max(LEAST_PASSES, weights.numel() // WEIGHTS_PER_PASS)
    first = last = support.objective(start.view(-1))
    for _ in range(MOST_ROUNDS):
        if descent.run(tol, passes):
            break
        lowest = support.minimise(weights, tol)
        if last - lowest <= NO_FALL * (first - lowest):
            break
        last = lowest
        errors.copy_(begin + (weights - start).T @ root)
    return True


def coupled_moments(rows: Tensor, diagonal: Tensor, cross: Tensor | None) -> Tensor:
    """Second moments of all weights where each output has curvatures of its own.

    sum_i H_i x x_i', of all outputs and columns, H_i being d_i on the diagonal and
    -q_i q_i' off it.

    Parameters
    ----------
    rows : Tensor of shape (c, n)
        The columns x as rows.
    diagonal : Tensor of shape (k, n)
        The d; no difference of products, which cancels where a row is certain.
    cross : Tensor of shape (k, n) or None
        The q; None: zero.

    Returns
    -------
    Tensor of shape (c, k, c, k)
        The moments, in float64.
    """
    (c, n), k = rows.shape, len(diagonal)
    total = torch.zeros((k, c, k, c), dtype=torch.float64)
    for start in range(0, n, MOMENT_ROWS):
        part = slice(start, start + MOMENT_ROWS)
        x, d = rows[:, part].double(), diagonal[:, part].double()
        for o in range(k):
            total[o, :, o] += (x * d[o]) @ x.T
        if cross is not None:
            z = (cross[:, None, part].double() * x).flatten(0, 1)
            for o in range(k - 1):
                product = z[o * c : (o + 1) * c] @ z[(o + 1) * c :].T
                total[o, :, o + 1 :] -= product.view(c, k - o - 1, c)
    upper = total.view(k * c, k * c).triu_()
    whole = upper + upper.triu(1).T
    return whole.view(k, c, k, c).permute(1, 0, 3, 2)


def eliminate(
    moments: Tensor, slopes: Tensor, n: int
) -> tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]:
    """Leave intercepts out of a quadratic model: they are the best at any weights.

    Parameters
    ----------
    moments : Tensor of shape (n + k, n + k)
        Second moments of the weights, and then of the intercepts.
    slopes : Tensor of shape (n + k,)
        Gradient of the same.
    n : int
        Number of weights.

    Returns
    -------
    moments, slopes : Tensor of shape (n, n) and (n,)
        The model of the weights alone.
    best : callable
        Move of the intercepts (k,), as far as it is determined, from that of the
        weights (n,).
    """
    aside, own = moments[:n, n:], moments[n:, n:]
    unit = own.diagonal().clamp_min(torch.finfo(own.dtype).tiny).rsqrt()
    inverse = torch.linalg.pinv(unit[:, None] * own * unit, rtol=UNDETERMINED)
    inverse = unit[:, None] * inverse * unit
    schur = moments[:n, :n] - aside @ inverse @ aside.T
    schur.diagonal().add_(moments.diagonal()[:n], alpha=CANCELLED)
    slope = slopes[:n] - aside @ (inverse @ slopes[n:])
    return schur, slope, lambda move: -inverse @ (slopes[n:] + aside.T @ move)


@dataclass(frozen=True)
class _Penalty:
    """A norm of every group, the l1 norm and half the squared norm of the weights.

    Parameters
    ----------
    group : int Tensor of shape (P,)
        Group of each weight.
    norm, l1, ridge : Tensor of shape (P,)
        Strength of each part at each weight.
    unit : Tensor of shape (P,)
        What the gradient of each is measured in.
    """

    group: Tensor
    norm: Tensor
    l1: Tensor
    ridge: Tensor
    unit: Tensor

    @classmethod
    def of(cls, blocks: Blocks, chosen: np.ndarray, weights: Tensor) -> _Penalty:
        """Read the strengths of some blocks."""
        sizes = torch.from_numpy(blocks.sizes[chosen]) * weights.shape[1]
        group = torch.arange(len(sizes)).repeat_interleave(sizes)
        strength = blocks.strength[chosen].double()[group]
        other = blocks.other[chosen].double()[group]
        unit = blocks.unit[chosen].double()[group]
        none = torch.zeros_like(strength)
        l1 = other if blocks.shrink == SPARSE_SOFT else none
        ridge = other if blocks.shrink == ELASTIC else none
        if blocks.shrink == RIDGE:
            return cls(group, none, none, strength, unit)
        # The norm of one number bends nowhere; as a norm it would, by rounding.
        single = (sizes == 1)[group] | blocks.elementwise
        l1 = l1 + strength.where(single, none)
        return cls(group, strength.where(~single, none), l1, ridge, unit)

    def norms(self, w: Tensor) -> Tensor:
        """Norm of the group of each weight."""
        return self._sums(w * w).sqrt()

    def without_turns(self, w: Tensor, new: Tensor) -> Tensor:
        """Set to zero what passes zero from w to new."""
        inner = w * new
        turned = (self.norm > 0) & (self._sums(inner) <= 0)
        return new.where(~(turned | (self.l1 > 0) & (inner < 0)), 0.0)

    def without_rest(self, w: Tensor, new: Tensor) -> Tensor:
        """Set to zero what is zero up to rounding, going from w to new."""
        small = (self.norm > 0) & (self.norms(new) <= ZERO_SHARE * self.norms(w))
        small |= (self.l1 > 0) & (new.abs() <= ZERO_SHARE * w.abs())
        return new.where(~small, 0.0)

    def _sums(self, each: Tensor) -> Tensor:
        """Sum over the group of each weight."""
        sums = each.new_zeros(int(self.group[-1]) + 1)
        return sums.index_add_(0, self.group, each)[self.group]

    def value(self, w: Tensor) -> float:
        """Penalty of the weights (P,)."""
        norms = self.norms(w)
        each = w * w / norms.where(norms > 0, norms.new_ones(()))
        total = self.norm * each + self.l1 * w.abs() + self.ridge * w * w / 2
        return float(total.sum())

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient where no weight with a norm is zero."""
        norms = self.norms(w)
        unit = w / norms.where(norms > 0, norms.new_ones(()))
        return self.norm * unit + self.l1 * w.sign() + self.ridge * w

    def hessian(self, w: Tensor, at: Tensor) -> Tensor:
        """Second derivatives at some weights: (P,), (s,) -> (s, s)."""
        norms = self.norms(w)[at]
        norms = norms.where(norms > 0, norms.new_ones(()))
        group, unit, bend = self.group[at], w[at] / norms, self.norm[at] / norms
        hessian = -torch.outer(bend * unit, unit) * (group[:, None] == group)
        hessian.diagonal().add_(bend + self.ridge[at])
        return hessian


class _Support:
    """Newton's method over the weights that are not zero.

    Weights, (c, k) elsewhere, are flat here.
    """

    def __init__(
        self, penalty: _Penalty, moments: Tensor, slopes: Tensor, start: Tensor
    ) -> None:
        self._penalty, self._moments = penalty, moments
        self._slopes, self._start = slopes.reshape(-1), start.reshape(-1)
        self._k = start.shape[1]

    def _pull(self, w: Tensor) -> Tensor:
        """Product of M with the way from the start."""
        way = (w - self._start).view(-1, self._k)
        return (self._moments @ way).view(-1)

    def objective(self, w: Tensor) -> float:
        """Objective at the weights, but for what is constant."""
        way = w - self._start
        model = (self._slopes + self._pull(w) / 2) @ way
        return float(model) + self._penalty.value(w)

    def minimise(self, weights: Tensor, tol: float) -> float:
        """Go down while the objective falls, and return it; the zeros stay."""
        w = weights.reshape(-1).clone()
        objective = self.objective(w)
        for _ in range(MOST_STEPS):
            at = self._support(w)
            slope = self._slope(w)[at]
            if not bool((slope.abs() > tol * self._penalty.unit[at]).any()):
                break
            step = self._newton_step(w, at, slope)
            lower = None if step is None else self._search(w, at, step, objective)
            if lower is None:
                break
            w, objective = lower
        weights.copy_(w.view_as(weights))
        return objective

    def _support(self, w: Tensor) -> Tensor:
        """Where weights are not zero, or no penalty holds them there."""
        free = (self._penalty.norm == 0) & (self._penalty.l1 == 0)
        return ((w != 0) | free).nonzero()[:, 0]

    def _slope(self, w: Tensor) -> Tensor:
        """Gradient of the objective on the support."""
        return self._slopes + self._pull(w) + self._penalty.gradient(w)

    def _newton_step(self, w: Tensor, at: Tensor, slope: Tensor) -> Tensor | None:
        column, output = at // self._k, at % self._k
        hessian = self._moments[column][:, column]
        if self._k > 1:
            hessian = hessian * (output[:, None] == output)
        root, failed = torch.linalg.cholesky_ex(hessian + self._penalty.hessian(w, at))
        if failed:
            return None
        return -torch.cholesky_solve(slope[:, None], root)[:, 0]

    def _search(
        self, w: Tensor, at: Tensor, step: Tensor, objective: float
    ) -> tuple[Tensor, float] | None:
        """Go along a step to a lower objective.

        All of it, or a part, is tried with what passes zero on the way set to it; else
        it ends at the minimum along it, often where the first weight is zero.
        """
        way = torch.zeros_like(w).index_add_(0, at, step)
        for part in (1.0, 0.5, 0.25):
            new = self._penalty.without_turns(w, w + part * way)
            value = self.objective(new)
            if value < objective:
                return new, value
        lower = self._without(w, way, objective)
        if lower is not None:
            return lower
        new = w + self._minimum_along(w, way) * way
        new = self._penalty.without_rest(w, new)
        value = self.objective(new)
        return (new, value) if value < objective else None

    def _without(
        self, w: Tensor, way: Tensor, objective: float
    ) -> tuple[Tensor, float] | None:
        """Set to zero what passes zero on a way, and go on from there without it."""
        w = w.where(self._penalty.without_turns(w, w + way) != 0, 0.0)
        at = self._support(w)
        step = self._newton_step(w, at, self._slope(w)[at])
        if step is None:
            return None
        new = self._penalty.without_turns(w, w.index_add(0, at, step))
        value = self.objective(new)
        return (new, value) if value < objective else None

    def _minimum_along(self, w: Tensor, way: Tensor) -> float:
        """Part of a way at whose end the objective is least."""
        pull = self._pull(self._start + way)
        slope = float((self._slopes + self._pull(w)) @ way)
        bend, low, high = float(pull @ way), 0.0, 1.0
        for _ in range(MOST_HALVINGS):
            part = (low + high) / 2
            rise = self._penalty.gradient(w + part * way) @ way
            below = slope + part * bend + float(rise) < 0
            low, high = (part, high) if below else (low, part)
        return high
