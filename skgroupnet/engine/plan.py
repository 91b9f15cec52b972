"""What the compiled steps are told of a model: one plan, the struct of step/plan.h."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import xlogy

from skgroupnet.engine.data import Data
from skgroupnet.engine.problem import Problem
from skgroupnet.engine.shrinkage import FixedZeros, Shrinkage
from skgroupnet.engine.updates import SGD, Adam, AdaMax, RMSprop, State, Update
from skgroupnet.penalties import (
    L0,
    L1,
    L2,
    L12,
    L23,
    MCP,
    SCAD,
    AdaptiveGroupLasso,
    CappedL1,
    ElasticNet,
    GroupCappedL1,
    GroupElasticNet,
    GroupL0,
    GroupL12,
    GroupL23,
    GroupLasso,
    GroupLog,
    GroupMCP,
    GroupSCAD,
    GroupTransformedL1,
    Log,
    NoPenalty,
    SparseGroupLasso,
    TransformedL1,
)
from skgroupnet.penalties.groups import Groups

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
        ("grad", _POINTER),
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
        ("shape", _REAL),
        ("strength", _POINTER),
        ("other", _POINTER),
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
KEEP, SOFT, RIDGE, SPARSE_SOFT, MASK, ELASTIC = range(6)
FIRM, CLIPPED, CAPPED, HARD, LOGARITHM, TRANSFORMED, HALF_POWER, TWO_THIRDS = range(
    6, 14
)
# Only these very classes: one derived from them may shrink differently.
SHRINKS: dict[type, int] = {
    NoPenalty: KEEP,
    L1: SOFT,
    GroupLasso: SOFT,
    AdaptiveGroupLasso: SOFT,
    L2: RIDGE,
    SparseGroupLasso: SPARSE_SOFT,
    FixedZeros: MASK,
    ElasticNet: ELASTIC,
    GroupElasticNet: ELASTIC,
    MCP: FIRM,
    GroupMCP: FIRM,
    SCAD: CLIPPED,
    GroupSCAD: CLIPPED,
    CappedL1: CAPPED,
    GroupCappedL1: CAPPED,
    L0: HARD,
    GroupL0: HARD,
    Log: LOGARITHM,
    GroupLog: LOGARITHM,
    TransformedL1: TRANSFORMED,
    GroupTransformedL1: TRANSFORMED,
    L12: HALF_POWER,
    GroupL12: HALF_POWER,
    L23: TWO_THIRDS,
    GroupL23: TWO_THIRDS,
}
# The setting that shapes a penalty.
SHAPES = {
    FIRM: "gamma", CLIPPED: "a", CAPPED: "theta", LOGARITHM: "eps", TRANSFORMED: "a"
}  # fmt: skip

# Those of sparse rows are numbered by 32-bit integers.
MOST_COLUMNS = np.iinfo(np.int32).max


def rows_fields(problem: Problem, data: Data) -> dict[str, Any]:
    """Fields about the rows and targets."""
    fields: dict[str, Any] = {}
    if data.sparse is not None:
        X = data.sparse
        if X.shape[1] > MOST_COLUMNS:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the compiled steps take at most "
                f'{MOST_COLUMNS}. Use config_context(step="torch").'
            )
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


def update_fields(update: Update, state: State) -> dict[str, Any]:
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


def shrink_fields(shrinkage: Shrinkage) -> dict[str, Any]:
    """Fields about the prox; without one if it is not compiled."""
    penalty, groups, lam = shrinkage.penalty, shrinkage.groups, shrinkage.lam
    shrink = SHRINKS.get(type(penalty), KEEP)
    if shrink == KEEP:
        return {"shrink": KEEP}
    strength = groups.strength(lam)
    fields: dict[str, Any] = {"shrink": shrink, "strength": strength}
    if shrink in SHAPES:
        fields["shape"] = getattr(penalty, SHAPES[shrink])
    if isinstance(penalty, SparseGroupLasso):
        fields["other"] = penalty.lasso_strength(groups, lam)
    if isinstance(penalty, ElasticNet | GroupElasticNet):
        fields["strength"] = penalty.l1_ratio * strength
        fields["other"] = penalty.ridge_strength(groups, lam)
    if isinstance(penalty, FixedZeros):
        fields["free"] = penalty.free
    return fields


def spans_fields(groups: Groups) -> dict[str, Any]:
    """Fields about the groups: runs of groups of one, and the spans of the others."""
    group, widths = groups.rows
    single = np.bincount(group, weights=widths)[group] == 1
    follows = np.where(single[1:], group[1:] == group[:-1] + 1, group[1:] == group[:-1])
    cuts = np.flatnonzero((single[1:] != single[:-1]) | ~follows) + 1
    firsts = np.concatenate([[0], cuts])[: len(group)]
    group, alone = group[firsts], single[firsts]
    ends = np.cumsum(widths)
    starts = (ends - widths)[firsts]
    lengths = np.diff(np.append(starts, ends[-1:]))
    runs, spans = np.flatnonzero(alone), np.flatnonzero(~alone)
    spans = spans[np.argsort(group[spans], kind="stable")]
    ids, first = np.unique(group[spans], return_index=True)
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
        "run_groups": group[runs],
    }
