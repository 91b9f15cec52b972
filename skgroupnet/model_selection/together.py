"""Many fits at once: estimators that differ in lam, rows or start share a stack."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from joblib.parallel import get_active_backend
from sklearn.utils.parallel import Parallel, delayed

from skgroupnet.config import chosen_step, config_context
from skgroupnet.estimators.advice import REMEDY
from skgroupnet.estimators.base import GroupSparseEstimator
from skgroupnet.estimators.linear_base import GroupSparseLinearModel
from skgroupnet.estimators.mlp import GroupSparseMLP
from skgroupnet.estimators.plan import Outcome, Plan, carry_out
from skgroupnet.estimators.sample import Given

# A worker looks after its parent every so many seconds.
LOOK_EVERY = 1.0

Watch = Callable[[Any], bool]

# The methods `fit` whose work `fit_together` does.
FITS = (GroupSparseLinearModel.fit, GroupSparseMLP.fit)
FIT = GroupSparseEstimator._fit


@dataclass(frozen=True, eq=False)
class Fitting:
    """One fit to do.

    Parameters
    ----------
    estimator : estimator
        One of ours, with its parameters set; it is fitted in place.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        All rows. Fittings with the same object share its validation and its memory.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.
    rows : ndarray of int, default=None
        Rows to fit to; None: all.
    fit_params : mapping, default=()
        Further arguments of `fit`; ``sample_weight`` has a number for every row of X.
    chain : hashable, default=None
        Fittings of linear models with the same chain differ only in lam: they are
        solved in turn from the largest down, each from the solution of the one before.
    all_classes : bool, default=False
        Whether a classifier knows all classes of y, also those that its rows lack.
    """

    estimator: Any
    X: Any
    y: Any
    rows: np.ndarray | None = None
    fit_params: Mapping[str, Any] = field(default_factory=dict)
    chain: Hashable = None
    all_classes: bool = False


@dataclass(frozen=True, eq=False)
class Fitted:
    """What came of a `Fitting`.

    Parameters
    ----------
    estimator : estimator
        The fitted estimator; not fitted if there is an error.
    error : BaseException or None
        Why the fit failed; KeyboardInterrupt if it was not begun.
    seconds : float
        Its share of the time: that of all fits, divided by the work.
    interrupted : bool
        Whether the fit was cut short, keeping its last whole epoch.
    """

    estimator: Any
    error: BaseException | None = None
    seconds: float = 0.0
    interrupted: bool = False


def has_own_fit(estimator: Any) -> bool:
    """Tell whether a subclass fits in its own way, which `fit_together` passes over.

    Parameters
    ----------
    estimator : estimator
        An estimator with one lam.

    Returns
    -------
    bool
    """
    fit, inner = (
        getattr(method, "__func__", method)
        for method in (estimator.fit, estimator._fit)
    )
    return fit not in FITS or inner is not FIT


def fit_alone(fitting: Fitting) -> Fitted:
    """Fit as scikit-learn does, by the method `fit` of the user's own class.

    Parameters
    ----------
    fitting : Fitting
        The fit to do, to all of its rows.

    Returns
    -------
    Fitted
    """
    start, error = time.perf_counter(), None
    try:
        fitting.estimator.fit(fitting.X, fitting.y, **fitting.fit_params)
    except Exception as raised:
        error = raised
    return Fitted(fitting.estimator, error, time.perf_counter() - start)


def check_fit(estimator: Any, caller: str) -> None:
    """Refuse an estimator with a `fit` of its own.

    Parameters
    ----------
    estimator : estimator
        An estimator with one lam.
    caller : str
        Who refuses it.
    """
    if has_own_fit(estimator):
        raise TypeError(
            f"{caller} trains its models together, and would pass over the fit that "
            f"{type(estimator).__name__} has of its own. Use GridSearchCV or "
            "BatchedGridSearchCV, which call it."
        )


def fit_together(
    fittings: Sequence[Fitting],
    *,
    n_jobs: int | None = None,
    stack_memory: float = 1e9,
    watch: Watch | None = None,
    certify: bool = True,
) -> list[Fitted]:
    """Fit estimators side by side, each as if it were alone.

    Parameters
    ----------
    fittings : sequence of Fitting
        What to fit.
    n_jobs : int, default=None
        Number of threads; under `joblib.parallel_config` with a backend of processes,
        the number of processes of one thread each. None means 1 unless
        `joblib.parallel_config` says otherwise, -1 all processors.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time.
    watch : callable, default=None
        Called with an engine `Epoch` after every epoch of the networks in training;
        True ends the training. Not called in processes.
    certify : bool, default=True
        Whether to measure the ``stationarity_gap_`` of each.

    Returns
    -------
    list of Fitted
        One for each fitting. A fit whose loss stops being finite has failed. A
        KeyboardInterrupt ends training; it is told by the fits that it cut short or
        kept from beginning.
    """
    n_workers, processes = _workers(n_jobs)
    prepared, failed = _prepare(fittings)
    limit = stack_memory / (n_workers if processes else 1)
    if processes:
        units = _units(prepared)
        pieces = [
            piece
            for first in range(n_workers)
            for piece in _cut(units[first::n_workers], limit)
        ]
        # The workers do not see the context of this process.
        step = chosen_step()
        try:
            results = Parallel(n_jobs=n_jobs)(
                delayed(_fit_in_process)(piece, step, certify) for piece in pieces
            )
        except KeyboardInterrupt:
            results = _not_begun(pieces)
    else:
        pieces = list(_cut(_units(prepared), limit))
        results = _fit_in_turn(pieces, n_workers, watch, certify)
    fitted = dict(failed)
    for piece, result in zip(pieces, results, strict=True):
        fitted |= {p.number: f for p, f in zip(piece, result, strict=True)}
    return [fitted[number] for number in range(len(fittings))]


def _workers(n_jobs: int | None) -> tuple[int, bool]:
    """Count the threads or processes, and tell whether they are processes.

    These are threads unless `joblib.parallel_config` names a backend of processes.
    """
    backend, _ = get_active_backend(prefer="threads")
    _, configured = get_active_backend()
    n_workers = backend.effective_n_jobs(configured if n_jobs is None else n_jobs)
    in_memory = getattr(backend, "supports_sharedmem", False) or n_workers == 1
    return n_workers, not in_memory


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A fitting whose data are validated, and the bytes its network takes."""

    number: int
    estimator: Any
    given: Given
    rows: np.ndarray | None
    params: Mapping[str, Any]
    size: float
    go_on: bool
    chain: Hashable
    all_classes: bool


