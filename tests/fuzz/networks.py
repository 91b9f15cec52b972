"""Fuzz of the networks: `python -m tests.fuzz.networks --first 0 --n 1000`.

Each problem is drawn from its seed alone. What is demanded:

- training raises nothing, or a ValueError that says what is wrong with the input, and
  warns only as documented;
- coefficients and predictions are finite, but where a warning says that the loss was
  not in the first iteration; prune() predicts the same up to rounding,
  pruning twice changes nothing more, and what is counted is what is left;
- the same seed gives the same bits, and a copy by pickle predicts the same bits;
- X, y and the weights are what they were; so are the threads of torch, the global
  generators, the settings of floating point numbers, the filters of warnings and the
  environment;
- compiled steps are those of torch, and sparse rows are trained on like dense ones.
"""

import argparse
import copy
import os
import pickle
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skgroupnet import config_context
from skgroupnet.engine import compiled
from tests.fuzz.linear import report, show
from tests.fuzz.network_problems import NetworkProblem, draw

SCALES, LARGE_BATCH = "The columns of X differ in scale", "batch_size="
DIVERGED = "The loss stopped being finite in iteration 1."
# Roundings of sums over 70 units, in units of the sum of the terms' absolute values.
ROUNDINGS = 100
# Relative to the largest coefficient, after a few dozen steps: steps multiply what
# rounding makes of one, see tests/engine/test_compiled_parity.py.
AFTER_STEPS = {"float32": 2e-3, "float64": 1e-8}
SPARSE = {"float32": 2e-3, "float64": 1e-8}
SMOOTH = ("none", "l1", "l2", "elastic_net", "group_lasso", "group_elastic_net")
SECONDS = 5.0


@dataclass
class Verdict:
    """What came of one problem; `tests.fuzz.linear.report` counts them."""

    problem: NetworkProblem
    faults: list[str] = field(default_factory=list)
    excused: bool = False
    violation: float = float("nan")
    seconds: float = 0.0
    n_iter: int = 0
    refused: str = ""
    diverged: bool = False
    """Whether a warning said so of the first iteration: then no network is known."""


def examine(seed: int) -> Verdict:
    """Train on one problem, and judge what came out.

    Parameters
    ----------
    seed : int
        Its number.

    Returns
    -------
    Verdict
    """
    problem = draw(seed)
    verdict = Verdict(problem)
    given, around = _bytes(problem), _surroundings()
    start = time.process_time()
    model = _trained(problem, problem.X, verdict)
    verdict.seconds = time.process_time() - start
    if verdict.seconds > SECONDS:
        verdict.faults.append(f"slow: {verdict.seconds:.1f} s")
    if _surroundings() != around:
        verdict.faults.append("surroundings changed: threads, generators or settings")
    if model is not None:
        verdict.n_iter = model.n_iter_
        _judge(verdict, model)
        _compare(verdict, model)
    if _bytes(problem) != given:
        verdict.faults.append("input changed: X, y or sample_weight")
    return verdict


def _trained(problem: NetworkProblem, X, verdict: Verdict):
    """Train a copy of the estimator; None if it was refused or failed."""
    model = clone(problem.estimator)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            _train(problem, model, X)
        except ValueError as error:
            # A sentence about a parameter: what is asked for cannot be.
            verdict.excused = str(error).endswith(".")
            verdict.refused = str(error)
            if not verdict.excused:
                verdict.faults.append(f"ValueError: {error}")
            return None
        except Exception as error:
            verdict.faults.append(f"{type(error).__name__}: {error}")
            return None
    for warning in caught:
        text = str(warning.message)
        told = issubclass(warning.category, ConvergenceWarning)
        verdict.diverged |= told and text.startswith(DIVERGED)
        if not (told or text.startswith((SCALES, LARGE_BATCH))):
            verdict.faults.append(f"warning: {warning.category.__name__}, {text}")
    return model


def _train(problem, model, X):
    y, weight = problem.y, problem.weight
    # An adaptive penalty trains twice, and has no partial_fit.
    if problem.way != "partial_fit" or not hasattr(model, "partial_fit"):
        model.fit(X, y, sample_weight=weight)
        if problem.way == "warm_start":
            model.fit(X, y, sample_weight=weight)
        return
    classifies = hasattr(model, "predict_proba")
    classes = np.arange(y.shape[1]) if y.ndim == 2 else np.unique(y)
    for rows in (slice(None), slice(0, len(y), 2), slice(0, 7)):
        part = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
        w = None if weight is None else weight[rows]
        extra = {"classes": classes} if classifies else {}
        model.partial_fit(part, y[rows], sample_weight=w, **extra)


def _bytes(problem: NetworkProblem) -> tuple:
    X = problem.X
    parts = (X.data, X.indices, X.indptr) if issparse(X) else (np.asarray(X),)
    return tuple(
        None if a is None else (a.dtype.str, a.strides, a.flags.writeable, a.tobytes())
        for a in (*parts, problem.y, problem.weight)
    )


def _surroundings() -> tuple:
    """What a fit has to leave as it is."""
    generator = np.random.get_state()
    smallest = np.float64(np.finfo(np.float64).tiny)
    return (
        torch.get_num_threads(),
        (generator[1].tobytes(), *generator[2:]),
        torch.get_rng_state().numpy().tobytes(),
        tuple(np.geterr().items()),
        # Neither flushed to zero nor read as zero.
        (float(smallest / 4), float(smallest / 4 * 4)),
        tuple(warnings.filters),
        tuple(sorted(os.environ.items())),
        torch.is_grad_enabled(),
        torch.get_default_dtype(),
    )


