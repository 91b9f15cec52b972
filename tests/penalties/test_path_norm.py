"""The path norm: unit incoming weights, sparse outgoing ones."""

import numpy as np
import pytest
import torch

from skgroupnet.penalties import PathNorm

# Two inputs, two hidden units, two outputs, four biases.
BLOCKS = [(2, 2, True, 0), (2, 2, True, 1), (4, 1, False, 2)]


@pytest.fixture
def groups(make_partition):
    """Columns of the first and rows of the second matrix."""
    return make_partition(BLOCKS, None).pairs().groups()


def _row(values):
    return torch.tensor([values], dtype=torch.float64)


W = _row([0.3, -0.8, 0.4, 1.5, 0.2, 0.1, 2.0, -1.0, 1.0, 2.0, 3.0, 4.0])


def test_prox_against_a_grid_on_the_sphere(groups):
    step, lam = _row([0.5, 2.0, 0.7, 0.4] + [1.0] * 4), _row([0.6])[0]
    U = PathNorm().prox(W, groups, step, lam)[0].numpy()
    w, z = W[0].numpy(), W[0].numpy()
    angles = np.linspace(0, 2 * np.pi, 200_001)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    for k in range(2):
        incoming = w[:4].reshape(2, 2)[:, k]
        distance = ((circle - incoming[:, None]) ** 2).sum(0)
        expected = circle[:, distance.argmin()]
        np.testing.assert_allclose(U[:4].reshape(2, 2)[:, k], expected, atol=1e-4)
        outgoing = z[4:8].reshape(2, 2)[k]
        axis = np.linspace(-2.5, 2.5, 1001)
        grid = np.stack(np.meshgrid(axis, axis))
        objective = ((grid - outgoing[:, None, None]) ** 2).sum(0) / 2
        objective += float(step[0, 2 + k]) * 0.6 * np.linalg.norm(grid, axis=0)
        best = grid[:, *np.unravel_index(objective.argmin(), objective.shape)]
        np.testing.assert_allclose(U[4:8].reshape(2, 2)[k], best, atol=5e-3)
    assert U[4:6].tolist() == [0, 0]
    assert U[8:].tolist() == w[8:].tolist()


def test_value_does_not_depend_on_how_a_neuron_is_scaled(groups):
    lam, scaled = _row([0.6])[0], W.clone()
    value = PathNorm().value(W, groups, lam)
    expected = np.hypot(0.3, 0.4) * np.hypot(0.2, 0.1) + 1.7 * 5**0.5
    assert float(value) == pytest.approx(0.6 * expected)
    scaled[0, [0, 2]] *= 5
    scaled[0, 4:6] /= 5
    torch.testing.assert_close(PathNorm().value(scaled, groups, lam), value)


def test_certificate_takes_the_part_along_the_sphere(groups):
    lam = _row([0.6])[0]
    point = _row([0.6, 0.0, 0.8, 1.0, 0.0, 0.0, 3.0, 4.0] + [0.0] * 4)
    # Away from the origin, along the sphere; within the ball, against the norm.
    grad = _row([3.0, 2.0, 4.0, 7.0, 0.3, 0.4, -0.36, -0.48] + [0.0] * 4)
    distance = PathNorm().subgradient_distance(point, grad, groups, lam)
    expected = _row([0, 2, 0, 0] + [0] * 4)
    torch.testing.assert_close(distance, expected, rtol=0, atol=1e-15)
    grad = _row([0.8, 0.0, -0.6, 0.0, 0.6, 0.8, 0.0, 0.0] + [0.0] * 4)
    distance = PathNorm().subgradient_distance(point, grad, groups, lam)
    expected = _row([1, 0, 0.4, 0.6] + [0] * 4)
    torch.testing.assert_close(distance, expected, rtol=0, atol=1e-15)
    # Without strength there is no sphere.
    free = PathNorm().subgradient_distance(point, grad, groups, 0 * lam)
    torch.testing.assert_close(free, groups.norm(grad))


def test_columns_of_any_size_get_length_one(make_partition):
    groups = make_partition(BLOCKS, None).pairs().groups(torch.float32)
    lam, step = torch.tensor([0.1]), torch.ones((1, 8))
    for tiny, huge in ((1e-30, 1e30), (1e-37, 1e37), (1e-20, 1e19)):
        rest = torch.zeros(8)
        rows = torch.tensor([3 * tiny, 3 * huge, 4 * tiny, 4 * huge])
        U = PathNorm().prox(torch.cat([rows, rest])[None], groups, step, lam)
        expected = torch.tensor([0.6, 0.6, 0.8, 0.8])
        torch.testing.assert_close(U[0, :4], expected, rtol=1e-5, atol=0)
    U = PathNorm().prox(torch.zeros((1, 12)), groups, step, lam)
    assert not U.any()
