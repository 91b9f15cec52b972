"""Where the units, names and edges of a drawn network go."""

from dataclasses import dataclass

import numpy as np
from sklearn.isotonic import isotonic_regression

# Layers of fewer units than this are not stretched over the whole height.
UNITS_PER_HEIGHT = 9


@dataclass(frozen=True, eq=False)
class Column:
    """One layer of a drawn network.

    Parameters
    ----------
    x : int
        Where it stands: 0 for the inputs.
    left : ndarray of bool of shape (n_units,)
        Which units are left.
    strengths : ndarray of shape (n_left,)
        Norms of the outgoing weights of the units that are left, the largest 1.
    heights : ndarray of shape (n_units,)
        Heights of all units.
    is_strip : bool
        Whether the units are too many to be drawn one by one.
    """

    x: int
    left: np.ndarray
    strengths: np.ndarray
    heights: np.ndarray
    is_strip: bool


def columns_of(weights, masks, max_units):
    """Arrange the layers of a network.

    Parameters
    ----------
    weights : sequence of ndarray of shape (n_left_l, n_left_{l+1})
        One matrix per layer, of the units that are left.
    masks : sequence of ndarray of bool of shape (n_l,)
        Which units are left in each layer, inputs and outputs included.
    max_units : int
        Largest number of units that a layer is drawn with.

    Returns
    -------
    list of Column
    """
    norms = [np.linalg.norm(matrix, axis=1) for matrix in weights]
    norms.append(np.ones(len(masks[-1])))
    return [
        Column(
            x=x,
            left=mask,
            strengths=norm / max(norm.max(initial=0), np.finfo(float).tiny),
            heights=unit_heights(len(mask)),
            is_strip=len(mask) > max_units,
        )
        for x, (mask, norm) in enumerate(zip(masks, norms, strict=True))
    ]


def unit_heights(n_units):
    """Spread the units of a layer from top to bottom.

    Parameters
    ----------
    n_units : int
        Number of units.

    Returns
    -------
    ndarray of shape (n_units,)
        Between 1, the top, and 0; a layer of a few units is centred.
    """
    spacing = 1 / max(n_units, UNITS_PER_HEIGHT)
    return 0.5 + spacing * ((n_units - 1) / 2 - np.arange(n_units))


def label_heights(heights, gap):
    """Move labels apart, each as little as possible from its unit.

    Parameters
    ----------
    heights : ndarray of shape (n_labels,)
        Heights of the units, decreasing, in [0, 1].
    gap : float
        Smallest distance between two labels, at most 1 / (n_labels - 1).

    Returns
    -------
    ndarray of shape (n_labels,)
        Heights of the labels, in the same order and in [0, 1].
    """
    if not len(heights):
        return heights
    offsets = gap * np.arange(len(heights))
    # Labels in their order at least a gap apart: heights + offsets never rise.
    moved = isotonic_regression(
        heights + offsets, y_min=offsets[-1], y_max=1, increasing=False
    )
    return moved - offsets


def share_edges(n_weights, n_edges):
    """Share out a number of edges; what a small matrix does not need goes to others.

    Parameters
    ----------
    n_weights : sequence of int
        Number of weights of each matrix that are not zero.
    n_edges : int
        How many edges there may be.

    Returns
    -------
    list of int
        How many edges each matrix gets, at most as many as it has weights.
    """
    shares = [0] * len(n_weights)
    order = sorted(range(len(n_weights)), key=n_weights.__getitem__)
    for waiting, matrix in zip(range(len(order), 0, -1), order, strict=True):
        shares[matrix] = min(n_weights[matrix], n_edges // waiting)
        n_edges -= shares[matrix]
    return shares


def strongest_edges(weights, n_edges):
    """Find the largest weights of a matrix.

    Parameters
    ----------
    weights : ndarray of shape (n_from, n_to)
        The weights.
    n_edges : int
        How many to find, at most.

    Returns
    -------
    rows, columns : ndarray of int of shape (n_found,)
        Where the weights of largest magnitude are, the largest last; zeros are left
        out.
    """
    sizes = np.abs(weights).ravel()
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    return np.unravel_index(order[max(len(order) - n_edges, 0) :], weights.shape)
