"""The models of a search: every candidate in every fold, trained together."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from numbers import Number
from types import TracebackType
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.parallel import Parallel, delayed

from skgroupnet.estimators.base import GroupSparseEstimator
from skgroupnet.model_selection.lookup import Candidate, NotRefitted
from skgroupnet.model_selection.outcomes import was_interrupted
from skgroupnet.model_selection.pipelines import (
    Arrival,
    Data,
    arrive,
    final_step,
    with_final_step,
)
from skgroupnet.model_selection.together import (
    Fitted,
    Fitting,
    fit_alone,
    fit_together,
    has_own_fit,
)

# Makes a context in which candidates are trained: it gives the function to call after
# every epoch, or None.
Follow = Callable[[], AbstractContextManager[Callable[[Any], bool] | None]]


@dataclass(frozen=True, eq=False)
class Batch:
    """What is trained together.

    Parameters
    ----------
    candidates : sequence of mapping
        Parameters of every candidate.
    prototypes : sequence of estimator
        The estimator of every candidate.
    folds : sequence of ndarray of int
        Numbers of the rows to train on.
    data : Data
        All rows.
    follow : callable
        Makes the context to train in.
    """

    candidates: Sequence[Mapping[str, Any]]
    prototypes: Sequence[Any]
    folds: Sequence[np.ndarray]
    data: Data
    follow: Follow


@dataclass(frozen=True, eq=False)
class Model:
    """What came of one candidate in one fold.

    Parameters
    ----------
    estimator : estimator or None
        The fitted final estimator.
    pipeline : Pipeline or None
        The pipeline whose earlier steps it was trained behind.
    error : Exception or None
        Why there is no fitted estimator.
    traceback : traceback or None
        Where the error came from.
    seconds : float
        Its share of the time.
    """

    estimator: Any
    pipeline: Any
    error: BaseException | None
    traceback: TracebackType | None
    seconds: float

    def get(self) -> Any:
        """Give the trained estimator, or raise its error.

        Returns
        -------
        estimator
        """
        if self.error is not None:
            # Candidates can share an error; each is to show the same traceback.
            raise self.error.with_traceback(self.traceback)
        return with_final_step(self.pipeline, self.estimator)


@dataclass(frozen=True, eq=False)
class Job:
    """One candidate in one fold, before training.

    Parameters
    ----------
    estimator : estimator
        The final estimator, its parameters set.
    arrival : Arrival
        What it is to be fitted to.
    """

    estimator: Any
    arrival: Arrival

    @property
    def fitting(self) -> Fitting:
        """What `fit_together` takes."""
        arrival = self.arrival
        return Fitting(
            self.estimator, arrival.X, arrival.y, arrival.rows, arrival.fit_params
        )

    def outcome(self, fitted: Fitted | None, seconds: float) -> Model:
        """Tell what came of it.

        Parameters
        ----------
        fitted : Fitted or None
            What `fit_together` gave; None if nothing arrived.
        seconds : float
            Its share of the time of the earlier steps.

        Returns
        -------
        Model
        """
        estimator: Any = None
        error: BaseException | None = self.arrival.error
        if fitted is not None:
            estimator, error = fitted.estimator, fitted.error
            seconds += fitted.seconds
        if isinstance(error, KeyboardInterrupt):
            error = RuntimeError("The search was interrupted before this fit began.")
        traceback = None if error is None else error.__traceback__
        return Model(estimator, self.arrival.pipeline, error, traceback, seconds)


class Models:
    """Models that are announced, trained together and found by candidate and rows.

    Parameters
    ----------
    search : BatchedGridSearchCV or BatchedRandomizedSearchCV
        The search as its user made it.

    Attributes
    ----------
    prototypes : list of estimator
        The estimator of every candidate, its parameters set.
    n_trained, n_announced : int
        Number of models that are trained; that were to be trained.
    n_trainings : int
        Number of times that models were trained together.
    interrupted : bool
        Whether a KeyboardInterrupt ended the training.
    """

    def __init__(self, search: Any) -> None:
        self._search = search
        self._models: list[list[Model]] = []
        self._folds: list[dict[bytes, int]] = []
        self._announced: list[Batch] = []
        self.prototypes: list[Any] = []
        self.n_trained = 0
        self.n_announced = 0
        self.n_trainings = 0
        self.interrupted = False

    def announce(
        self, batch: Batch, folds_as_scored: Sequence[np.ndarray]
    ) -> list[Candidate]:
        """Tell what `train_announced` is to train.

        Parameters
        ----------
        batch : Batch
            Candidates and folds.
        folds_as_scored : sequence of ndarray of int
            Row numbers, or what stands for them when the models are asked for.

        Returns
        -------
        list of Candidate
            The candidates with their numbers.
        """
        first, n = len(self.prototypes), len(batch.candidates)
        fold_of = {rows.tobytes(): fold for fold, rows in enumerate(folds_as_scored)}
        self.prototypes += batch.prototypes
        self._folds += [fold_of] * n
        self._announced.append(batch)
        self.n_announced += n * len(batch.folds)
        numbers = range(first, first + n)
        return [
            Candidate(params, number)
            for params, number in zip(batch.candidates, numbers, strict=True)
        ]

    def train_announced(self) -> None:
        """Train what was announced and is not trained yet."""
        while self._announced:
            self._train(self._announced.pop())

    def find(self, number: int, rows: np.ndarray) -> Any:
        """Find a trained estimator.

        Parameters
        ----------
        number : int
            Number of the candidate.
        rows : ndarray of int
            Numbers of the rows it was trained on, or what stands for them.

        Returns
        -------
        estimator
        """
        return self._models[number][self._folds[number][rows.tobytes()]].get()

    def seconds(self, number: int) -> list[float]:
        """Give the time that a candidate took in each fold.

        Parameters
        ----------
        number : int
            Number of the candidate.

        Returns
        -------
        list of float
        """
        return [model.seconds for model in self._models[number]]

    def to_refit(self, params: Mapping[str, Any]) -> Any:
        """Make the estimator that is to be fitted to all rows.

        Parameters
        ----------
        params : mapping
            The best parameters.

        Returns
        -------
        estimator
        """
        if self.interrupted:
            return NotRefitted()
        return clone(self._search.estimator).set_params(**params)

    def _train(self, batch):
        if self.interrupted:
            # In an earlier round of a search of several.
            raise KeyboardInterrupt
        jobs = _jobs(batch)
        arrived = [job for job in jobs if job.arrival.error is None]
        alone = [job for job in arrived if has_own_fit(job.estimator)]
        together = [job for job in arrived if not has_own_fit(job.estimator)]
        self.n_trainings += 1
        with batch.follow() as watch:
            answers = fit_together(
                [job.fitting for job in together],
                n_jobs=self._search.n_jobs,
                stack_memory=self._search.stack_memory,
                watch=watch,
                certify=False,
            )
        if not was_interrupted(answers):
            answers += Parallel(n_jobs=self._search.n_jobs)(
                delayed(fit_alone)(job.fitting) for job in alone
            )
        else:
            answers += [Fitted(job.estimator, KeyboardInterrupt()) for job in alone]
        fitted = dict(zip(map(id, together + alone), answers, strict=True))
        models = _outcomes(jobs, fitted)
        n_folds = len(batch.folds)
        self._models += [
            models[start : start + n_folds] for start in range(0, len(jobs), n_folds)
        ]
        n_trained = sum(model.error is None for model in models)
        self.n_trained += n_trained
        self.interrupted |= was_interrupted(answers)
        raises = self._search.error_score == "raise" and n_trained < len(models)
        if self.interrupted and (raises or n_trained == 0):
            raise KeyboardInterrupt


def prototypes(
    estimator: Any, candidates: Sequence[Mapping[str, Any]], search: str
) -> list[Any]:
    """Make the estimator of every candidate.

    Parameters
    ----------
    estimator : estimator
        What the search was given.
    candidates : sequence of mapping
        Parameters of every candidate.
    search : str
        Who refuses an estimator that is not to be trained in a stack.

    Returns
    -------
    list of estimator
    """
    made = []
    for params in candidates:
        made.append(clone(estimator).set_params(**clone(params, safe=False)))
        _check_estimator(made[-1], search)
    return made


def _jobs(batch):
    """Prepare every candidate in every fold; what can be shared is made once."""
    arrivals: dict[tuple, Arrival] = {}
    jobs = []
    for prototype, params in zip(batch.prototypes, batch.candidates, strict=True):
        path, final = final_step(prototype)
        alone = has_own_fit(final)
        setting = alone, *_setting(params, path, final)
        for number, rows in enumerate(batch.folds):
            if (number, setting) not in arrivals:
                arrivals[number, setting] = arrive(prototype, batch.data, rows, alone)
            jobs.append(Job(clone(final), arrivals[number, setting]))
    return jobs


def _outcomes(jobs, fitted):
    n_sharing: dict[int, int] = {}
    for job in jobs:
        n_sharing[id(job.arrival)] = n_sharing.get(id(job.arrival), 0) + 1
    return [
        job.outcome(
            fitted.get(id(job)), job.arrival.seconds / n_sharing[id(job.arrival)]
        )
        for job in jobs
    ]


def _setting(params, path, final):
    """Return what candidates have in common that can share the earlier steps."""
    if not path:
        return ()
    earlier = sorted(
        (name, *_identity(value))
        for name, value in params.items()
        if name != path and not name.startswith(f"{path}__")
    )
    # What arrives depends on what the final step asks for.
    return (path, str(get_routing_for_object(final)), *earlier)


def _identity(value):
    """Return what equal values share: any two objects but numbers and text differ."""
    plain = isinstance(value, Number | str)
    return type(value).__name__, repr(value) if plain else str(id(value))


def _check_estimator(estimator, search):
    """Refuse what cannot be trained in a stack, or not be followed there."""
    followed = estimator
    while isinstance(followed, Pipeline) and followed.steps:
        _check_callbacks(followed, search)
        followed = followed.steps[-1][1]
    if not isinstance(followed, GroupSparseEstimator):
        raise TypeError(
            f"{search} trains estimators of skgroupnet, or pipelines that end in one, "
            f"but got {estimator!r}."
        )
    if "lam" not in followed.get_params(deep=False):
        raise TypeError(
            f"{search} trains estimators with one lam, but {followed!r} chooses it by "
            "a cross-validation of its own. Search over the estimator without CV, or "
            "use GridSearchCV or RandomizedSearchCV."
        )
    _check_callbacks(followed, search)


def _check_callbacks(estimator, search):
    callbacks = getattr(estimator, "_skl_callbacks", ())
    if callbacks:
        names = ", ".join(type(callback).__name__ for callback in callbacks)
        raise TypeError(
            f"The callbacks of {type(estimator).__name__} ({names}) cannot follow a "
            f"single candidate of {search}, which trains many at once. Set callbacks "
            "on the search, or use GridSearchCV or RandomizedSearchCV."
        )
