"""What is left of a trained network: counts, masks, the compact estimator."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skgroupnet.network import Network
from skgroupnet.pruning import prune

# A summary lists at most so many names of features.
NAMES_SHOWN = 10


@np.errstate(under="ignore")
def sparsity_attributes(
    network: Network, before: Sequence[np.ndarray] | None, n_features: int
) -> dict[str, Any]:
    """Count and mask what pruning keeps of a network.

    Parameters
    ----------
    network : Network
        The trained network.
    before : sequence of ndarray of bool or None
        If the network is a compact one, the masks of the original layers it kept.
    n_features : int
        Number of columns of X.

    Returns
    -------
    dict
        The fitted attributes of an estimator that describe its sparsity.
    """
    pruned = prune(network)
    kept = pruned.kept if before is None else narrowed(before, pruned.kept)
    importances = np.zeros(n_features, dtype=network.dtype)
    own = slice(None) if before is None else before[0]
    importances[own] = np.linalg.norm(network.weights[0], axis=1)
    importances[~kept[0]] = 0
    return {
        "active_neurons_": list(kept),
        "n_active_neurons_": int(sum(mask.sum() for mask in kept[1:])),
        "n_active_features_": int(kept[0].sum()),
        "n_active_parameters_": pruned.network.n_parameters,
        "feature_importances_": importances,
    }


def narrowed(
    before: Sequence[np.ndarray], after: Sequence[np.ndarray]
) -> tuple[np.ndarray, ...]:
    """Masks of the original layers after the network was pruned twice.

    Parameters
    ----------
    before : sequence of ndarray of bool of shape (n_l,)
        What the first pruning kept of the original layers.
    after : sequence of ndarray of bool
        What the second pruning kept of the layers that were left.

    Returns
    -------
    tuple of ndarray of bool of shape (n_l,)
    """
    if not before[0].any():
        return tuple(before)
    masks = []
    for mask, rest in zip(before, after, strict=True):
        both = np.zeros_like(mask)
        both[mask] = rest
        masks.append(both)
    return tuple(masks)


@dataclass(frozen=True, eq=False)
class Summary:
    """A table of what is left of a network; its text is the table.

    Parameters
    ----------
    layers : tuple of (str, int, int)
        Name, units kept and units trained of every layer but the output.
    features : tuple of str
        Names of the features kept.
    parameters : tuple of (int, int)
        Weights and biases of the compact network, and of the trained shape.
    difference : float or None
        Largest absolute difference between the raw predictions of the pruned and the
        unpruned network, if it was asked for.
    """

    layers: tuple[tuple[str, int, int], ...]
    features: tuple[str, ...]
    parameters: tuple[int, int]
    difference: float | None = None

    def __repr__(self) -> str:
        rows = [("layer", "kept", "of")]
        rows += [(name, str(kept), str(total)) for name, kept, total in self.layers]
        kept, total = self.parameters
        rows.append(("parameters", str(kept), str(total)))
        lines = [f"{name:<12}{kept:>10}{total:>10}" for name, kept, total in rows]
        shown = ", ".join(self.features[:NAMES_SHOWN])
        more = len(self.features) - NAMES_SHOWN
        lines.append(
            "features kept: "
            + (f"{shown} and {more} more" if more > 0 else shown or "none")
        )
        if self.difference is not None:
            lines.append(f"largest difference after pruning: {self.difference:.3g}")
        return "\n".join(lines)


class SparseNetworkMixin:
    """What an estimator with a trained network can tell about its sparsity."""

    # What a pruned estimator kept of the layers that were trained; None: not pruned.
    _kept: tuple[np.ndarray, ...] | None = None
    # How partial_fit goes on, after a first call.
    _optimizer_state: dict[str, np.ndarray] | None = None
    _random_state: np.random.RandomState | None = None

    active_neurons_: list[np.ndarray]
    n_active_parameters_: int
    n_outputs_: int
    coefs_: list[np.ndarray]
    intercepts_: list[np.ndarray]
    n_layers_: int

    def _network(self) -> Network:
        raise NotImplementedError

    def _raw_prediction(self, X) -> np.ndarray:
        raise NotImplementedError

    def _trained_widths(self) -> tuple[int, ...]:
        """Units per layer of the shape that was trained, inputs first."""
        return (*map(len, self.active_neurons_), self.n_outputs_)

    def get_support(self, indices=False):
        """Get the features that the network uses.

        Parameters
        ----------
        indices : bool, default=False
            Whether to return column numbers instead of a mask.

        Returns
        -------
        support : ndarray of bool of shape (n_features_in_,), or of int
            True for the features that pruning keeps, or their column numbers.
        """
        check_is_fitted(self)
        mask = self.active_neurons_[0]
        return np.flatnonzero(mask) if indices else mask.copy()

    def prune(self):
        """Cut the network down to the part that predictions depend on.

        Returns
        -------
        estimator : estimator of the same class
            A fitted copy that predicts the same. Its ``coefs_`` and ``intercepts_``
            are compact, and it picks the columns that it needs from X:
            ``n_features_in_``, the feature names and the constructor parameters are
            unchanged. `partial_fit` goes on with the compact network; `fit` trains the
            original shape again (with `warm_start`, the compact one).
        """
        check_is_fitted(self)
        network = prune(self._network()).network
        compact = copy.copy(self)
        compact.coefs_ = list(network.weights)
        compact.intercepts_ = list(network.biases)
        compact.n_layers_ = len(network.widths)
        compact._kept = tuple(self.active_neurons_)
        # The optimizer's averages belong to the units of the unpruned network.
        compact._optimizer_state = None
        compact._random_state = copy.deepcopy(self._random_state)
        return compact

    def summary(self, X=None):
        """Tabulate what is left of the network, layer by layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), default=None
            Rows to compare the pruned with the unpruned prediction on.

        Returns
        -------
        summary : Summary
            Its text is the table; its attributes are ``layers``, ``features``,
            ``parameters`` and ``difference`` (None without X).
        """
        check_is_fitted(self)
        widths = self._trained_widths()
        layer_names = [
            "input",
            *(f"hidden {number}" for number in range(1, len(widths) - 1)),
        ]
        layers = tuple(
            (name, int(mask.sum()), width)
            for name, mask, width in zip(
                layer_names, self.active_neurons_, widths[:-1], strict=True
            )
        )
        difference = None
        if X is not None:
            raw, compact = self._raw_prediction(X), self.prune()._raw_prediction(X)
            difference = float(np.abs(raw - compact).max())
        names = _check_feature_names_in(self)
        features = tuple(map(str, names[self.get_support()]))
        n_parameters = sum(
            (fan_in + 1) * fan_out for fan_in, fan_out in pairwise(widths)
        )
        parameters = (self.n_active_parameters_, n_parameters)
        return Summary(layers, features, parameters, difference)
