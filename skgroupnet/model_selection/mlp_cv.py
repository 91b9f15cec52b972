"""Multi-layer perceptrons that choose lam by cross-validation."""

from skgroupnet.estimators.mlp import (
    GroupSparseMLP,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.estimators.predictors import NetworkClassifier, NetworkRegressor
from skgroupnet.model_selection.lam_search import LamSearch, search_constraints


class GroupSparseMLPClassifierCV(LamSearch, NetworkClassifier, GroupSparseMLP):
    """Classify with a group-sparse network; cross-validation chooses `lam`.

    It is `GroupSparseMLPClassifier` in all else: the networks of all values of `lam`
    and all folds are trained at once, and one more with the value that was chosen.

    Parameters
    ----------
    hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
        Number of neurons of each hidden layer when training starts. Empty for a linear
        model.
    activation : {"relu", "relu2", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers. "relu2" is max(0, z)^2: a network of one hidden
        layer is then a ridge spline of order 2, with "relu" one of order 1.
    lams : int or array-like of shape (n_lams,), default=20
        Values of `lam` to try, or how many of them: log-spaced, from the smallest one
        that leaves no feature down to a thousandth of it. It is an estimate: the
        smallest of 20 log-spaced values whose network is empty after 5 epochs (without
        a hidden layer, it is exact). If none is, as with the l2 penalty, it is twice
        the value that empties a linear model.
    cv : int, cross-validation generator or iterable, default=None
        The folds, as for `sklearn.model_selection.cross_validate`: None is 5 folds, an
        int the number of folds, stratified unless y is multilabel.
    scoring : str or callable, default=None
        How to score a fold, see `sklearn.metrics.get_scorer_names`; a callable is
        called as ``scoring(estimator, X, y)``. Larger is better. None: the accuracy.
    selection : {"best", "1se"}, default="best"
        Which `lam` to choose: the one with the best mean score over the folds, or the
        one with the fewest parameters among those whose mean score is within one
        standard error of the best. Among equals, the largest one.
    refit : bool, default=True
        Whether to fit to all rows with the `lam` that was chosen. Without it there are
        only the attributes of the search, and no predictions.
    n_jobs : int, default=None
        Number of threads; under `joblib.parallel_config` with a backend of processes,
        the number of processes. None means 1 unless `joblib.parallel_config` says
        otherwise, -1 all processors.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time, by an estimate. More
        of them are trained in several runs, with the same results.
    penalty : str, penalty object or None, default="group_lasso"
        R, by name or as an object with settings of its own, see `skgroupnet.penalties`.
        Convex: "l1", "l2", "elastic_net", "group_lasso", "sparse_group_lasso",
        "group_elastic_net". Nonconvex, of weights or, as in "group_mcp", of groups:
        "mcp", "scad", "capped_l1", "transformed_l1", "log", "l12", "l23", "l0",
        "hoyer_square"; and "l1_minus_l2". In two fits, the second one with weights that
        follow from the first: "adaptive_group_lasso". Of layers in pairs: "path_norm".
        "none" or None is no penalty.
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
        Whether to print one line per epoch: of the models of the folds together, then
        of the refit.
    early_stopping : bool, default=False
        Whether to stop on the score of held-out rows, and keep the weights of the best
        epoch. The rows are a part of the rows that are fitted to.
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
    lam_ : float
        The `lam` that was chosen.
    lams_ : ndarray of float of shape (n_lams,)
        The values that were tried, in decreasing order, each of them once.
    scores_ : ndarray of float of shape (n_lams, n_folds)
        Score of each model on the rows left out of its fold; nan if its fit or the
        scorer failed. A `lam` with nan is not chosen; a fold that has nothing but nan
        does not count.
    n_active_neurons_path_ : ndarray of float of shape (n_lams, n_folds)
        Hidden neurons left of each model; nan if its fit failed.
    n_active_features_path_ : ndarray of float of shape (n_lams, n_folds)
        Input features left of each model.
    n_active_parameters_path_ : ndarray of float of shape (n_lams, n_folds)
        Non-zero weights and biases left of each model.
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
    GroupSparseMLPClassifier : The network with one `lam`; it says what is minimised.
    GroupSparseLogisticRegressionCV : The linear model.
    skgroupnet.model_selection.regularization_path : The models of all values of `lam`.

    Notes
    -----
    The models of all values and folds are trained together, in stacks. The folds are
    drawn once and the values are found on all rows. With an int as `random_state`, the
    scores are those of separate fits.

    `score` uses `scoring`, as in `sklearn.linear_model.LogisticRegressionCV`. An
    interrupt (Ctrl-C) ends the training of the folds; what is there is scored, and
    nothing is fitted to all rows, so that it cannot predict.

    The models of a fold know all classes of y, also those that its rows lack, and so
    does a scorer that takes ``labels``, as in
    `sklearn.linear_model.LogisticRegressionCV`.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet.model_selection import GroupSparseMLPClassifierCV
    >>> X, y = make_classification(
    ...     n_samples=300, n_features=20, n_informative=3, n_redundant=0,
    ...     class_sep=2, random_state=0)
    >>> X = scale(X)
    >>> model = GroupSparseMLPClassifierCV(
    ...     (16,), lams=[0.1, 0.03, 0.01], cv=3, selection="1se",
    ...     learning_rate_init=0.02, batch_size=50, tol=1e-3, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    >>> model.scores_.shape, model.lam_ in model.lams_, model.n_active_features_ < 20
    ((3, 3), True, True)
    """

    _parameter_constraints: dict = search_constraints(
        GroupSparseMLPClassifier._parameter_constraints
    )
    _plain = GroupSparseMLPClassifier
    _default_scoring = "accuracy"

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        lams=20,
        cv=None,
        scoring=None,
        selection="best",
        refit=True,
        n_jobs=None,
        stack_memory=1e9,
        penalty="group_lasso",
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
        epsilon=1e-08,
        batch_size="auto",
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        class_weight=None,
        finetune_iter=0,
        device="cpu",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.lams = lams
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.refit = refit
        self.n_jobs = n_jobs
        self.stack_memory = stack_memory
        self.penalty = penalty
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
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.finetune_iter = finetune_iter
        self.device = device


class GroupSparseMLPRegressorCV(LamSearch, NetworkRegressor, GroupSparseMLP):
    """Predict numbers with a group-sparse network; cross-validation chooses `lam`.

    It is `GroupSparseMLPRegressor` in all else: the networks of all values of `lam` and
    all folds are trained at once, and one more with the value that was chosen.

    Parameters
    ----------
    hidden_layer_sizes : array-like of shape (n_layers - 2,), default=(100,)
        Number of neurons of each hidden layer when training starts. Empty for a linear
        model.
    activation : {"relu", "relu2", "tanh", "logistic", "identity"}, default="relu"
        Activation of the hidden layers. "relu2" is max(0, z)^2: a network of one hidden
        layer is then a ridge spline of order 2, with "relu" one of order 1.
    lams : int or array-like of shape (n_lams,), default=20
        Values of `lam` to try, or how many of them: log-spaced, from the smallest one
        that leaves no feature down to a thousandth of it. It is an estimate: the
        smallest of 20 log-spaced values whose network is empty after 5 epochs (without
        a hidden layer, it is exact). If none is, as with the l2 penalty, it is twice
        the value that empties a linear model.
    cv : int, cross-validation generator or iterable, default=None
        The folds, as for `sklearn.model_selection.cross_validate`: None is 5 folds, an
        int the number of folds.
    scoring : str or callable, default=None
        How to score a fold, see `sklearn.metrics.get_scorer_names`; a callable is
        called as ``scoring(estimator, X, y)``. Larger is better. None: the coefficient
        of determination R^2.
    selection : {"best", "1se"}, default="best"
        Which `lam` to choose: the one with the best mean score over the folds, or the
        one with the fewest parameters among those whose mean score is within one
        standard error of the best. Among equals, the largest one.
    refit : bool, default=True
        Whether to fit to all rows with the `lam` that was chosen. Without it there are
        only the attributes of the search, and no predictions.
    n_jobs : int, default=None
        Number of threads; under `joblib.parallel_config` with a backend of processes,
        the number of processes. None means 1 unless `joblib.parallel_config` says
        otherwise, -1 all processors.
    stack_memory : float, default=1e9
        Bytes that the networks in training may take at a time, by an estimate. More
        of them are trained in several runs, with the same results.
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
        Whether to print one line per epoch: of the models of the folds together, then
        of the refit.
    early_stopping : bool, default=False
        Whether to stop on the score of held-out rows, and keep the weights of the best
        epoch. The rows are a part of the rows that are fitted to.
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
    lam_ : float
        The `lam` that was chosen.
    lams_ : ndarray of float of shape (n_lams,)
        The values that were tried, in decreasing order, each of them once.
    scores_ : ndarray of float of shape (n_lams, n_folds)
        Score of each model on the rows left out of its fold; nan if its fit or the
        scorer failed. A `lam` with nan is not chosen; a fold that has nothing but nan
        does not count.
    n_active_neurons_path_ : ndarray of float of shape (n_lams, n_folds)
        Hidden neurons left of each model; nan if its fit failed.
    n_active_features_path_ : ndarray of float of shape (n_lams, n_folds)
        Input features left of each model.
    n_active_parameters_path_ : ndarray of float of shape (n_lams, n_folds)
        Non-zero weights and biases left of each model.
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
    GroupSparseMLPRegressor : The network with one `lam`; it says what is minimised.
    GroupSparseMLPClassifierCV : The same search for classification.
    skgroupnet.model_selection.regularization_path : The models of all values of `lam`.

    Notes
    -----
    The models of all values and folds are trained together, in stacks. The folds are
    drawn once and the values are found on all rows. With an int as `random_state`, the
    scores are those of separate fits.

    `score` uses `scoring`, as in `sklearn.linear_model.LogisticRegressionCV`. An
    interrupt (Ctrl-C) ends the training of the folds; what is there is scored, and
    nothing is fitted to all rows, so that it cannot predict.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet.model_selection import GroupSparseMLPRegressorCV
    >>> X, y = make_friedman1(n_samples=300, n_features=10, random_state=0)
    >>> X, y = scale(X), scale(y)
    >>> model = GroupSparseMLPRegressorCV(
    ...     (16,), lams=[0.1, 0.01, 0.001], cv=3, learning_rate_init=0.02,
    ...     batch_size=50, tol=1e-3, random_state=0)
    >>> bool(model.fit(X, y).score(X, y) > 0.9)
    True
    >>> model.scores_.shape, model.lam_ < 0.1
    ((3, 3), True)
    """

    _parameter_constraints: dict = search_constraints(
        GroupSparseMLPRegressor._parameter_constraints
    )
    _plain = GroupSparseMLPRegressor
    _default_scoring = "r2"

    def __init__(
        self,
        hidden_layer_sizes=(100,),
        activation="relu",
        *,
        lams=20,
        cv=None,
        scoring=None,
        selection="best",
        refit=True,
        n_jobs=None,
        stack_memory=1e9,
        loss="squared_error",
        penalty="group_lasso",
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
        epsilon=1e-08,
        batch_size="auto",
        max_iter=200,
        shuffle=True,
        random_state=None,
        tol=1e-4,
        verbose=False,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        finetune_iter=0,
        device="cpu",
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.lams = lams
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.refit = refit
        self.n_jobs = n_jobs
        self.stack_memory = stack_memory
        self.loss = loss
        self.penalty = penalty
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
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.finetune_iter = finetune_iter
        self.device = device