def _raw(model, X):
    """Raw prediction (n, k) in float64 from the coefficients, and its rounding.

    The second array is the sum of the absolute values of all terms, layer by layer.
    """
    H = X.astype(model.coefs_[0].dtype).astype(np.float64)
    M = abs(H)
    last = len(model.coefs_) - 1
    for number, (W, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        W, b = W.astype(np.float64), b.astype(np.float64)
        H, M = H @ W + b, M @ abs(W) + abs(b)
        if number < last:
            H, M = _activated(model.activation, H, M)
    return H, M


def _activated(activation, H, M):
    if activation == "tanh":
        return np.tanh(H), M
    if activation == "logistic":
        return 1 / (1 + np.exp(-np.maximum(H, -700))), 0.5 + M / 4
    if activation == "identity":
        return H, M
    H = np.maximum(H, 0)
    return (H * H, M * M) if activation == "relu2" else (H, M)


def _predicted(model, X):
    if hasattr(model, "decision_function"):
        return model.decision_function(X).reshape(X.shape[0], -1)
    return model.predict(X).reshape(X.shape[0], -1)


def _judge(verdict: Verdict, model) -> None:
    """The network, what is counted of it, and its compact form."""
    problem, faults = verdict.problem, verdict.faults
    arrays = [*model.coefs_, *model.intercepts_]
    if not all(np.isfinite(a).all() for a in arrays):
        faults.append("not finite: coefficients")
        return
    compact = model.prune()
    twice = compact.prune()
    if any((a != b).any() for a, b in zip(compact.coefs_, twice.coefs_, strict=True)):
        faults.append("pruned twice: other coefficients")
    eps = np.finfo(model.coefs_[0].dtype).eps
    with np.errstate(all="ignore"):
        raw, terms = _raw(model, problem.dense)
        predicted = _predicted(model, problem.X)
        pruned = _predicted(compact, problem.X)
    if not np.isfinite(predicted).all():
        if not verdict.diverged:
            faults.append("not finite: predictions")
        return
    allowed = ROUNDINGS * eps * terms
    if getattr(model, "loss", None) == "poisson":
        raw = np.exp(raw)
        allowed = raw * allowed + eps * raw
    if not (abs(predicted - raw) <= allowed).all():
        faults.append(f"prediction: off by {abs(predicted - raw).max():.1e}")
    if not (abs(predicted - pruned) <= 2 * allowed).all():
        faults.append(f"pruned: off by {abs(predicted - pruned).max():.1e}")
    widths = [len(W) for W in compact.coefs_]
    left = [np.count_nonzero(a) for a in (*compact.coefs_, *compact.intercepts_)]
    counted = (
        model.n_active_features_,
        model.n_active_neurons_,
        model.n_active_parameters_,
        int(model.get_support().sum()),
    )
    if counted != (widths[0], sum(widths[1:]), sum(left), widths[0]):
        faults.append(f"counts: {counted} of {widths}, {sum(left)}")
    again = pickle.loads(pickle.dumps(model))
    if _predicted(again, problem.X).tobytes() != predicted.tobytes():
        faults.append("pickle: predicts other bits")


def _compare(verdict: Verdict, model) -> None:
    """The same network from the same seed, by steps in torch, from dense rows."""
    problem, faults = verdict.problem, verdict.faults
    other = Verdict(problem)
    again = _trained(problem, problem.X, other)
    if again is None or any(
        a.tobytes() != b.tobytes()
        for a, b in zip(model.coefs_, again.coefs_, strict=True)
    ):
        faults.append("same seed: other bits")
    name = problem.estimator.penalty
    calm = isinstance(name, str) and name in SMOOTH
    calm = calm and (model.epsilon == 1e-2 or model.solver == "sgd")
    if calm and model.activation != "relu2" and compiled._step is not None:
        with config_context(step="torch"):
            _close(verdict, model, _trained(problem, problem.X, other), "torch")
        if issparse(problem.X):
            dense = copy.copy(problem.dense)
            _close(verdict, model, _trained(problem, dense, other), "dense")


def _close(verdict: Verdict, model, other, what) -> None:
    if other is None:
        verdict.faults.append(f"{what}: was refused")
        return
    bounds = SPARSE if what == "dense" else AFTER_STEPS
    bound = bounds[model.coefs_[0].dtype.name]
    size = max(abs(W).max() for W in model.coefs_)
    pairs = zip(model.coefs_, other.coefs_, strict=True)
    off = max(float(abs(a - b).max()) for a, b in pairs)
    if off > bound * max(size, 1.0):
        verdict.faults.append(f"{what}: coefficients off by {off:.1e}")


def main() -> int:
    """Run the fuzz; the exit status says whether there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--n", type=int, default=1000, help="number of problems")
    parser.add_argument("--seed", type=int, help="only this one")
    arguments = parser.parse_args()
    one = arguments.seed is not None
    first, n = (arguments.seed, 1) if one else (arguments.first, arguments.n)
    verdicts = [examine(seed) for seed in range(first, first + n)]
    for verdict in verdicts:
        if verdict.faults or one:
            print(show(verdict))
    report(verdicts, "was refused in a sentence")
    for sentence, n in Counter(v.refused for v in verdicts if v.refused).items():
        print(f"   {n} times: {sentence}")
    return int(any(v.faults for v in verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
