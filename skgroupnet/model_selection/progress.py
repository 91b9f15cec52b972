"""Who follows the cross-validation of a lam: scikit-learn's callbacks, and stdout."""

from collections.abc import Callable
from typing import Any


class SearchProgress:
    """Tells callbacks and standard output about the folds, then about the refit.

    The task "fit" has the tasks "train-folds", with one task "epoch" for every epoch of
    a stack, and "refit". A stack is told of after its epochs, so that the tasks "epoch"
    begin and end at once.

    Parameters
    ----------
    estimator : estimator
        The estimator that searches.
    X, y : array-like
        The user's data, as the callback hooks take them.
    sample_weight : array-like or None
        The user's weights.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self._hook = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._verbose = estimator.verbose
        self._called_back = bool(getattr(estimator, "_skl_callbacks", ()))
        self._fit = estimator._init_callback_context(max_subtasks=1 + estimator.refit)
        self._fit.call_on_fit_task_begin(**self._hook)
        self._folds = self._fit.subcontext("train-folds", max_subtasks=None)
        self._folds.call_on_fit_task_begin(**self._hook)

    def watch(self) -> Callable[[Any], bool] | None:
        """Make the function that `fit_together` calls after every epoch of a stack.

        Returns
        -------
        callable or None
            Takes an `Epoch` and returns True to stop; None if nobody follows.
        """
        return self._after_epoch if self._called_back or self._verbose else None

    def _after_epoch(self, epoch: Any) -> bool:
        if self._verbose:
            running, total = int(epoch.running.sum()), len(epoch.running)
            print(f"Epoch {epoch.n_iter}, {running} of {total} models go on")
        task = self._folds.subcontext("epoch")
        task.call_on_fit_task_begin(**self._hook)
        return task.call_on_fit_task_end(**self._hook)

    def end_folds(self) -> None:
        """End the task of the folds."""
        self._folds.call_on_fit_task_end(**self._hook)

    def refit(self, estimator: Any, fit_params: dict[str, Any]) -> None:
        """Fit an estimator to all rows, followed by the callbacks of the search.

        Parameters
        ----------
        estimator : estimator
            The estimator with the chosen `lam`.
        fit_params : dict
            Further arguments of its `fit`.
        """
        task = self._fit.subcontext("refit")
        with task.propagate_callback_context(estimator):
            task.call_on_fit_task_begin(**self._hook)
            estimator.fit(self._hook["X"], self._hook["y"], **fit_params)
        task.call_on_fit_task_end(**self._hook)

    def close(self, is_fitted: bool) -> None:
        """End the fit.

        Parameters
        ----------
        is_fitted : bool
            Whether the estimator that searched can predict.
        """
        self._fit.call_on_fit_task_end(
            **self._hook, reconstruction_attributes={} if is_fitted else None
        )
