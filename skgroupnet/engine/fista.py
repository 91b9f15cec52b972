r"""FISTA with restart, for models without a hidden layer.

The raw prediction is linear in the parameters, X W + b, so an iteration costs one
product with X and one with its transpose, whatever X is (CSR stays CSR).  Two changes
of variables keep badly scaled columns from slowing it down:

- the unpenalised intercept absorbs the column means, X W + b = (X - mean) W + c;
- the step of group g is 1 / (eta v_g), v_g the (centred) second moment of its columns.
  The prox works in that metric, so the optimum is the same.

eta falls a little at every iteration and doubles where the quadratic upper bound fails
(backtracking), so that it follows the curvature; the momentum restarts where it points
uphill.

References
----------
A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear
inverse problems", SIAM J. Imaging Sci. 2(1), 2009.
B. O'Donoghue, E. Candes, "Adaptive restart for accelerated gradient schemes",
Found. Comput. Math. 15, 2015.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from skgroupnet.engine.data import Data
from skgroupnet.engine.linear import LinearModel, epoch_of
from skgroupnet.engine.problem import Epoch, Fit, Model, Outcome, Problem, Watch
from skgroupnet.engine.threads import threads_for
from skgroupnet.network import Network

# The gap costs a product with X: it is measured every so many iterations.
CHECK_EVERY = 10
# A global bound on the curvature is pessimistic: where a model predicts well, its
# logistic loss is almost flat.
ETA_DECAY = 0.95
# eta doubles until the quadratic bound holds, or the loss is not finite after all.
MAX_DOUBLINGS = 100


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
        A model is done when its stationarity gap is at most this.
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
                descent = _Descent(LinearModel(problem, model, whole), m, len(models))
                if descent.data.n_rows == problem.X.shape[0]:
                    whole = descent.data
                interrupted = bool(fits) and fits[-1].outcome == "interrupted"
                fits.append(
                    descent.fit([], "interrupted")
                    if interrupted
                    else descent.run(max_iter, tol, watch)
                )
    return fits


class _Descent:
    """Descent of one model; flat vectors (1, P) hold W and the shifted intercept c."""

    def __init__(self, linear: LinearModel, number: int, n_models: int) -> None:
        self.linear, self.number, self.n_models = linear, number, n_models
        self.data, self.stack = linear.data, linear.stack
        self.shrinkage, self.metric = linear.shrinkage, linear.shrinkage.metric
        problem = linear.problem
        self._precondition(problem.fit_intercept and not problem.penalize_bias)
        self.x = self._shifted(linear.start, 1.0)
        curvature = linear.loss.curvature
        self.eta = curvature if math.isfinite(curvature) else 1.0

    def _precondition(self, centred: bool) -> None:
        """Column means (d, 1) and the moments v_g of the groups, (1, G)."""
        n_features, n_outputs = self.stack.layout.widths
        mean, moment, variance = self.data.moments(self.linear.scale[:, None])
        self.mean = mean if centred else torch.zeros_like(mean)
        if centred:
            # The variance of a column that is constant up to rounding is noise.
            noise = moment * max(torch.finfo(moment.dtype).eps, 1e-12)
            moment = variance.where(variance > noise, moment)
        each = torch.ones_like(self.stack.flat)
        each[:, : n_features * n_outputs] = moment.repeat_interleave(n_outputs)
        n_merged = (self.metric.sizes / n_outputs).ceil()
        self.v = self.metric.mean(each) * n_merged
        self.v = self.v.where(self.v > 0, self.v.new_ones(()))

    def _shifted(self, flat: Tensor, sign: float) -> Tensor:
        """Turn the intercept b into c = b + mean W (sign 1), or back (sign -1)."""
        flat = flat.clone()
        W, c = self.linear.split(flat)
        c.add_((self.mean * W).sum(0), alpha=sign)
        return flat

    def _raw(self, flat: Tensor) -> Tensor:
        """Raw prediction of all rows, (k, n)."""
        return self.linear.raw(self._shifted(flat, -1.0))

    def _gradient(self, raw: Tensor) -> Tensor:
        """Gradient (1, P) for columns shifted by their means."""
        errors = self.linear.errors(raw)
        grad = self.linear.gradient(errors)
        self.linear.split(grad)[0].sub_(self.mean * errors.sum(1))
        return grad

    def _step(self, z: Tensor, raw_z: Tensor) -> tuple[Tensor, Tensor, float]:
        """Proximal step from z: the new point, its raw prediction and its loss."""
        loss, grad = self.linear.mean_loss(raw_z), self._gradient(raw_z)
        self.eta *= ETA_DECAY
        slack = 10 * torch.finfo(z.dtype).eps * max(1.0, abs(loss))
        for _ in range(MAX_DOUBLINGS):
            step = 1 / (self.eta * self.v)
            x = self.shrinkage.prox(z - self.metric.scale(grad, step), step)
            raw = self._raw(x)
            new, move = self.linear.mean_loss(raw), x - z
            bound = loss + float((grad * move).sum() + self._square(move, move) / 2)
            if new <= bound + slack:
                break
            self.eta *= 2
        return x, raw, new

    def _square(self, a: Tensor, b: Tensor) -> Tensor:
        """Inner product in the metric of the steps."""
        return (self.metric.scale(a, self.eta * self.v) * b).sum()

    def _gap(self, raw: Tensor) -> float:
        """Stationarity gap at x, in the original variables."""
        grad = self.linear.gradient(self.linear.errors(raw))
        return self.linear.shrinkage.gap(self.x, grad)

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
        z, raw_x, t = self.x, self._raw(self.x), 1.0
        raw_z = raw_x
        for n_iter in range(1, max_iter + 1):
            x, raw, loss = self._step(z, raw_z)
            curve.append(loss + self.linear.value(x))
            if not math.isfinite(loss):
                return "diverged"
            move = x - self.x
            if self._square(z - x, move) > 0:
                t = 1.0
            t, beta = (1 + math.sqrt(1 + 4 * t * t)) / 2, t - 1
            z, raw_z = x + move * (beta / t), raw + (raw - raw_x) * (beta / t)
            self.x, raw_x = x, raw
            last = n_iter == max_iter
            check = last or n_iter % CHECK_EVERY == 0
            done = check and self._gap(raw_x) <= tol
            stop = watch is not None and watch(self._epoch(curve, not (done or last)))
            if done or stop:
                return "converged" if done else "stopped"
        return "max_iter"

    def _network(self) -> Network:
        return self.linear.network(self._shifted(self.x, -1.0))

    def _epoch(self, curve: list[float], running: bool) -> Epoch:
        return epoch_of(self.number, self.n_models, curve, running, self._network)
