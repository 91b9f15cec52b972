"""Stand-ins in a search: for its estimator, its splits and its candidates."""

import numpy as np
from sklearn.callback import CallbackSupportMixin, with_callbacks
from sklearn.utils import get_tags

# A fit parameter: a number for every row, of which scikit-learn takes those of a fold.
ROWS = "_skgroupnet_rows"
# A parameter: which candidate.
NUMBER = "_skgroupnet_candidate"


class FixedSplits:
    """Splits that were made once.

    Parameters
    ----------
    n_splits : int
        Number of splits that was announced, which scikit-learn compares with `splits`.
    splits : list of (train, test)
        Row numbers.
    """

    def __init__(self, n_splits, splits):
        self._n_splits = n_splits
        self._splits = splits

    @classmethod
    def of(cls, splitter, X, y, params):
        """Ask a splitter, once.

        Parameters
        ----------
        splitter : splitter
            What to ask.
        X, y : array-like
            Rows and targets to split.
        params : mapping
            What else the splitter takes, like ``groups``.

        Returns
        -------
        FixedSplits
        """
        n_splits = splitter.get_n_splits(X, y, **params)
        return cls(n_splits, list(splitter.split(X, y, **params)))

    def numbered(self):
        """Give the number of each split in place of its training rows.

        Returns
        -------
        FixedSplits
        """
        splits = [([number], test) for number, (_, test) in enumerate(self._splits)]
        return FixedSplits(self._n_splits, splits)

    def training_rows(self, n_samples):
        """Give the row numbers, or what stands for them.

        Parameters
        ----------
        n_samples : int
            Number of all rows.

        Returns
        -------
        list of ndarray of int
        """
        every = np.arange(n_samples)
        return [every[np.asarray(train)] for train, _ in self._splits]

    def get_n_splits(self, X=None, y=None, **params):
        """Tell how many splits were announced.

        Parameters
        ----------
        X, y, **params : object
            Not used.

        Returns
        -------
        int
        """
        return self._n_splits

    def split(self, X=None, y=None, **params):
        """Give the splits.

        Parameters
        ----------
        X, y, **params : object
            Not used.

        Returns
        -------
        list of (train, test)
        """
        return self._splits


class Candidate(dict):
    """The parameters of a candidate; what is set on an estimator is its number.

    Parameters
    ----------
    params : mapping
        Names and values, printed as such.
    number : int
        Number of the candidate in the search.
    """

    def __init__(self, params, number):
        super().__init__(params)
        self.number = number

    def __sklearn_clone__(self):
        return {NUMBER: self.number}


class LookUp(CallbackSupportMixin):
    """Stands for an estimator in a search whose models are trained beforehand.

    Setting the number of a candidate makes the stand-in of that candidate. Setting
    parameters makes the estimator itself: this is how a search refits.

    Parameters
    ----------
    estimator : estimator
        What it stands for.
    models : Models
        Where it looks up.
    number : int, default=None
        Number of the candidate.
    """

    def __init__(self, estimator, models, number=None):
        self._estimator = estimator
        self._models = models
        self._number = number

    def __sklearn_tags__(self):
        return get_tags(self._estimator)

    def __sklearn_clone__(self):
        # The search has printed what it is about to fit, and fits next.
        self._models.train_announced()
        return self

    def set_params(self, **params):
        """Choose a candidate, or make the real estimator.

        Parameters
        ----------
        **params : dict
            The number of a candidate, or parameters of the estimator.

        Returns
        -------
        estimator
        """
        if NUMBER not in params:
            return self._models.to_refit(params)
        number = params[NUMBER]
        return LookUp(self._models.prototypes[number], self._models, number)

    @with_callbacks
    def fit(self, X, y=None, **fit_params):
        """Become the model that was trained on these rows, or raise its error.

        Parameters
        ----------
        X, y : array-like
            Rows and targets, for callbacks.
        **fit_params : dict
            The numbers of the rows, and what else the estimator would take.

        Returns
        -------
        self : object
        """
        hook = {"estimator": self, "X": X, "y": y}
        context = self._init_callback_context()
        context.estimator_name = type(self._estimator).__name__
        context.call_on_fit_task_begin(**hook)
        trained = self._models.find(self._number, fit_params[ROWS])
        # A scorer is to meet the trained estimator, whatever it asks of it.
        del self._estimator, self._models, self._number
        self.__dict__.update(vars(trained))
        self.__class__ = type(trained)
        context.call_on_fit_task_end(**hook)
        return self


class NotRefitted(CallbackSupportMixin):
    """Takes the place of the best estimator where nothing is to be refitted."""

    def fit(self, X, y=None, **fit_params):
        """Do nothing.

        Parameters
        ----------
        X, y, **fit_params : object
            Not used.

        Returns
        -------
        self : object
        """
        return self
