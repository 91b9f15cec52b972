"""Multi-layer perceptrons with a group penalty on their neurons."""

import warnings
from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import _fit_context
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, Options, StrOptions
from sklearn.utils.metaestimators import available_if

from skgroupnet.estimators.advice import warn_about_outcome
from skgroupnet.estimators.base import GroupSparseEstimator
from skgroupnet.estimators.predictors import NetworkClassifier, NetworkRegressor
from skgroupnet.estimators.progress import print_epoch
from skgroupnet.estimators.sample import Sample, check_total, split
from skgroupnet.estimators.tasks import is_multilabel
from skgroupnet.estimators.training import SOLVERS, make_update
from skgroupnet.network import ACTIVATIONS
from skgroupnet.penalties import get_penalty
from skgroupnet.sparse import as_csr


def _in_one_stage(estimator):
    """Tell whether training can go on row by row, else say why not."""
    try:
        penalty = get_penalty(estimator.penalty)
    except (TypeError, ValueError):
        # For the validation of the parameters to say.
        return True
    if penalty.adaptive:
        raise AttributeError(
            f"partial_fit is not available with penalty={estimator.penalty!r}: the "
            "weights of its groups follow from a whole first fit. Use fit, or another "
            "penalty."
        )
    return True


class GroupSparseMLP(GroupSparseEstimator):
    """What the classifier and the regressor share: stochastic training."""

    _parameter_constraints: dict = {
        **GroupSparseEstimator._parameter_constraints,
        "hidden_layer_sizes": [
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions(set(ACTIVATIONS))],
        "solver": [StrOptions(set(SOLVERS))],
        "learning_rate": [StrOptions({"constant", "invscaling", "adaptive", "cosine"})],
        "power_t": [Interval(Real, 0, None, closed="left")],
        "momentum": [Interval(Real, 0, 1, closed="both")],
        "nesterovs_momentum": ["boolean"],
        "beta_1": [Interval(Real, 0, 1, closed="left")],
        "beta_2": [Interval(Real, 0, 1, closed="left")],
        "epsilon": [Interval(Real, 0, None, closed="neither")],
        "shuffle": ["boolean"],
        "early_stopping": ["boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [
            Interval(Integral, 1, None, closed="left"),
            Options(Real, {np.inf}),
        ],
        "finetune_iter": [Interval(Integral, 0, None, closed="left")],
    }

    _dtypes = (np.float32, np.float64)
    _has_intercept = True
    _optimizer_key: tuple | None = None

    @property
    def _hidden_activation(self):
        return self.activation

    @property
    def _max_epochs(self):
        return self._n_stages * self.max_iter + self.finetune_iter

    @property
    def _ends_at_max_iter(self):
        return self.learning_rate == "cosine"

    def _hidden_widths(self):
        sizes = np.atleast_1d(self.hidden_layer_sizes)
        integral = sizes.ndim == 1 and all(
            type(size) is int and size > 0 for size in sizes.tolist()
        )
        if not integral:
            raise ValueError(
                "hidden_layer_sizes must be one integer > 0 per hidden layer, but is "
                f"{self.hidden_layer_sizes!r}."
            )
        return tuple(sizes.tolist())

    def _settings(self, max_iter):
        from skgroupnet.engine import Settings

        return Settings(
            update=make_update(
                self.solver,
                self.momentum,
                self.nesterovs_momentum,
                self.beta_1,
                self.beta_2,
                self.epsilon,
            ),
            learning_rate=self.learning_rate,
            power_t=self.power_t,
            batch_size=self.batch_size,
            max_iter=max_iter,
            shuffle=self.shuffle,
            tol=self.tol,
            n_iter_no_change=self.n_iter_no_change,
        )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train the network.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data. Float64 input, and what is longer, is trained in float64,
            any other in float32. Products with sparse rows take their entries alone.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target: class labels, or one column of 0 and 1 per label, in
            classification; numbers in regression.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, normalised to mean 1. A row of weight zero changes
            nothing.
        X_val : {array-like, sparse matrix} of shape (n_val, n_features), default=None
            Rows to stop early on, instead of a part of X. In a `Pipeline`,
            ``transform_input=["X_val"]`` transforms them like X.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Their target.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        validation = self._validation(X_val, y_val, sample_weight_val)
        return self._fit(X, y, sample_weight, validation)

    def _validation(self, X_val=None, y_val=None, sample_weight_val=None):
        """Collect the user's own held-out data, if they are complete and of use."""
        missing = {"X_val": X_val, "y_val": y_val}
        given = {name for name, value in missing.items() if value is not None}
        validation = {"X": X_val, "y": y_val, "sample_weight": sample_weight_val}
        if not given and sample_weight_val is None:
            return validation
        if given != set(missing):
            absent = " and ".join(sorted(set(missing) - given))
            raise ValueError(
                "X_val and y_val must be given together (sample_weight_val only with "
                f"them), but {absent} is missing."
            )
        if not self.early_stopping:
            raise ValueError(
                "X_val and y_val are rows to stop early on, but early_stopping is "
                "False. Set early_stopping=True, or do not pass them."
            )
        return validation

    def _hold_out(self, sample, validation, go_on, random_state):
        """Rows to train on (None: all), and the rows to score on, if any."""
        if not self.early_stopping:
            return None, None
        if validation is None or validation["X"] is None:
            return split(sample, self.validation_fraction, random_state)
        given = self._validated(**validation, go_on=True, dtype=sample.X.dtype)
        check_total(given.weight, "sample_weight_val")
        rows = given.counting()
        numbers = np.arange(given.X.shape[0]) if rows is None else rows
        if len(numbers) < 2:
            raise ValueError(
                "X_val must have at least 2 rows of positive weight to score on, but "
                f"has {len(numbers)}."
            )
        X = self._columns(given.X) if go_on else given.X
        target = given.target(sample.task, rows, X.dtype)
        held_out = Sample(X, target, sample.task, given.weight)
        return None, held_out if rows is None else held_out.take(rows)

    def _check_batch_size(self, n_rows):
        if self.batch_size != "auto" and self.batch_size > n_rows:
            warnings.warn(
                f"batch_size={self.batch_size} is larger than the {n_rows} rows that "
                "are trained on: every batch holds all of them.",
                UserWarning,
                stacklevel=2,
            )

    def _training_settings(self):
        return self._settings(self.max_iter)

    def _finetuning_settings(self):
        return self._settings(self.finetune_iter) if self.finetune_iter else None

    def _fit_attributes(self, fit):
        loss_curve = np.asarray(fit.loss_curve)
        finite = loss_curve[np.isfinite(loss_curve)]
        best_loss = float(finite.min()) if len(finite) else np.inf
        scored = bool(fit.scores)
        return super()._fit_attributes(fit) | {
            "best_loss_": None if scored else best_loss,
            "validation_scores_": list(fit.scores) if scored else None,
            "best_validation_score_": max(fit.scores) if scored else None,
        }

    def _finish(self, plan, outcome):
        super()._finish(plan, outcome)
        self.n_finetune_iter_ = outcome.n_tuned

    @np.errstate(under="ignore")
    def _partial_fit(self, X, y, sample_weight, classes=None):
        """Train for one epoch from where the last call ended."""
        from skgroupnet.engine import train

        if self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True.")
        with self._unchanged_on_error():
            go_on = self.__sklearn_is_fitted__()
            random_state = self._random_state
            if random_state is None:
                random_state = check_random_state(self.random_state)
            given = self._validated(X, y, sample_weight, go_on)
            sample = self._sample(given, None, go_on, classes)
            if not go_on:
                given.check_scales(sample.rows)
            problem = self._problem(sample, go_on)
            start = self._starting_network(sample, go_on, random_state)
            key = self._meaning_of_state(problem)
            state = self._optimizer_state if key == self._optimizer_key else None
            model = self._model(sample, start, random_state, state=state)
            # max_iter stays the horizon of the learning-rate schedule.
            (fit,) = train(
                problem, [model], self._training_settings(), self._after_one_epoch
            )
            if fit.outcome == "interrupted" and not fit.loss_curve:
                raise KeyboardInterrupt
            attributes = self._network_attributes(fit.network, sample.task, self._kept)
            before = self.loss_curve_ if go_on else []
            fit = replace(fit, loss_curve=[*before, *fit.loss_curve])
            usable = fit.outcome != "diverged"
            attributes |= self._fit_attributes(fit)
            self.__dict__.update(
                **attributes,
                n_finetune_iter_=0,
                _optimizer_state=fit.state if usable else None,
                _optimizer_key=key,
                _random_state=random_state,
            )
            # The rows of one call do not say how far all rows are from stationarity.
            self.__dict__.pop("stationarity_gap_", None)
            warn_about_outcome(fit.outcome, fit.n_iter, self.max_iter)
        return self

    def _meaning_of_state(self, problem):
        """Return what an optimizer state belongs to; elsewhere it makes no sense."""
        labels = None if problem.labels is None else tuple(problem.labels.tolist())
        penalty = problem.penalty
        partition = penalty.groups_of, penalty.one_step_per
        return self.solver, partition, labels, problem.penalize_bias

    def _after_one_epoch(self, epoch):
        if self.verbose:
            done = len(self.loss_curve_) if self.__sklearn_is_fitted__() else 0
            print_epoch(done + 1, epoch)
        return True


