"""One stack in training: what it holds, an epoch of it, and the verdict on its models.

Every model minimises its own objective

    mean_i s_i loss(f(x_i), y_i) + R(W; lam),      weights s_i normalised to mean 1,

by steps W <- prox(W - step * direction): the update chooses the direction and the step
of every penalty group (`skgroupnet.engine.updates`), the prox works in the metric of
that step.  The gradient of a batch B is sum_{i in B} s_i grad loss_i / |B|.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.certificate import relative_gap
from skgroupnet.engine.compiled import CompiledSteps, report
from skgroupnet.engine.data import Data, Rows
from skgroupnet.engine.finite import predicts_finite
from skgroupnet.engine.freezing import Freezing, shrinks
from skgroupnet.engine.problem import Fit, Job, Outcome, Problem, Settings
from skgroupnet.engine.schedules import factor
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Layout, Stack
from skgroupnet.engine.steps import Steps, Task, TorchSteps
from skgroupnet.engine.stopping import Stopping
from skgroupnet.engine.threads import Stopped
from skgroupnet.engine.updates import SETTINGS, State
from skgroupnet.network import Network


def bytes_in_training(
    widths: Sequence[int],
    itemsize: int,
    n_rows: int,
    row_entries: float | None = None,
) -> float:
    """Bytes that one model takes in training, at most.

    Its start and its result, weights, the last two whole epochs and the best one, two
    moments, the gradient; the order of its rows; a batch of 200 rows with all
    activations.

    Parameters
    ----------
    widths : sequence of int
        Units per layer.
    itemsize : int
        Bytes of a number.
    n_rows : int
        Number of rows.
    row_entries : float, default=None
        Mean number of entries in a row of sparse X; None: X is dense.
    """
    n_parameters = Layout(tuple(widths)).n_parameters
    inputs = widths[0] if row_entries is None else row_entries
    batch = 3 * 200 * (inputs + sum(widths[1:]))
    return itemsize * (9.0 * n_parameters + batch) + 16.0 * n_rows


class Training:
    """A stack in training; row m of every array is the job ``members[m]``.

    Parameters
    ----------
    jobs : sequence of Job
        All jobs.
    members : list of int
        Those of this stack: jobs of one problem and settings, networks of one shape,
        with equally many rows.
    pairs : list of (ndarray, ndarray or None)
        Rows of each member that count, and their weights.
    data : Data
        The rows of the problem.
    resumable : bool
        Whether the fits carry the optimizer state, to go on from.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        members: list[int],
        pairs: list[tuple[np.ndarray, np.ndarray | None]],
        data: Data,
        resumable: bool,
    ) -> None:
        chosen = [jobs[m].model for m in members]
        settings = jobs[members[0]].settings
        assert isinstance(settings, Settings)
        self.jobs, self.members = jobs, members
        self.settings, self.data = settings, data
        self.problem = jobs[members[0]].problem
        self.rows = Rows(
            pairs,
            [model.random_state for model in chosen],
            settings.batch_rows(len(pairs[0][0])),
            self.problem.X.dtype,
        )
        self.stack = Stack([m.start for m in chosen], self.problem.loss, data.device)
        strengths = np.array([m.lam for m in chosen])
        factors = [m.factors for m in chosen]
        self.shrinkage = Shrinkage(self.problem, self.stack, strengths, factors)
        self.rates = np.array([m.rate for m in chosen])
        self.stopping = Stopping(len(members), settings.tol, settings.n_iter_no_change)
        self.snapshot = self.stack.flat.clone()
        self.earlier = self.snapshot.clone()
        self.best = self.snapshot.clone() if chosen[0].score is not None else None
        self.n_iter = 0
        self.curves: dict[int, list[float]] = {m: [] for m in members}
        self.scores: dict[int, list[float]] = {m: [] for m in members}
        self.fits: dict[int, Fit] = {}
        self._resume([m.state for m in chosen], resumable)
        self._choose_steps(shrinks(jobs[members[0]]))

    def _choose_steps(self, freezes: bool) -> None:
        """Choose what takes the steps, and whether on all units."""
        update = self.settings.update
        flops = self.flops / self.stack.n_models
        compiled, self.report = report(self.problem, update, flops)
        steps = CompiledSteps if compiled else TorchSteps
        # Not a method: a stack in a cycle would keep its memory after training.
        self._make_steps = partial(_make_steps, steps, self.settings, self.rows)
        parts = self.problem, self.stack, self.shrinkage, self.state, self.data
        self.steps = self._make_steps(*parts)
        self.freezing = Freezing(*parts, self._make_steps) if freezes else None

    @property
    def flops(self) -> float:
        """Floating-point operations of a step."""
        work = self.data.work(self.stack.layout.widths)
        return work * self.stack.n_models * self.rows.batch_rows

    @property
    def work(self) -> float:
        """Floating-point operations of an epoch."""
        return self.flops * self.rows.n_batches

    def _resume(
        self, states: Sequence[dict[str, np.ndarray] | None], resumable: bool
    ) -> None:
        """Start the update, or go on from the states of an earlier fit."""
        self.state = self.settings.update.start(self.stack.flat, self.shrinkage.metric)
        self.t = 0
        self.epochs, self.seen = np.zeros((2, len(states)), dtype=int)
        for m, state in enumerate(states):
            if state is not None:
                self.t = int(state["t"])
                self.epochs[m], self.seen[m] = state["epochs"], state["seen"]
                if state["initial_rate"] == self.rates[m]:
                    # Else it has been set anew since.
                    self.rates[m] = state["rate"]
                for name in self.state.keys() & state.keys() - SETTINGS:
                    self.state[name][m] = torch.tensor(state[name])
        self.state_snapshot: dict[str, Tensor] | None = None
        if resumable:
            self.state_snapshot = {n: value.clone() for n, value in self.state.items()}

    def tasks(self) -> list[Task]:
        """Make what goes over the rows once."""
        factors = [
            factor(self.settings, epochs, seen)
            for epochs, seen in zip(self.epochs, self.seen, strict=True)
        ]
        self._losses = np.empty((len(self.members), self.rows.n_batches))
        epoch = self.rates * np.array(factors), self.t, self._losses
        tasks = None
        if self.freezing is not None:
            last = self.n_iter + 1 == self.settings.max_iter
            tasks = self.freezing.tasks(last, *epoch)
        return self.steps.tasks(*epoch) if tasks is None else tasks

    def note(self) -> list[Task]:
        """Note an epoch; returns what measures its networks, if anything does."""
        if self.freezing is not None:
            self.freezing.note()
        self.n_iter += 1
        self.t += self.rows.n_batches
        self.epochs += 1
        self.seen += self.rows.n_rows
        penalty = self.shrinkage.value().cpu().numpy()
        self.losses = (self._losses * self.rows.shares).sum(1) + penalty
        self.finite = np.isfinite(self.losses) & self._finite_weights()
        for m, loss in zip(self.members, self.losses, strict=True):
            self.curves[m].append(float(loss))
        self._take_snapshot()
        self.measured = np.full(len(self.members), np.nan)
        if self.best is None and self.settings.gap is None:
            return []
        return [partial(self._measure, row) for row in range(len(self.members))]

    def _take_snapshot(self) -> None:
        """Keep the networks of this epoch and the one before, where all is finite."""
        keep = torch.as_tensor(self.finite, device=self.data.device)[:, None]
        if self.finite.all():
            self.snapshot, self.earlier = self.earlier, self.snapshot
            self.snapshot.copy_(self.stack.flat)
        else:
            torch.where(keep, self.snapshot, self.earlier, out=self.earlier)
            torch.where(keep, self.stack.flat, self.snapshot, out=self.snapshot)
        if self.state_snapshot is not None:
            for name, value in self.state.items():
                kept = self.state_snapshot[name]
                torch.where(keep, value, kept, out=kept)

    def _finite_weights(self) -> np.ndarray:
        # Ten times as fast as `isfinite`, and exact: zero times what is not is NaN.
        return ((self.stack.flat * 0).sum(1) == 0).cpu().numpy()

    def _measure(self, row: int, stopped: Stopped) -> None:
        """Score of a model's last finite network, or its stationarity gap."""
        job = self.jobs[self.members[row]]
        network = self.stack.network(self.snapshot[row])
        if job.model.score is not None:
            self.measured[row] = job.model.score(network)
        else:
            self.measured[row] = relative_gap(job.problem, job.model, network)

    def judge(self) -> None:
        """Decide which models have ended with this epoch."""
        values = self.losses
        if self.best is not None:
            values = -self.measured
            for m, score in zip(self.members, self.measured, strict=True):
                self.scores[m].append(float(score))
        better = self.stopping.improved(np.where(self.finite, values, np.inf))
        if self.best is not None:
            rows = torch.as_tensor(better, device=self.data.device)
            self.best[rows] = self.snapshot[rows]
        adaptive = self.settings.learning_rate == "adaptive"
        done = self.stopping.done(self.rates, adaptive) & self.finite
        if self.settings.gap is not None:
            done |= self.finite & (self.measured <= self.settings.gap)
        if done.any() and self.freezing is not None and not self.freezing.whole:
            # Not before an epoch in which all units take part.
            self.freezing.test_next, done = True, np.zeros_like(done)
        last = self.n_iter == self.settings.max_iter
        goes_on = np.where(done, "converged", "max_iter" if last else "")
        self.outcomes = np.where(self.finite, goes_on, "diverged")

    def settle(self, stop: bool) -> None:
        """End the models that are done; all of them if a watcher wants to stop."""
        if stop:
            over = (self.outcomes == "") | (self.outcomes == "max_iter")
            self.outcomes[over] = "stopped"
        for outcome in set(self.outcomes.tolist()) - {""}:
            self.end(self.outcomes == outcome, outcome)
        self._drop(self.outcomes == "")

    def network(self, m: int) -> Network:
        """Make the current network of a job."""
        return self.stack.network(self.snapshot[self.members.index(m)])

    def interrupt(self) -> None:
        """End every model where it was after its last whole epoch."""
        self.end(np.ones(len(self.members), dtype=bool), "interrupted")
        self.members = []

    def end(self, rows: np.ndarray, outcome: Outcome) -> None:
        """Write the result of some models."""
        for row in np.flatnonzero(rows):
            m = self.members[row]
            network, is_last = self._final_network(row)
            self.fits[m] = Fit(
                network,
                self.curves[m],
                outcome if is_last else "diverged",
                self.scores[m],
                self._state(row),
            )

    def _final_network(self, row: np.integer) -> tuple[Network, bool]:
        """Find the last network that predicts finite numbers; whether it is the last.

        A loss is measured before the step that follows it: a network may predict what
        is infinite after an epoch of finite losses.
        """
        job, largest = self.jobs[self.members[row]], self.data.largest
        for kept in (self.snapshot if self.best is None else self.best, self.earlier):
            network = self.stack.network(kept[row])
            if predicts_finite(job.problem, job.model, network, largest):
                return network, kept is not self.earlier
        return job.model.start, False

    def _state(self, row: np.integer) -> dict[str, np.ndarray]:
        """Optimizer state of a model, to go on from."""
        if self.state_snapshot is None:
            return {}
        state = {
            name: value[row].cpu().numpy().copy()
            for name, value in self.state_snapshot.items()
            if name not in SETTINGS
        }
        return state | {
            "t": np.array(self.t),
            "epochs": np.array(self.epochs[row]),
            "seen": np.array(self.seen[row]),
            "rate": np.array(self.rates[row]),
            "initial_rate": np.array(self.jobs[self.members[row]].model.rate),
        }

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
        self.snapshot, self.earlier = self.snapshot[at], self.earlier[at]
        self.best = None if self.best is None else self.best[at]
        self.state = {name: value[at] for name, value in self.state.items()}
        if self.state_snapshot is not None:
            self.state_snapshot = {n: v[at] for n, v in self.state_snapshot.items()}
        self.steps = self._make_steps(
            self.problem, self.stack, self.shrinkage, self.state, self.data
        )


def _make_steps(
    steps: type[CompiledSteps] | type[TorchSteps],
    settings: Settings,
    rows: Rows,
    problem: Problem,
    stack: Stack,
    shrinkage: Shrinkage,
    state: State,
    data: Data,
) -> Steps:
    return steps(problem, settings, stack, shrinkage, state, data, rows)
