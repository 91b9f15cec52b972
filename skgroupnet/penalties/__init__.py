"""Penalties by name: a string or an object in, a penalty out."""

from skgroupnet.penalties.adaptive import AdaptiveGroupLasso
from skgroupnet.penalties.base import Penalty
from skgroupnet.penalties.convex import (
    L1,
    L2,
    ElasticNet,
    GroupElasticNet,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)
from skgroupnet.penalties.layerwise import GroupHoyerSquare, HoyerSquare, L1MinusL2
from skgroupnet.penalties.nonconvex import (
    MCP,
    SCAD,
    CappedL1,
    GroupCappedL1,
    GroupLog,
    GroupMCP,
    GroupSCAD,
    GroupTransformedL1,
    Log,
    TransformedL1,
)
from skgroupnet.penalties.path_norm import PathNorm
from skgroupnet.penalties.powers import L0, L12, L23, GroupL0, GroupL12, GroupL23

__all__ = [
    "L0",
    "L1",
    "L2",
    "L12",
    "L23",
    "MCP",
    "PENALTIES",
    "SCAD",
    "AdaptiveGroupLasso",
    "CappedL1",
    "ElasticNet",
    "GroupCappedL1",
    "GroupElasticNet",
    "GroupHoyerSquare",
    "GroupL0",
    "GroupL12",
    "GroupL23",
    "GroupLasso",
    "GroupLog",
    "GroupMCP",
    "GroupSCAD",
    "GroupTransformedL1",
    "HoyerSquare",
    "L1MinusL2",
    "Log",
    "NoPenalty",
    "PathNorm",
    "Penalty",
    "SparseGroupLasso",
    "TransformedL1",
    "get_penalty",
]

PENALTIES: dict[str, type[Penalty]] = {
    "none": NoPenalty,
    "l1": L1,
    "l2": L2,
    "elastic_net": ElasticNet,
    "mcp": MCP,
    "scad": SCAD,
    "capped_l1": CappedL1,
    "transformed_l1": TransformedL1,
    "log": Log,
    "l12": L12,
    "l23": L23,
    "l0": L0,
    "l1_minus_l2": L1MinusL2,
    "hoyer_square": HoyerSquare,
    "group_lasso": GroupLasso,
    "adaptive_group_lasso": AdaptiveGroupLasso,
    "sparse_group_lasso": SparseGroupLasso,
    "group_elastic_net": GroupElasticNet,
    "group_mcp": GroupMCP,
    "group_scad": GroupSCAD,
    "group_capped_l1": GroupCappedL1,
    "group_transformed_l1": GroupTransformedL1,
    "group_log": GroupLog,
    "group_l12": GroupL12,
    "group_l23": GroupL23,
    "group_l0": GroupL0,
    "group_hoyer_square": GroupHoyerSquare,
    "path_norm": PathNorm,
}

METHODS = ("value", "prox", "subgradient_distance", "weak_convexity")
VARIABLES = ("groups_of", "one_step_per", "adaptive")


def get_penalty(penalty: "str | Penalty | None") -> Penalty:
    """Return the penalty object that a name or an object stands for.

    Parameters
    ----------
    penalty : str, penalty object or None
        A name listed in ``PENALTIES``, an object of one of these classes (or one
        that follows the same protocol), or None for no penalty.

    Returns
    -------
    Penalty
        The penalty, with its default settings if it was named.

    Raises
    ------
    ValueError
        If the name is not known.
    TypeError
        If the object is not a penalty.

    Examples
    --------
    >>> from skgroupnet.penalties import get_penalty
    >>> get_penalty("sparse_group_lasso")
    SparseGroupLasso(l1_weight=1.0)
    """
    if penalty is None:
        return NoPenalty()
    if isinstance(penalty, str):
        if penalty not in PENALTIES:
            known = ", ".join(repr(name) for name in PENALTIES)
            raise ValueError(
                f"Unknown penalty {penalty!r}. Known penalties: {known}, or None."
            )
        return PENALTIES[penalty]()
    if isinstance(penalty, type):
        raise TypeError(
            "penalty must be None, a string or a penalty object, but is the class "
            f"{penalty.__name__} itself; write {penalty.__name__}()."
        )
    lacking = [n for n in METHODS if not callable(getattr(penalty, n, None))]
    lacking += [n for n in VARIABLES if getattr(penalty, n, None) is None]
    if lacking:
        raise TypeError(
            "penalty must be None, a string or a penalty object, but "
            f"{penalty!r} lacks {', '.join(lacking)}."
        )
    return penalty
