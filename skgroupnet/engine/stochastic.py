"""Mini-batch proximal training of a stack of networks.

Every model minimises its own objective

    mean_i s_i loss(f(x_i), y_i) + R(W; lam),      weights s_i normalised to mean 1,

by steps W <- prox(W - step * direction): the update chooses the direction and the step
of every penalty group (`skgroupnet.engine.updates`), the prox works in the metric of
that step.  The gradient of a batch B is sum_{i in B} s_i grad loss_i / |B|.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.compiled import CompiledSteps, report
from skgroupnet.engine.data import Data, Rows
from skgroupnet.engine.problem import (
    Epoch,
    Fit,
    Model,
    Outcome,
    Problem,
    Settings,
    Watch,
)
from skgroupnet.engine.schedules import factor
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.steps import Steps, TorchSteps
from skgroupnet.engine.stopping import Stopping
from skgroupnet.engine.threads import available_threads, threads_for


def train(
    problem: Problem,
    models: Sequence[Model],
    settings: Settings,
    watch: Watch | None = None,
) -> list[Fit]:
    """Train models side by side, each as if it were alone.

    Parameters
    ----------
    problem : Problem
        What the models share.
    models : sequence of Model
        The models; their networks have one shape.
    settings : Settings
        How they are trained.
    watch : callable, default=None
        Called with an `Epoch` after every epoch; True ends the training.

    Returns
    -------
    list of Fit
        One result for each model.

    Raises
    ------
    ValueError
        If the models do not fit the rows, or share what has to be their own.
    """
    _check(problem, models)
    fits: dict[int, Fit] = {}
    with torch.inference_mode():
        data = Data(problem, models[0].start.widths[-1])
        for members in _alike(models, data.n_rows, settings):
            training = _Training(problem, data, models, members, settings)
            interrupted = any(fit.outcome == "interrupted" for fit in fits.values())
            with threads_for(training.flops):
                fits |= training.interrupt() if interrupted else training.run(watch)
    return [fits[m] for m in range(len(models))]


def _check(problem: Problem, models: Sequence[Model]) -> None:
    """Refuse what would be read out of bounds, or make results depend on each other."""
    X, y = problem.X, problem.y
    n_codes = int(y.max()) + 1 if y.ndim == 1 else 0
    for model in models:
        widths, dtype = model.start.widths, model.start.weights[0].dtype
        if (widths[0], dtype) != (X.shape[1], X.dtype):
            raise ValueError(
                f"A network of {dtype} with {widths[0]} inputs cannot be trained on X "
                f"of {X.dtype} with {X.shape[1]} columns."
            )
        if widths[-1] < n_codes or (y.ndim > 1 and widths[-1] != y.shape[1]):
            raise ValueError(
                f"A network with {widths[-1]} outputs does not fit y with "
                f"{n_codes or y.shape[1]}."
            )
    if len({id(model.random_state) for model in models}) < len(models):
        raise ValueError("Every model needs a random_state of its own.")


def _alike(models: Sequence[Model], n: int, settings: Settings) -> list[list[int]]:
    """Numbers of the models that take the same steps, so that they share a stack."""
    stacks: dict[tuple[int | bool, ...], list[int]] = {}
    for m, model in enumerate(models):
        n_rows = len(model.weighted_rows(n)[0])
        batch_rows = settings.batch_rows(n_rows)
        done = int(model.state["t"]) if model.state else 0
        key = (batch_rows, -(-n_rows // batch_rows), done, model.score is None)
        stacks.setdefault(key, []).append(m)
    return list(stacks.values())


class _Training:
    """One stack being trained; row m of every array is the model ``members[m]``."""

    def __init__(
        self,
        problem: Problem,
        data: Data,
        models: Sequence[Model],
        members: list[int],
        settings: Settings,
    ) -> None:
        chosen = [models[m] for m in members]
        n_rows = len(chosen[0].weighted_rows(data.n_rows)[0])
        self.data, self.settings = data, settings
        self.problem, self.n_threads = problem, available_threads()
        self.models, self.members, self.n_models = models, members, len(models)
        self.rows = Rows(
            chosen, data.n_rows, settings.batch_rows(n_rows), problem.X.dtype
        )
        self.stack = Stack([m.start for m in chosen], problem.loss, data.device)
        self.shrinkage = Shrinkage(
            problem, self.stack, np.array([m.lam for m in chosen])
        )
        self.rates = np.array([m.rate for m in chosen])
        self.stopping = Stopping(len(members), settings.tol, settings.n_iter_no_change)
        self.snapshot = self.stack.flat.clone()
        self.best: Tensor | None = None
        if chosen[0].score is not None:
            self.best = self.stack.flat.clone()
        self.curves: dict[int, list[float]] = {m: [] for m in members}
        self.scores: dict[int, list[float]] = {m: [] for m in members}
        self.fits: dict[int, Fit] = {}
        self._resume([m.state for m in chosen])
        self.compiled, self.report = report(
            problem, settings.update, self.flops / len(chosen)
        )
        self.steps = self._steps()

    @property
    def flops(self) -> float:
        """Floating-point operations of a step: one product forth, two back."""
        work = self.stack.layout.n_weights * self.stack.n_models
        return 6.0 * work * self.rows.batch_rows

    def _resume(self, states: Sequence[dict[str, np.ndarray] | None]) -> None:
        """Start the update, or go on from the states of an earlier fit."""
        update = self.settings.update
        self.state = update.start(self.stack.flat, self.shrinkage.groups)
        self.t = 0
        self.epochs, self.seen = np.zeros((2, len(states)), dtype=int)
        for m, state in enumerate(states):
            if state is not None:
                self.t = int(state["t"])
                self.epochs[m], self.seen[m] = state["epochs"], state["seen"]
                self.rates[m] = state["rate"]
                for name, value in self.state.items():
                    value[m] = torch.as_tensor(state[name])
        self.state_snapshot = {n: value.clone() for n, value in self.state.items()}

    def run(self, watch: Watch | None) -> dict[int, Fit]:
        """Train until every model has ended."""
        try:
            for n_iter in range(1, self.settings.max_iter + 1):
                self._judge(self._pass(), n_iter, watch)
                if not self.members:
                    break
            self._end(np.ones(len(self.members), dtype=bool), "max_iter")
        except KeyboardInterrupt:
            self.interrupt()
        return self.fits

    def interrupt(self) -> dict[int, Fit]:
        """End every model where it is."""
        self._end(np.ones(len(self.members), dtype=bool), "interrupted")
        return self.fits

    def _steps(self) -> Steps:
        """Make what takes the steps of the models that are left."""
        parts = (self.problem, self.settings, self.stack, self.shrinkage, self.state)
        if self.compiled:
            return CompiledSteps(*parts, self.data, self.rows, self.n_threads)
        return TorchSteps(*parts, self.data, self.rows)

    def _pass(self) -> np.ndarray:
        """Go over the rows once; return the objective of each model."""
        factors = [
            factor(self.settings, epochs, seen)
            for epochs, seen in zip(self.epochs, self.seen, strict=True)
        ]
        losses = self.steps.run(self.rates * np.array(factors), self.t)
        self.t += self.rows.n_batches
        self.epochs += 1
        self.seen += self.rows.lengths
        total = losses * self.rows.shares()
        return total.sum(0) + self.shrinkage.value().cpu().numpy()

    def _judge(self, losses: np.ndarray, n_iter: int, watch: Watch | None) -> None:
        """Note an epoch, and end the models that it ended."""
        finite = np.isfinite(losses) & self._finite_weights()
        for m, loss in zip(self.members, losses, strict=True):
            self.curves[m].append(float(loss))
        keep = torch.as_tensor(finite, device=self.data.device)[:, None]
        torch.where(keep, self.stack.flat, self.snapshot, out=self.snapshot)
        for name, value in self.state.items():
            kept = self.state_snapshot[name]
            torch.where(keep, value, kept, out=kept)
        values, scores = losses, None
        if self.best is not None:
            scores = self._score()
            values = -scores
        better = self.stopping.improved(np.where(finite, values, np.inf))
        if self.best is not None:
            rows = torch.as_tensor(better, device=self.data.device)
            self.best[rows] = self.snapshot[rows]
        adaptive = self.settings.learning_rate == "adaptive"
        done = self.stopping.done(self.rates, adaptive) & finite
        stop = False
        if watch is not None:
            running = finite & ~done & (n_iter < self.settings.max_iter)
            epoch = self._epoch(losses, scores, running, n_iter)
            stop = watch(epoch)
        outcomes = np.where(~finite, "diverged", np.where(done, "converged", ""))
        if stop:
            outcomes[outcomes == ""] = "stopped"
        for outcome in ("diverged", "converged", "stopped"):
            self._end(outcomes == outcome, outcome)
        self._drop(outcomes == "")

    def _finite_weights(self) -> np.ndarray:
        return torch.isfinite(self.stack.flat).all(1).cpu().numpy()

    def _score(self) -> np.ndarray:
        """Score of each model's last finite network."""
        scores = np.empty(len(self.members))
        for row, m in enumerate(self.members):
            score = self.models[m].score
            assert score is not None
            scores[row] = score(self.stack.network(self.snapshot[row]))
            self.scores[m].append(float(scores[row]))
        return scores

    def _epoch(
        self,
        losses: np.ndarray,
        scores: np.ndarray | None,
        running: np.ndarray,
        n_iter: int,
    ) -> Epoch:
        """Describe an epoch in the numbering of the caller's models."""

        def by_model(values: np.ndarray, missing: float) -> np.ndarray:
            full = np.full(self.n_models, missing, dtype=values.dtype)
            full[self.members] = values
            return full

        row_of = {m: row for row, m in enumerate(self.members)}
        return Epoch(
            n_iter=n_iter,
            losses=by_model(losses, np.nan),
            scores=None if scores is None else by_model(scores, np.nan),
            network=lambda m: self.stack.network(self.snapshot[row_of[m]]),
            running=by_model(running, False),
            report=self.report,
        )

    def _end(self, rows: np.ndarray, outcome: Outcome) -> None:
        """Write the result of some models."""
        final = self.snapshot if self.best is None else self.best
        for row in np.flatnonzero(rows):
            m = self.members[row]
            state = {
                name: value[row].cpu().numpy().copy()
                for name, value in self.state_snapshot.items()
            }
            state |= {
                "t": np.array(self.t),
                "epochs": np.array(self.epochs[row]),
                "seen": np.array(self.seen[row]),
                "rate": np.array(self.rates[row]),
            }
            network = self.stack.network(final[row])
            self.fits[m] = Fit(network, self.curves[m], outcome, self.scores[m], state)

    def _drop(self, rows: np.ndarray) -> None:
        """Go on with some rows of the stack."""
        if rows.all():
            return
        index = np.flatnonzero(rows).tolist()
        self.members = [self.members[row] for row in index]
        if not index:
            return
        at = torch.as_tensor(index, device=self.data.device)
        self.stack.keep(at)
        self.shrinkage.keep(at)
        self.rows.keep(index)
        self.stopping.keep(index)
        self.rates = self.rates[index]
        self.epochs, self.seen = self.epochs[index], self.seen[index]
        self.snapshot = self.snapshot[at]
        self.best = None if self.best is None else self.best[at]
        self.state = {name: value[at] for name, value in self.state.items()}
        self.state_snapshot = {n: v[at] for n, v in self.state_snapshot.items()}
        self.steps = self._steps()
