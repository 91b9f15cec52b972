"""Steps of a stack in compiled code (step/step.c), on the buffers of the torch engine.

A plan tells the compiled code all about one model: where its rows, weights and state
lie, how it is updated and shrunk.  One call takes the steps of several batches of some
models; models are independent, so that they may be spread over threads.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.special import xlogy
from torch import Tensor

from skgroupnet.config import VARIABLE, chosen_step
from skgroupnet.engine.data import Data, Rows
from skgroupnet.engine.problem import Problem, Settings
from skgroupnet.engine.shrinkage import FixedZeros, Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.steps import Task
from skgroupnet.engine.threads import WORTH_THREADS, Stopped
from skgroupnet.engine.updates import SGD, Adam, AdaMax, RMSprop, State, Update
from skgroupnet.penalties import (
    L1,
    L2,
    AdaptiveGroupLasso,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)
from skgroupnet.penalties.groups import Groups

try:
    from skgroupnet.engine import _step
except ImportError:
    _step = None  # type: ignore[assignment]

NOT_BUILT = (
    "this installation has no compiled steps, or outdated ones; to get them, install a "
    "C compiler and reinstall skgroupnet"
)

# Floating-point operations of one call: some milliseconds, and less than half a second
# on any machine, so that an interrupt is answered soon.
OPERATIONS = 1e8
# What a step takes besides its products, in the time of so many operations.
OVERHEAD = 1e3

_POINTER, _REAL, _COUNT = np.uintp, np.float64, np.int64
# The fields of Plan in step/plan.h, which explains them.
PLAN = np.dtype(
    [
        ("itemsize", _COUNT),
        ("n_layers", _COUNT),
        ("widths", _POINTER),
        ("activation", _COUNT),
        ("loss", _COUNT),
        ("X", _POINTER),
        ("row_starts", _POINTER),
        ("columns", _POINTER),
        ("n_columns", _COUNT),
        ("chosen", _POINTER),
        ("codes", _POINTER),
        ("y", _POINTER),
        ("constant", _POINTER),
        ("order", _POINTER),
        ("scale", _POINTER),
        ("n_rows", _COUNT),
        ("batch_rows", _COUNT),
        ("losses", _POINTER),
        ("weights", _POINTER),
        ("n_weights", _COUNT),
        ("n_parameters", _COUNT),
        ("fit_intercept", _COUNT),
        ("update", _COUNT),
        ("rate", _REAL),
        ("beta_1", _REAL),
        ("beta_2", _REAL),
        ("epsilon", _REAL),
        ("nesterov", _COUNT),
        ("direction", _POINTER),
        ("moment", _POINTER),
        ("step", _POINTER),
        ("shrink", _COUNT),
        ("strength", _POINTER),
        ("lasso", _POINTER),
        ("free", _POINTER),
        ("n_groups", _COUNT),
        ("group_ids", _POINTER),
        ("group_spans", _POINTER),
        ("span_starts", _POINTER),
        ("span_lengths", _POINTER),
        ("inverse_sizes", _POINTER),
        ("n_runs", _COUNT),
        ("run_starts", _POINTER),
        ("run_lengths", _POINTER),
        ("run_groups", _POINTER),
    ]
)
# In the order of the enumerations of step/plan.h.
ACTIVATIONS = ("relu", "relu2", "tanh", "logistic", "identity")
LOSSES = ("cross_entropy", "log_loss", "squared_error", "poisson")
UPDATES = (SGD, RMSprop, Adam, AdaMax)
KEEP, SOFT, RIDGE, SPARSE_SOFT, MASK = range(5)
# Only these very classes: one derived from them may shrink differently.
SHRINKS: dict[type, int] = {
    NoPenalty: KEEP,
    L1: SOFT,
    GroupLasso: SOFT,
    AdaptiveGroupLasso: SOFT,
    L2: RIDGE,
    SparseGroupLasso: SPARSE_SOFT,
    FixedZeros: MASK,
}


def default_report() -> str:
    """Tell what takes the steps of a small network on the CPU, and why."""
    obstacle = _obstacle()
    return f"torch: {obstacle}" if obstacle else f"compiled for {_instruction_set()}"


def one_by_one(problem: Problem, update: Update, flops: float) -> bool:
    """Whether models of a problem step independently, and not side by side in torch.

    Parameters as in `report`.
    """
    in_torch = type(problem.penalty) not in SHRINKS and not problem.keep_zeros
    return report(problem, update, flops)[0] and not in_torch


def report(problem: Problem, update: Update, flops: float) -> tuple[bool, str]:
    """Whether the steps of a problem are compiled, and what to tell the user.

    Parameters
    ----------
    problem : Problem
        What is trained.
    update : Update
        How it is trained.
    flops : float
        Floating-point operations of a step of one model.
    """
    obstacle = _obstacle() or _obstacle_in(problem, update, flops)
    if obstacle and chosen_step() == "compiled":
        raise RuntimeError(f"Compiled steps are asked for, but {obstacle}.")
    if obstacle:
        return False, f"Steps in torch: {obstacle}."
    in_torch = type(problem.penalty) not in SHRINKS and not problem.keep_zeros
    prox = f", the prox of {problem.penalty!r} in torch" if in_torch else ""
    return True, f"Steps compiled for {_instruction_set()}{prox}."


def _obstacle() -> str:
    """Say what speaks against compiled steps, whatever the problem; empty: nothing."""
    if chosen_step() == "torch":
        return f"config_context or {VARIABLE} asks for it"
    # What was built from other sources reads other plans.
    built = _step is not None and _step.plan_bytes == PLAN.itemsize
    return "" if built else NOT_BUILT


def _obstacle_in(problem: Problem, update: Update, flops: float) -> str:
    """Say what speaks against compiled steps of this problem; empty: nothing."""
    if torch.device(problem.device).type != "cpu":
        return f"the device is {problem.device!r}"
    if type(update) not in UPDATES:
        return f"there is no compiled {update!r}"
    if flops >= WORTH_THREADS:
        return "products as large as these use several threads there"
    return ""


def _instruction_set() -> str:
    return _step.instruction_sets[-1]


class CompiledSteps:
    """Compiled steps of a stack.

    Parameters
    ----------
    problem : Problem
        What the models share.
    settings : Settings
        How they are trained.
    stack, shrinkage, state
        What is trained, in place.
    data, rows
        What it is trained on.
    """

    def __init__(
        self,
        problem: Problem,
        settings: Settings,
        stack: Stack,
        shrinkage: Shrinkage,
        state: State,
        data: Data,
        rows: Rows,
    ) -> None:
        self._rows, self._shuffle, self._shrinkage = rows, settings.shuffle, shrinkage
        self._version = len(_step.instruction_sets) - 1
        self._in_torch = type(shrinkage.penalty) not in SHRINKS
        self._steps_taken = stack.flat.new_empty(
            (stack.n_models, shrinkage.metric.n_groups)
        )
        flops = OVERHEAD + 6.0 * stack.layout.n_parameters * rows.batch_rows
        self._together = max(1, int(OPERATIONS / flops))
        self._alive: list[Any] = []
        self._plans = np.zeros(stack.n_models, dtype=PLAN)
        self._set(
            itemsize=stack.flat.element_size(),
            n_layers=len(stack.weights),
            widths=np.array(stack.layout.widths, dtype=np.int64),
            activation=ACTIVATIONS.index(stack.activation),
            loss=LOSSES.index(problem.loss),
            batch_rows=rows.batch_rows,
            weights=stack.flat,
            n_weights=stack.layout.n_weights,
            n_parameters=stack.layout.n_parameters,
            fit_intercept=problem.fit_intercept,
            step=self._steps_taken,
        )
        self._set(**_rows(problem, data))
        self._set(**_update(settings.update, state))
        self._set(**_spans(shrinkage.metric))
        self._set(**_shrink(shrinkage))

    def _set(self, **fields: Any) -> None:
        """Write fields of all plans: numbers, or where arrays and tensors lie.

        A tensor has a row for each model; an array belongs to all of them.
        """
        for name, value in fields.items():
            if isinstance(value, np.ndarray):
                self._alive.append(value)
                value = value.ctypes.data
            elif isinstance(value, Tensor):
                self._alive.append(value)
                stride = value.stride(0) * value.element_size()
                value = value.data_ptr() + stride * np.arange(len(self._plans))
            self._plans[name] = value

    def tasks(self, rates: np.ndarray, t: int, losses: np.ndarray) -> list[Task]:
        """Make the tasks of an epoch, one a model unless the prox is in torch."""
        self._plans["rate"] = rates
        if self._in_torch:
            return [partial(self._run_with_prox, t, losses)]
        return [partial(self._run_one, m, t, losses[m]) for m in range(len(losses))]

    def _begin(self, m: int, losses: np.ndarray) -> list[np.ndarray | None]:
        """Point a plan at its next epoch; returns what has to stay alive."""
        order, scale = self._rows.epoch(m, self._shuffle)
        plan = self._plans[m : m + 1]
        plan["order"], plan["n_rows"] = order.ctypes.data, len(order)
        plan["scale"] = 0 if scale is None else scale.ctypes.data
        plan["losses"] = losses.ctypes.data
        return [order, scale]

    def _run_one(self, m: int, t: int, losses: np.ndarray, stopped: Stopped) -> None:
        alive = self._begin(m, losses)
        plan = self._plans[m : m + 1]
        for first in range(0, len(losses), self._together):
            if stopped():
                break
            stop = min(first + self._together, len(losses))
            _step.steps(plan, first, stop, t + first, self._version)
        del alive

    def _run_with_prox(self, t: int, losses: np.ndarray, stopped: Stopped) -> None:
        """Step by step, all models side by side, the prox in torch."""
        alive = [self._begin(m, losses[m]) for m in range(len(losses))]
        for batch in range(losses.shape[1]):
            if stopped():
                break
            _step.steps(self._plans, batch, batch + 1, t + batch, self._version)
            self._shrinkage.apply(self._steps_taken)
        del alive


def _rows(problem: Problem, data: Data) -> dict[str, Any]:
    """Fields about the rows and targets."""
    fields: dict[str, Any] = {}
    if data.sparse is not None:
        X = data.sparse
        fields["X"] = np.ascontiguousarray(X.data)
        fields["row_starts"] = X.indptr.astype(np.int64)
        fields["columns"] = np.ascontiguousarray(X.indices, dtype=np.int32)
    else:
        fields["X"] = data.X.contiguous().numpy()
        fields["n_columns"] = data.X.shape[1]
        if data.columns is not None:
            fields["chosen"] = data.columns.numpy()
    if data.codes is not None:
        fields["codes"] = data.codes.contiguous().numpy()
        return fields
    y = data.y.contiguous().numpy()
    fields["y"] = y
    if problem.loss == "poisson":
        exact = y.astype(np.float64)
        fields["constant"] = (xlogy(exact, exact) - exact).sum(1)
    return fields


def _update(update: Update, state: State) -> dict[str, Any]:
    """Fields about the update and its state."""
    fields: dict[str, Any] = {"update": UPDATES.index(type(update))}
    if isinstance(update, SGD):
        fields |= {"beta_1": update.momentum, "nesterov": update.nesterov}
        return fields | {"direction": state.get("momentum", 0)}
    if isinstance(update, AdaMax):
        fields |= {"moment": state["largest"], "epsilon": update.epsilon}
    else:
        fields["moment"] = state["second"]
        fields["epsilon"] = state["epsilon"][:, 0].tolist()
    if isinstance(update, RMSprop):
        return fields | {"beta_2": update.decay}
    assert isinstance(update, Adam | AdaMax)
    fields |= {"beta_1": update.beta_1, "beta_2": update.beta_2}
    return fields | {"direction": state["first"]}


def _shrink(shrinkage: Shrinkage) -> dict[str, Any]:
    """Fields about the prox."""
    penalty, groups, lam = shrinkage.penalty, shrinkage.groups, shrinkage.lam
    fields: dict[str, Any] = {"shrink": SHRINKS.get(type(penalty), KEEP)}
    fields["strength"] = groups.strength(lam)
    if isinstance(penalty, SparseGroupLasso):
        fields["lasso"] = penalty.lasso_strength(groups, lam)
    if isinstance(penalty, FixedZeros):
        fields["free"] = penalty.free
    return fields


def _spans(groups: Groups) -> dict[str, Any]:
    """Fields about the groups: runs of groups of one, and the spans of the others."""
    group = groups.index[0].numpy()
    sizes = np.bincount(group)
    single = sizes[group] == 1
    follows = np.where(single[1:], group[1:] == group[:-1] + 1, group[1:] == group[:-1])
    cuts = np.flatnonzero((single[1:] != single[:-1]) | ~follows) + 1
    starts = np.concatenate([[0], cuts])[: len(group)]
    lengths = np.diff(np.append(starts, len(group)))
    alone = single[starts]
    runs, spans = np.flatnonzero(alone), np.flatnonzero(~alone)
    spans = spans[np.argsort(group[starts[spans]], kind="stable")]
    ids, first = np.unique(group[starts[spans]], return_index=True)
    return {
        "n_groups": len(ids),
        "group_ids": ids,
        "group_spans": np.append(first, len(spans)),
        "span_starts": starts[spans],
        "span_lengths": lengths[spans],
        "inverse_sizes": (1 / groups.sizes)[0].numpy(),
        "n_runs": len(runs),
        "run_starts": starts[runs],
        "run_lengths": lengths[runs],
        "run_groups": group[starts[runs]],
    }
