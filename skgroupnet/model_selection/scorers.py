"""How weights of rows reach a scorer."""

import warnings
from collections.abc import Callable
from inspect import signature
from typing import Any


def weight_for(scorer: Callable[..., float], sample_weight: Any) -> dict[str, Any]:
    """Pass weights of rows to a scorer that takes them, warn if it does not.

    Parameters
    ----------
    scorer : callable
        Called as ``scorer(estimator, X, y, **params)``.
    sample_weight : array-like of shape (n_samples,) or None
        The weights, if there are any.

    Returns
    -------
    dict
        What to pass to the scorer: ``sample_weight`` or nothing.
    """
    if sample_weight is None:
        return {}
    # A scorer of scikit-learn takes weights whether its metric does or not.
    accepts = getattr(
        scorer,
        "_accept_sample_weight",
        lambda: "sample_weight" in signature(scorer).parameters,
    )
    if accepts():
        return {"sample_weight": sample_weight}
    warnings.warn(
        f"The scoring {scorer} does not take sample_weight: the fits are weighted, "
        "but their scores are not.",
        UserWarning,
        stacklevel=2,
    )
    return {}
