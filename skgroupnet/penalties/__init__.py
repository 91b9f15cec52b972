"""Penalties by name: a string or an object in, a penalty out."""

from skgroupnet.penalties.base import Penalty
from skgroupnet.penalties.convex import (
    L1,
    L2,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
)

__all__ = [
    "L1",
    "L2",
    "PENALTIES",
    "GroupLasso",
    "NoPenalty",
    "Penalty",
    "SparseGroupLasso",
    "get_penalty",
]

PENALTIES: dict[str, type[Penalty]] = {
    "none": NoPenalty,
    "l1": L1,
    "l2": L2,
    "group_lasso": GroupLasso,
    "sparse_group_lasso": SparseGroupLasso,
}


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
    if isinstance(penalty, type) or not all(
        callable(getattr(penalty, method, None))
        for method in ("value", "prox", "subgradient_distance")
    ):
        raise TypeError(
            "penalty must be None, a string or a penalty object with the methods "
            f"value, prox and subgradient_distance, got {penalty!r}."
        )
    return penalty