def _prepare(
    fittings: Sequence[Fitting],
) -> tuple[list[_Prepared], dict[int, Fitted]]:
    """Validate the data of each fitting, once for all that share them."""
    shared: dict[tuple[Any, ...], Given] = {}
    prepared, failed = [], {}
    for number, fitting in enumerate(fittings):
        estimator, params = fitting.estimator, dict(fitting.fit_params)
        weight = params.pop("sample_weight", None)
        data = fitting.X, fitting.y, weight
        go_on = estimator.warm_start and estimator.__sklearn_is_fitted__()
        kind = estimator._dtypes, estimator._y_numeric
        key = (*map(id, data), id(estimator) if go_on else kind)
        try:
            with estimator._unchanged_on_error():
                estimator._validate_params()
                if key in shared:
                    estimator._check_columns(fitting.X)
                else:
                    shared[key] = estimator._validated(*data, go_on)
                given = shared[key]
                size = estimator._bytes_in_training(given)
        except Exception as error:
            failed[number] = Fitted(estimator, error)
            continue
        what = given, fitting.rows, params, size, go_on
        how = fitting.chain, fitting.all_classes
        prepared.append(_Prepared(number, estimator, *what, *how))
    return prepared, failed


def _units(prepared: Sequence[_Prepared]) -> list[list[_Prepared]]:
    """Put together what is solved in turn."""
    units: dict[Hashable, list[_Prepared]] = {}
    for one in prepared:
        key = ("alone", one.number) if one.chain is None else ("chain", one.chain)
        units.setdefault(key, []).append(one)
    return list(units.values())


def _cut(
    units: Sequence[Sequence[_Prepared]], limit: float
) -> Iterator[list[_Prepared]]:
    """Cut into pieces that each stay within the memory, or are a single unit."""
    piece: list[_Prepared] = []
    size = 0.0
    for unit in units:
        more = sum(one.size for one in unit)
        if piece and size + more > limit:
            yield piece
            piece, size = [], 0.0
        piece.extend(unit)
        size += more
    if piece:
        yield piece


@contextmanager
def _ending_with_parent() -> Iterator[None]:
    """End this worker if the process that started it ends: nobody takes its results."""
    parent, done = os.getppid(), threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_EVERY):
            if os.getppid() != parent:
                os._exit(1)

    # Whoever is no child of multiprocessing, or of joblib, was meant to stay.
    if multiprocessing.parent_process() is not None:
        threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _fit_in_process(
    piece: Sequence[_Prepared], step: str, certify: bool
) -> list[Fitted]:
    with _ending_with_parent(), config_context(step=step):
        return _fit_in_turn([piece], 1, None, certify)[0]


