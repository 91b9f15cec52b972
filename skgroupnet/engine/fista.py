r"""FISTA with restart, for models without a hidden layer.

The raw prediction is linear in the parameters, X W + b, so an iteration costs one
product with X and one with its transpose, whatever X is (CSR stays CSR).  Two changes
of variables keep badly scaled columns from slowing it down:

- the unpenalised intercept absorbs the column means, X W + b = (X - mean) W + c;
- the step of group g is 1 / (eta v_g), v_g the (centred) second moment of its columns.
  The prox works in that metric, so the optimum is the same.

eta falls a little at every iteration and doubles where the quadratic upper bound fails
(backtracking), so that it follows the curvature; the momentum restarts where it points
uphill.  Near the optimum the losses that the bound compares are equal up to rounding.
There the gradients tell, whose difference is of the order of the step, not its square.

References
----------
A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
inverse problems", SIAM J. Imaging Sci. 2(1), 2009.
B. O'Donoghue, E. Candes, "Adaptive restart for accelerated gradient schemes",
Found. Comput. Math. 15, 2015.
W. Hager, H. Zhang, "A new conjugate gradient method with guaranteed descent and an
efficient line search", SIAM J. Optim. 16(1), 2005 (gradients in the place of values).
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from skgroupnet.engine.centred import CentredModel
from skgroupnet.engine.data import Data
from skgroupnet.engine.linear import epoch_of
from skgroupnet.engine.problem import Epoch, Fit, Model, Outcome, Problem, Watch
from skgroupnet.engine.threads import flushing, threads_for
from skgroupnet.network import Network

# The gap costs a product with X: it is measured every so many iterations.
CHECK_EVERY = 10
# A global bound on the curvature is pessimistic: where a model predicts well, its
# logistic loss is almost flat.
ETA_DECAY = 0.95
# eta doubles until the quadratic bound holds, or the loss is not finite after all.
MAX_DOUBLINGS = 100
# So many checks of the gap in a row that find neither it nor the objective lower: a
# momentum needs some tens of iterations before it restarts.
MAX_STALLED = 20
# Rounding of a sum of losses, in units of the precision.
ROUNDING = 10


def fista(
    problem: Problem,
    models: Sequence[Model],
    *,
    max_iter: int,
    tol: float,
    watch: Watch | None = None,
) -> list[Fit]:
    """Minimise the objective of linear models over all their rows, one by one.

    Parameters
    ----------
    problem : Problem
        What the models share.
    models : sequence of Model
        Models without a hidden layer; their rate and random state are not used.
    max_iter : int
        Largest number of iterations.
    tol : float
        A model is done when the stationarity gap of each group is at most this, in the
        unit of the group (see `LinearModel`).
    watch : callable, default=None
        Called with an `Epoch` after every iteration; True ends the model.

    Returns
    -------
    list of Fit
        One result for each model.
    """
    widths = models[0].start.widths
    whole: Data | None = None
    fits: list[Fit] = []
    with torch.inference_mode():
        with threads_for(4.0 * problem.X.shape[0] * widths[0] * widths[1]):
            for m, model in enumerate(models):
                centred = CentredModel(problem, model, whole)
                if centred.data.n_rows == problem.X.shape[0]:
                    whole = centred.linear.source
                descent = _Descent(centred, m, len(models))
                interrupted = bool(fits) and fits[-1].outcome == "interrupted"
                fits.append(
                    Fit(model.start, [], "interrupted", [], {})
                    if interrupted
                    else descent.run(max_iter, tol, watch)
                )
    return fits


class _Descent:
    """Descent of one model; flat vectors (1, P) hold W and the shifted intercept c."""

    def __init__(self, model: CentredModel, number: int, n_models: int) -> None:
        self.model, self.number, self.n_models = model, number, n_models
        self.shrinkage, self.metric = model.shrinkage, model.shrinkage.metric
        self.x, self.curvatures, self.eta = model.start, model.group_curvatures(), 1.0
        self.eps = torch.finfo(self.x.dtype).eps
        # The curvature of G groups together is at most G times the largest of theirs.
        bounded = math.isfinite(model.loss.curvature)
        self.largest = self.metric.n_groups if bounded else math.inf
        self.scale = 0.0

    @flushing()
    def _step(self, z: Tensor, raw_z: Tensor) -> tuple[Tensor, Tensor, float]:
        """Proximal step from z: the new point, its raw prediction and its loss."""
        loss, grad = self.model.value(raw_z), self.model.gradient(raw_z)
        self.scale = max(self.scale, abs(loss))
        self.eta *= ETA_DECAY
        slack = self.model.rounding(raw_z)
        for _ in range(MAX_DOUBLINGS):
            step = 1 / (self.eta * self.curvatures)
            x = self.shrinkage.prox(z - self.metric.scale(grad, step), step)
            raw = self.model.raw(x)
            new, move = self.model.value(raw), x - z
            square = float(self._square(move, move))
            bound = loss + float((grad * move).sum()) + square / 2
            if new <= bound + slack or self.eta >= self.largest:
                break
            if square <= math.sqrt(self.eps) * self.scale:
                if self.model.rise(raw_z, raw) <= square or self._is_still(raw_z, raw):
                    break
            self.eta *= 2
        return x, raw, new

    def _is_still(self, before: Tensor, raw: Tensor) -> bool:
        """Whether the raw prediction moved by no more than its rounding."""
        if not raw.numel():
            return True
        moved = float((raw - before).abs().amax())
        return moved <= ROUNDING * self.eps * float(raw.abs().amax())

    def _square(self, a: Tensor, b: Tensor) -> Tensor:
        """Inner product in the metric of the steps."""
        return (self.metric.scale(a, self.eta * self.curvatures) * b).sum()

    def run(self, max_iter: int, tol: float, watch: Watch | None) -> Fit:
        """Iterate to the tolerance; keep the last whole iteration on an interrupt."""
        curve: list[float] = []
        outcome: Outcome = "interrupted"
        with contextlib.suppress(KeyboardInterrupt):
            outcome = self._iterate(max_iter, tol, watch, curve)
        return self.fit(curve, outcome)

    def fit(self, curve: list[float], outcome: Outcome) -> Fit:
        """Describe where the model is."""
        return Fit(self._network(), curve, outcome, [], {})

    def _iterate(
        self, max_iter: int, tol: float, watch: Watch | None, curve: list[float]
    ) -> Outcome:
        """Iterate, with the objective written to ``curve``; return the verdict."""
        z, raw_x, t = self.x, self.model.raw(self.x), 1.0
        raw_z, progress = raw_x, _Progress(self.eps)
        for n_iter in range(1, max_iter + 1):
            x, raw, loss = self._step(z, raw_z)
            curve.append(loss + self.model.penalty(x))
            if not math.isfinite(loss):
                return "diverged"
            move = x - self.x
            if self._square(z - x, move) > 0:
                t = 1.0
            t, beta = (1 + math.sqrt(1 + 4 * t * t)) / 2, t - 1
            z, raw_z = x + move * (beta / t), raw + (raw - raw_x) * (beta / t)
            self.x, raw_x = x, raw
            last, done = n_iter == max_iter, False
            if last or n_iter % CHECK_EVERY == 0:
                gap = self.model.gap(x, self.model.gradient(raw))
                done = gap <= tol
                progress.check(x, gap, curve[-1])
            stalled = progress.n_without == MAX_STALLED
            if stalled:
                self.x = progress.best
            over = done or last or stalled
            stop = watch is not None and watch(self._epoch(curve, not over))
            if done or stop:
                return "converged" if done else "stopped"
            if stalled:
                return "stalled"
        return "max_iter"

    def _network(self) -> Network:
        return self.model.network(self.x)

    def _epoch(self, curve: list[float], running: bool) -> Epoch:
        return epoch_of(self.number, self.n_models, curve, running, self._network)


class _Progress:
    """The point of the smallest gap, and for how many checks there was no progress."""

    def __init__(self, eps: float) -> None:
        self._noise = ROUNDING * eps
        self.n_without, self._gap, self._objective = 0, math.inf, math.inf
        self.best: Tensor

    def check(self, x: Tensor, gap: float, objective: float) -> None:
        """Look at a point: progress is a smaller gap or a smaller objective."""
        noise = self._noise * abs(objective)
        lower = objective < self._objective - noise
        self.n_without = 0 if gap < self._gap or lower else self.n_without + 1
        if gap < self._gap:
            self.best, self._gap = x, gap
        if lower:
            self._objective = objective
