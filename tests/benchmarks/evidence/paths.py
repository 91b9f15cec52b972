"""Networks that train for all of their epochs, and the models of a grid of `lam`."""

import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skgroupnet import GroupSparseMLPClassifier
from skgroupnet.model_selection import regularization_path
from tests.benchmarks.evidence.results import row
from tests.benchmarks.evidence.splits import HIDDEN


def scheduled(training, hidden=HIDDEN, **params):
    """A classifier that is trained as a `splits.Training` says, to the last epoch."""
    params = {"max_iter": training.epochs} | params
    return GroupSparseMLPClassifier(
        hidden,
        learning_rate="cosine",
        learning_rate_init=training.rate,
        batch_size=training.batch_size,
        tol=0.0,
        n_iter_no_change=np.inf,
        **params,
    )


def path(split, estimator, lams, settings, warm_start=False):
    """The path of ``lams``, an array or a number of them."""
    with warnings.catch_warnings():
        # The number of epochs is the schedule's.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return regularization_path(
            estimator,
            *split.train,
            lams=lams,
            warm_start=warm_start,
            n_jobs=settings.n_jobs,
        )


def path_rows(
    split,
    estimator,
    lams,
    method,
    settings,
    *,
    more=lambda model: {},
    prefix="",
    warm_start=False,
):
    """A row of results for each of ``lams``; ``more`` gives further columns.

    The setting of a row is ``prefix`` and the ``lam``.
    """
    start = time.perf_counter()
    models = path(split, estimator, lams, settings, warm_start).estimators
    seconds = (time.perf_counter() - start) / len(models)
    return [
        row(split, method, f"{prefix}lam={m.lam:.3g}", m, seconds=seconds, **more(m))
        for m in models
    ]
