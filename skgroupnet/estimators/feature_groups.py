"""From the user's groups of features to one integer label per feature."""

from collections.abc import Hashable, Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np

# A list whose entries are of these types is a list of blocks.
BLOCK_TYPES = (list, tuple, set, frozenset, range, np.ndarray)


def feature_labels(
    groups: Any, n_features: int, feature_names: Sequence[str] | None
) -> np.ndarray | None:
    """Turn the groups of a user into one integer label per feature.

    Parameters
    ----------
    groups : array-like, list of blocks or None
        One label for each feature (features with equal labels form a group, a
        negative integer leaves the feature unpenalised), or a list of blocks, each a
        collection of column numbers or names (features in no block are groups of
        one).
    n_features : int
        Number of columns of X.
    feature_names : sequence of str or None
        Names of the columns of X, if it has names.

    Returns
    -------
    labels : ndarray of int of shape (n_features,) or None
        -1 for unpenalised features; None if every feature is a group of its own.

    Raises
    ------
    ValueError
        If the groups do not fit the features; the message says which and how.
    """
    if groups is None:
        return None
    # A one-dimensional array or Series holds labels, whatever they are.
    entries = list(groups)
    are_blocks = [isinstance(entry, BLOCK_TYPES) for entry in entries]
    if getattr(groups, "ndim", None) == 1 or not any(are_blocks):
        return _from_labels(entries, n_features)
    if not all(are_blocks):
        raise ValueError(
            "groups must be one label per feature or a list of blocks, but mixes "
            f"blocks with the single entry {entries[are_blocks.index(False)]!r}."
        )
    return _from_blocks(entries, n_features, feature_names)


def _from_labels(entries: list[Hashable], n_features: int) -> np.ndarray:
    if len(entries) != n_features:
        raise ValueError(
            f"groups must hold one label for each of the {n_features} features of X, "
            f"or be a list of blocks, but has {len(entries)} entries."
        )
    codes: dict[Hashable, int] = {}
    labels = np.empty(n_features, dtype=np.int64)
    for feature, entry in enumerate(entries):
        if not isinstance(entry, Hashable) or entry is None or entry != entry:
            raise ValueError(
                "The labels in groups must be hashable and none may be missing, but "
                f"feature {feature} has the label {entry!r}."
            )
        unpenalised = _is_negative_integer(entry)
        labels[feature] = -1 if unpenalised else codes.setdefault(entry, len(codes))
    return labels


def _is_negative_integer(entry: Any) -> bool:
    return isinstance(entry, Real) and entry < 0 and float(entry).is_integer()


def _from_blocks(
    blocks: list[Iterable], n_features: int, feature_names: Sequence[str] | None
) -> np.ndarray:
    labels = np.full(n_features, -1, dtype=np.int64)
    columns = (
        None
        if feature_names is None
        else {name: column for column, name in enumerate(feature_names)}
    )
    for number, block in enumerate(blocks):
        for entry in block:
            feature = _feature_of(entry, n_features, columns)
            if labels[feature] >= 0:
                raise ValueError(
                    "The blocks of groups must not overlap, but block "
                    f"{labels[feature]} and block {number} both hold {entry!r}."
                )
            labels[feature] = number
    alone = labels < 0
    labels[alone] = len(blocks) + np.arange(alone.sum())
    return labels


def _feature_of(entry: Any, n_features: int, columns: dict[str, int] | None) -> int:
    """Column number of one entry of a block."""
    if isinstance(entry, str):
        return _feature_named(entry, columns)
    if isinstance(entry, bool | np.bool_) or not isinstance(entry, int | np.integer):
        raise ValueError(
            "A block of groups must hold column numbers or names, but holds "
            f"{entry!r} of type {type(entry).__name__}."
        )
    if not 0 <= entry < n_features:
        raise ValueError(
            f"The column numbers in groups must lie between 0 and {n_features - 1}, "
            f"but one is {entry}."
        )
    return int(entry)


def _feature_named(name: str, columns: dict[str, int] | None) -> int:
    if columns is None:
        raise ValueError(
            f"groups names the feature {name!r}, but X has no feature names. Pass a "
            "DataFrame (in a Pipeline, use set_output(transform='pandas')) or column "
            "numbers."
        )
    if name not in columns:
        raise ValueError(
            f"groups names the feature {name!r}, which is not among the feature names "
            f"of X: {list(columns)}."
        )
    return columns[name]
