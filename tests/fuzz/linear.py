"""Fuzz of the linear models: `python -m tests.fuzz.linear --first 0 --n 1000`.

Each problem is drawn from its seed alone. What is demanded of a fit:

- it raises nothing, or a ValueError that says what is wrong with the input;
- it warns of nothing but its own convergence;
- coefficients are finite, and X, y and the weights are what they were, byte for byte;
- the conditions of stationarity hold (`conditions`), or a ConvergenceWarning says that
  training ended before. That nothing is left of the model is no excuse. Classes that
  can be separated have no optimum without a penalty, but coefficients at which the
  conditions hold to the tolerance, or a warning;
- if the penalty is convex, the objective is not above that of a plain proximal gradient
  method;
- it takes at most `SECONDS`.
"""

import argparse
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

import skgroupnet.engine  # noqa: F401  (imports torch, outside the measured time)
from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from tests.fuzz.conditions import REAL, Regularizer, Rows, rows_of, violation
from tests.fuzz.linear_problems import CONVEX, LinearProblem, draw
from tests.fuzz.proximal_gradient import lower_objective

ESTIMATORS = {
    "linear": GroupSparseLinearRegression,
    "poisson": GroupSparsePoissonRegressor,
}
# Ten times the default tol.
TOLERANCE = 1e-5
# Roundings that add up: raw predictions are sums over the columns, gradients over the
# rows.
ROUNDINGS = 20
# Of processor time; the slowest of the first thousand takes half of it where nothing
# else runs.
SECONDS = 10.0
UNFINISHED = ("Training stopped", "The loss stopped being finite")
NOTHING_LEFT = "Nothing is left of the model"
# Advice on columns whose largest values are more than a thousand times apart.
SCALES, SCALE_RATIO = "The columns of X differ in scale", 1e3


@dataclass
class Verdict:
    """What came of one problem.

    Parameters
    ----------
    problem : LinearProblem
        The problem.
    faults : list of str
        What is wrong; the kind is what stands before the colon.
    excused : bool
        Whether a warning said that training ended before it converged.
    violation : float
        Violation of the conditions.
    """

    problem: LinearProblem
    faults: list[str] = field(default_factory=list)
    excused: bool = False
    violation: float = float("nan")
    seconds: float = 0.0
    n_iter: int = 0