def _not_begun(pieces: Sequence[Sequence[_Prepared]]) -> list[list[Fitted]]:
    return [
        [Fitted(one.estimator, KeyboardInterrupt()) for one in piece]
        for piece in pieces
    ]


def _fit_in_turn(
    pieces: Sequence[Sequence[_Prepared]],
    n_threads: int,
    watch: Watch | None,
    certify: bool,
) -> list[list[Fitted]]:
    """Fit piece by piece, until an interrupt."""
    results = _not_begun(pieces)
    stopped = False

    def follow(epoch: Any) -> bool:
        nonlocal stopped
        try:
            stopped = watch is not None and watch(epoch)
        except Exception as error:
            raise _WatchFailed(error) from error
        return stopped

    for piece, result in zip(pieces, results, strict=True):
        try:
            outcomes = partial(
                carry_out,
                follow=lambda in_full: follow,
                n_threads=n_threads,
                certify=certify,
            )
            _fit_piece(piece, result, outcomes)
        except KeyboardInterrupt:
            errors = (fitted.error for result in results for fitted in result)
            if not any(isinstance(error, KeyboardInterrupt) for error in errors):
                # It came when all was done: no fit would tell of it.
                raise
            stopped = True
        except _WatchFailed as failed:
            raise failed.error from failed.error.__cause__
        if stopped or any(fitted.interrupted for fitted in result):
            break
    return results


def _fit_piece(
    piece: Sequence[_Prepared],
    result: list[Fitted],
    carry_out: Callable[[Sequence[Plan]], list[Outcome]],
) -> None:
    """Fit one piece; fill in the results as they come."""
    begin = time.perf_counter()
    plans = {}
    for m, one in enumerate(piece):
        estimator = one.estimator
        try:
            with estimator._unchanged_on_error():
                validation = estimator._validation(**one.params)
                what = one.given, one.rows, validation, one.go_on, one.all_classes
                plan = estimator._plan(*what)
                plans[m] = replace(plan, job=replace(plan.job, chain=one.chain))
        except Exception as error:
            result[m] = Fitted(estimator, error)
    if not plans:
        return
    outcomes = _carry_out_apart(list(plans.values()), carry_out)
    for (m, plan), outcome in zip(plans.items(), outcomes, strict=True):
        result[m] = _finish(piece[m].estimator, plan, outcome)
    seconds = time.perf_counter() - begin
    work = [
        1 + (outcome.fit.n_iter * piece[m].size if isinstance(outcome, Outcome) else 0)
        for m, outcome in zip(plans, outcomes, strict=True)
    ]
    for m, share in zip(plans, work, strict=True):
        result[m] = replace(result[m], seconds=seconds * share / sum(work))


class _WatchFailed(BaseException):
    """The watcher raised an error, which is no fault of the fits."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error


def _carry_out_apart(
    plans: Sequence[Plan], carry_out: Callable[[Sequence[Plan]], list[Outcome]]
) -> list[Outcome | BaseException]:
    """Carry out plans; one that raises an error takes no other with it.

    What fits together fails together: the halves are tried again by themselves.
    """
    generators = [plan.job.model.random_state for plan in plans]
    states = [generator.get_state(legacy=False) for generator in generators]
    try:
        return list(carry_out(plans))
    except Exception as error:
        if len(plans) == 1:
            return [error]
    # The second time is to be like the first.
    for generator, state in zip(generators, states, strict=True):
        generator.set_state(state)
    half = len(plans) // 2
    first = _carry_out_apart(plans[:half], carry_out)
    if any(isinstance(o, Outcome) and o.fit.outcome == "interrupted" for o in first):
        return first + [KeyboardInterrupt() for _ in plans[half:]]
    return first + _carry_out_apart(plans[half:], carry_out)


def _finish(estimator: Any, plan: Plan, outcome: Outcome | BaseException) -> Fitted:
    if isinstance(outcome, BaseException):
        return Fitted(estimator, outcome)
    try:
        return _written(estimator, plan, outcome)
    except Exception as error:
        # A warning that is an error, for one.
        return Fitted(estimator, error)


def _written(estimator: Any, plan: Plan, outcome: Outcome) -> Fitted:
    fit = outcome.fit
    interrupted = fit.outcome == "interrupted"
    if interrupted and not fit.loss_curve:
        return Fitted(estimator, KeyboardInterrupt())
    if fit.outcome == "diverged":
        message = f"The loss stopped being finite in iteration {fit.n_iter}. {REMEDY}"
        return Fitted(estimator, FloatingPointError(message))
    estimator._finish(plan, outcome)
    if not interrupted:
        estimator._warn_if_unfinished(fit)
    return Fitted(estimator, interrupted=interrupted)
