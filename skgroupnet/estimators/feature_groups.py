"""From the user's groups of features to one integer label per feature."""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence, Set
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils._dataframe import is_df_or_series, is_pandas_df_or_series
from sklearn.utils._missing import is_pandas_na


def feature_labels(
    groups: Any, n_features: int, feature_names: Sequence[str] | None
) -> np.ndarray | None:
    """Turn the groups of a user into one integer label per feature.

    Parameters
    ----------
    groups : array-like, mapping, list of blocks or None
        One label for each feature (features with equal labels form a group, a
        negative integer leaves the feature unpenalised): in the order of the columns,
        or as a mapping or a pandas Series from the number or name of the column. Or a
        list of blocks, each a collection of column numbers or names (features in no
        block are groups of one).
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
    columns = _Columns(n_features, feature_names)
    dimensions = getattr(groups, "shape", (None,))
    if len(dimensions) == 0 or (len(dimensions) > 1 and is_df_or_series(groups)):
        raise ValueError(
            "groups must be one label per feature or a list of blocks, but is a "
            f"{type(groups).__name__} of shape {dimensions}."
        )
    if isinstance(groups, Mapping):
        return _from_pairs(list(groups.items()), columns)
    if is_pandas_df_or_series(groups):
        pairs = zip(groups.index.tolist(), _entries(groups), strict=True)
        return _from_pairs(list(pairs), columns)
    entries = _entries(groups)
    are_blocks = [_is_block(entry) for entry in entries]
    # A one-dimensional array or Series holds labels, whatever they are.
    of_labels = hasattr(groups, "shape") and len(dimensions) == 1
    if of_labels or not any(are_blocks):
        return _from_labels(entries, groups, n_features)
    if not all(are_blocks):
        raise ValueError(
            "groups must be one label per feature or a list of blocks, but mixes "
            f"blocks with the single entry {entries[are_blocks.index(False)]!r}."
        )
    return _from_blocks(entries, columns)


def _entries(groups: Any) -> list[Any]:
    """List the entries of an array or another collection; masked ones as None."""
    array = np.asanyarray(groups) if hasattr(groups, "__array__") else None
    return list(groups) if array is None else array.tolist()


def _is_block(entry: Any) -> bool:
    """Tell a collection of columns from a label."""
    single = isinstance(entry, str | bytes | Mapping)
    # An array of one number has the methods of a collection.
    return (
        isinstance(entry, Collection)
        and not single
        and getattr(entry, "shape", None) != ()
    )


def _from_pairs(pairs: list[tuple[Any, Any]], columns: "_Columns") -> np.ndarray:
    """Labels by the number or name of the feature, each of them once."""
    labels: dict[int, Any] = {}
    for key, label in pairs:
        if not isinstance(label, Hashable):
            raise ValueError(
                "groups must lead from each feature to the label of its group, but "
                f"leads from {key!r} to {label!r}. Pass blocks of features as a list."
            )
        feature = columns.find(key)
        if feature in labels:
            raise ValueError(
                f"groups must hold each feature once, but {columns.describe(feature)} "
                f"is there twice, the second time as {key!r}."
            )
        labels[feature] = label
    absent = [feature for feature in range(columns.n) if feature not in labels]
    if absent:
        raise ValueError(
            f"groups must give a label for each of the {columns.n} features of X, but "
            f"gives none for {columns.describe(absent[0])}."
        )
    return _labels([labels[feature] for feature in range(columns.n)])


def _from_labels(entries: list[Any], groups: Any, n_features: int) -> np.ndarray:
    if isinstance(groups, Set):
        raise ValueError(
            "groups must hold the labels in the order of the features, but is "
            f"{groups!r}, which has no order."
        )
    if len(entries) != n_features:
        raise ValueError(
            f"groups must hold one label for each of the {n_features} features of X, "
            f"or be a list of blocks, but has {len(entries)} entries."
        )
    return _labels(entries)


def _labels(entries: list[Any]) -> np.ndarray:
    """Integers for one label per feature."""
    codes: dict[Hashable, int] = {}
    labels = np.empty(len(entries), dtype=np.int64)
    for feature, entry in enumerate(entries):
        if not isinstance(entry, Hashable) or _is_missing(entry):
            raise ValueError(
                "The labels in groups must be hashable and none may be missing, but "
                f"feature {feature} has the label {entry!r}."
            )
        unpenalised = _is_negative_integer(entry)
        labels[feature] = -1 if unpenalised else codes.setdefault(entry, len(codes))
    return labels


def _is_missing(entry: Any) -> bool:
    return entry is None or is_pandas_na(entry) or entry != entry


def _is_negative_integer(entry: Any) -> bool:
    return isinstance(entry, Real) and entry < 0 and float(entry).is_integer()


def _from_blocks(blocks: list[Iterable], columns: "_Columns") -> np.ndarray:
    labels = np.full(columns.n, -1, dtype=np.int64)
    for number, block in enumerate(blocks):
        for entry in block:
            feature = columns.find(entry)
            if labels[feature] >= 0:
                raise ValueError(
                    "The blocks of groups must not overlap, but block "
                    f"{labels[feature]} and block {number} both hold {entry!r}."
                )
            labels[feature] = number
    alone = labels < 0
    labels[alone] = len(blocks) + np.arange(alone.sum())
    return labels


class _Columns:
    """The columns of X, found by their numbers or names."""

    def __init__(self, n: int, names: Sequence[str] | None) -> None:
        self.n = n
        self._names = None if names is None else list(names)
        self._numbers = {name: column for column, name in enumerate(self._names or ())}

    def describe(self, feature: int) -> str:
        """Name a feature, if it has a name."""
        return f"feature {feature}" if self._names is None else self._names[feature]

    def find(self, entry: Any) -> int:
        """Column number of what a user calls a feature."""
        if isinstance(entry, str):
            return self._named(entry)
        no_number = isinstance(entry, bool | np.bool_)
        if no_number or not isinstance(entry, int | np.integer):
            raise ValueError(
                "groups must call features by column numbers or names, but holds "
                f"{entry!r} of type {type(entry).__name__}."
            )
        if not 0 <= entry < self.n:
            raise ValueError(
                f"The column numbers in groups must lie between 0 and {self.n - 1}, "
                f"but one is {entry}."
            )
        return int(entry)

    def _named(self, name: str) -> int:
        if self._names is None:
            raise ValueError(
                f"groups names the feature {name!r}, but X has no feature names. Pass "
                "a DataFrame (in a Pipeline, use set_output(transform='pandas')) or "
                "column numbers."
            )
        if name not in self._numbers:
            raise ValueError(
                f"groups names the feature {name!r}, which is not among the feature "
                f"names of X: {self._names}."
            )
        if self._names.count(name) > 1:
            raise ValueError(
                f"groups names the feature {name!r}, but {self._names.count(name)} "
                "columns of X have this name. Pass column numbers."
            )
        return self._numbers[name]
