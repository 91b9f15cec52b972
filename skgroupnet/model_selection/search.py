"""Grid and randomised search that train all candidates in all folds at once."""

import warnings
from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.model_selection._search import BaseSearchCV
from sklearn.utils._param_validation import Interval

from skgroupnet.model_selection.trained_first import (
    fit_trained_first,
    fitted_attributes,
)
from skgroupnet.sparse import as_csr

# What a refit writes.
WRITTEN_BY_REFIT = ("best_estimator_", "refit_time_", "feature_names_in_")


class BatchedSearch(BaseSearchCV):
    """What both searches share: train everything, then let scikit-learn score it."""

    @_fit_context(prefer_skip_nested_validation=False)
    @np.errstate(under="ignore")
    def fit(self, X, y=None, **params):
        """Train all candidates in all folds, score them and refit the best one.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        **params : dict of str to object
            Parameters for `fit` of the estimator (for a step of a `Pipeline` after the
            name of the step and two underscores), ``groups`` for the splitter, and
            with metadata routing whatever was requested. Of an array with a number
            for every row of X, like ``sample_weight``, each fold gets its own rows;
            anything else, like ``X_val`` and ``y_val``, is passed on as it is.

        Returns
        -------
        self : object
            The fitted search.
        """
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        params = {name: as_csr(value, name) for name, value in params.items()}
        fitted, models = fit_trained_first(self, as_csr(X), as_csr(y, "y"), params)
        left_out = WRITTEN_BY_REFIT if models.interrupted else ()
        if models.interrupted:
            warnings.warn(
                f"The search was interrupted. {models.n_trained} of "
                f"{models.n_announced} models were trained, some of them perhaps not "
                "to the end, and scored; the others have error_score. No model was "
                "refitted on all rows, so there is no best_estimator_.",
                UserWarning,
                stacklevel=3,
            )
        learned, earlier = set(fitted_attributes(fitted)), fitted_attributes(self)
        # Nothing of an earlier fit is to be taken for this one's.  All at once: an
        # interrupt finds the one or the other.
        self.__dict__ = {
            name: value
            for attributes, names in (
                (vars(self), vars(self).keys() - set(earlier)),
                (vars(fitted), learned - set(left_out)),
            )
            for name, value in attributes.items()
            if name in names
        }
        return self


