"""Block coordinate descent in compiled code (step/descent.h), as newton.py needs it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from skgroupnet.config import chosen_step
from skgroupnet.engine.compiled import _step
from skgroupnet.engine.linear import LinearModel
from skgroupnet.engine.losses import LOSSES
from skgroupnet.engine.plan import (
    ELASTIC,
    KEEP,
    RIDGE,
    SHRINKS,
    SOFT,
    SPARSE_SOFT,
    shrink_fields,
)
from skgroupnet.engine.problem import Problem

_POINTER, _COUNT = np.uintp, np.int64
# The fields of Descent in step/plan.h, which explains them.
DESCENT = np.dtype(
    [
        ("itemsize", _COUNT),
        ("n_rows", _COUNT),
        ("n_outputs", _COUNT),
        ("n_columns", _COUNT),
        ("columns", _POINTER),
        ("n_curvatures", _COUNT),
        ("curvature", _POINTER),
        ("totals", _POINTER),
        ("errors", _POINTER),
        ("raw", _POINTER),
        ("centred", _COUNT),
        ("means", _POINTER),
        ("weights", _POINTER),
        ("n_blocks", _COUNT),
        ("block_starts", _POINTER),
        ("fresh", _COUNT),
        ("moment_starts", _POINTER),
        ("n_moments", _COUNT),
        ("moments", _POINTER),
        ("bounds", _POINTER),
        ("units", _POINTER),
        ("scratch", _POINTER),
        ("elementwise", _COUNT),
        ("shrink", _COUNT),
        ("strength", _POINTER),
        ("other", _POINTER),
    ]
)
# Concave penalties have many stationary points; from zero FISTA finds lower ones than
# coordinate descent, by up to 2 % in the mean over draws with n < p.
CONVEX = (KEEP, SOFT, RIDGE, SPARSE_SOFT, ELASTIC)
# Passes of one call, and about how many floating-point operations they take: an
# interrupt is answered after it.
PASSES, OPERATIONS = 10, 2e9
# The second moments of a block are kept: their number is the square of its columns.
LARGEST_BLOCK = 512

# Weights whose second moments are taken together where the outputs of a row depend on
# each other: the moments cost as many products with X as there are weights.
MOST_COUPLED = 2000


def can_descend(problem: Problem) -> bool:
    """Whether the compiled descent takes a problem.

    Parameters
    ----------
    problem : Problem
        A problem for models without a hidden layer.
    """
    built = _step is not None and _step.descent_bytes == DESCENT.itemsize
    labels = problem.labels
    small = labels is None or (
        np.bincount(labels[labels >= 0], minlength=1).max() <= LARGEST_BLOCK
    )
    return (
        built
        and chosen_step() != "torch"
        and torch.device(problem.device).type == "cpu"
        and SHRINKS.get(type(problem.penalty)) in CONVEX
        and (isinstance(problem.X, np.ndarray) or problem.y.shape[1:] == (1,))
        and (LOSSES[problem.loss].curvatures is not None or _is_small(problem))
        and not problem.penalize_bias
        and not problem.keep_zeros
        and small
    )


def _is_small(problem: Problem) -> bool:
    """Whether the second moments of all weights can be taken together."""
    n_outputs = int(problem.y.max()) + 1 if problem.y.ndim == 1 else problem.y.shape[1]
    return problem.X.shape[1] * n_outputs <= MOST_COUPLED


class Blocks:
    """Columns of X in blocks: what the penalty takes together, with its strengths.

    Parameters
    ----------
    linear : LinearModel
        The model: its features form groups, and its penalty has the strengths.
    n_outputs : int
        Number of outputs, k.

    Attributes
    ----------
    of_column : int ndarray of shape (d,)
        Block of each column.
    sizes : int ndarray of shape (G,)
        Number of columns of each block.
    strength, other : Tensor of shape (G,)
        Strengths of each, as in the plan of a step.
    unit : Tensor of shape (G,)
        What the gradient of each is measured in.
    shrink : int
        Kind of the prox.
    """

    def __init__(self, linear: LinearModel, n_outputs: int) -> None:
        problem, shrinkage = linear.problem, linear.shrinkage
        self._shape = problem.X.shape[1], n_outputs
        self.elementwise = shrinkage.penalty.groups_of == "weights"
        labels = np.arange(self._shape[0])
        if problem.labels is not None and not self.elementwise:
            alone = problem.labels < 0
            labels = np.where(alone, problem.labels.max() + 1 + labels, problem.labels)
        self.of_column = np.unique(labels, return_inverse=True)[1]
        self.sizes = np.bincount(self.of_column)
        self._order = np.argsort(self.of_column, kind="stable")
        self._starts = _starts(self.sizes)
        self._shrinkage = shrinkage
        # Where a block has several units, it has to meet the smallest.
        inverse = self.amax(shrinkage.groups.spread(1 / linear.unit))
        self.unit = torch.from_numpy(1 / inverse)
        self.restart()

    def restart(self) -> None:
        """Read the strengths again: lam has changed."""
        fields = shrink_fields(self._shrinkage)
        self.shrink = fields["shrink"]
        self.strength = self._of_blocks(fields.get("strength"))
        self.other = self._of_blocks(fields.get("other"))

    def widened(self) -> Blocks:
        """Make the same blocks of weights, each a column with one output."""
        widened = copy.copy(self)
        widened.sizes = self.sizes * self._shape[1]
        return widened

    def _of_blocks(self, values: Tensor | None) -> Tensor:
        """Read the values of groups (1, G) at the first weight of each block."""
        if values is None:
            return torch.zeros(len(self.sizes), dtype=torch.float64)
        columns = torch.from_numpy(self._order[self._starts[:-1]])
        flat = self._shrinkage.groups.spread(values)
        return self._matrix(flat)[columns, 0].contiguous()

    def _matrix(self, flat: Tensor) -> Tensor:
        n_columns, n_outputs = self._shape
        return flat[0, : n_columns * n_outputs].view(n_columns, n_outputs)

    def amax(self, flat: Tensor) -> np.ndarray:
        """Largest entry of each block: (1, P) -> (G,)."""
        largest = np.zeros(len(self.sizes))
        by_column = self._matrix(flat).amax(1).numpy()
        np.fmax.at(largest, self.of_column, by_column)
        return largest

    def columns(self, blocks: np.ndarray) -> np.ndarray:
        """Columns of some blocks, block by block."""
        parts = [self._order[self._starts[g] : self._starts[g + 1]] for g in blocks]
        return np.concatenate([np.empty(0, dtype=int), *parts])


@dataclass(frozen=True)
class Curvature:
    """Curvature of the loss in the raw prediction of every row.

    Parameters
    ----------
    of_rows : Tensor of shape (k, n) or (1, n)
        Curvature of each output, or one for all of them.
    centred : bool
        Whether there is an intercept, which follows the weights.
    """

    of_rows: Tensor
    centred: bool


class Descent:
    """A quadratic model of the objective on some columns, and its minimisation.

    Parameters
    ----------
    blocks : Blocks
        All blocks.
    chosen : int ndarray
        Those to work on.
    panel : Tensor of shape (n_columns, n)
        Their columns, each contiguous.
    curvature : Curvature
        The curvature of the rows.
    errors : Tensor of shape (k, n)
        Gradient with respect to the raw prediction, changed in place.
    weights : Tensor of shape (n_columns, k)
        Where to start, changed in place.

    Attributes
    ----------
    raw : Tensor of shape (k, n)
        Change of the raw prediction.
    means : Tensor of shape (k, n_columns) or (1, n_columns)
        Means of the columns under the curvature; zero without an intercept.
    n_passes : int
        Passes done.
    """

    def __init__(
        self,
        blocks: Blocks,
        chosen: np.ndarray,
        panel: Tensor,
        curvature: Curvature,
        errors: Tensor,
        weights: Tensor,
    ) -> None:
        self.raw, self.n_passes = torch.zeros_like(errors), 0
        self.means = panel.new_zeros((len(curvature.of_rows), len(panel)))
        self._plan = np.zeros(1, dtype=DESCENT)
        self._alive: list[Tensor] = []
        self._set(
            itemsize=panel.element_size(),
            n_rows=panel.shape[1],
            n_outputs=len(errors),
            n_columns=len(panel),
            n_curvatures=len(curvature.of_rows),
            columns=panel,
            curvature=curvature.of_rows.contiguous(),
            totals=curvature.of_rows.sum(1),
            centred=curvature.centred,
            errors=errors,
            raw=self.raw,
            weights=weights,
            means=self.means,
        )
        self._set_blocks(blocks, chosen, panel, len(errors), len(curvature.of_rows))

    def _set_blocks(
        self,
        blocks: Blocks,
        chosen: np.ndarray,
        like: Tensor,
        n_outputs: int,
        n_curvatures: int,
    ) -> None:
        """Write the fields about the blocks, with room for their curvature."""
        sizes = blocks.sizes[chosen]
        largest = 3 * n_outputs * int(sizes.max(initial=0))
        self._set(
            n_blocks=len(sizes),
            block_starts=torch.from_numpy(_starts(sizes)),
            fresh=True,
            moment_starts=torch.from_numpy(_starts(sizes**2)),
            n_moments=int((sizes**2).sum()),
            moments=like.new_empty(n_curvatures * int((sizes**2).sum())),
            bounds=like.new_empty(len(sizes)),
            units=blocks.unit[chosen].to(like.dtype),
            scratch=like.new_empty(max(like.shape[1], largest)),
            elementwise=blocks.elementwise,
            shrink=blocks.shrink,
            strength=blocks.strength[chosen].to(like.dtype),
            other=blocks.other[chosen].to(like.dtype),
        )

    def _set(self, **fields: int | Tensor) -> None:
        """Write fields of the plan: numbers, or where tensors lie."""
        for name, value in fields.items():
            if isinstance(value, Tensor):
                self._alive.append(value)
                value = value.data_ptr()
            self._plan[name] = value

    def run(self, tol: float, max_passes: int) -> bool:
        """Go over the blocks until none is moved by a gradient above a tolerance.

        Parameters
        ----------
        tol : float
            Largest norm of such a gradient, per root of the size of its block and in
            the unit of the block.
        max_passes : int
            Largest number of passes over the blocks.

        Returns
        -------
        bool
            Whether the tolerance is met.
        """
        version = len(_step.instruction_sets) - 1
        plan = self._plan[0]
        a_pass = 4.0 * plan["n_rows"] * plan["n_columns"] * plan["n_outputs"]
        at_once = max(2, min(PASSES, int(OPERATIONS / max(1.0, a_pass))))
        for done in range(0, max_passes, at_once):
            passes = min(at_once, max_passes - done)
            passes = _step.descend(self._plan, passes, tol, version)
            self._set(fresh=False)
            self.n_passes += abs(passes)
            if passes > 0:
                return True
        return False


def _starts(sizes: np.ndarray) -> np.ndarray:
    """Where parts of these sizes begin and end, one after the other."""
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
