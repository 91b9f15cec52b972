"""Steps of a stack taken in torch: the reference, and what runs on every device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np
import torch

from skgroupnet.engine.data import Data, Rows
from skgroupnet.engine.problem import Problem, Settings
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.threads import Stopped, flushing
from skgroupnet.engine.updates import State

Task = Callable[[Stopped], None]


class Steps(Protocol):
    """What takes the steps of a stack."""

    def tasks(self, rates: np.ndarray, t: int, losses: np.ndarray) -> list[Task]:
        """Make what goes over the rows once; the tasks may run side by side.

        Parameters
        ----------
        rates : ndarray of shape (M,)
            Learning rate of each model.
        t : int
            Number of steps taken before.
        losses : ndarray of shape (M, n_batches)
            Where the mean loss of each batch before its step is written.
        """


class TorchSteps:
    """Steps of a stack in torch.

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
        self._fit_intercept = problem.fit_intercept
        self._update, self._shuffle = settings.update, settings.shuffle
        self._stack, self._shrinkage, self._state = stack, shrinkage, state
        self._data, self._rows = data, rows
        shrinkage.metric.remember(stack.grad)

    def tasks(self, rates: np.ndarray, t: int, losses: np.ndarray) -> list[Task]:
        """Make the one task of an epoch: all models step side by side."""
        return [partial(self._run, rates, t, losses)]

    @flushing()
    def _run(
        self, rates: np.ndarray, t: int, losses: np.ndarray, stopped: Stopped
    ) -> None:
        stack, groups = self._stack, self._shrinkage.metric
        rate = torch.as_tensor(rates[:, None]).to(stack.flat)
        order, scale = self._rows.order(self._shuffle)
        values = []
        for chunk in self._data.chunks(order, scale, self._rows.batch_rows):
            raw = torch.empty_like(chunk.y)
            for batch, out in zip(chunk.batches(), raw.unbind(), strict=True):
                t += 1
                stack.gradient(*batch, out)
                if not self._fit_intercept:
                    stack.grad[:, stack.layout.n_weights :] = 0
                step = self._update.apply(
                    stack.flat, stack.grad, groups, self._state, rate, t
                )
                self._shrinkage.apply(step)
                self._update.after_prox(stack.flat, stack.grad)
            if stopped():
                return
            values.append(chunk.losses(stack.loss.value(raw, chunk.y)))
        losses[:] = torch.cat(values).T.cpu().numpy()