class BatchedGridSearchCV(BatchedSearch, GridSearchCV):
    """Search a grid of parameters, all candidates and folds trained together.

    A drop-in for `sklearn.model_selection.GridSearchCV` with estimators of this
    package: same parameters and results, but the networks of all candidates in all
    folds are trained side by side, in a fraction of the time.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package, or a `Pipeline` that ends in one. The search may
        also choose the last step, as in ``{"clf": [first, second]}``.
    param_grid : dict or list of dict
        Values to try for each parameter, by name. All combinations are tried; those of
        each dict, if there are several.
    scoring : str, callable, list, tuple or dict, default=None
        What to score the held-out rows of a fold with: the name of a metric, a
        callable ``scorer(estimator, X, y)`` that returns a number, or for several
        metrics a list of names, a dict from names to scorers, or a callable that
        returns a dict. The estimator that a callable gets is the trained one, so that
        it can count neurons. None: the estimator's own `score`.
    n_jobs : int, default=None
        Number of threads to train on; under `joblib.parallel_config` with a backend of
        processes ("loky", "dask"), the number of processes of one thread each. None
        means 1 unless `joblib.parallel_config` says otherwise, -1 all processors. The
        results do not depend on it, but for rounding where PyTorch takes the steps.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all rows in the end. With several metrics
        the name of the one that decides, or False. A callable takes ``cv_results_``
        and returns ``best_index_``.
    cv : int, splitter or iterable, default=None
        How to split the rows into folds: a number of (stratified) folds, a splitter
        or an iterable of pairs of row numbers (train, test). None is 5 folds. It is
        asked once, and all candidates get the same folds.
    verbose : int, default=0
        What to print: 0 is nothing; from 1 on the number of fits, before training;
        from 2 on, a line for each model when it is scored (the time in it is that of
        scoring); from 3 on also the scores; from 10 on when scoring begins, too.
    pre_dispatch : int or str, default="2*n_jobs"
        Accepted for the sake of scikit-learn's signature; it changes nothing.
    error_score : "raise" or float, default=nan
        Score of a model whose training or scoring failed, with a warning; or raise the
        error. The refit always raises it. A loss that becomes infinite is an error.
    return_train_score : bool, default=False
        Whether to score the training rows, too.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time, by an estimate. Larger
        searches train in several runs, with the same results. The rows and the trained
        networks come on top.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        One entry per candidate in every array, with the keys of scikit-learn:
        ``params``, ``param_<name>``, ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, ``split0_test_score`` and so on, with ``train`` for
        ``test`` if asked for, and with the names of the metrics for ``score`` if there
        are several; ``mean_fit_time``, ``std_fit_time``, ``mean_score_time`` and
        ``std_score_time`` in seconds. The time of a fit is its share of the time of
        all that trained together.
    best_estimator_ : estimator
        The best candidate, fitted to all rows. Not there with ``refit=False``, and not
        after an interrupt.
    best_score_ : float
        Mean score of the best candidate. Not there if `refit` is a callable.
    best_params_ : dict
        Parameters of the best candidate.
    best_index_ : int
        Its number in the arrays of ``cv_results_``. With several metrics, these three
        are there only if `refit` is not False.
    scorer_ : callable or dict
        The scorer; a dict of them for several metrics.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds that the refit took. Not there without one.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        Classes of ``best_estimator_``, if it is a classifier.
    n_features_in_ : int
        Number of columns of X. Not there without a refit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X. Not there without a refit, and only if all names
        are strings.

    See Also
    --------
    BatchedRandomizedSearchCV : Draw candidates at random.
    sklearn.model_selection.GridSearchCV : The same search, one fit at a time.

    Notes
    -----
    Every candidate is trained in every fold before the first one is scored. Candidates
    that differ in numbers only (such as `lam`, `learning_rate_init`, `random_state`,
    class weights) and the folds of a candidate are trained side by side, in one stack
    of networks. What changes the shape of the network or of its training (such as
    `hidden_layer_sizes`, `activation`, `batch_size`, the `penalty`, the `solver`)
    makes a stack of its own, and so does a fold of a `Pipeline` or of another number
    of rows. All stacks train in the same run, each network as if it were alone.

    A class of your own that overrides `fit` is fitted by that method, one model at a
    time, as scikit-learn does it.

    The earlier steps of a `Pipeline` are fitted once for each fold and each setting of
    their parameters, not once for each candidate; settings are the same if they are
    equal numbers or strings, or the same object. The transformed rows of all folds and
    settings are held in memory until training ends.

    Scoring, ranking and refitting are scikit-learn's own code. With the same splits and
    an integer `random_state`, the scores are those of `GridSearchCV`: exactly if the
    training steps are compiled, else up to the rounding of sums. What differs:

    - A loss that stops being finite makes a fit fail, so that the candidate gets
      `error_score`. The estimator on its own would keep its last network with finite
      predictions.
    - A model of a fold has no ``stationarity_gap_``; that of the refit has one.
    - Training times are shares, and the lines of ``verbose=2`` come after training.
    - The `verbose` of the estimator counts for the refit only.
    - Without an integer `random_state`, earlier steps of a pipeline that draw numbers
      draw them once for all candidates that share them.
    - Scoring takes place in this process, whatever `n_jobs` is.
    - Callbacks belong on the search. They see training as a task "train" with one
      subtask for each epoch of a stack (in other processes: one for all), and one that
      asks to stop ends it. An estimator with callbacks of its own, such as a
      `ScoringMonitor`, is refused, as they could not follow a single candidate.
    - A KeyboardInterrupt while networks train ends the training: what is trained is
      scored, the rest gets `error_score`, nothing is refitted, and a warning says so.
      It is raised if nothing is trained, or if ``error_score="raise"`` and something
      is not.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgroupnet import GroupSparseLogisticRegression
    >>> from skgroupnet.model_selection import BatchedGridSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = BatchedGridSearchCV(
    ...     make_pipeline(StandardScaler(), GroupSparseLogisticRegression()),
    ...     {"groupsparselogisticregression__lam": [0.3, 0.1, 0.03, 0.01]})
    >>> search.fit(X, y).best_params_
    {'groupsparselogisticregression__lam': 0.03}
    >>> print(round(search.best_score_, 2))
    0.96
    """

    _parameter_constraints: dict = {
        **GridSearchCV._parameter_constraints,
        "stack_memory": [Interval(Real, 0, None, closed="right")],
    }

    def __init__(
        self,
        estimator,
        param_grid,
        *,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        error_score=np.nan,
        return_train_score=False,
        stack_memory=1e9,
    ):
        super().__init__(
            estimator,
            param_grid,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.stack_memory = stack_memory


class BatchedRandomizedSearchCV(BatchedSearch, RandomizedSearchCV):
    """Search among random candidates, in all folds trained together.

    A drop-in for `sklearn.model_selection.RandomizedSearchCV` with estimators of
    this package: same parameters and results, but the networks of all candidates in
    all folds are trained side by side, in a fraction of the time.

    Parameters
    ----------
    estimator : estimator
        An estimator of this package, or a `Pipeline` that ends in one. The search may
        also choose the last step, as in ``{"clf": [first, second]}``.
    param_distributions : dict or list of dict
        Distributions (anything with a method ``rvs``, such as those of `scipy.stats`)
        or lists of values to draw from, by name of the parameter. Of several dicts one
        is drawn first. If all are lists, candidates are drawn without replacement.
    n_iter : int, default=10
        Number of candidates to draw.
    scoring : str, callable, list, tuple or dict, default=None
        What to score the held-out rows of a fold with: the name of a metric, a
        callable ``scorer(estimator, X, y)`` that returns a number, or for several
        metrics a list of names, a dict from names to scorers, or a callable that
        returns a dict. The estimator that a callable gets is the trained one, so that
        it can count neurons. None: the estimator's own `score`.
    n_jobs : int, default=None
        Number of threads to train on; under `joblib.parallel_config` with a backend of
        processes ("loky", "dask"), the number of processes of one thread each. None
        means 1 unless `joblib.parallel_config` says otherwise, -1 all processors. The
        results do not depend on it, but for rounding where PyTorch takes the steps.
    refit : bool, str or callable, default=True
        Whether to fit the best candidate to all rows in the end. With several metrics
        the name of the one that decides, or False. A callable takes ``cv_results_``
        and returns ``best_index_``.
    cv : int, splitter or iterable, default=None
        How to split the rows into folds: a number of (stratified) folds, a splitter
        or an iterable of pairs of row numbers (train, test). None is 5 folds. It is
        asked once, and all candidates get the same folds.
    verbose : int, default=0
        What to print: 0 is nothing; from 1 on the number of fits, before training;
        from 2 on, a line for each model when it is scored (the time in it is that of
        scoring); from 3 on also the scores; from 10 on when scoring begins, too.
    pre_dispatch : int or str, default="2*n_jobs"
        Accepted for the sake of scikit-learn's signature; it changes nothing.
    random_state : int, RandomState instance or None, default=None
        Decides which candidates are drawn. Pass an int for the same in every call.
    error_score : "raise" or float, default=nan
        Score of a model whose training or scoring failed, with a warning; or raise the
        error. The refit always raises it. A loss that becomes infinite is an error.
    return_train_score : bool, default=False
        Whether to score the training rows, too.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time, by an estimate. Larger
        searches train in several runs, with the same results. The rows and the trained
        networks come on top.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        One entry per candidate in every array, with the keys of scikit-learn:
        ``params``, ``param_<name>``, ``mean_test_score``, ``std_test_score``,
        ``rank_test_score``, ``split0_test_score`` and so on, with ``train`` for
        ``test`` if asked for, and with the names of the metrics for ``score`` if there
        are several; ``mean_fit_time``, ``std_fit_time``, ``mean_score_time`` and
        ``std_score_time`` in seconds. The time of a fit is its share of the time of
        all that trained together.
    best_estimator_ : estimator
        The best candidate, fitted to all rows. Not there with ``refit=False``, and not
        after an interrupt.
    best_score_ : float
        Mean score of the best candidate. Not there if `refit` is a callable.
    best_params_ : dict
        Parameters of the best candidate.
    best_index_ : int
        Its number in the arrays of ``cv_results_``. With several metrics, these three
        are there only if `refit` is not False.
    scorer_ : callable or dict
        The scorer; a dict of them for several metrics.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds that the refit took. Not there without one.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        Classes of ``best_estimator_``, if it is a classifier.
    n_features_in_ : int
        Number of columns of X. Not there without a refit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X. Not there without a refit, and only if all names
        are strings.

    See Also
    --------
    BatchedGridSearchCV : Try all combinations of a grid.
    sklearn.model_selection.RandomizedSearchCV : The same search, one fit at a time.

    Notes
    -----
    Every candidate is trained in every fold before the first one is scored. Candidates
    that differ in numbers only (such as `lam`, `learning_rate_init`, `random_state`,
    class weights) and the folds of a candidate are trained side by side, in one stack
    of networks. What changes the shape of the network or of its training (such as
    `hidden_layer_sizes`, `activation`, `batch_size`, the `penalty`, the `solver`)
    makes a stack of its own, and so does a fold of a `Pipeline` or of another number
    of rows. All stacks train in the same run, each network as if it were alone.

    A class of your own that overrides `fit` is fitted by that method, one model at a
    time, as scikit-learn does it.

    The earlier steps of a `Pipeline` are fitted once for each fold and each setting of
    their parameters, not once for each candidate; settings are the same if they are
    equal numbers or strings, or the same object. The transformed rows of all folds and
    settings are held in memory until training ends.

    Scoring, ranking and refitting are scikit-learn's own code. With the same splits and
    an integer `random_state`, the scores are those of `RandomizedSearchCV`: exactly if
    the training steps are compiled, else up to the rounding of sums. What differs:

    - A loss that stops being finite makes a fit fail, so that the candidate gets
      `error_score`. The estimator on its own would keep its last network with finite
      predictions.
    - A model of a fold has no ``stationarity_gap_``; that of the refit has one.
    - Training times are shares, and the lines of ``verbose=2`` come after training.
    - The `verbose` of the estimator counts for the refit only.
    - Without an integer `random_state`, earlier steps of a pipeline that draw numbers
      draw them once for all candidates that share them.
    - Scoring takes place in this process, whatever `n_jobs` is.
    - Callbacks belong on the search. They see training as a task "train" with one
      subtask for each epoch of a stack (in other processes: one for all), and one that
      asks to stop ends it. An estimator with callbacks of its own, such as a
      `ScoringMonitor`, is refused, as they could not follow a single candidate.
    - A KeyboardInterrupt while networks train ends the training: what is trained is
      scored, the rest gets `error_score`, nothing is refitted, and a warning says so.
      It is raised if nothing is trained, or if ``error_score="raise"`` and something
      is not.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from skgroupnet import GroupSparseLogisticRegression
    >>> from skgroupnet.model_selection import BatchedRandomizedSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> search = BatchedRandomizedSearchCV(
    ...     GroupSparseLogisticRegression(), {"lam": loguniform(1e-3, 1)},
    ...     n_iter=5, random_state=0)
    >>> print(round(search.fit(X, y).best_params_["lam"], 4))
    0.0443
    """

    _parameter_constraints: dict = {
        **RandomizedSearchCV._parameter_constraints,
        "stack_memory": [Interval(Real, 0, None, closed="right")],
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_iter=10,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        verbose=0,
        pre_dispatch="2*n_jobs",
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        stack_memory=1e9,
    ):
        super().__init__(
            estimator,
            param_distributions,
            n_iter=n_iter,
            scoring=scoring,
            n_jobs=n_jobs,
            refit=refit,
            cv=cv,
            verbose=verbose,
            pre_dispatch=pre_dispatch,
            random_state=random_state,
            error_score=error_score,
            return_train_score=return_train_score,
        )
        self.stack_memory = stack_memory