class GroupSparseMLPClassifier(NetworkClassifier, GroupSparseMLP):
    """Classify with a neural network that a group penalty makes small.

    Whole neurons and input features become exactly zero while the network trains;
    `prune` cuts them out and returns a compact estimator that predicts the same.

    The objective is::

        mean_i s_i loss(f(x_i), y_i) + R(W; lam),
        R = lam * sum_g sqrt(|g|) * norm(W_g)       (group lasso)

    with row weights s_i of mean 1 and the loss -log p(y_i | x_i): the
    log loss for two classes and for each label of a multilabel target, the
    cross-entropy otherwise. A group g is the
    outgoing weights of one neuron, a row of a weight matrix; in the first matrix, the
    rows of one group of features. All weight matrices are penalised, the last one too.

    Parameters
    ----------
    hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
        Number of neurons of each hidden layer when training starts. Empty for a linear
        model.
    activation : {"relu", "relu2", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers. "relu2" is max(0, z)^2: a network of one hidden
        layer is then a ridge spline of order 2, with "relu" one of order 1.
    penalty : str, penalty object or None, default="group_lasso"
        R, by name or as an object with settings of its own, see `skgroupnet.penalties`.
        Convex: "l1", "l2", "elastic_net", "group_lasso", "sparse_group_lasso",
        "group_elastic_net". Nonconvex, of weights or, as in "group_mcp", of groups:
        "mcp", "scad", "capped_l1", "transformed_l1", "log", "l12", "l23", "l0",
        "hoyer_square"; and "l1_minus_l2". In two fits, the second one with weights that
        follow from the first: "adaptive_group_lasso". Of layers in pairs: "path_norm".
        "none" or None is no penalty.
    lam : float, default=1e-3
        Strength of the penalty, lambda in the objective; finite and >= 0.
    groups : array-like of shape (n_features,), dict or list of blocks, default=None
        Groups of input features. Either one label per feature (anything hashable;
        equal labels form a group, a negative integer leaves a feature unpenalised), in
        the order of the columns or, as a dict or pandas Series, by column number or
        name; or a list of blocks of column numbers or names (features in no block are
        groups of one; blocks must not overlap). Names are those of a DataFrame. None:
        every feature is a group of its own.
    penalize_bias : bool, default=False
        Whether each bias, the output's included, is a penalised group of its own.
    solver : {"adam", "adamax", "rmsprop", "sgd", "rmda"}, default="adam"
        The stochastic update. With a group penalty, "adam", "adamax" and "rmsprop" keep
        one second moment per group, and the penalty is applied in the metric of the
        step, so that all of them solve the same problem. "rmda", regularised dual
        averaging with momentum, averages all gradients, so that after finitely many
        steps zero groups stay zero; it is for convex penalties, and its steps run in
        PyTorch.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, \
            default="constant"
        Schedule of the learning rate, for all solvers: constant; divided by
        ``(1 + t) ** power_t`` after t rows; divided by 5 whenever training would end
        for lack of progress; or half a period of a cosine, which plans to end at
        `max_iter` with the rate zero, so that this end does not warn.
    learning_rate_init : float, default=1e-3
        Learning rate to start with.
    power_t : float, default=0.5
        Exponent of ``learning_rate="invscaling"``.
    momentum : float, default=0.9
        Momentum of the solvers "sgd", in [0, 1], and "rmda", in [0, 1).
    nesterovs_momentum : bool, default=True
        Whether the momentum of ``solver="sgd"`` is Nesterov's.
    beta_1 : float, default=0.9
        Decay of the average of the gradients in "adam" and "adamax", in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment in "adam" and "adamax", in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator by "adam", "adamax" and "rmsprop".
    batch_size : int or "auto", default="auto"
        Rows per step; "auto" is ``min(200, n_samples)``.
    max_iter : int, default=200
        Largest number of epochs.
    shuffle : bool, default=True
        Whether the order of the rows changes from epoch to epoch.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the rows held out for early stopping and the order
        of the rows. Pass an int for the same result in every call.
    tol : float, default=1e-4
        Training ends when the objective (with early stopping, the score) has not
        improved by `tol` for more than `n_iter_no_change` epochs in a row.
    verbose : bool, default=False
        Whether to print one line per epoch, and first what takes the steps, see
        `skgroupnet.config_context`.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last `fit`. The curves and
        ``n_iter_`` are those of the last call.
    early_stopping : bool, default=False
        Whether to stop on the score of held-out rows, and keep the weights of the best
        epoch. The rows are those passed to `fit` as `X_val`, else a part of X.
    validation_fraction : float, default=0.1
        Share of X to hold out for early stopping, in (0, 1).
    n_iter_no_change : int or inf, default=10
        Epochs without progress that are allowed, see `tol`.
    class_weight : dict or "balanced", default=None
        Weights of the classes, ``{label: weight}``, multiplied with `sample_weight`.
        "balanced" makes them inversely proportional to the weight of each class in y.
        Not for multilabel targets.
    finetune_iter : int, default=0
        Largest number of epochs to train on, after training and pruning, without the
        penalty: the compact network only, its zeros staying zero. It gives back what
        the penalty shrank.
    device : str, default="cpu"
        The torch device to train on, such as "cpu" or "cuda". Prediction runs in numpy
        on the CPU.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_l, n_{l+1})
        Weights, in the shapes that were trained, with exact zeros. Row i holds the
        outgoing weights of unit i. The arrays are read-only.
    intercepts_ : list of ndarray of shape (n_{l+1},)
        Biases.
    classes_ : ndarray of shape (n_classes,)
        Class labels; for a multilabel target the numbers of the columns of y.
    n_active_neurons_ : int
        Hidden neurons that are left after pruning.
    active_neurons_ : list of ndarray of bool of shape (n_l,)
        Which units are left in each layer, the input first, the output apart.
    n_active_features_ : int
        Input features that are left.
    n_active_parameters_ : int
        Weights and biases of the compact network that are not zero.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Norm of the outgoing weights of each feature, exactly zero for features that are
        gone. `sklearn.feature_selection.SelectFromModel` needs ``threshold=1e-10``
        to select the others.
    n_iter_ : int
        Epochs done, those of fine-tuning included.
    n_finetune_iter_ : int
        Epochs of fine-tuning, the last ones of ``n_iter_``.
    loss_curve_ : list of float of length n_iter_
        Objective of each epoch: weighted mean of the losses of its batches, plus the
        penalty at its end.
    loss_ : float
        Objective of the last epoch.
    best_loss_ : float or None
        Smallest objective of an epoch; None with early stopping.
    validation_scores_ : list of float of length n_iter_ or None
        Accuracy on the held-out rows after each epoch; None without
        early stopping.
    best_validation_score_ : float or None
        The largest of them.
    stationarity_gap_ : float
        Distance of the trained weights from a stationary point, measured over all
        training rows before fine-tuning: the largest distance, over all groups, of the
        negative gradient from the subdifferential of the penalty, divided by the square
        root of the size of the group. It is on the scale of `lam`.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of outputs of the network.
    out_activation_ : str
        Output map: "logistic" or "softmax".
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X. Defined only when they are all strings.

    See Also
    --------
    GroupSparseMLPRegressor : The same network for regression.
    GroupSparseLogisticRegression : The linear model with the same penalties.
    sklearn.neural_network.MLPClassifier : A dense network.

    Notes
    -----
    Scale the inputs: training and the penalty treat all columns alike. A fit that
    leaves nothing of the network warns and names a `lam` to go below.

    With ``penalty="adaptive_group_lasso"``, `fit` trains twice: with the group lasso,
    then from there on with the weights of the groups divided by a power of the norms
    that the group lasso gave them. Each time has `max_iter` epochs; ``n_iter_`` and the
    curves are those of the second one.

    References
    ----------
    .. [1] S. Scardapane, D. Comminiello, A. Hussain, A. Uncini, "Group sparse
       regularization for deep neural networks", Neurocomputing 241, 2017.
    .. [2] J. Yun, A. C. Lozano, E. Yang, "Adaptive proximal gradient methods for
       structured neural networks", NeurIPS 2021.
    .. [3] Z.-S. Huang, C.-p. Lee, "Training structured neural networks through manifold
       identification and variance reduction", ICLR 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skgroupnet import GroupSparseMLPClassifier
    >>> X, y = make_classification(
    ...     n_samples=300, n_features=20, n_informative=3, n_redundant=0,
    ...     class_sep=2, random_state=0)
    >>> model = make_pipeline(
    ...     StandardScaler(),
    ...     GroupSparseMLPClassifier(
    ...         (16,), lam=0.01, learning_rate_init=0.02, batch_size=50,
    ...         tol=1e-3, random_state=0))
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    >>> compact = model[-1].prune()
    >>> compact.n_features_in_, compact.n_active_features_ < 20
    (20, True)
    """

    _parameter_constraints: dict = {
        **GroupSparseMLP._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        penalty="group_lasso",
        lam=1e-3,
        groups=None,
        penalize_bias=False,
        solver="adam",
        learning_rate="constant",
        learning_rate_init=1e-3,
        power_t=0.5,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        batch_size="auto",
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        class_weight=None,
        finetune_iter=0,
        device="cpu",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.penalty = penalty
        self.lam = lam
        self.groups = groups
        self.penalize_bias = penalize_bias
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.finetune_iter = finetune_iter
        self.device = device

    @available_if(_in_one_stage)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None, classes=None):
        """Train for one epoch on the given rows, from where the last call ended.

        It leaves no ``stationarity_gap_``: the rows of one call do not say how far all
        of them are from a stationary point.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.
        classes : array-like of shape (n_classes,), default=None
            All classes of all calls. Needed in the first call, unless y is a
            multilabel target.

        Returns
        -------
        self : object
            The fitted estimator.

        Notes
        -----
        The averages of the solver are kept between calls of `partial_fit`; `fit`,
        another `solver` and other groups drop them. All other parameters take effect
        when they are changed between calls. ``loss_curve_`` goes on.
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows, so that partial_fit does not "
                "support it. Pass the weights of the classes as a dict."
            )
        self._check_classes(y, classes)
        return self._partial_fit(X, y, sample_weight, classes)

    def _check_classes(self, y, classes):
        if not self.__sklearn_is_fitted__():
            target = as_csr(y, "y")
            target = target if issparse(target) else np.asarray(target)
            if classes is None and not is_multilabel(target):
                raise ValueError(
                    "classes must be passed in the first call to partial_fit."
                )
        elif classes is not None and not np.array_equal(
            self.classes_, np.unique(classes)
        ):
            raise ValueError(
                f"classes={classes!r} differs from the classes of the first call to "
                f"partial_fit, {self.classes_!r}."
            )


class GroupSparseMLPRegressor(NetworkRegressor, GroupSparseMLP):
    """Predict numbers with a neural network that a group penalty makes small.

    Whole neurons and input features become exactly zero while the network trains;
    `prune` cuts them out and returns a compact estimator that predicts the same.

    The objective is::

        mean_i s_i loss(f(x_i), y_i) + R(W; lam),
        R = lam * sum_g sqrt(|g|) * norm(W_g)       (group lasso)

    with row weights s_i of mean 1 and the loss (f - y)^2 / 2, or
    exp(f) - y f + y log y - y for Poisson, summed over the outputs. A group g is the
    outgoing weights of one neuron, a row of a weight matrix; in the first matrix, the
    rows of one group of features. All weight matrices are penalised, the last one too.

    Parameters
    ----------
    hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
        Number of neurons of each hidden layer when training starts. Empty for a linear
        model.
    activation : {"relu", "relu2", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers. "relu2" is max(0, z)^2: a network of one hidden
        layer is then a ridge spline of order 2, with "relu" one of order 1.
    loss : {"squared_error", "poisson"}, default="squared_error"
        The loss. "poisson" needs y >= 0 and predicts exp(f).
    penalty : str, penalty object or None, default="group_lasso"
        R, by name or as an object with settings of its own, see `skgroupnet.penalties`.
        Convex: "l1", "l2", "elastic_net", "group_lasso", "sparse_group_lasso",
        "group_elastic_net". Nonconvex, of weights or, as in "group_mcp", of groups:
        "mcp", "scad", "capped_l1", "transformed_l1", "log", "l12", "l23", "l0",
        "hoyer_square"; and "l1_minus_l2". In two fits, the second one with weights that
        follow from the first: "adaptive_group_lasso". Of layers in pairs: "path_norm".
        "none" or None is no penalty.
    lam : float, default=1e-3
        Strength of the penalty, lambda in the objective; finite and >= 0.
    groups : array-like of shape (n_features,), dict or list of blocks, default=None
        Groups of input features. Either one label per feature (anything hashable;
        equal labels form a group, a negative integer leaves a feature unpenalised), in
        the order of the columns or, as a dict or pandas Series, by column number or
        name; or a list of blocks of column numbers or names (features in no block are
        groups of one; blocks must not overlap). Names are those of a DataFrame. None:
        every feature is a group of its own.
    penalize_bias : bool, default=False
        Whether each bias, the output's included, is a penalised group of its own.
    solver : {"adam", "adamax", "rmsprop", "sgd", "rmda"}, default="adam"
        The stochastic update. With a group penalty, "adam", "adamax" and "rmsprop" keep
        one second moment per group, and the penalty is applied in the metric of the
        step, so that all of them solve the same problem. "rmda", regularised dual
        averaging with momentum, averages all gradients, so that after finitely many
        steps zero groups stay zero; it is for convex penalties, and its steps run in
        PyTorch.
    learning_rate : {"constant", "invscaling", "adaptive", "cosine"}, \
            default="constant"
        Schedule of the learning rate, for all solvers: constant; divided by
        ``(1 + t) ** power_t`` after t rows; divided by 5 whenever training would end
        for lack of progress; or half a period of a cosine, which plans to end at
        `max_iter` with the rate zero, so that this end does not warn.
    learning_rate_init : float, default=1e-3
        Learning rate to start with.
    power_t : float, default=0.5
        Exponent of ``learning_rate="invscaling"``.
    momentum : float, default=0.9
        Momentum of the solvers "sgd", in [0, 1], and "rmda", in [0, 1).
    nesterovs_momentum : bool, default=True
        Whether the momentum of ``solver="sgd"`` is Nesterov's.
    beta_1 : float, default=0.9
        Decay of the average of the gradients in "adam" and "adamax", in [0, 1).
    beta_2 : float, default=0.999
        Decay of the second moment in "adam" and "adamax", in [0, 1).
    epsilon : float, default=1e-8
        Added to the denominator by "adam", "adamax" and "rmsprop".
    batch_size : int or "auto", default="auto"
        Rows per step; "auto" is ``min(200, n_samples)``.
    max_iter : int, default=200
        Largest number of epochs.
    shuffle : bool, default=True
        Whether the order of the rows changes from epoch to epoch.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, the rows held out for early stopping and the order
        of the rows. Pass an int for the same result in every call.
    tol : float, default=1e-4
        Training ends when the objective (with early stopping, the score) has not
        improved by `tol` for more than `n_iter_no_change` epochs in a row.
    verbose : bool, default=False
        Whether to print one line per epoch, and first what takes the steps, see
        `skgroupnet.config_context`.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last `fit`. The curves and
        ``n_iter_`` are those of the last call.
    early_stopping : bool, default=False
        Whether to stop on the score of held-out rows, and keep the weights of the best
        epoch. The rows are those passed to `fit` as `X_val`, else a part of X.
    validation_fraction : float, default=0.1
        Share of X to hold out for early stopping, in (0, 1).
    n_iter_no_change : int or inf, default=10
        Epochs without progress that are allowed, see `tol`.
    finetune_iter : int, default=0
        Largest number of epochs to train on, after training and pruning, without the
        penalty: the compact network only, its zeros staying zero. It gives back what
        the penalty shrank.
    device : str, default="cpu"
        The torch device to train on, such as "cpu" or "cuda". Prediction runs in numpy
        on the CPU.

    Attributes
    ----------
    coefs_ : list of ndarray of shape (n_l, n_{l+1})
        Weights, in the shapes that were trained, with exact zeros. Row i holds the
        outgoing weights of unit i. The arrays are read-only.
    intercepts_ : list of ndarray of shape (n_{l+1},)
        Biases.
    n_active_neurons_ : int
        Hidden neurons that are left after pruning.
    active_neurons_ : list of ndarray of bool of shape (n_l,)
        Which units are left in each layer, the input first, the output apart.
    n_active_features_ : int
        Input features that are left.
    n_active_parameters_ : int
        Weights and biases of the compact network that are not zero.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Norm of the outgoing weights of each feature, exactly zero for features that are
        gone. `sklearn.feature_selection.SelectFromModel` needs ``threshold=1e-10``
        to select the others.
    n_iter_ : int
        Epochs done, those of fine-tuning included.
    n_finetune_iter_ : int
        Epochs of fine-tuning, the last ones of ``n_iter_``.
    loss_curve_ : list of float of length n_iter_
        Objective of each epoch: weighted mean of the losses of its batches, plus the
        penalty at its end.
    loss_ : float
        Objective of the last epoch.
    best_loss_ : float or None
        Smallest objective of an epoch; None with early stopping.
    validation_scores_ : list of float of length n_iter_ or None
        R^2 on the held-out rows after each epoch; None without
        early stopping.
    best_validation_score_ : float or None
        The largest of them.
    stationarity_gap_ : float
        Distance of the trained weights from a stationary point, measured over all
        training rows before fine-tuning: the largest distance, over all groups, of the
        negative gradient from the subdifferential of the penalty, divided by the square
        root of the size of the group. It is on the scale of `lam`.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of outputs of the network.
    out_activation_ : str
        Output map: "identity", or "exp" for the Poisson loss.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X. Defined only when they are all strings.

    See Also
    --------
    GroupSparseMLPClassifier : The same network for classification.
    sklearn.neural_network.MLPRegressor : A dense network.

    Notes
    -----
    Scale the inputs: training and the penalty treat all columns alike. A target far
    from the scale 1 needs another `lam` and learning rate; scale it too, for example
    with `sklearn.compose.TransformedTargetRegressor`.

    References
    ----------
    .. [1] S. Scardapane, D. Comminiello, A. Hussain, A. Uncini, "Group sparse
       regularization for deep neural networks", Neurocomputing 241, 2017.
    .. [2] J. Yun, A. C. Lozano, E. Yang, "Adaptive proximal gradient methods for
       structured neural networks", NeurIPS 2021.
    .. [3] Z.-S. Huang, C.-p. Lee, "Training structured neural networks through manifold
       identification and variance reduction", ICLR 2022.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseMLPRegressor
    >>> X, y = make_friedman1(n_samples=300, n_features=10, random_state=0)
    >>> X, y = scale(X), scale(y)
    >>> model = GroupSparseMLPRegressor(
    ...     (16,), lam=0.003, learning_rate_init=0.02, batch_size=50, tol=1e-3,
    ...     random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    >>> {0, 1, 2, 3, 4} <= set(model.get_support(indices=True).tolist())
    True
    """

    _parameter_constraints: dict = {
        **GroupSparseMLP._parameter_constraints,
        "loss": [StrOptions({"squared_error", "poisson"})],
    }

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        loss="squared_error",
        penalty="group_lasso",
        lam=1e-3,
        groups=None,
        penalize_bias=False,
        solver="adam",
        learning_rate="constant",
        learning_rate_init=1e-3,
        power_t=0.5,
        momentum=0.9,
        nesterovs_momentum=True,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        batch_size="auto",
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        warm_start=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        finetune_iter=0,
        device="cpu",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.loss = loss
        self.penalty = penalty
        self.lam = lam
        self.groups = groups
        self.penalize_bias = penalize_bias
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.finetune_iter = finetune_iter
        self.device = device

    @available_if(_in_one_stage)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch on the given rows, from where the last call ended.

        It leaves no ``stationarity_gap_``: the rows of one call do not say how far all
        of them are from a stationary point.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The input data.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The target.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows.

        Returns
        -------
        self : object
            The fitted estimator.

        Notes
        -----
        The averages of the solver are kept between calls of `partial_fit`; `fit`,
        another `solver` and other groups drop them. All other parameters take effect
        when they are changed between calls. ``loss_curve_`` goes on.
        """
        return self._partial_fit(X, y, sample_weight)
