r"""Pointwise losses with their canonical output maps.

With f the raw prediction of a row and h the output map, every loss here has the
gradient h(f) - y with respect to f:

================  ============  =====================================  ================
loss              output h      value                                  y
================  ============  =====================================  ================
cross_entropy     softmax       log sum_k exp f_k - f_y                class code
log_loss          logistic      sum_k log(1 + exp f_k) - y_k f_k       0 or 1
squared_error     identity      sum_k (f_k - y_k)^2 / 2                number
poisson           exp           sum_k exp f_k - y_k f_k + c(y_k)       number >= 0
================  ============  =====================================  ================

Raw predictions and targets are stored output by output, the rows last: reductions over
the outputs then run along contiguous memory.

c(y) = y log y - y makes the smallest value of the Poisson loss zero (half of the unit
deviance, as in scikit-learn).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A pointwise loss.

    Parameters
    ----------
    output : str
        Name of the output map h.
    predict : callable
        ``predict(raw, out)`` writes h(raw) to ``out``, both of shape
        (..., n_outputs, b).
    value : callable
        ``value(raw, y)`` -> loss of each row: (..., n_outputs, b) twice -> (..., b).
    size : callable
        ``size(raw, y)`` -> size of the numbers that the loss of each row is computed
        from: times the precision of the numbers, it is what rounding changes.
    curvature : float
        Bound on the largest eigenvalue of the Hessian with respect to f; infinite if
        there is none.
    curvatures : callable, default=None
        ``curvatures(predicted)`` -> diagonal of the Hessian with respect to f:
        (..., n_outputs, b) -> the same, or (..., 1, b) if all outputs have the same.
        None: it is that of softmax, diag(p) - pp', p being ``predicted``.
    """

    output: str
    predict: Callable[[Tensor, Tensor], None]
    value: Callable[[Tensor, Tensor], Tensor]
    size: Callable[[Tensor, Tensor], Tensor]
    curvature: float
    curvatures: Callable[[Tensor], Tensor] | None = None

    def hessian(self, predicted: Tensor, v: Tensor) -> Tensor:
        """Product of the Hessian with respect to f and v, where h(f) is ``predicted``.

        (..., n_outputs, b) twice -> (..., n_outputs, b).
        """
        if self.curvatures is not None:
            return self.curvatures(predicted) * v
        product = predicted * v
        return product - predicted * product.sum(-2, keepdim=True)


def _softmax(raw: Tensor, out: Tensor) -> None:
    torch.softmax(raw, -2, out=out)


def _cross_entropy(raw: Tensor, y: Tensor) -> Tensor:
    return raw.logsumexp(-2) - (raw * y).sum(-2)


def _cross_entropy_size(raw: Tensor, y: Tensor) -> Tensor:
    return raw.logsumexp(-2).abs() + (raw * y).sum(-2).abs()


def _logistic(raw: Tensor, out: Tensor) -> None:
    torch.sigmoid(raw, out=out)


def _log_loss(raw: Tensor, y: Tensor) -> Tensor:
    return (torch.logaddexp(raw, torch.zeros_like(raw)) - raw * y).sum(-2)


def _log_loss_size(raw: Tensor, y: Tensor) -> Tensor:
    return (torch.logaddexp(raw, torch.zeros_like(raw)) + (raw * y).abs()).sum(-2)


def _identity(raw: Tensor, out: Tensor) -> None:
    out.copy_(raw)


def _squared_error(raw: Tensor, y: Tensor) -> Tensor:
    return (raw - y).square_().sum(-2) / 2


def _squared_error_size(raw: Tensor, y: Tensor) -> Tensor:
    return ((raw - y).abs() * (raw.abs() + y.abs())).sum(-2)


def _exp(raw: Tensor, out: Tensor) -> None:
    torch.exp(raw, out=out)


def _poisson(raw: Tensor, y: Tensor) -> Tensor:
    return (raw.exp() - y * raw + torch.xlogy(y, y) - y).sum(-2)


def _poisson_size(raw: Tensor, y: Tensor) -> Tensor:
    of_y = torch.xlogy(y, y).abs() + y
    return (raw.exp() * (1 + raw.abs()) + (y * raw).abs() + of_y).sum(-2)


LOSSES = {
    "cross_entropy": Loss(
        "softmax", _softmax, _cross_entropy, _cross_entropy_size, 0.5
    ),
    "log_loss": Loss(
        "logistic", _logistic, _log_loss, _log_loss_size, 0.25, lambda p: p * (1 - p)
    ),
    "squared_error": Loss(
        "identity",
        _identity,
        _squared_error,
        _squared_error_size,
        1.0,
        lambda p: torch.ones_like(p[..., :1, :]),
    ),
    "poisson": Loss("exp", _exp, _poisson, _poisson_size, float("inf"), torch.clone),
}
