"""Where units, names and edges go."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skgroupnet.plotting.geometry import (
    columns_of,
    label_heights,
    share_edges,
    strongest_edges,
    unit_heights,
)


@pytest.mark.parametrize("n_units", [1, 3, 9, 784])
def test_units_stand_evenly_and_centred_from_top_to_bottom(n_units):
    heights = unit_heights(n_units)

    assert heights.max() < 1
    assert heights.min() > 0
    assert_allclose(heights + heights[::-1], 1)
    assert_allclose(np.diff(heights), -1 / max(n_units, 9))


def test_labels_with_room_stay():
    heights = np.array([0.9, 0.5, 0.1])
    assert_allclose(label_heights(heights, 0.3), heights)


def test_crowded_labels_move_apart_around_their_middle():
    heights = np.array([0.9, 0.51, 0.5, 0.49])
    assert_allclose(label_heights(heights, 0.1), [0.9, 0.6, 0.5, 0.4])


@pytest.mark.parametrize("where", [0.0, 0.5, 1.0])
def test_labels_stay_inside_and_in_order(where):
    moved = label_heights(np.full(11, where), 0.1)
    assert_allclose(moved, np.linspace(1, 0, 11), atol=1e-12)


def test_no_labels():
    assert label_heights(np.array([]), 0.1).shape == (0,)


def test_strongest_edges():
    weights = np.array([[0.1, -3.0, 0.0], [2.0, 0.0, -0.2]])

    rows, columns = strongest_edges(weights, 3)

    assert_array_equal(weights[rows, columns], [-0.2, 2, -3])


def test_zeros_are_no_edges():
    rows, columns = strongest_edges(np.diag([1.0, 0.0, 2.0]), 100)
    assert list(zip(rows, columns, strict=True)) == [(0, 0), (2, 2)]


@pytest.mark.parametrize(
    ("n_weights", "n_edges", "shares"),
    [
        ([500, 500], 100, [50, 50]),
        ([500, 10], 100, [90, 10]),
        ([10, 500, 0, 30], 100, [10, 60, 0, 30]),
        ([5, 5], 100, [5, 5]),
    ],
)
def test_shares_of_edges(n_weights, n_edges, shares):
    assert share_edges(n_weights, n_edges) == shares


def test_columns():
    weights = [np.array([[3.0, 4.0], [0.0, 1.0]]), np.array([[1.0], [-2.0]])]
    masks = [np.array([True, False, True]), np.array([True, True]), np.array([True])]

    inputs, hidden, output = columns_of(weights, masks, max_units=2)

    assert [column.x for column in (inputs, hidden, output)] == [0, 1, 2]
    assert [column.is_strip for column in (inputs, hidden, output)] == [True, 0, 0]
    assert_allclose(inputs.strengths, [1, 0.2])
    assert_allclose(hidden.strengths, [0.5, 1])
    assert_allclose(output.strengths, [1])
    assert_array_equal(inputs.left, masks[0])
