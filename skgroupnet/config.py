"""Settings of the package that no estimator has: which step trains the networks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

STEPS = ("auto", "compiled", "torch")
VARIABLE = "SKGROUPNET_STEP"

_step: ContextVar[str | None] = ContextVar("step", default=None)


@contextmanager
def config_context(*, step: str) -> Iterator[None]:
    """Choose what takes the training steps within a block.

    Training takes its steps either in compiled code or in torch. Both take the same
    steps up to rounding; the compiled ones are several times as fast for small
    networks. `skgroupnet.show_versions` says whether they are there, and ``verbose=1``
    which ones a fit uses.

    The choice holds for the fits of this thread, whatever threads and processes they
    use: those of a search, a path or a cross-validation of this package too. It does
    not reach workers of others, such as those of `cross_validate` with ``n_jobs=2``,
    in threads or processes. The environment variable ``SKGROUPNET_STEP`` takes the
    same values and reaches all of them.

    Parameters
    ----------
    step : {"auto", "compiled", "torch"}
        "auto": compiled where that is possible, else torch. "compiled": compiled, or a
        RuntimeError that says why not. "torch": torch.

    Yields
    ------
    None

    Examples
    --------
    >>> from skgroupnet import GroupSparseLogisticRegression, config_context
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> clf = GroupSparseLogisticRegression(
    ...     lam=0.1, solver="adam", learning_rate_init=0.1, tol=0.01
    ... )
    >>> with config_context(step="torch"):
    ...     clf.fit(X, y).predict([[0.0]])
    array([0])
    """
    token = _step.set(_checked(step, "step"))
    try:
        yield
    finally:
        _step.reset(token)


def chosen_step() -> str:
    """Choice of the innermost `config_context`, or else of the environment.

    Returns
    -------
    {"auto", "compiled", "torch"}
    """
    return _step.get() or _checked(os.environ.get(VARIABLE) or "auto", VARIABLE)


def _checked(step: str, name: str) -> str:
    if step not in STEPS:
        raise ValueError(f"{name} must be one of {STEPS}, got {step!r}.")
    return step
