"""How many fits ended: which of them failed, and whether the user interrupted them."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sklearn.exceptions import FitFailedWarning

from skgroupnet.model_selection.together import Fitted


def was_interrupted(fits: Sequence[Fitted]) -> bool:
    """Tell whether the user interrupted any of the fits.

    Parameters
    ----------
    fits : sequence of Fitted
        What `fit_together` returned.

    Returns
    -------
    bool
    """
    return any(
        isinstance(fit.error, KeyboardInterrupt)
        or vars(fit.estimator).get("_outcome") == "interrupted"
        for fit in fits
    )


def check_failures(fits: Sequence[Fitted]) -> None:
    """Raise the error of fits that all failed, warn about some that did.

    Parameters
    ----------
    fits : sequence of Fitted
        What `fit_together` returned. Fits that an interrupt kept from beginning count
        as failed only if no fit is left.
    """
    errors = [fit.error for fit in fits if fit.error is not None]
    failures = [error for error in errors if not isinstance(error, KeyboardInterrupt)]
    if len(errors) == len(fits):
        first = (failures or errors)[0]
        first.add_note(f"All of the {len(fits)} fits failed; this is the first error.")
        raise first
    if failures:
        warnings.warn(
            f"{len(failures)} of {len(fits)} fits failed and do not count. The first "
            f"error: {type(failures[0]).__name__}: {failures[0]}",
            FitFailedWarning,
            stacklevel=2,
        )


@contextmanager
def empty_models_expected() -> Iterator[None]:
    """Silence the warning that nothing is left of a model: a path begins with it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Nothing is left of the model")
        yield
