r"""The smooth half of ADMM: argmin L(beta) + rho/2 norm(beta - target)^2.

The quadratic term holds for the penalised parameters only; what is not penalised
minimises L with them.  The squared error needs one factorisation for each rho; the
other losses take Newton's method, which starts where the last step ended.

References
----------
J. Nocedal, S. Wright, "Numerical Optimization", 2nd ed., Springer, 2006, ch. 7.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.centred import CentredModel

# Newton's method ends when the gradient is this share of what it was at the start, and
# conjugate gradients when the residual is this share of the gradient.
NEWTON_TOL = CG_TOL = 1e-2
MAX_NEWTON, MAX_CG, MAX_HALVINGS = 20, 200, 60
# Share of the expected decrease that a step must reach.
ARMIJO = 1e-4


class BetaStep(Protocol):
    """Minimiser of the loss plus a quadratic term."""

    def measure(self, x: Tensor) -> tuple[float, Tensor]:
        """Mean loss and its gradient (1, P) at a point (1, P)."""

    def minimise(
        self, target: Tensor, rho: float, start: Tensor
    ) -> tuple[Tensor, float]:
        """Smallest point (1, P) of L + rho/2 norm(. - target)^2, and its loss there.

        ``start`` is the result of the last call.
        """


class FactoredStep:
    """Squared error: the normal equations, factored once for each rho.

    The penalised rows P of theta are eliminated first, by a matrix of their number, or
    by the Woodbury identity with one of the number of rows of X where that is smaller.
    What is left, U, is not penalised and small.

    Parameters
    ----------
    model : CentredModel
        The model.
    """

    def __init__(self, model: CentredModel) -> None:
        self.model, self.rho = model, float("nan")
        self.split = model.split[:, 0] > 0
        self.free = (model.trained[:, 0] > 0) & ~self.split
        self.wide = int(self.split.sum()) > len(model.y)
        self._matrix = self._inner_products() if self.wide else self._moments()
        # Columns of what is free, scaled to norm one.
        columns = torch.diag(self.free.to(model.scale))[:, self.free]
        raw = model.forward(columns)
        norms = (model.scale * raw.square()).sum(0).sqrt()
        self.norms = norms.where(norms > 0, norms.new_ones(()))
        self.cross = model.backward(model.scale * (raw / self.norms))
        # The intercept leaves the mean of y out of the sums, which it would cancel in.
        self.offset = torch.zeros_like(model.start).view(-1, model.n_outputs)
        if self.free[-1]:
            self.offset[-1] = (model.scale * model.y).sum(0)
        y = model.y - self.offset[-1]
        self.correlation = model.backward(model.scale * y)
        self.constant = float((model.scale * y * y).sum(dtype=torch.float64)) / 2

    def _moments(self) -> Tensor:
        """Matrix A'SA, (d + 1, d + 1)."""
        model = self.model
        ones = model.backward(model.scale)
        matrix = torch.zeros_like(ones @ ones.T)
        matrix[:-1, :-1] = model.data.gram(model.scale, model.mean)
        matrix[-1], matrix[:, -1] = ones[:, 0], ones[:, 0]
        return matrix

    def _inner_products(self) -> Tensor:
        """Matrix A_P A_P' between the square roots of the weights, (n, n)."""
        model, root = self.model, self.model.scale.sqrt()
        inner = model.data.kernel(self.split[:-1], model.mean) + model.split[-1]
        return root * inner * root.T

    def measure(self, x: Tensor) -> tuple[float, Tensor]:
        """Mean loss and its gradient (1, P) at a point (1, P)."""
        model = self.model
        if self.wide:
            raw = model.raw(x)
            return model.value(raw), model.gradient(raw)
        theta = x.view(-1, model.n_outputs) - self.offset
        product = self._matrix @ theta
        twice = theta * (product - 2 * self.correlation)
        value = self.constant + float(twice.sum(dtype=torch.float64)) / 2
        return value, ((product - self.correlation) * model.trained).view(1, -1)

    def minimise(
        self, target: Tensor, rho: float, start: Tensor
    ) -> tuple[Tensor, float]:
        """Smallest point (1, P) of L + rho/2 norm(. - target)^2, and its loss there."""
        if rho != self.rho:
            self._factor(rho)
        model, split, free = self.model, self.split, self.free
        theta = (start.view(-1, model.n_outputs) - self.offset) * (1 - model.trained)
        right = self.correlation
        if not model.trained.all():
            right = right - model.backward(model.scale * model.forward(theta))
        right = right + rho * target.view(-1, model.n_outputs) * model.split
        penalised = self._solve(right[split])
        rest = right[free] / self.norms[:, None] - self.cross[split].T @ penalised
        rest = self._schur @ rest
        theta[split] = penalised - self._solved @ rest
        theta[free] = rest / self.norms[:, None]
        x = (theta + self.offset).view(1, -1)
        return x, self.measure(x)[0]

    def _factor(self, rho: float) -> None:
        self.rho = rho
        matrix = self._matrix if self.wide else self._matrix[self.split][:, self.split]
        identity = torch.eye(len(matrix)).to(matrix)
        self._root, failed = torch.linalg.cholesky_ex(matrix + rho * identity)
        if failed:
            # What follows is not finite either, and ends the fit.
            self._root = torch.full_like(self._root, float("nan"))
        self._solved = self._solve(self.cross[self.split])
        among = self.cross[self.free] / self.norms[:, None]
        rest = among - self.cross[self.split].T @ self._solved
        eps = torch.finfo(rest.dtype).eps
        self._schur = rest
        if torch.isfinite(rest).all():
            rtol = 100 * eps * len(rest)
            self._schur = torch.linalg.pinv(rest, rtol=rtol, hermitian=True)

    def _solve(self, right: Tensor) -> Tensor:
        """Inverse of A_P'SA_P + rho, times a matrix (number of P, w)."""
        if not self.wide:
            return torch.cholesky_solve(right, self._root)
        model, root = self.model, self.model.scale.sqrt()
        whole = right.new_zeros((len(self.split), right.shape[1]))
        whole[self.split] = right
        inner = torch.cholesky_solve(root * model.forward(whole), self._root)
        return (right - model.backward(root * inner)[self.split]) / self.rho


