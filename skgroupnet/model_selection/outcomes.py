"""How many fits ended: which of them failed, and whether the user interrupted them."""

import warnings
from collections.abc import Sequence

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
        fit.interrupted or isinstance(fit.error, KeyboardInterrupt) for fit in fits
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
