"""What a user is told about a fit that needs attention."""

import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

# Columns whose largest absolute values are further apart than this are of different
# scales. Raw pixels, counts and standardized columns next to 0/1 ones stay below it.
SCALE_RATIO = 1e3

REMEDY = (
    "Scale the inputs, for example with StandardScaler, or lower learning_rate_init."
)
OUTCOMES = {
    "max_iter": (
        "Training stopped after max_iter={max_iter} iterations before it converged. "
        "Raise max_iter or tol."
    ),
    "stalled": (
        "Training stopped after {n_iter} iterations before it converged: rounding "
        "allows no more progress. Raise tol, scale the inputs, or use float64."
    ),
    "interrupted": (
        "Training was interrupted by the user after {n_iter} iterations. The network "
        "of the last whole iteration (the best one under early stopping) is kept."
    ),
    "diverged": (
        "The loss stopped being finite in iteration {n_iter}. The last network with "
        f"finite predictions is kept. {REMEDY}"
    ),
}
CATEGORIES = {
    "max_iter": ConvergenceWarning,
    "stalled": ConvergenceWarning,
    "interrupted": UserWarning,
    "diverged": ConvergenceWarning,
}


def warn_about_scales(X):
    """Warn if the columns of X differ in scale by orders of magnitude.

    The scale of a column is its largest absolute value, whatever its other values
    are: a rare 0/1 column has scale 1. Constant columns do not count.

    Parameters
    ----------
    X : {ndarray, sparse CSR} of shape (n_samples, n_features)
        The rows a network is trained on.
    """
    largest, smallest = X.max(axis=0), X.min(axis=0)
    if issparse(X):
        largest, smallest = largest.toarray(), smallest.toarray()
    scales = np.maximum(np.abs(largest), np.abs(smallest))[largest > smallest]
    if len(scales) == 0 or scales.max() <= SCALE_RATIO * scales.min():
        return
    warnings.warn(
        "The columns of X differ in scale by orders of magnitude (largest absolute "
        f"values from {scales.min():.3g} to {scales.max():.3g}). Training and the "
        "penalty treat all columns alike: scale them first, for example with "
        "StandardScaler in a Pipeline.",
        UserWarning,
        stacklevel=2,
    )


def warn_about_outcome(outcome, n_iter, max_iter):
    """Warn if training did not end by its own rule, or as a callback wished.

    Parameters
    ----------
    outcome : str
        Why training ended.
    n_iter : int
        Iterations done.
    max_iter : int
        Iterations allowed.
    """
    if outcome in OUTCOMES:
        warnings.warn(
            OUTCOMES[outcome].format(n_iter=n_iter, max_iter=max_iter),
            CATEGORIES[outcome],
            stacklevel=2,
        )


def warn_about_nothing_left(lam, lam_max):
    """Warn that the penalty left no neuron and no feature.

    Parameters
    ----------
    lam : float
        The strength of the penalty.
    lam_max : float
        The smallest strength at which the linear model of the problem is empty.
    """
    warnings.warn(
        f"Nothing is left of the model: with lam={lam:g} it is a constant. A linear "
        f"model of this problem is empty from lam_max={lam_max:.3g} on: choose lam "
        "well below that.",
        ConvergenceWarning,
        stacklevel=2,
    )
