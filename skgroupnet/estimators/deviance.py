"""D^2, the share of the Poisson deviance that predictions explain."""

import numpy as np
from scipy.special import kl_div
from sklearn.utils.validation import _check_sample_weight, check_array


def poisson_d2(y_true, y_pred, sample_weight=None):
    """Compute D^2, the share of the Poisson deviance that predictions explain.

    Of one output it is `sklearn.metrics.d2_tweedie_score` with ``power=1``, but it
    takes predictions that under- or overflow, too.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target, >= 0.
    y_pred : ndarray of shape (n_samples,) or (n_samples, n_outputs)
        The predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        Weights of the rows.

    Returns
    -------
    float
        1 at best, 0 for the mean of y, minus infinity if a prediction is not finite;
        the mean over the outputs. Of a constant output it is 1 for a perfect
        prediction, else 0, as in `sklearn.metrics.r2_score`.

    Raises
    ------
    ValueError
        If y is negative, or its shape is not that of the predictions.
    """
    y_true = check_array(y_true, ensure_2d=False, dtype=np.float64, input_name="y_true")
    if y_true.size != y_pred.size:
        raise ValueError(
            f"y must have the shape of the predictions, {y_pred.shape}, but has shape "
            f"{y_true.shape}."
        )
    if y_true.min() < 0:
        raise ValueError(
            "The Poisson deviance needs y >= 0, but the smallest value of y is "
            f"{y_true.min()}."
        )
    if not np.isfinite(y_pred).all():
        return -np.inf
    weight = None
    if sample_weight is not None:
        weight = _check_sample_weight(sample_weight, y_true, dtype=np.float64)
    target = y_true.reshape(len(y_true), -1)
    prediction = y_pred.reshape(target.shape)
    mean = np.average(target, axis=0, weights=weight)
    deviance = np.average(kl_div(target, prediction), axis=0, weights=weight)
    of_mean = np.average(kl_div(target, mean), axis=0, weights=weight)
    explained = np.where(deviance == 0, 1.0, 0.0)
    varies = of_mean > 0
    explained[varies] = 1 - deviance[varies] / of_mean[varies]
    return float(explained.mean())
