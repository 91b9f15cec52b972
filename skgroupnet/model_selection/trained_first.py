"""Scikit-learn's own search, run over models that are trained before it scores them."""

from contextlib import contextmanager
from copy import copy
from functools import partial
from inspect import signature
from typing import Any

import numpy as np
from joblib import parallel_config
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils import Bunch, get_tags
from sklearn.utils.validation import _num_samples

from skgroupnet.model_selection.lookup import ROWS, FixedSplits, LookUp
from skgroupnet.model_selection.models import Batch, Models, prototypes
from skgroupnet.model_selection.pipelines import Data


class TrainedFirst(BaseSearchCV):
    """Hooks of a search that train all candidates before the first one is scored.

    The methods here are steps of scikit-learn's `fit`, in the order of its calls.
    """

    _checked_cv_orig: Any

    def _get_scorers(self):
        return self._original._get_scorers()

    def _get_routed_params_for_fit(self, params):
        routed = self._original._get_routed_params_for_fit(params)
        self._fit_params = routed.estimator.fit
        self._routed = Bunch(
            estimator=Bunch(fit=self._fit_params),
            splitter=routed.splitter,
            scorer=routed.scorer,
        )
        return self._routed

    def _init_callback_context(self, max_subtasks, **kwargs):
        # One more: the training.
        return super()._init_callback_context(max_subtasks=max_subtasks + 1, **kwargs)

    def _check_input_parameters(self, X, y, split_params):
        super()._check_input_parameters(X, y, split_params)
        self._checked_cv_orig = FixedSplits.of(
            self._checked_cv_orig, X, y, split_params
        )
        self._split_params = split_params
        self._data = Data(X, y, self._fit_params)
        rows = {ROWS: np.arange(_num_samples(X))}
        self._routed.estimator.fit = {**self._fit_params, **rows}

    def _run_search(self, evaluate_candidates, *, callback_ctx=None):
        # The search has its place to score by now; the user's is for training.
        self._in_process.unregister()
        evaluate = partial(self._evaluate, evaluate_candidates, callback_ctx)
        run_search = super()._run_search
        followed = "callback_ctx" in signature(run_search).parameters
        run_search(evaluate, **({"callback_ctx": callback_ctx} if followed else {}))
        # What comes next is the refit, to all rows.
        self._routed.estimator.fit = self._fit_params

    def _evaluate(
        self,
        evaluate_candidates,
        root,
        candidate_params,
        cv=None,
        more_results=None,
        callback_ctx=None,
    ):
        splits = self._checked_cv_orig
        if cv is not None:
            splits = FixedSplits.of(cv, self._data.X, self._data.y, self._split_params)
        candidates = list(candidate_params)
        made = prototypes(self._original.estimator, candidates, type(self).__name__)
        scored = splits if self._needs_training_rows(made) else splits.numbered()
        n_samples = _num_samples(self._data.X)
        follow = partial(self._followed, root)
        numbered = self._models.announce(
            Batch(
                candidates, made, splits.training_rows(n_samples), self._data, follow
            ),
            scored.training_rows(n_samples),
        )
        return evaluate_candidates(numbered, scored, more_results, callback_ctx)

    def _needs_training_rows(self, estimators):
        """Tell whether scikit-learn is to take them out of X for every model."""
        return (
            self.return_train_score
            # A number of a split is then no row number.
            or self.n_splits_ > _num_samples(self._data.X)
            or bool(getattr(self, "_skl_callbacks", ()))
            or any(get_tags(estimator).input_tags.pairwise for estimator in estimators)
        )

    @contextmanager
    def _followed(self, root):
        """Tell callbacks of a training: a task with one subtask for every epoch."""
        weight = self._fit_params.get("sample_weight")
        hook = {
            "estimator": self,
            "X": self._data.X,
            "y": self._data.y,
            "metadata": None if weight is None else {"sample_weight": weight},
        }
        if self._models.n_trainings > 1:
            # A search of several rounds: only one is counted on.
            root.max_subtasks += 1
        task = root.subcontext(task_name="train", max_subtasks=None)
        task.call_on_fit_task_begin(**hook)
        epochs = Epochs(task, hook)
        yield epochs.watch if getattr(self, "_skl_callbacks", ()) else None
        epochs.close()
        task.call_on_fit_task_end(**hook)

    def _format_results(self, candidate_params, n_splits, out, more_results=None):
        seconds = [
            seconds
            for candidate in candidate_params
            for seconds in self._models.seconds(candidate.number)
        ]
        out = [
            {**result, "fit_time": time}
            for result, time in zip(out, seconds, strict=True)
        ]
        params = [dict(candidate) for candidate in candidate_params]
        return super()._format_results(params, n_splits, out, more_results)


class Epochs:
    """Tells callbacks of every epoch of the stacks in training.

    Parameters
    ----------
    task : CallbackContext
        The training.
    hook : dict
        What the hooks take.
    """

    def __init__(self, task: Any, hook: dict[str, Any]) -> None:
        self._task = task
        self._hook = hook
        self._epoch: Any = None
        self._begin()

    def watch(self, epoch: Any) -> bool:
        """End an epoch, and begin the next one if there is any in this stack.

        Parameters
        ----------
        epoch : Epoch
            What the engine tells of it.

        Returns
        -------
        bool
            Whether a callback asks to stop.
        """
        if self._epoch is None:
            self._begin()
        stop = self._end()
        if any(epoch.running) and not stop:
            self._begin()
        return stop

    def close(self) -> None:
        """End an epoch that has begun."""
        if self._epoch is not None:
            self._end()

    def _begin(self):
        self._epoch = self._task.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._hook)

    def _end(self):
        epoch, self._epoch = self._epoch, None
        return epoch.call_on_fit_task_end(**self._hook)


def fitted_attributes(search: BaseSearchCV) -> list[str]:
    """Name what a search has learned.

    Parameters
    ----------
    search : BaseSearchCV
        The search.

    Returns
    -------
    list of str
    """
    return [
        name for name in vars(search) if name.endswith("_") and not name.startswith("_")
    ]


def fit_trained_first(
    search: Any, X: Any, y: Any, params: dict[str, Any]
) -> tuple[Any, Models]:
    """Run scikit-learn's fit of a search whose models are trained first.

    Parameters
    ----------
    search : BatchedGridSearchCV or BatchedRandomizedSearchCV
        The search as its user made it; it is not changed.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The input data.
    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        The target.
    params : dict
        What else the search is given.

    Returns
    -------
    fitted : BaseSearchCV
        A copy of the search with all fitted attributes.
    models : Models
        Its models.
    """
    models = Models(search)
    scoring = copy(search)
    for name in fitted_attributes(scoring):
        delattr(scoring, name)
    scoring.__class__ = type(type(search).__name__, (TrainedFirst, type(search)), {})
    # Scoring takes place here: models are not sent to other processes.
    in_process = parallel_config(backend="sequential")
    vars(scoring).update(
        estimator=LookUp(search.estimator, models),
        _original=search,
        _models=models,
        _in_process=in_process,
    )
    try:
        BaseSearchCV.fit(scoring, X, y, **params)
    finally:
        in_process.unregister()
    return scoring, models
