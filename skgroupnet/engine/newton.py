r"""Proximal Newton method on working sets of features, for linear models.

With raw prediction f = X W + b, errors e_i = s_i (h(f_i) - y_i) / n and derivatives
d_i = s_i h'(f_i) / n of them, one iteration minimises over the working set

    sum_k (e_k + d_k v_k / 2)'v_k + R(W),      v_k = X (W - W_0)_k + (b - b_0)_k,

by block coordinate descent in compiled code (step/descent.h), and goes along the line
to its minimum as far as the objective falls.  Once the descent has gone over the rows
as often as the second moments of the columns cost, it goes on with these: their
Cholesky factor is a problem of the same form, with as many rows as there are columns.

The working set holds the groups that are not zero and those that a proximal step would
move, the furthest first, at most as many again.  What is outside costs one product with
X for each working set.

References
----------
J. Friedman, T. Hastie, R. Tibshirani, "Regularization paths for generalized linear
models via coordinate descent", J. Stat. Softw. 33(1), 2010.
Q. Bertrand, Q. Klopfenstein, P.-A. Bannier, G. Gidel, M. Massias, "Beyond L1: faster
and better sparse models with skglm", NeurIPS 2022.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.descent import MOST_COUPLED, Blocks, Curvature, Descent
from skgroupnet.engine.linear import LEAST_CURVATURE, LinearModel, epoch_of
from skgroupnet.engine.panel import DensePanel, Panel, SparsePanel
from skgroupnet.engine.problem import Fit, Model, Outcome, Problem, Watch
from skgroupnet.engine.quadratic import coupled_moments, eliminate, minimise
from skgroupnet.engine.threads import flushing, threads_for
from skgroupnet.network import Network

# A working set has room for so many columns at least.
LEAST_ROOM = 64
# Products of matrices are so many times as fast as passes over their rows.
PRODUCT_SPEED = 16
# Passes of a descent: over the rows where there are no second moments, and over these.
MOST_PASSES, MOMENT_PASSES = 100, 10_000
# Relative to the second moment of a column: what is left about the mean is rounding.
JITTER = 1e-10
# A descent, and a working set, ends at these shares of the gap it starts from.
DESCENT_SHARE, WORKING_SHARE = 0.1, 0.3
MAX_HALVINGS = 40
# Least curvature of a row, as a share of the mean, after a step of which only a part
# helps: its bounds, and what a full step leaves of it. Below them there is none.
LEAST_DAMPING, MOST_DAMPING, EASE = 1e-6, 1.0, 0.1
# Iterations that lower neither the objective nor the gap: rounding allows no more.
MAX_STALLED = 5


def newton(
    problem: Problem,
    models: Sequence[Model],
    max_iter: int,
    tol: float,
    watch: Watch | None = None,
    *,
    warm: bool = False,
) -> list[Fit]:
    """Minimise the objective of linear models over all their rows, one by one.

    Parameters
    ----------
    problem : Problem
        What the models share; `can_descend` says whether it is one for this method.
    models : sequence of Model
        Models without a hidden layer; their rate and random state are not used.
    max_iter : int
        Largest number of iterations of each.
    tol : float
        A model is done when the stationarity gap of each group is at most this, in the
        unit of the group (see `LinearModel`).
    watch : callable, default=None
        Called with an `Epoch` after every iteration; True ends the training.
    warm : bool, default=False
        Whether the models differ only in lam (and factors), and each starts from the
        solution of the one before.

    Returns
    -------
    list of Fit
        One result for each model.
    """
    widths = models[0].start.widths
    solver: _Newton | None = None
    fits: list[Fit] = []
    with torch.inference_mode():
        with threads_for(4.0 * problem.X.shape[0] * widths[0] * widths[1]):
            for m, model in enumerate(models):
                if warm and fits:
                    model = replace(model, start=fits[-1].network)
                same = warm and bool(fits) and model.factors is models[m - 1].factors
                if solver is None or not same:
                    solver = _Newton(LinearModel(problem, model))
                else:
                    solver.restart(model.lam)
                over = bool(fits) and fits[-1].outcome in ("interrupted", "stopped")
                fits.append(
                    Fit(model.start, [], "interrupted", [], {})
                    if over
                    else solver.run(max_iter, tol, watch, m, len(models))
                )
    return fits


class _Newton:
    """One model, or several that differ in lam, from a point that is kept.

    ``flat`` (1, P) holds W (d, k) and c (k,), see `LinearModel`, ``raw`` (k, n) their
    raw prediction;
    ``panel`` the columns of the working set, of the blocks ``chosen``.
    """

    def __init__(self, linear: LinearModel) -> None:
        self.linear = linear
        self.flat = linear.first
        self.raw = linear.raw(self.flat)
        self.n_columns = linear.data.n_features
        self.blocks = Blocks(linear, len(self.raw))
        self.objective = linear.mean_loss(self.raw) + linear.value(self.flat)
        self.chosen = np.empty(0, dtype=int)
        dense = linear.data.sparse is None
        self.rows = DensePanel(linear.data) if dense else None
        self.panel: Panel = self.rows or SparsePanel(linear.data)
        self.grad = linear.gradient(linear.errors(self.raw))
        self.steps = self._proximal_steps()
        self.damping = LEAST_CURVATURE

    def _proximal_steps(self) -> Tensor:
        """Step of each group (1, G) in the metric of the moments of its columns."""
        linear = self.linear
        of_column = torch.from_numpy(self.blocks.of_column)
        blocks = linear.moment.new_zeros(len(self.blocks.sizes))
        blocks.index_add_(0, of_column, linear.moment)
        each = torch.ones_like(self.flat)
        linear.split(each)[0].copy_(blocks[of_column][:, None])
        curvature = linear.loss.curvature
        if not math.isfinite(curvature):
            curvature = float((linear.y @ linear.scale).amax()) or 1.0
        mean = linear.shrinkage.groups.mean(each * curvature)
        return 1 / mean.where(mean > 0, mean.amax())

    def restart(self, lam: float) -> None:
        """Go on with another strength."""
        self.linear.shrinkage.lam = torch.full_like(self.linear.shrinkage.lam, lam)
        self.blocks.restart()
        self.raw = self.linear.raw(self.flat)
        self.objective = self.linear.mean_loss(self.raw) + self.linear.value(self.flat)

    def run(
        self, max_iter: int, tol: float, watch: Watch | None, number: int, n_models: int
    ) -> Fit:
        """Iterate to the tolerance; keep the last whole iteration on an interrupt."""
        curve: list[float] = []
        outcome: Outcome = "interrupted"

        def follow(running: bool) -> bool:
            epoch = epoch_of(number, n_models, curve, running, self._network)
            return watch is not None and watch(epoch)

        with contextlib.suppress(KeyboardInterrupt):
            outcome = self._iterate(max_iter, tol, follow, curve)
        return self.fit(curve, outcome)

    def fit(self, curve: list[float], outcome: Outcome) -> Fit:
        """Describe where the model is."""
        return Fit(self._network(), curve, outcome, [], {})

    def _network(self) -> Network:
        return self.linear.network(self.flat)

    def _iterate(
        self,
        max_iter: int,
        tol: float,
        follow: Callable[[bool], bool],
        curve: list[float],
    ) -> Outcome:
        """Iterate, with the objective written to ``curve``; return the verdict."""
        errors, gap = self.linear.errors(self.raw), self._choose()
        target, stalled, least = self._target(gap, tol), 0, math.inf
        for n_iter in range(1, max_iter + 1):
            before = self.objective
            self._step(errors, gap, tol)
            curve.append(self.objective)
            if not math.isfinite(self.objective):
                return "diverged"
            errors = self.linear.errors(self.raw)
            gap = self.linear.gap(self.flat, self._gradient(errors))
            lower = gap < least or before - self.objective > self._noise()
            stalled, least = 0 if lower else stalled + 1, min(gap, least)
            if gap <= target or stalled:
                errors, gap = self._afresh()
                target = self._target(gap, tol)
            done, last = gap <= tol, n_iter == max_iter or stalled == MAX_STALLED
            stop = follow(not (done or last))
            if done or stop:
                return "converged" if done else "stopped"
            if stalled == MAX_STALLED:
                return "stalled"
        return "max_iter"

    def _afresh(self) -> tuple[Tensor, float]:
        """Errors and gap of a raw prediction that has not followed many moves."""
        linear = self.linear
        W, c = linear.split(self.flat)
        self.raw = self.panel.dot(W[self.panel.columns]) + c[:, None]
        self.objective = linear.mean_loss(self.raw) + linear.value(self.flat)
        errors = linear.errors(self.raw)
        self.grad = linear.gradient(errors)
        return errors, self._choose()

    def _noise(self) -> float:
        """Differences of the objective that are rounding."""
        eps = torch.finfo(self.flat.dtype).eps
        of_penalty = 10 * eps * self.linear.value(self.flat)
        return self.linear.rounding(self.raw) + of_penalty

    def _target(self, gap: float, tol: float) -> float:
        """Gap on the working set from which the other columns matter."""
        everything = len(self.panel.columns) == self.n_columns
        return tol if everything else max(tol, WORKING_SHARE * gap)

    def _gradient(self, errors: Tensor) -> Tensor:
        """Gradient on the working set, and zero elsewhere."""
        grad = torch.zeros_like(self.flat)
        W, b = self.linear.split(grad)
        b.copy_(self.linear.bias_gradient(errors))
        mean = self.linear.mean[self.panel.columns, None]
        W[self.panel.columns] = self.panel.tdot(errors) - mean * b
        return grad

    def _choose(self) -> float:
        """Add to the working set what a proximal step moves; returns the gap."""
        shrinkage, unit = self.linear.shrinkage, self.linear.unit
        groups = shrinkage.groups
        stepped = self.flat - groups.scale(self.grad, self.steps)
        moved = shrinkage.prox(stepped, self.steps)
        length = groups.norm(moved - self.flat) / self.steps / groups.sizes.sqrt()
        scores = self.blocks.amax(groups.spread(length / unit))
        nonzero = self.blocks.amax(self.flat.abs()) > 0
        free = self.blocks.strength.numpy() == 0
        outside = np.ones(len(scores), dtype=bool)
        outside[self.chosen] = False
        needed = outside & (nonzero | free)
        wanted = np.flatnonzero(outside & (scores > 0) & ~needed)
        wanted = wanted[np.argsort(-scores[wanted], kind="stable")]
        room = max(LEAST_ROOM, self.raw.shape[1] // 2, self.blocks.sizes[nonzero].sum())
        room = max(room, self.blocks.sizes[wanted[:1]].sum())
        fits = np.cumsum(self.blocks.sizes[wanted]) <= room
        new = np.sort(np.concatenate([np.flatnonzero(needed), wanted[fits]]))
        if len(new):
            self.panel.add(self.blocks.columns(new))
            self.chosen = np.concatenate([self.chosen, new])
        return self.linear.gap(self.flat, self.grad)

    @flushing()
    def _step(self, errors: Tensor, gap: float, tol: float) -> None:
        """Minimise the quadratic model on the working set, and search along the line.

        ``errors`` is overwritten.
        """
        centred = self.linear.problem.fit_intercept
        if self.linear.loss.curvatures is None:
            self._coupled_step(errors, self._descent_target(gap, tol))
            return
        of_rows = self.linear.curvatures(self.raw, self.damping)
        shift = torch.zeros_like(errors[:, 0])
        if centred:
            shift = -errors.sum(1) / of_rows.sum(1)
        errors += of_rows * shift[:, None]
        weights = self.linear.split(self.flat)[0][self.panel.columns]
        target = self._descent_target(gap, tol)
        before, raw = weights.clone(), shift[:, None].expand(errors.shape)
        done = False
        if self.rows is not None:
            parts = self.rows.rows, Curvature(of_rows, centred), errors, weights
            descent = Descent(self.blocks, self.chosen, *parts)
            done = descent.run(target, self._most_passes(len(of_rows)))
            raw, means = raw + descent.raw, descent.means
        else:
            means = self.panel.tdot(of_rows).T / of_rows.sum(1, keepdim=True) * centred
        if not done and len(of_rows) == 1:
            raw = raw + self._by_moments(of_rows[0], means[0], errors, weights, target)
        move = weights - before
        bias = shift - (means * move.T).sum(1)
        if not done and self._are_coupled(len(of_rows)):
            more, shift = self._by_coupled_moments(errors, weights, target, of_rows)
            raw, bias, move = raw + more, bias + shift, weights - before
        self._search(weights, move, bias, raw)

    def _are_coupled(self, n_curvatures: int) -> bool:
        """Whether the second moments of all weights are taken together."""
        n_weights = len(self.panel.columns) * len(self.raw)
        return n_curvatures > 1 and n_weights <= MOST_COUPLED

    def _coupled_step(self, errors: Tensor, tol: float) -> None:
        """Do as `_step` where the outputs of a row depend on each other."""
        curvatures = self.linear.softmax_curvatures(self.raw, self.damping)
        weights = self.linear.split(self.flat)[0][self.panel.columns]
        before = weights.clone()
        raw, bias = self._by_coupled_moments(errors, weights, tol, *curvatures)
        assert self.rows is not None
        move = weights - before
        # What all classes share changes no prediction: where no penalty decides, it
        # stays as it is.
        block = torch.from_numpy(self.blocks.of_column)[self.panel.columns]
        free = self.blocks.strength[block][:, None] == 0
        shared = move.mean(1, keepdim=True).where(free, 0.0)
        move, shift = move - shared, bias.mean()
        raw = raw - (shared.T @ self.rows.rows + shift)
        self._search(before + move, move, bias - shift, raw)

    def _by_coupled_moments(
        self,
        errors: Tensor,
        weights: Tensor,
        tol: float,
        diagonal: Tensor,
        cross: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Descend by the moments of all weights; the change of raw and intercept."""
        assert self.rows is not None
        rows, (c, k) = self.rows.rows.double(), weights.shape
        mean = torch.zeros_like(rows[:, 0])
        if self.linear.problem.fit_intercept:
            mean = rows.mean(1)
            rows = torch.cat([rows - mean[:, None], torch.ones_like(rows[:1])])
        size = len(rows) * k
        moments = coupled_moments(rows, diagonal, cross).reshape(size, size)
        slopes = (rows @ errors.double().T).view(-1)
        schur, slope, best = eliminate(moments, slopes, c * k)
        exact = weights.double().view(-1, 1).clone()
        minimise(self.blocks.widened(), self.chosen, schur, slope[:, None], exact, tol)
        move = exact[:, 0] - weights.double().view(-1)
        weights.copy_(exact.view(c, k))
        shift = best(move)
        raw = torch.cat([move, shift]).view(-1, k).T @ rows
        bias = -(mean @ move.view(c, k))
        bias[: len(shift)] += shift
        return raw.to(errors.dtype), bias.to(errors.dtype)

    def _descent_target(self, gap: float, tol: float) -> float:
        """Largest gradient that the minimum of the quadratic model may have."""
        share = 0.0 if self.linear.loss.output == "identity" else DESCENT_SHARE
        return max(WORKING_SHARE * tol, share * gap)

    def _most_passes(self, n_curvatures: int) -> int:
        """Count the passes over the rows that cost as much as the second moments."""
        if n_curvatures > 1 and not self._are_coupled(n_curvatures):
            return MOST_PASSES
        return 2 + len(self.panel.columns) // PRODUCT_SPEED

    def _by_moments(
        self, weight: Tensor, means: Tensor, errors: Tensor, weights: Tensor, tol: float
    ) -> Tensor:
        """Descend by the second moments; returns the change of the raw prediction."""
        moments = self.panel.moments(weight)
        mean, total = means.double(), float(weight.sum(dtype=torch.float64))
        diagonal = moments.diagonal()
        noise = JITTER * diagonal
        moments.addr_(mean, mean, alpha=-total)
        # One of zeros is moved by nothing.
        diagonal.copy_(diagonal.maximum(noise))
        slopes = self.panel.tdot(errors).double()
        before, exact = weights.clone(), weights.double()
        minimise(self.blocks, self.chosen, moments, slopes, exact, tol)
        weights.copy_(exact)
        move = weights - before
        return self.panel.dot(move) - (means @ move)[:, None]

    def _search(self, weights: Tensor, move: Tensor, bias: Tensor, raw: Tensor) -> None:
        """Go along a line as far as the objective falls; stay if it does not.

        A row that is almost certain, and wrong, has a gradient and hardly a curvature:
        its raw prediction would go far beyond where they hold.  If only a part of the
        step helps, the next one has more curvature in such rows, by as much.
        """
        part, noise = 1.0, None
        for _ in range(MAX_HALVINGS):
            flat = self.flat.clone()
            W, b = self.linear.split(flat)
            columns = self.panel.columns
            W[columns] = weights if part == 1 else W[columns] + part * move
            b += part * bias
            new = self.raw + part * raw
            objective = self.linear.mean_loss(new) + self.linear.value(flat)
            if noise is None and not objective <= self.objective:
                noise = self._noise()
            if objective <= self.objective + (noise or 0.0):
                self.flat, self.raw, self.objective = flat, new, objective
                break
            part /= 2
        if part < 1:
            self.damping = min(max(self.damping, LEAST_DAMPING) / part, MOST_DAMPING)
        else:
            eased = self.damping * EASE
            self.damping = eased if eased > LEAST_DAMPING else LEAST_CURVATURE
