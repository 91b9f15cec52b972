"""A linear model over all its rows: loss, gradient and gap at any coefficients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from skgroupnet.engine.data import Data
from skgroupnet.engine.problem import Epoch, Model, Problem
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.engine.stack import Stack
from skgroupnet.network import Network

# Relative to the mean: curvature of the rows that a Newton step divides by. Rows of
# large entries count at the optimum however certain they are: more would be felt there.
LEAST_CURVATURE = 1e-12
# A column whose standard deviation is at most so many units in the last place of its
# mean is constant: what varies is rounding.
CONSTANT_ULPS = 4.0


class LinearModel:
    """A model without a hidden layer; flat vectors (1, P) hold W (d, k) and c (k,).

    Where the intercept b is free, c = b + o W - m absorbs an origin: columns that lie
    far from zero relative to their spread are taken less their mean o, as products with
    them would cancel, and the targets of the squared error less theirs, m.  Else o and
    m are zero.

    Raw predictions, errors and targets lie output by output, (k, n).

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        The model; its strength and its start can be changed later.
    source : Data, default=None
        The rows of the problem, if they are there already.

    Attributes
    ----------
    source, data : Data
        The rows as they are, and about the origin.
    scale : Tensor of shape (n,)
        Weight of each row in the mean loss.
    y : Tensor of shape (k, n)
        Targets.
    mean, moment : Tensor of shape (d,)
        Mean and variance of the columns of ``data``; without a free intercept zero, and
        the second moment. Columns that are constant up to rounding have no variance.
    unit : Tensor of shape (1, G)
        What the gradient of each group is measured in: the largest root of the moment
        of its columns, times that of its targets. No gradient at the null model exceeds
        it.
    """

    def __init__(
        self, problem: Problem, model: Model, source: Data | None = None
    ) -> None:
        n_outputs = model.start.widths[-1]
        rows, weight = model.weighted_rows(problem.X.shape[0])
        if model.rows is not None or len(rows) < problem.X.shape[0]:
            part = replace(problem, X=problem.X[rows], y=problem.y[rows])
            source = Data(part, n_outputs)
        self.source = self.data = source or Data(problem, n_outputs)
        self.problem = problem
        self.stack = Stack([model.start], problem.loss, self.data.device)
        self.loss = self.stack.loss
        scale = np.ones(len(rows)) if weight is None else weight
        self.scale = torch.as_tensor(scale / len(rows)).to(self.stack.flat)
        self.y = self.data.targets(torch.arange(len(rows))).T.contiguous()
        self.shrinkage = Shrinkage(
            problem, self.stack, np.array([model.lam]), [model.factors]
        )
        self.free = problem.fit_intercept and not problem.penalize_bias
        self._eps = torch.finfo(self.y.dtype).eps
        self._take_origin(model)
        of_y = self._centre_targets()
        entries = torch.empty_like(self.stack.flat)
        W, b = self.split(entries)
        W.copy_(self.moment.double().sqrt()[:, None] * of_y)
        b.copy_(of_y)
        largest = self.shrinkage.groups.amax(entries)
        self.unit = largest.where(largest > 0, largest.amax())

    def _moments(self, model: Model) -> tuple[Tensor, Tensor]:
        """Mean and variance of the columns, measured once for fit and certificate."""
        if model.rows is not None:
            return self.data.moments(self.scale)
        weight, known = model.row_weight, self.problem.moments.get("all")
        if known is None or known[0] is not weight:
            # As a whole: another thread may write that of other weights.
            known = weight, self.data.moments(self.scale)
            self.problem.moments["all"] = known
        moments: tuple[Tensor, Tensor] = known[1]
        return moments

    def _take_origin(self, model: Model) -> None:
        """Measure the columns, and take them about their means where they are far."""
        mean, variance = self._moments(model)
        self._offset, moment = torch.zeros_like(mean), variance + mean.square()
        if self.free:
            constant = variance <= (CONSTANT_ULPS * self._eps * mean).square()
            # From there on, differences of moments have lost half of their digits.
            far = mean.abs() * self._eps**0.25 > variance.sqrt()
            far &= self.data.full_columns()
            if far.any():
                self._offset = mean.where(far, 0.0)
                self.data = self.data.shifted(self._offset, constant)
            moment = variance.masked_fill(constant, 0.0)
            mean = mean.masked_fill(far | constant, 0.0)
        self.mean = (mean if self.free else torch.zeros_like(mean)).to(self.y)
        self.moment = moment.to(self.y)

    def _centre_targets(self) -> Tensor:
        """Take targets about their mean; returns the root of their moments, (k,)."""
        share = self.scale.double() / self.scale.sum(dtype=torch.float64)
        mean = (self.y * share).sum(1)
        about = mean if self.free else torch.zeros_like(mean)
        deviation = self.y - about[:, None]
        variance = (deviation.square() * share).sum(1)
        self._target_offset = torch.zeros_like(mean)
        if self.loss.output == "identity":
            self._target_offset, self.y = about, deviation.to(self.y)
        self._target_mean = mean - self._target_offset
        noise = (CONSTANT_ULPS * self._eps * mean).square()
        root = variance.where(variance > noise, mean.square()).sqrt()
        return root.where(root > 0, root.amax() if root.any() else 1.0)

    @property
    def start(self) -> Tensor:
        """The weights and the intercept of the model, (1, P)."""
        start = self.stack.flat.clone()
        W, c = self.split(start)
        c += (self._offset @ W.double() - self._target_offset).to(c)
        return start

    @property
    def first(self) -> Tensor:
        """Where to start, (1, P): if all weights are zero, with the best intercept."""
        first = self.start
        W, c = self.split(first)
        if self.free and not W.any():
            c.copy_(self._null_intercept())
        return first

    def _null_intercept(self) -> Tensor:
        """Link of the mean of y: the intercept of the model without inputs, (k,)."""
        mean = self._target_mean
        if self.loss.output == "identity":
            return mean
        # The link of 0 is infinite: a mean that is zero is none of the data.
        log = mean.where(mean > 0, self._eps).log()
        if self.loss.output != "logistic":
            return log
        return log - (1 - mean).where(mean < 1, self._eps).log()

    def split(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        """Matrix (d, k) and intercept (k,) of a flat vector, as views."""
        (W,), (b,) = self.stack.layout.split(flat)
        return W[0], b[0, 0]

    def raw(self, flat: Tensor) -> Tensor:
        """Raw prediction of all rows, (k, n)."""
        W, b = self.split(flat)
        return self.data.dot(W).add_(b).T.contiguous()

    def mean_loss(self, raw: Tensor) -> float:
        """Mean loss of the raw prediction."""
        value = self.loss.value(raw, self.y)
        return float((value * self.scale).sum(dtype=torch.float64))

    def rounding(self, raw: Tensor) -> float:
        """Bound what rounding changes of the mean loss of the raw prediction."""
        size = self.loss.size(raw, self.y) * self.scale
        return 10 * self._eps * float(size.sum(dtype=torch.float64))

    def predicted(self, raw: Tensor) -> Tensor:
        """Prediction, (k, n)."""
        predicted = torch.empty_like(raw)
        self.loss.predict(raw, predicted)
        return predicted

    def errors(self, raw: Tensor) -> Tensor:
        """Gradient of the mean loss with respect to the raw prediction, (k, n)."""
        return self.predicted(raw).sub_(self.y).mul_(self.scale)

    def curvatures(self, raw: Tensor, least: float = LEAST_CURVATURE) -> Tensor:
        """Second derivatives of the mean loss, (k, n), or (1, n) if all are the same.

        No row has less than a share of their mean: a Newton step divides by them.
        """
        assert self.loss.curvatures is not None
        second = self.loss.curvatures(self.predicted(raw))
        floor = least * (second @ self.scale)[:, None]
        second = second.maximum(floor.clamp_min_(torch.finfo(raw.dtype).tiny))
        return second.mul_(self.scale)

    def softmax_curvatures(self, raw: Tensor, least: float) -> tuple[Tensor, Tensor]:
        """Second derivatives where the outputs are a softmax, in float64.

        Those at the mean of its probabilities and, with the weight ``least``, of equal
        ones: a row that is certain has some.

        Returns
        -------
        diagonal, cross : Tensor of shape (k, n)
            The derivatives of a row are the former, and minus the products of two of
            the latter.
        """
        p = torch.lerp(
            raw.double().softmax(0), torch.tensor(1 / len(raw)).double(), least
        )
        others = (1 - torch.eye(len(p), dtype=p.dtype)) @ p
        scale = self.scale.double()
        return p * others * scale, p * scale.sqrt()

    def gradient(self, errors: Tensor) -> Tensor:
        """Gradient of the mean loss, flat, in centred columns.

        That of W is where c follows it as much as the means of the columns say.
        """
        total = self.bias_gradient(errors)
        matrix = self.data.tdot(errors.T) - self.mean[:, None] * total
        return torch.cat([matrix.reshape(-1), total])[None]

    def uncentred(self, gradient: Tensor) -> Tensor:
        """Gradient in the columns of ``data`` from that in centred ones, (1, P)."""
        gradient = gradient.clone()
        W, total = self.split(gradient)
        W += self.mean[:, None] * total
        return gradient

    def bias_gradient(self, errors: Tensor) -> Tensor:
        """Gradient with respect to the intercept, (k,)."""
        total = errors.sum(1)
        return total if self.problem.fit_intercept else torch.zeros_like(total)

    def value(self, flat: Tensor) -> float:
        """Penalty."""
        shrinkage = self.shrinkage
        return float(shrinkage.penalty.value(flat, shrinkage.groups, shrinkage.lam))

    def gap(self, flat: Tensor, gradient: Tensor) -> float:
        """Largest distance of a group from stationarity, in its unit."""
        return self.shrinkage.gap(flat, gradient, self.unit)

    def network(self, flat: Tensor) -> Network:
        """Make the network with these weights."""
        flat = flat.clone()
        W, b = self.split(flat)
        b.copy_(b.double() - self._offset @ W.double() + self._target_offset)
        return self.stack.network(flat[0])


def epoch_of(
    number: int,
    n_models: int,
    curve: list[float],
    running: bool,
    network: Callable[[], Network],
) -> Epoch:
    """Describe an iteration of one of several models that are solved in turn.

    Parameters
    ----------
    number, n_models : int
        Which model, of how many.
    curve : list of float
        Its objective, iteration by iteration.
    running : bool
        Whether it goes on.
    network : callable
        Makes the network where it is.
    """
    losses = np.full(n_models, np.nan)
    losses[number] = curve[-1]
    runs = np.zeros(n_models, dtype=bool)
    runs[number] = running
    return Epoch(len(curve), losses, None, lambda m: network(), runs)
