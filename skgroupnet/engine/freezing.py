"""Shrinking while training: units that stay zero are taken out of the tensors.

A unit of a layer (an input feature, or a hidden neuron) is dead at the end of an epoch
if all its outgoing weights are exactly zero.  After `PATIENCE` such epochs in a row it
is frozen: the steps of the next epochs are taken on a compact network without it, in
which the groups that are left keep the strength and the mean of the second moment of
their full size.  Nothing else changes: what a frozen unit would have received has no
effect on the others.

The incoming weights of a dead neuron do not matter to the loss, and the penalty takes
them to zero as training goes on; freezing sets them to zero at once.

Every `RETEST`-th epoch all units take part, and so they do in the last one: a unit may
come back, and no model ends on the word of its frozen units alone.  Each model freezes
by its own rule, on tensors of its own, whatever its neighbours do.

Where the zeros of a layer tell on the step of the others, or incoming weights are not
free to vanish, nothing is frozen: measures of a whole layer, and the path norm.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.data import Data
from skgroupnet.engine.problem import Job, Problem, Settings
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Layout, Stack
from skgroupnet.engine.steps import Steps, Task
from skgroupnet.engine.threads import Stopped
from skgroupnet.engine.updates import State
from skgroupnet.network import Network
from skgroupnet.penalties import L2, NoPenalty

PATIENCE = 2
RETEST = 5
# Weights of a network that is worth it: a smaller one is not faster without its units.
WORTH_SHRINKING = 20_000
# A compact network must have at most this share of the parameters.
WORTH_COMPACT = 0.8
# The state of an update that goes where the weights go.
DIRECTIONS = ("first", "momentum")

MakeSteps = Callable[[Problem, Stack, Shrinkage, State, Data], Steps]


def shrinks(job: Job) -> bool:
    """Whether a model is taken out of its stack, to shrink as it is trained.

    Parameters
    ----------
    job : Job
        What is trained.
    """
    problem, settings = job.problem, job.settings
    assert isinstance(settings, Settings)
    return (
        Layout(job.model.start.widths).n_weights >= WORTH_SHRINKING
        and job.model.lam > 0
        and not isinstance(problem.penalty, NoPenalty | L2)
        and problem.penalty.groups_of != "pairs"
        and problem.penalty.one_step_per == "group"
        and not problem.keep_zeros
        and torch.device(problem.device).type == "cpu"
        and settings.max_iter > PATIENCE
        and settings.update.forgets
    )


class Freezing:
    """Which units of a model take part in an epoch.

    Parameters
    ----------
    problem : Problem
        What the model is trained on.
    stack : Stack
        The model, alone in its stack.
    shrinkage, state
        Its penalty and the state of its update.
    data : Data
        Rows it is trained on.
    make_steps : callable
        Makes the steps of a stack.
    """

    def __init__(
        self,
        problem: Problem,
        stack: Stack,
        shrinkage: Shrinkage,
        state: State,
        data: Data,
        make_steps: MakeSteps,
    ) -> None:
        self._problem, self._stack, self._data = problem, stack, data
        self._shrinkage, self._state, self._make_steps = shrinkage, state, make_steps
        widths = stack.layout.widths
        self._dead = [np.zeros(n, dtype=int) for n in widths[:-1]]
        self._since_test = 0
        self.test_next = False
        self.whole = True

    def note(self) -> None:
        """Note which units are dead after an epoch."""
        self._since_test = 0 if self.whole else self._since_test + 1
        for dead, weight in zip(self._dead, self._stack.weights, strict=True):
            dead += 1
            # numpy's `any` is several times as fast as torch's.
            dead[weight[0].numpy().any(1)] = 0

    def tasks(
        self, last: bool, rates: np.ndarray, t: int, losses: np.ndarray
    ) -> list[Task] | None:
        """Make the task of an epoch on the compact network; None: all units take part.

        Parameters as in `Steps.tasks`; ``last`` tells that no epoch follows.
        """
        kept = [dead < PATIENCE for dead in self._dead]
        due = last or self.test_next or self._since_test >= RETEST - 1
        self.test_next = False
        self.whole = due or not self._worth(kept)
        if self.whole:
            return None
        return [partial(self._run, kept, rates, t, losses)]

    def _worth(self, kept: Sequence[np.ndarray]) -> bool:
        """Whether the compact network is much smaller, and there is one."""
        counts = [int(mask.sum()) for mask in kept]
        if not all(counts):
            return False
        compact = Layout((*counts, self._stack.layout.widths[-1]))
        return compact.n_parameters <= WORTH_COMPACT * self._stack.layout.n_parameters

    def _run(
        self,
        kept: list[np.ndarray],
        rates: np.ndarray,
        t: int,
        losses: np.ndarray,
        stopped: Stopped,
    ) -> None:
        """Go over the rows once on the compact network, and write it back."""
        widths = self._stack.layout.widths
        self._clear_incoming(kept)
        units = [np.flatnonzero(mask) for mask in kept] + [np.arange(widths[-1])]
        at = torch.from_numpy(_places(units, widths))
        stack = Stack([self._compact(units)], self._problem.loss, self._data.device)
        problem = self._narrowed(units, at)
        shrinkage = Shrinkage(problem, stack, self._shrinkage.lam.numpy())
        groups = torch.empty(shrinkage.groups.n_groups, dtype=torch.int64)
        groups[shrinkage.groups.index[0]] = self._shrinkage.groups.index[0, at]
        factors = self._shrinkage.factors
        shrinkage.weigh(None if factors is None else factors[:, groups])
        where = {
            self._stack.layout.n_parameters: at,
            self._shrinkage.groups.n_groups: groups,
        }
        places = {n: where.get(value.shape[1]) for n, value in self._state.items()}
        state = {
            name: value if places[name] is None else value[:, places[name]]
            for name, value in self._state.items()
        }
        data = self._data.narrowed(units[0])
        steps = self._make_steps(problem, stack, shrinkage, state, data)
        for task in steps.tasks(rates, t, losses):
            task(stopped)
        self._stack.flat[0, at] = stack.flat[0]
        for name, place in places.items():
            if place is not None:
                self._state[name][:, place] = state[name]

    def _clear_incoming(self, kept: Sequence[np.ndarray]) -> None:
        """Set the incoming weights of frozen neurons to zero, and their momentum."""
        moving = [self._state[name] for name in DIRECTIONS if name in self._state]
        for flat in (self._stack.flat, *moving):
            weights, _ = self._stack.layout.split(flat)
            for weight, mask in zip(weights, kept[1:], strict=False):
                weight[0, :, torch.from_numpy(~mask)] = 0

    def _compact(self, units: Sequence[np.ndarray]) -> Network:
        """Network of the units that are left."""
        full = self._stack.network(self._stack.flat[0])
        weights = [
            weight[np.ix_(rows, columns)]
            for weight, rows, columns in zip(
                full.weights, units[:-1], units[1:], strict=True
            )
        ]
        biases = [b[u] for b, u in zip(full.biases, units[1:], strict=True)]
        return replace(full, weights=tuple(weights), biases=tuple(biases))

    def _narrowed(self, units: Sequence[np.ndarray], at: Tensor) -> Problem:
        """Problem of the compact network, its groups as large as before."""
        full, labels = self._shrinkage.groups, self._problem.labels
        size_of = full.sizes[0, full.index[0, at]].numpy()
        sizes, start = [], 0
        for rows, columns in pairwise(units):
            stop = start + len(rows) * len(columns)
            sizes.append(size_of[start : stop : len(columns)])
            start = stop
        return replace(
            self._problem,
            labels=None if labels is None else labels[units[0]],
            group_sizes=tuple(sizes),
        )


def _places(units: Sequence[np.ndarray], widths: Sequence[int]) -> np.ndarray:
    """Places of the parameters of a compact network in the flat full one."""
    parts, offset = [], 0
    for (rows, columns), (n_in, n_out) in zip(
        pairwise(units), pairwise(widths), strict=True
    ):
        parts.append(offset + (rows[:, None] * n_out + columns).ravel())
        offset += n_in * n_out
    for columns, n_out in zip(units[1:], widths[1:], strict=True):
        parts.append(offset + columns)
        offset += n_out
    return np.concatenate(parts)
