"""The modulus of weak convexity, against second differences of the values."""

import numpy as np
import pytest
import torch

from skgroupnet.penalties import PENALTIES, get_penalty
from skgroupnet.penalties.groups import Block, Groups

LAM = torch.tensor([0.7, 2.0], dtype=torch.float64)
SMOOTH = [
    name
    for name in PENALTIES
    if not name.endswith(("l0", "l12", "l23", "capped_l1", "minus_l2", "square"))
    and name not in ("path_norm",)
]


def _value(penalty, r):
    """Value (2, n) on a ray of one group of three weights, of lengths r (n,)."""
    groups = Groups([Block(1, 3, True)], LAM)
    if penalty.groups_of == "weights":
        groups = Groups([Block(3, 1, True)], LAM)
    W = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    values = [penalty.value((W * x).expand(2, -1), groups, LAM) for x in r]
    return torch.stack(values, 1).numpy(), penalty.weak_convexity(groups, LAM).numpy()


@pytest.mark.parametrize("name", SMOOTH)
def test_modulus_is_the_steepest_fall_of_the_slope(name):
    r = np.linspace(0, 12, 6001)
    values, modulus = _value(get_penalty(name), r)
    fall = -np.diff(values, 2, axis=1) / (r[1] - r[0]) ** 2
    np.testing.assert_allclose(fall.max(1).clip(0), modulus, rtol=0.06, atol=1e-7)
    assert (fall.max(1) <= modulus * (1 + 1e-6) + 1e-7).all()


@pytest.mark.parametrize("name", sorted({*PENALTIES} - {*SMOOTH}))
def test_no_modulus(name):
    _, modulus = _value(get_penalty(name), [1.0])
    assert np.isinf(modulus).all()
