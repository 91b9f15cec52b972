"""The Hessians of the losses, against autograd."""

import pytest
import torch

from skgroupnet.engine import LOSSES


@pytest.mark.parametrize("name", LOSSES)
def test_hessian_is_the_derivative_of_the_gradient(name):
    generator = torch.Generator().manual_seed(0)
    raw, v, y = torch.randn((3, 2, 4, 7), generator=generator, dtype=torch.float64)
    loss, y = LOSSES[name], y.abs()
    _, expected = torch.autograd.functional.hvp(
        lambda raw: loss.value(raw, y).sum(), raw, v
    )
    predicted = torch.empty_like(raw)
    loss.predict(raw, predicted)
    torch.testing.assert_close(loss.hessian(predicted, v), expected)
