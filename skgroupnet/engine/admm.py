r"""ADMM for models without a hidden layer, with any penalty.

The penalised parameters have two copies: beta, which sees the loss, and z, which sees
the penalty.  With the scaled dual variable u, an iteration is::

    z    <- prox of R with step 1 / rho at beta + u
    beta <- argmin  L(beta) + rho/2 norm(beta - z + u)^2
    u    <- u + beta - z

from u = -grad L(beta) / rho.  The answer is z, which has the exact zeros.  What is not
penalised has one copy, which minimises L in every beta-step.

The augmented Lagrangian

    L(beta) + R(z) + rho <u, beta - z> + rho/2 norm(beta - z)^2

falls from the second iteration on if rho > sqrt(2) L_f, L_f a bound on the curvature
of L, however nonconvex R is: every step of z is a global minimum.  The bound is not
necessary, and slow.  So with rho="auto"

- for a convex penalty rho balances the primal and the dual residual, each relative to
  what it is a difference of;
- for any other one rho starts at a third of the bound, or where the prox becomes
  single-valued if that is larger, and doubles where the augmented Lagrangian rises.

References
----------
S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein, "Distributed optimization and
statistical learning via the alternating direction method of multipliers", Found. Trends
Mach. Learn. 3(1), 2011.
B. Wohlberg, "ADMM penalty parameter selection by residual balancing",
arXiv:1704.06209, 2017.
Y. Wang, W. Yin, J. Zeng, "Global convergence of ADMM in nonconvex nonsmooth
optimization", J. Sci. Comput. 78, 2019.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.beta_step import BetaStep, FactoredStep, NewtonStep
from skgroupnet.engine.centred import CentredModel
from skgroupnet.engine.linear import epoch_of
from skgroupnet.engine.problem import Epoch, Fit, Model, Outcome, Problem, Watch
from skgroupnet.engine.threads import flushing, threads_for
from skgroupnet.network import Network

# rho is above its bound by this factor.
ABOVE = 1.01
# Where rho starts, in shares of its bound, for convex penalties and for others.
CONVEX_SHARE, SHARE = 0.1, 1 / 3
# Rises of the augmented Lagrangian that are no rounding, relative to its size.
RISE = 1e-10
# The first iteration may rise.
FIRST_RISE = 2
# The residuals are balanced after so many iterations, then ever more rarely.
FIRST_BALANCE, LATER_BALANCE = 5, 1.2
# rho changes by factors between these.
SMALLEST_CHANGE, LARGEST_CHANGE = 1.2, 10.0


@dataclass(frozen=True)
class ADMM:
    """How a linear model is solved by ADMM.

    Parameters
    ----------
    max_iter : int, default=1000
        Largest number of iterations.
    tol : float, default=1e-6
        The model is done when the stationarity gap of each group of z is at most this,
        in the unit of the group (see `LinearModel`).
    rho : float or "auto", default="auto"
        Weight rho > 0 of the quadratic term. "auto": it starts below sqrt(2) L_f, L_f a
        bound on the curvature of the loss. For a convex penalty it then balances the
        primal and the dual residual; for any other it is above the modulus of weak
        convexity, if that is finite, and doubles where the augmented Lagrangian rises.
    """

    max_iter: int = 1000
    tol: float = 1e-6
    rho: float | Literal["auto"] = "auto"

    def __post_init__(self) -> None:
        if self.rho != "auto" and not (0 < self.rho < math.inf):
            raise ValueError(
                f"rho must be 'auto' or a finite number > 0, got {self.rho!r}."
            )


@dataclass(frozen=True)
class Iteration:
    """What is written down about an iteration.

    Parameters
    ----------
    primal_residual : float
        norm(beta - z).
    dual_residual : float
        rho times the norm of the change of beta: how far the subgradient of R at z is
        from minus the gradient of L at beta.
    objective : float
        L + R at z.
    lagrangian : float
        Augmented Lagrangian after the step of u.
    rho : float
        The rho of the iteration.
    """

    primal_residual: float
    dual_residual: float
    objective: float
    lagrangian: float
    rho: float


def admm(
    problem: Problem, model: Model, settings: ADMM, watch: Watch | None = None
) -> Fit:
    """Minimise the objective of a linear model over all its rows.

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        A model without a hidden layer; its rate and random state are not used.
    settings : ADMM
        When to end, and rho.
    watch : callable, default=None
        Called with an `Epoch` after every iteration; True ends the model.

    Returns
    -------
    Fit
        The network of z. Its ``history`` has an array with one entry for each
        iteration for "primal_residual" norm(beta - z), "dual_residual"
        rho norm(change of beta), "objective" (at z), "lagrangian" (augmented) and
        "rho".
    """
    n_features, n_outputs = model.start.widths
    with torch.inference_mode():
        with threads_for(4.0 * problem.X.shape[0] * n_features * n_outputs):
            splitting = _Splitting(CentredModel(problem, model), settings)
            outcome: Outcome = "interrupted"
            with contextlib.suppress(KeyboardInterrupt):
                outcome = splitting.run(settings.max_iter, settings.tol, watch)
            return splitting.fit(outcome)


class _Splitting:
    """The copies of the parameters of one model, (1, P), and what became of them."""

    def __init__(self, model: CentredModel, settings: ADMM) -> None:
        self.model = model
        self.split = model.split.expand(-1, model.n_outputs).reshape(1, -1) > 0
        quadratic = model.loss.output == "identity"
        self.step: BetaStep = FactoredStep(model) if quadratic else NewtonStep(model)
        modulus = model.weak_convexity()
        self.adapts, self.convex = settings.rho == "auto", modulus == 0
        self.rho = self._first_rho(modulus) if settings.rho == "auto" else settings.rho
        self.next_balance = FIRST_BALANCE
        self.beta = self.z = model.start
        _, gradient = self.step.measure(self.beta)
        self.u = (gradient / -self.rho).where(self.split, gradient.new_zeros(()))
        self.answer, self.history = self.z, list[Iteration]()

    def _first_rho(self, modulus: float) -> float:
        share = CONVEX_SHARE if self.convex else SHARE
        bound = math.sqrt(2) * share * self.model.curvature()
        rho = ABOVE * max(bound, modulus if math.isfinite(modulus) else 0.0)
        return rho if rho > 0 else 1.0

    def run(self, max_iter: int, tol: float, watch: Watch | None) -> Outcome:
        """Iterate to the tolerance; return the verdict."""
        for n_iter in range(1, max_iter + 1):
            iteration, gradient = self._iterate()
            if not math.isfinite(iteration.objective):
                self.history.append(iteration)
                return "diverged"
            done = self._is_done(gradient, tol)
            self.answer = self.z
            self.history.append(iteration)
            running = not done and n_iter < max_iter
            stop = watch is not None and watch(self._epoch(running))
            if done or stop:
                return "converged" if done else "stopped"
            if self.adapts:
                self._adapt()
        return "max_iter"

    def _is_done(self, gradient: Tensor, tol: float) -> bool:
        """Whether z is stationary, also by a gradient that is no difference of sums."""
        model = self.model
        return (
            model.gap(self.z, gradient) <= tol
            and model.gap(self.z, model.gradient(model.raw(self.z))) <= tol
        )

    @flushing()
    def _iterate(self) -> tuple[Iteration, Tensor]:
        """One iteration, and the gradient of the loss at z."""
        model, rho, before = self.model, self.rho, self.beta
        z = model.prox(before + self.u, 1 / rho)
        self.beta, loss = self.step.minimise(z - self.u, rho, before)
        self.z = z.where(self.split, self.beta)
        difference = self.beta - self.z
        self.u = self.u + difference
        move = (self.beta - before) * self.split
        loss_of_z, gradient = self.step.measure(self.z)
        penalty = model.penalty(self.z)
        coupled = difference * (self.u + difference / 2)
        iteration = Iteration(
            float(difference.norm()),
            rho * float(move.norm()),
            loss_of_z + penalty,
            loss + penalty + rho * float(coupled.sum(dtype=torch.float64)),
            rho,
        )
        return iteration, gradient

    def _adapt(self) -> None:
        """Choose rho for the next iteration."""
        iteration = self.history[-1]
        if self.convex:
            if len(self.history) >= self.next_balance:
                self._balance(iteration)
        elif len(self.history) > FIRST_RISE:
            before = self.history[-2]
            rise = iteration.lagrangian - before.lagrangian
            size = max(self.history[0].objective, abs(before.lagrangian))
            if before.rho == iteration.rho and rise > RISE * size:
                self._change(2.0)

    def _change(self, factor: float) -> None:
        self.rho *= factor
        self.u = self.u / factor

    def _balance(self, iteration: Iteration) -> None:
        """Move rho to where both relative residuals are about the same."""
        self.next_balance = max(
            len(self.history) + FIRST_BALANCE,
            math.ceil(len(self.history) * LATER_BALANCE),
        )
        beta = self.beta * self.split
        size = max(float((self.z * self.split).norm()), float(beta.norm()))
        primal = iteration.primal_residual * self.rho * float(self.u.norm())
        dual = iteration.dual_residual * size
        if not (primal > 0 and dual > 0):
            return
        factor = math.sqrt(primal / dual)
        factor = min(max(factor, 1 / LARGEST_CHANGE), LARGEST_CHANGE)
        if max(factor, 1 / factor) >= SMALLEST_CHANGE:
            self._change(factor)

    def fit(self, outcome: Outcome) -> Fit:
        """Describe the last whole iteration."""
        names = Iteration.__dataclass_fields__
        history = {
            name: np.array([getattr(row, name) for row in self.history])
            for name in names
        }
        return Fit(self._network(), self._curve(), outcome, [], {}, history)

    def _network(self) -> Network:
        return self.model.network(self.answer)

    def _curve(self) -> list[float]:
        return [row.objective for row in self.history]

    def _epoch(self, running: bool) -> Epoch:
        return epoch_of(0, 1, self._curve(), running, self._network)
