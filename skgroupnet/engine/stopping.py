"""When a model of a stack has trained enough: one verdict a model."""

from __future__ import annotations

import numpy as np

# scikit-learn's: an adaptive learning rate is divided by 5, down to this value.
ADAPTIVE_DIVISOR, SMALLEST_RATE = 5.0, 1e-6


class Stopping:
    """Tolerance and patience on the objective, or on a score.

    A model is done when its objective has not fallen by ``tol`` (its score not risen
    by ``tol``) for more than ``patience`` epochs in a row.

    Parameters
    ----------
    n_models : int
        Number of models, M.
    tol : float
        Smallest improvement that counts.
    patience : float
        Epochs without improvement that are allowed.
    """

    def __init__(self, n_models: int, tol: float, patience: float) -> None:
        self._tol = tol
        self._patience = patience
        self._best = np.full(n_models, np.inf)
        self._waited = np.zeros(n_models, dtype=int)

    def keep(self, index: list[int]) -> None:
        """Go on with some of the models."""
        self._best, self._waited = self._best[index], self._waited[index]

    def improved(self, values: np.ndarray) -> np.ndarray:
        """Note the values (M,) of an epoch, smaller is better; which are new bests."""
        enough = values <= self._best - self._tol
        self._waited = np.where(enough, 0, self._waited + 1)
        better = values < self._best
        self._best = np.where(better, values, self._best)
        return better

    def done(self, rates: np.ndarray, adaptive: bool) -> np.ndarray:
        """Which models are done, (M,); lowers the rates of adaptive ones in place."""
        exhausted = self._waited > self._patience
        if not adaptive:
            return exhausted
        lower = exhausted & (rates > SMALLEST_RATE)
        rates[lower] /= ADAPTIVE_DIVISOR
        self._waited[lower] = 0
        return exhausted & ~lower
