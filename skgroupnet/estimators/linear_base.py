"""What linear models share: solvers, and results in scikit-learn's shapes."""

from numbers import Real

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions

from skgroupnet.estimators.base import GroupSparseEstimator
from skgroupnet.estimators.deviance import poisson_d2
from skgroupnet.estimators.predictors import NetworkRegressor
from skgroupnet.estimators.training import SOLVERS, make_update

# The solvers that use all rows in each iteration.
FULL_BATCH = ("auto", "fista", "admm")


class GroupSparseLinearModel(GroupSparseEstimator):
    """What linear models share: a network without a hidden layer, a convex loss."""

    _parameter_constraints: dict = {
        **GroupSparseEstimator._parameter_constraints,
        "fit_intercept": ["boolean"],
        "solver": [StrOptions({*FULL_BATCH, *SOLVERS})],
        "rho": [StrOptions({"auto"}), Interval(Real, 0, np.inf, closed="neither")],
    }

    _dtypes = (np.float64, np.float32)
    _hidden_activation = "identity"

    @property
    def _has_intercept(self):
        return self.fit_intercept

    @property
    def _max_epochs(self):
        return self._n_stages * self.max_iter

    @property
    def _solved_in_turn(self):
        return self.solver in FULL_BATCH

    def _hidden_widths(self):
        return ()

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fit the model.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data. Float32 input is trained in float32, any other in float64.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target: class labels, or one column of 0 and 1 per label, in
            classification; numbers in regression.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, normalised to mean 1. A row of weight zero changes
            nothing.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight)

    def _validation(self):
        """Hold nothing out: there is no early stopping."""

    def _hold_out(self, sample, validation, go_on, random_state):
        return None, None

    def _check_batch_size(self, n_rows):
        """Any size will do."""

    def _finetuning_settings(self):
        return None

    def _training_settings(self):
        from skgroupnet.engine import ADMM, FullBatch, Settings

        if self.solver == "admm":
            return ADMM(self.max_iter, self.tol, self.rho)
        if self.solver in FULL_BATCH:
            return FullBatch(self.max_iter, self.tol, self.solver)
        return Settings(
            update=make_update(self.solver),
            batch_size=self.batch_size,
            max_iter=self.max_iter,
            tol=0.0,
            n_iter_no_change=np.inf,
            gap=self.tol,
        )

    def _finish(self, plan, outcome):
        # Only one of the solvers writes it.
        self.__dict__.pop("admm_history_", None)
        super()._finish(plan, outcome)

    def _fit_attributes(self, fit):
        attributes = super()._fit_attributes(fit)
        if self.solver == "admm":
            attributes["admm_history_"] = dict(fit.history)
        return attributes

    def _network_attributes(self, network, task, kept):
        """Also the coefficients in scikit-learn's shapes, whatever was pruned."""
        coef = network.weights[0].T
        if kept is not None:
            compact = coef
            coef = np.zeros((len(compact), self.n_features_in_), dtype=compact.dtype)
            coef[:, kept[0]] = compact
        return super()._network_attributes(network, task, kept) | {
            "coef_": coef,
            "intercept_": network.biases[-1],
        }


class GroupSparseLinearRegressor(NetworkRegressor, GroupSparseLinearModel):
    """Linear model of numbers, by least squares; of one output, coef_ has one axis."""

    _loss = "squared_error"

    def _network_attributes(self, network, task, kept):
        attributes = super()._network_attributes(network, task, kept)
        if task.n_outputs > 1:
            return attributes
        (coef,), (intercept,) = attributes["coef_"], attributes["intercept_"]
        return attributes | {"coef_": coef, "intercept_": intercept}


class GroupSparsePoissonModel(GroupSparseLinearRegressor):
    """Linear model of the logarithm of counts."""

    _loss = "poisson"

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = True
        # It takes many outputs, but scikit-learn 1.9 would check that with y < 0.
        tags.target_tags.multi_output = False
        return tags

    @np.errstate(under="ignore")
    def score(self, X, y, sample_weight=None):
        """Share of the deviance that the predictions explain, D^2.

        It is 1 minus the deviance of the predictions by that of the mean of y, as in
        `sklearn.linear_model.PoissonRegressor`: 1 at best, 0 for the mean.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target, >= 0.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        score : float
            D^2, the mean over the outputs; minus infinity if a prediction overflows.
        """
        return poisson_d2(y, self.predict(X), sample_weight)