class NewtonStep:
    """Newton's method with conjugate gradients and a line search, for any loss.

    Parameters
    ----------
    model : CentredModel
        The model.
    """

    def __init__(self, model: CentredModel) -> None:
        self.model, k = model, model.n_outputs
        self.raw = model.raw(model.start)
        moment = torch.cat([model.moment, torch.ones_like(model.split[:1])])
        self.moment = moment.expand(-1, k).reshape(1, -1)
        self.split = model.split.expand(-1, k).reshape(1, -1)
        signs = np.random.RandomState(0).choice([-1.0, 1.0], self.raw.shape)
        self.signs = torch.from_numpy(signs).to(self.raw)

    def measure(self, x: Tensor) -> tuple[float, Tensor]:
        """Mean loss and its gradient (1, P) at a point (1, P)."""
        raw = self.model.raw(x)
        return self.model.value(raw), self.model.gradient(raw)

    def minimise(
        self, target: Tensor, rho: float, start: Tensor
    ) -> tuple[Tensor, float]:
        """Smallest point (1, P) of L + rho/2 norm(. - target)^2, and its loss there."""
        pull, x, raw = self.split * rho, start, self.raw
        loss = self.model.value(raw)
        gradient, rounding = self._gradient(x, raw, pull, target)
        size, value = float(gradient.norm()), loss + _pulled(x, pull, target)
        enough = max(NEWTON_TOL * size, rounding)
        for _ in range(MAX_NEWTON):
            if size <= enough:
                break
            direction = self._direction(gradient, raw, pull)
            x, raw, loss = self._search(
                (x, raw, loss), direction, gradient, pull, target
            )
            gradient, _ = self._gradient(x, raw, pull, target)
            before, size = (value, size), float(gradient.norm())
            value = loss + _pulled(x, pull, target)
            # Rounding allows no more: neither the sum falls nor, by much, its gradient.
            slack = self.model.rounding(raw)
            if value >= before[0] - slack and size >= before[1] / 2:
                break
        self.raw = raw
        return x, loss

    def _gradient(
        self, x: Tensor, raw: Tensor, pull: Tensor, target: Tensor
    ) -> tuple[Tensor, float]:
        """Gradient of the sum, and a norm of it that is mere rounding."""
        of_loss, of_pull = self.model.gradient(raw), pull * (x - target)
        eps = torch.finfo(x.dtype).eps
        return of_loss + of_pull, 10 * eps * float(of_loss.norm() + of_pull.norm())

    def _search(
        self,
        at: tuple[Tensor, Tensor, float],
        direction: tuple[Tensor, Tensor],
        gradient: Tensor,
        pull: Tensor,
        target: Tensor,
    ) -> tuple[Tensor, Tensor, float]:
        """Halve the step until the sum falls: new point, raw prediction and loss."""
        (x, raw, loss), (move, raw_move) = at, direction
        before = loss + _pulled(x, pull, target)
        slope = float((gradient * move).sum())
        eps = torch.finfo(x.dtype).eps
        slack = self.model.rounding(raw) + 10 * eps * abs(before)
        for halvings in range(MAX_HALVINGS):
            step = 0.5**halvings
            new, new_raw = x + step * move, raw + step * raw_move
            loss = self.model.value(new_raw)
            after = loss + _pulled(new, pull, target)
            if after <= before + ARMIJO * step * slope + slack:
                break
        return new, new_raw, loss

    def _direction(
        self, gradient: Tensor, raw: Tensor, pull: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Newton direction by conjugate gradients, and its raw prediction."""
        model, predicted = self.model, self.model.mapped(raw)
        # The signs make it an estimate of the mean diagonal of the loss's Hessian.
        curved = (self.signs * self._curved(predicted, self.signs)).sum()
        diagonal = pull + curved / model.n_outputs * self.moment
        diagonal = diagonal.where(diagonal > 0, diagonal.new_ones(()))
        move, raw_move = torch.zeros_like(gradient), torch.zeros_like(raw)
        residual, enough = -gradient, CG_TOL * float(gradient.norm())
        search, size = torch.zeros_like(gradient), float("inf")
        # Without rounding, as many as there are directions would do.
        for _ in range(min(MAX_CG, 2 * min(gradient.numel(), raw.numel()))):
            scaled = residual / diagonal
            before, size = size, float((residual * scaled).sum())
            search = scaled + (size / before) * search
            along = model.raw(search)
            product = model.backward(self._curved(predicted, along)).view(1, -1)
            product += pull * search
            curvature = float((search * product).sum())
            if not curvature > 0:
                break
            step = size / curvature
            move, raw_move = move + step * search, raw_move + step * along
            residual = residual - step * product
            if float(residual.norm()) <= enough:
                break
        return move, raw_move

    def _curved(self, predicted: Tensor, v: Tensor) -> Tensor:
        """Weighted product of the loss's Hessian and v: (n, k) twice -> (n, k)."""
        return self.model.loss.hessian(predicted.T, v.T).T * self.model.scale


def _pulled(x: Tensor, pull: Tensor, target: Tensor) -> float:
    return float((pull * (x - target).square()).sum(dtype=torch.float64)) / 2
