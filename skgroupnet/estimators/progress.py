"""Who follows a fit: scikit-learn's callbacks, one subcontext per epoch, and stdout."""

from collections.abc import Callable, Sequence
from typing import Any

from skgroupnet.network import Network


class Progress:
    """Tells callbacks and standard output about every epoch of a fit.

    Parameters
    ----------
    estimator : estimator
        The estimator that is being fitted.
    data : dict
        The user's ``X``, ``y`` and ``metadata``, as the callback hooks take them.
    max_epochs : int
        Largest number of epochs of all training runs of the fit together.
    attributes : callable
        Maps a network to the fitted attributes of an estimator with that network.
    """

    def __init__(
        self,
        estimator: Any,
        data: dict[str, Any],
        max_epochs: int,
        attributes: Callable[[Network], dict[str, Any]],
    ) -> None:
        self._hook = {"estimator": estimator, **data}
        self._attributes = attributes
        self._verbose = estimator.verbose
        self._n_epochs = 0
        self._epoch: Any = None
        self._fit = estimator._init_callback_context(max_subtasks=max_epochs)
        self._called_back = bool(getattr(estimator, "_skl_callbacks", ()))
        self._fit.call_on_fit_task_begin(**self._hook)

    def follow(
        self, in_full: Sequence[Callable[[Network], Network]]
    ) -> Callable[[Any], bool] | None:
        """Make the function that a training run calls after every epoch.

        Parameters
        ----------
        in_full : sequence of callable
            The first maps a network of this run to one that takes all columns of X.

        Returns
        -------
        callable or None
            Takes an `Epoch` and returns True to stop; None if nobody follows.
        """
        if not (self._called_back or self._verbose):
            return None
        self._begin()

        def after_epoch(epoch: Any) -> bool:
            self._n_epochs += 1
            if self._verbose:
                print_epoch(self._n_epochs, epoch)
            stop = self._end(lambda: self._attributes(in_full[0](epoch.network(0))))
            if epoch.running[0] and not stop:
                self._begin()
            return stop

        return after_epoch

    def _begin(self) -> None:
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._hook)

    def _end(self, attributes: Callable[[], dict[str, Any]] | None) -> bool:
        epoch, self._epoch = self._epoch, None
        return epoch.call_on_fit_task_end(
            **self._hook, reconstruction_attributes=attributes
        )

    def close(self) -> None:
        """End an epoch that was interrupted, and the fit; the estimator is fitted."""
        if self._epoch is not None:
            self._end(None)
        self._fit.call_on_fit_task_end(**self._hook, reconstruction_attributes={})


def print_epoch(number: int, epoch: Any) -> None:
    """Print one line about an epoch; before the first, what takes the steps.

    Parameters
    ----------
    number : int
        Number of the epoch in its fit, from 1.
    epoch : Epoch
        What the engine tells of it.
    """
    if number == 1 and epoch.report:
        print(epoch.report)
    score = "" if epoch.scores is None else f", score = {epoch.scores[0]:.6f}"
    print(f"Iteration {number}, loss = {epoch.losses[0]:.8f}{score}")
