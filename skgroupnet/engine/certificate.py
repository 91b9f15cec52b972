"""Distance from (directional) stationarity, and the strength that empties a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from skgroupnet.engine.centred import CentredModel
from skgroupnet.engine.data import Data
from skgroupnet.engine.descent import can_descend
from skgroupnet.engine.fista import fista
from skgroupnet.engine.initial import initial_network
from skgroupnet.engine.linear import LinearModel
from skgroupnet.engine.losses import LOSSES
from skgroupnet.engine.memory import memory_named
from skgroupnet.engine.newton import newton
from skgroupnet.engine.problem import Job, Model, Problem
from skgroupnet.engine.shrinkage import Shrinkage, is_steep
from skgroupnet.engine.stack import Stack
from skgroupnet.engine.threads import (
    Stopped,
    Workers,
    available_threads,
    threads_for,
)
from skgroupnet.network import Network
from skgroupnet.penalties import NoPenalty

CERTIFICATE_ROWS = 512
# Largest number of iterations for the part of a model that is not penalised: Newton's
# method needs some ten, and what FISTA has not found by then is not worth the time.
NULL_ITERATIONS = 500


@memory_named()
@threads_for()
def stationarity_gap(problem: Problem, model: Model, network: Network) -> float:
    """Largest distance of a group from stationarity, over all rows of a model.

    max over groups of dist(-grad_g L, subdifferential of R at W_g) / sqrt(|g|), with
    unpenalised parameters as groups of one.  For a linear model with a free intercept,
    columns that lie far from zero are taken less their mean, see `LinearModel`.

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        Says which rows and which lam.
    network : Network
        The point to certify.

    Returns
    -------
    float
        The gap; zero at a stationary point.
    """
    with torch.inference_mode():
        return _measured(problem, model, network)[0]


def relative_gap(problem: Problem, model: Model, network: Network) -> float:
    """Stationarity gap of a linear model, each group in its unit: what `tol` limits.

    The unit of a group is the largest standard deviation of its columns times that of
    the targets (roots of the second moments without an intercept).

    Parameters
    ----------
    problem : Problem
        The problem.
    model : Model
        Says which rows and which lam.
    network : Network
        The point to certify.

    Returns
    -------
    float
        The gap; zero at a stationary point.
    """
    with torch.inference_mode():
        return _measured(problem, model, network)[1]


def _measured(problem: Problem, model: Model, network: Network) -> tuple[float, float]:
    """Stationarity gap, and for a linear model that in the units of the groups."""
    if len(network.widths) > 2:
        stack, shrinkage = _gradient(problem, model, network)
        return shrinkage.gap(stack.flat, stack.grad), float("nan")
    linear, flat, gradient = _linear_gradient(problem, model, network)
    of_columns = linear.uncentred(gradient)
    return linear.shrinkage.gap(flat, of_columns), linear.gap(flat, gradient)


def _linear_gradient(
    problem: Problem, model: Model, network: Network
) -> tuple[LinearModel, Tensor, Tensor]:
    """Linear model, where it is and the gradient over all rows there."""
    with threads_for(4.0 * problem.X.shape[0] * network.widths[0] * network.widths[1]):
        linear = LinearModel(problem, replace(model, start=network))
        flat = linear.start
        return linear, flat, linear.gradient(linear.errors(linear.raw(flat)))


@memory_named()
@threads_for()
def stationarity_gaps(
    jobs: Sequence[Job], networks: Sequence[Network], n_threads: int | None = None
) -> list[float]:
    """Stationarity gap of each of several networks.

    Parameters
    ----------
    jobs : sequence of Job
        What each was trained on.
    networks : sequence of Network
        The networks.
    n_threads : int, default=None
        Number of threads; None: as many as there are.

    Returns
    -------
    list of float
        The gaps.
    """
    if len(jobs) == 1:
        return [stationarity_gap(jobs[0].problem, jobs[0].model, networks[0])]
    gaps = [float("nan")] * len(jobs)

    def measure(m: int, stopped: Stopped) -> None:
        gaps[m] = stationarity_gap(jobs[m].problem, jobs[m].model, networks[m])

    with Workers(n_threads or available_threads()) as workers:
        workers.run([partial(measure, m) for m in range(len(jobs))])
    return gaps


def _gradient(
    problem: Problem, model: Model, network: Network
) -> tuple[Stack, Shrinkage]:
    """Stack of the one network with the gradient over all rows in ``grad``."""
    data = Data(problem, network.widths[-1])
    stack = Stack([network], problem.loss, data.device)
    shrinkage = Shrinkage(problem, stack, np.array([model.lam]), [model.factors])
    rows, weight = model.weighted_rows(data.n_rows)
    scale = np.full(len(rows), 1 / len(rows)) if weight is None else weight / len(rows)
    order = torch.from_numpy(rows)[None]
    scales = torch.from_numpy(scale)[None].to(data.dtype)
    total = torch.zeros_like(stack.grad)
    together = CERTIFICATE_ROWS
    if data.sparse is not None:
        # The gradient of a batch has all columns, however few entries there are.
        together = max(together, data.n_features)
    with threads_for(data.work(network.widths) * CERTIFICATE_ROWS):
        for chunk in data.chunks(order, scales, together):
            raw = torch.empty_like(chunk.y)
            for batch, out in zip(chunk.batches(), raw.unbind(), strict=True):
                stack.gradient(*batch, out)
                total += stack.grad
    stack.grad.copy_(total)
    return stack, shrinkage


@memory_named()
@threads_for()
def lam_max(
    problem: Problem,
    row_weight: np.ndarray | None = None,
    factors: np.ndarray | None = None,
) -> float:
    """Smallest lam at which the linear model of a problem is empty.

    The null model has the unpenalised intercept and features, if there are any: with
    an intercept alone it predicts the mean of y. From this lam on it is stationary.

    Where a penalty has an infinite slope at zero, or jumps there, the null model is
    stationary at any lam. Then this is the smallest lam at which one proximal gradient
    step from the null model leaves it empty. The step is 1 / (L v_g), L the bound on
    the second derivative of the pointwise loss (for poisson, the largest mean of y) and
    v_g the sum of the variances of the columns that share the step (without a free
    intercept, of their second moments): a bound on the curvature along them.

    Parameters
    ----------
    problem : Problem
        The problem; its penalty is what is scaled.
    row_weight : ndarray of shape (n,), default=None
        Weights of the rows.
    factors : ndarray of shape (G,), default=None
        Relative weights of the groups, see `Model`.

    Returns
    -------
    float
        The strength; infinite if no finite one empties the model.
    """
    n_outputs = int(problem.y.max()) + 1 if problem.y.ndim == 1 else problem.y.shape[1]
    widths = (problem.X.shape[1], n_outputs)
    random_state = np.random.RandomState(0)
    start = initial_network(
        widths, "identity", LOSSES[problem.loss].output, random_state, problem.X.dtype
    )
    model = Model(start, 1.0, 1.0, random_state, row_weight=row_weight, factors=factors)
    problem = replace(problem, keep_zeros=False, group_sizes=None)
    start = _null_model(problem, model)
    with torch.inference_mode():
        linear, flat, gradient = _linear_gradient(problem, model, start)
        shrinkage, zero = linear.shrinkage, torch.zeros_like(flat)

        def stationary(lam: float) -> bool:
            strength = torch.full_like(shrinkage.lam, lam)
            distance = shrinkage.penalty.subgradient_distance(
                zero, gradient, shrinkage.groups, strength
            )
            return not bool((distance * shrinkage.groups.penalised).any())

        if not is_steep(problem, start):
            return _smallest(stationary, problem.X.dtype)
        return _smallest(
            _empties(problem, replace(model, start=start)), problem.X.dtype
        )


def _empties(problem: Problem, model: Model) -> Callable[[float], bool]:
    """Whether one proximal gradient step from a null model leaves it empty."""
    centred = CentredModel(problem, model)
    shrinkage, null = centred.shrinkage, centred.start
    gradient = centred.gradient(centred.raw(null))
    step = 1 / centred.group_curvatures()
    moved = null - shrinkage.metric.scale(gradient, step)

    def empties(lam: float) -> bool:
        shrinkage.lam = torch.full_like(shrinkage.lam, lam)
        norms = shrinkage.groups.norm(shrinkage.prox(moved, step))
        return not bool((norms * shrinkage.groups.penalised).any())

    return empties


def _smallest(enough: Callable[[float], bool], dtype: DTypeLike) -> float:
    """Smallest number for which a monotone condition holds, to 1e-12 relative."""
    smallest, largest = np.finfo(dtype).tiny, np.finfo(dtype).max
    low, high = 1.0, 1.0
    while not enough(high):
        low, high = high, high * 16
        if high > largest:
            return float("inf")
    while low > smallest and enough(low):
        low, high = low / 16, low
    while low > smallest and high - low > 1e-12 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _null_model(problem: Problem, model: Model) -> Network:
    """Fit what is not penalised; the rest is zero."""
    start, labels, dtype = model.start, problem.labels, problem.X.dtype
    intercept = problem.fit_intercept and not problem.penalize_bias
    weight, bias = np.zeros_like(start.weights[0]), start.biases[0]
    if intercept:
        with torch.inference_mode():
            linear = LinearModel(problem, model)
            bias = linear.network(linear.first).biases[0]
    free = np.zeros(len(weight), dtype=bool) if labels is None else labels < 0
    if free.any():
        part = replace(
            problem,
            X=problem.X[:, free],
            penalty=NoPenalty(),
            labels=None,
            fit_intercept=intercept,
            penalize_bias=False,
        )
        network = replace(start, weights=(weight[free],), biases=(bias,))
        models = [replace(model, start=network, factors=None)]
        limits = NULL_ITERATIONS, float(np.finfo(dtype).eps) ** (2 / 3)
        if can_descend(part):
            (fit,) = newton(part, models, *limits)
        else:
            (fit,) = fista(part, models, max_iter=limits[0], tol=limits[1])
        if fit.outcome == "interrupted":
            raise KeyboardInterrupt
        weight[free], bias = fit.network.weights[0], fit.network.biases[0]
    return replace(start, weights=(weight,), biases=(bias,))