def examine(seed: int) -> Verdict:
    """Fit one problem, and judge the fit.

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
    rows = rows_of(problem.loss, problem.X, problem.y, problem.weight)
    lam = _lam(rows, problem)
    model = _estimator(problem, lam)
    given = _bytes(problem)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        start = time.process_time()
        try:
            model.fit(problem.X, problem.y, sample_weight=problem.weight)
        except Exception as error:
            verdict.faults.append(f"{type(error).__name__}: {error}")
        verdict.seconds = time.process_time() - start
    if verdict.seconds > SECONDS:
        verdict.faults.append(f"slow: {verdict.seconds:.1f} s")
    if _bytes(problem) != given:
        verdict.faults.append("input changed: X, y or sample_weight")
    if not hasattr(model, "coefs_"):
        return verdict
    verdict.n_iter = model.n_iter_
    _read_warnings(verdict, caught, model)
    _judge(verdict, rows, Regularizer(model.penalty, lam, problem.labels), model)
    return verdict


def _lam(rows: Rows, problem: LinearProblem) -> float:
    """Strength of the penalty, in the units of the data.

    Relative to the smallest one that leaves nothing; a ridge leaves everything, and
    its strength is relative to the mean second derivative of the loss.
    """
    parameters = problem.parameters
    relative = parameters.pop("relative_lam")
    free = parameters["fit_intercept"] and not parameters["penalize_bias"]
    f = rows.null_raw(free)
    X = rows.centred() if free else rows.X
    if parameters["penalty"] == "l2":
        curvature = rows.mean(rows.shaken(f, np.ones_like(f))).mean()
        unit = rows.mean(X * X).mean() * curvature
    else:
        G = (X * rows.s[:, None]).T @ (rows.predicted(f) - rows.Y)
        groups, _ = Regularizer(parameters["penalty"], 1.0, problem.labels).groups(
            G.shape
        )
        norms = [np.sqrt((G.ravel()[g] ** 2).mean()) for g in groups]
        unit = max(norms, default=REAL(1))
    return float(relative * (unit if unit > 0 else 1))


def _estimator(problem: LinearProblem, lam: float):
    labels = problem.labels
    estimator = ESTIMATORS.get(problem.loss, GroupSparseLogisticRegression)
    groups = None if labels is None else labels.tolist()
    return estimator(lam=lam, groups=groups, **problem.parameters)


def _bytes(problem: LinearProblem) -> tuple:
    X = problem.X
    parts = (X.data, X.indices, X.indptr) if issparse(X) else (X,)
    return tuple(
        None if a is None else (a.dtype.str, a.flags.writeable, a.tobytes())
        for a in (*parts, problem.y, problem.weight)
    )


def _read_warnings(verdict: Verdict, caught, model) -> None:
    for warning in caught:
        text = str(warning.message)
        told = issubclass(warning.category, ConvergenceWarning)
        if told and text.startswith(UNFINISHED):
            verdict.excused = True
        elif told and text.startswith(NOTHING_LEFT):
            if model.coefs_[0].any():
                verdict.faults.append(f"warning: {text}")
        elif not (text.startswith(SCALES) and _ratio(verdict.problem) > SCALE_RATIO):
            verdict.faults.append(f"warning: {warning.category.__name__}, {text}")


def _ratio(problem: LinearProblem) -> float:
    """Ratio of the largest absolute values of the columns."""
    X = abs(problem.X.toarray() if issparse(problem.X) else problem.X)
    if problem.weight is not None:
        X = X[problem.weight > 0]
    largest = X.max(axis=0)
    return largest.max() / largest[largest > 0].min(initial=np.inf)


def _judge(verdict: Verdict, rows: Rows, regularizer: Regularizer, model) -> None:
    (W,), b = model.coefs_, model.intercepts_[0]
    if not (np.isfinite(W).all() and np.isfinite(b).all()):
        verdict.faults.append("not finite: coefficients")
        return
    intercept = "free" if model.fit_intercept else "none"
    if model.penalize_bias:
        intercept = "penalised"
    found = violation(rows, regularizer, W, b, intercept)
    verdict.violation = found.largest
    if verdict.excused:
        return
    if not found.largest <= TOLERANCE + ROUNDINGS * found.rounding:
        verdict.faults.append(
            f"stationarity: {found.largest:.1e} at {found.where}, rounding "
            f"{found.rounding:.1e}"
        )
    elif model.penalty in CONVEX:
        lower = lower_objective(rows, regularizer, W, b, intercept)
        if lower > TOLERANCE + ROUNDINGS * found.rounding:
            verdict.faults.append(f"objective: {lower:.1e} above another solver's")


def report(verdicts: list[Verdict], excuse: str, out=print) -> None:
    """Print the faults by kind, and the traits of the problems that have them.

    Parameters
    ----------
    verdicts : list of Verdict
        What came of the problems.
    excuse : str
        What it means that a problem is excused.
    out : callable
        Takes a line.
    """
    total = Counter(t for v in verdicts for t in v.problem.traits)
    excused = Counter(t for v in verdicts if v.excused for t in v.problem.traits)
    kinds: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        for fault in verdict.faults:
            kinds.setdefault(fault.split(":")[0], []).append(verdict)
    for kind, found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        out(f"{kind}: {len(found)} of {len(verdicts)}; by trait")
        traits = Counter(t for v in found for t in v.problem.traits)
        rates = sorted(traits, key=lambda t: -traits[t] / total[t])[:12]
        out("   " + ", ".join(f"{t} {traits[t]}/{total[t]}" for t in rates))
        out("   seeds " + " ".join(str(v.problem.seed) for v in found[:40]))
    n_excused = sum(v.excused for v in verdicts)
    out(f"{excuse}: {n_excused} of {len(verdicts)}")
    rates = sorted(excused, key=lambda t: -excused[t] / total[t])[:12]
    out("   " + ", ".join(f"{t} {excused[t]}/{total[t]}" for t in rates))
    seeds = [v.problem.seed for v in verdicts if v.excused]
    out("   seeds " + " ".join(map(str, seeds[:40])))
    slowest = sorted(verdicts, key=lambda v: -v.seconds)[:5]
    times = ", ".join(f"{v.problem.seed}: {v.seconds:.2f} s" for v in slowest)
    out(f"{sum(v.seconds for v in verdicts):.0f} s; slowest {times}")


def show(verdict: Verdict) -> str:
    """Describe one problem and its fit in a line."""
    problem = verdict.problem
    n, p = problem.X.shape
    words = ", ".join(sorted(problem.traits))
    warned = "; excused" if verdict.excused else ""
    faults = "; ".join(verdict.faults) or "no fault"
    return (
        f"{problem.seed}: {n} x {p}, {words}; {verdict.n_iter} iterations, "
        f"{verdict.seconds:.2f} s, violation {verdict.violation:.1e}{warned}: {faults}"
    )


def main() -> int:
    """Run the fuzz; the exit status says whether there was a fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=0, help="first seed")
    parser.add_argument("--n", type=int, default=1000, help="number of problems")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--verbose", action="store_true", help="a line for each fault")
    arguments = parser.parse_args()
    if arguments.seed is not None:
        verdicts = [examine(arguments.seed)]
        print(show(verdicts[0]))
    else:
        first = arguments.first
        verdicts = []
        for seed in range(first, first + arguments.n):
            verdicts.append(examine(seed))
            if arguments.verbose and verdicts[-1].faults:
                print(show(verdicts[-1]), flush=True)
        report(verdicts, "warned that training had not converged")
    return int(any(v.faults for v in verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
