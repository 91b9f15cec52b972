"""Steps of a stack in compiled code (step/step.c), on the buffers of the torch engine.

A plan (`skgroupnet.engine.plan`) tells the compiled code all about one model: where its
rows, weights and state lie, how it is updated and shrunk.  One call takes the steps of
several batches of some models; models are independent, so that they may be spread over
threads.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from skgroupnet.config import VARIABLE, chosen_step
from skgroupnet.engine.data import Data, Rows
from skgroupnet.engine.plan import (
    ACTIVATIONS,
    LOSSES,
    PLAN,
    SHRINKS,
    UPDATES,
    rows_fields,
    shrink_fields,
    spans_fields,
    update_fields,
)
from skgroupnet.engine.problem import Problem, Settings
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.steps import Task
from skgroupnet.engine.threads import WORTH_THREADS, Stopped, flushing
from skgroupnet.engine.updates import State, Update

SOURCES = Path(__file__).parent / "step"


def is_of(sources: Path, digest: str) -> bool:
    """Whether an extension was compiled from the present sources.

    Parameters
    ----------
    sources : Path
        Folder of the sources. A wheel has none: its extension came with it.
    digest : str
        What setup.py gave the extension.
    """
    paths = sorted(sources.glob("*.[ch]"), key=str)
    contents = b"".join(path.read_bytes() for path in paths)
    return not paths or hashlib.sha256(contents).hexdigest() == digest


try:
    from skgroupnet.engine import _step
except ImportError:
    _step = None  # type: ignore[assignment]
else:
    # What was built from other sources reads other plans.
    if not is_of(SOURCES, getattr(_step, "digest", "")):
        _step = None  # type: ignore[assignment]

NOT_BUILT = (
    "this installation has no compiled steps, or outdated ones; to get them, install a "
    "C compiler and reinstall skgroupnet"
)

# Floating-point operations of one call: some milliseconds, and less than half a second
# on any machine, so that an interrupt is answered soon.
OPERATIONS = 1e8
# What a step takes besides its products, in the time of so many operations: as a whole,
# and for the update and the prox of a parameter, where many of them wait for memory.
OVERHEAD, PARAMETER = 1e3, 50.0


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
    built = _step is not None and _step.plan_bytes == PLAN.itemsize
    return "" if built else NOT_BUILT


def _obstacle_in(problem: Problem, update: Update, flops: float) -> str:
    """Say what speaks against compiled steps of this problem; empty: nothing."""
    if torch.device(problem.device).type != "cpu":
        return f"the device is {problem.device!r}"
    if type(update) not in UPDATES:
        return f"there is no compiled {update!r}"
    if problem.loss not in LOSSES:
        return f"there is no compiled loss {problem.loss!r}"
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
        flops = OVERHEAD + PARAMETER * stack.layout.n_parameters
        flops += data.work(stack.layout.widths) * rows.batch_rows
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
        self._set(**rows_fields(problem, data))
        if data.sparse is not None:
            self._set(grad=torch.zeros_like(stack.flat))
        self._set(**update_fields(settings.update, state))
        self._set(**spans_fields(shrinkage.metric))
        self._set(**shrink_fields(shrinkage))

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

    @flushing()
    def _run_with_prox(self, t: int, losses: np.ndarray, stopped: Stopped) -> None:
        """Step by step, all models side by side, the prox in torch."""
        alive = [self._begin(m, losses[m]) for m in range(len(losses))]
        for batch in range(losses.shape[1]):
            if stopped():
                break
            _step.steps(self._plans, batch, batch + 1, t + batch, self._version)
            self._shrinkage.apply(self._steps_taken)
        del alive
