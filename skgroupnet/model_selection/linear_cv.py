"""Linear models that choose lam by cross-validation."""

from sklearn.metrics import make_scorer

from skgroupnet.estimators.deviance import poisson_d2
from skgroupnet.estimators.linear import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparsePoissonRegressor,
)
from skgroupnet.estimators.linear_base import (
    GroupSparseLinearModel,
    GroupSparseLinearRegressor,
    GroupSparsePoissonModel,
)
from skgroupnet.estimators.predictors import NetworkClassifier
from skgroupnet.model_selection.lam_search import LamSearch, search_constraints


class GroupSparseLogisticRegressionCV(
    LamSearch, NetworkClassifier, GroupSparseLinearModel
):
    """Logistic regression with a group penalty; cross-validation chooses `lam`.

    It is `GroupSparseLogisticRegression` in all else: one model is fitted for every
    value of `lam` and every fold, and one more with the value that was chosen.

    Parameters
    ----------
    lams : int or array-like of shape (n_lams,), default=20
        Values of `lam` to try, or how many of them: log-spaced, from the smallest one
        that leaves no feature down to a thousandth of it. It is exact if the penalty
        has a finite slope at zero, else an estimate from short fits. Where none of
        these is empty, as with l2, it is twice that of the group lasso.
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
    fit_intercept : bool, default=True
        Whether to fit an intercept; if not, it is zero.
    solver : {"auto", "fista", "admm", "adam", "adamax", "rmsprop", "sgd", "rmda"}, \
            default="auto"
        "fista" is an accelerated proximal gradient method, "admm" the alternating
        direction method of multipliers; in each iteration they use all rows. "auto" is
        a proximal Newton method on working sets of features for convex penalties (not
        with more than two classes), else "fista"; the user guide has the exceptions.
        The others are the stochastic updates of the networks, with their default
        settings.
    rho : float or "auto", default="auto"
        For ``solver="admm"`` only: weight, > 0, of the squared distance of the two
        copies of the coefficients, one for the loss and one for the penalty. "auto"
        balances the primal and the dual residual if the penalty is convex; else it
        grows until the augmented Lagrangian falls.
    learning_rate_init : float, default=1e-3
        Constant learning rate of a stochastic solver.
    batch_size : int or "auto", default="auto"
        Rows per step of a stochastic solver; "auto" is ``min(200, n_samples)``.
    max_iter : int, default=1000
        Largest number of iterations, or of epochs of a stochastic solver.
    tol : float, default=1e-6
        The fit ends when the distance of every group from stationarity, see
        ``stationarity_gap_``, is at most `tol` relative to the units of the data: the
        largest standard deviation of the columns of the group times that of y (without
        an intercept, roots of the mean squares).
    class_weight : dict or "balanced", default=None
        Weights of the classes, ``{label: weight}``, multiplied with `sample_weight`.
        "balanced" makes them inversely proportional to the weight of each class in y.
        Not for multilabel targets.
    random_state : int, RandomState instance or None, default=None
        Decides the order of the rows for a stochastic solver.
    verbose : bool, default=False
        Whether to print a line each time that a model of the folds is solved (with a
        stochastic solver: for each epoch of all of them), then one per iteration of the
        refit.
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
        Hidden neurons left of each model (0 for a linear model); nan if its fit failed.
    n_active_features_path_ : ndarray of float of shape (n_lams, n_folds)
        Input features left of each model.
    n_active_parameters_path_ : ndarray of float of shape (n_lams, n_folds)
        Non-zero weights and biases left of each model.
    coef_ : ndarray of shape (1, n_features) or (n_classes, n_features)
        Coefficients, with exact zeros; one row for two classes.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts.
    coefs_ : list of ndarray of shape (n_features, n_outputs)
        The coefficients as the one weight matrix of a network, (n_features, n_outputs).
        The arrays are read-only.
    intercepts_ : list of ndarray of shape (n_outputs,)
        The intercepts.
    classes_ : ndarray of shape (n_classes,)
        Class labels; for a multilabel target the numbers of the columns of y.
    n_active_neurons_ : int
        Hidden neurons that are left after pruning: 0 for a linear model.
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
        Iterations done.
    loss_curve_ : list of float of length n_iter_
        Objective of each iteration.
    loss_ : float
        Objective of the last iteration.
    admm_history_ : dict of ndarray of shape (n_iter_,)
        Course of ``solver="admm"``, defined only with it: "primal_residual", the
        distance of the two copies of the coefficients; "dual_residual", `rho` times the
        length of the last step of the first one; "objective", of the second one, which
        is the answer; "lagrangian", the augmented one; and "rho".
    stationarity_gap_ : float
        Distance from the optimum, or from a directionally stationary point if the
        penalty is not convex: the largest distance, over all groups, of the negative
        gradient from the subdifferential of the penalty, divided by the square root of
        the size of the group. It is on the scale of `lam`.
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
    GroupSparseLogisticRegression : The model with one `lam`; it says what is minimised.
    GroupSparseMLPClassifierCV : The same search for a network with hidden layers.
    sklearn.linear_model.LogisticRegressionCV : Without groups.

    Notes
    -----
    The folds are drawn once and the values are found on all rows. With an int as
    `random_state`, the scores are those of separate fits.

    `score` uses `scoring`, as in `sklearn.linear_model.LogisticRegressionCV`. An
    interrupt (Ctrl-C) ends the training of the folds; what is there is scored, and
    nothing is fitted to all rows, so that it cannot predict.

    The models of a fold know all classes of y, also those that its rows lack, and so
    does a scorer that takes ``labels``, as in
    `sklearn.linear_model.LogisticRegressionCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet.model_selection import GroupSparseLogisticRegressionCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = GroupSparseLogisticRegressionCV(lams=5, cv=3, selection="1se")
    >>> model = model.fit(scale(X), y)
    >>> model.lams_.round(4)
    array([0.3837, 0.0682, 0.0121, 0.0022, 0.0004])
    >>> round(model.lam_, 4), model.n_active_features_
    (0.0121, 9)
    >>> round(model.score(scale(X), y), 2)
    0.97
    """

    _parameter_constraints: dict = search_constraints(
        GroupSparseLogisticRegression._parameter_constraints
    )
    _plain = GroupSparseLogisticRegression
    _default_scoring = "accuracy"

    def __init__(
        self,
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
        fit_intercept=True,
        solver="auto",
        rho="auto",
        learning_rate_init=1e-3,
        batch_size="auto",
        max_iter=1000,
        tol=1e-6,
        class_weight=None,
        random_state=None,
        verbose=False,
        device="cpu",
    ):
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
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rho = rho
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.class_weight = class_weight
        self.random_state = random_state
        self.verbose = verbose
        self.device = device


class GroupSparseLinearRegressionCV(LamSearch, GroupSparseLinearRegressor):
    """Linear regression with a group penalty; cross-validation chooses `lam`.

    It is `GroupSparseLinearRegression` in all else: one model is fitted for every
    value of `lam` and every fold, and one more with the value that was chosen.

    Parameters
    ----------
    lams : int or array-like of shape (n_lams,), default=20
        Values of `lam` to try, or how many of them: log-spaced, from the smallest one
        that leaves no feature down to a thousandth of it. It is exact if the penalty
        has a finite slope at zero, else an estimate from short fits. Where none of
        these is empty, as with l2, it is twice that of the group lasso.
    cv : int, cross-validation generator or iterable, default=None
        The folds, as for `sklearn.model_selection.cross_validate`: None is 5 folds, an
        int the number of folds.
    scoring : str or callable, default=None
        How to score a fold, see `sklearn.metrics.get_scorer_names`; a callable is
        called as ``scoring(estimator, X, y)``. Larger is better. None: R^2.
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
    fit_intercept : bool, default=True
        Whether to fit an intercept; if not, it is zero.
    solver : {"auto", "fista", "admm", "adam", "adamax", "rmsprop", "sgd", "rmda"}, \
            default="auto"
        "fista" is an accelerated proximal gradient method, "admm" the alternating
        direction method of multipliers; in each iteration they use all rows. "auto" is
        a proximal Newton method on working sets of features for convex penalties,
        else "fista"; the user guide has the exceptions. The others are the stochastic
        updates of the networks, with their default settings.
    rho : float or "auto", default="auto"
        For ``solver="admm"`` only: weight, > 0, of the squared distance of the two
        copies of the coefficients, one for the loss and one for the penalty. "auto"
        balances the primal and the dual residual if the penalty is convex; else it
        grows until the augmented Lagrangian falls.
    learning_rate_init : float, default=1e-3
        Constant learning rate of a stochastic solver.
    batch_size : int or "auto", default="auto"
        Rows per step of a stochastic solver; "auto" is ``min(200, n_samples)``.
    max_iter : int, default=1000
        Largest number of iterations, or of epochs of a stochastic solver.
    tol : float, default=1e-6
        The fit ends when the distance of every group from stationarity, see
        ``stationarity_gap_``, is at most `tol` relative to the units of the data: the
        largest standard deviation of the columns of the group times that of y (without
        an intercept, roots of the mean squares).
    random_state : int, RandomState instance or None, default=None
        Decides the order of the rows for a stochastic solver.
    verbose : bool, default=False
        Whether to print a line each time that a model of the folds is solved (with a
        stochastic solver: for each epoch of all of them), then one per iteration of the
        refit.
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
        Hidden neurons left of each model (0 for a linear model); nan if its fit failed.
    n_active_features_path_ : ndarray of float of shape (n_lams, n_folds)
        Input features left of each model.
    n_active_parameters_path_ : ndarray of float of shape (n_lams, n_folds)
        Non-zero weights and biases left of each model.
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients, with exact zeros; of one axis if y has a single column.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept, or one for each output.
    coefs_ : list of ndarray of shape (n_features, n_outputs)
        The coefficients as the one weight matrix of a network, (n_features, n_outputs).
        The arrays are read-only.
    intercepts_ : list of ndarray of shape (n_outputs,)
        The intercepts.
    n_active_neurons_ : int
        Hidden neurons that are left after pruning: 0 for a linear model.
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
        Iterations done.
    loss_curve_ : list of float of length n_iter_
        Objective of each iteration.
    loss_ : float
        Objective of the last iteration.
    admm_history_ : dict of ndarray of shape (n_iter_,)
        Course of ``solver="admm"``, defined only with it: "primal_residual", the
        distance of the two copies of the coefficients; "dual_residual", `rho` times the
        length of the last step of the first one; "objective", of the second one, which
        is the answer; "lagrangian", the augmented one; and "rho".
    stationarity_gap_ : float
        Distance from the optimum, or from a directionally stationary point if the
        penalty is not convex: the largest distance, over all groups, of the negative
        gradient from the subdifferential of the penalty, divided by the square root of
        the size of the group. It is on the scale of `lam`.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of outputs of the network.
    out_activation_ : str
        Output map: "identity".
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X. Defined only when they are all strings.

    See Also
    --------
    GroupSparseLinearRegression : The model with one `lam`; it says what is minimised.
    GroupSparseMLPRegressorCV : The same search for a network with hidden layers.
    sklearn.linear_model.LassoCV : Without groups.

    Notes
    -----
    The folds are drawn once and the values are found on all rows. With an int as
    `random_state`, the scores are those of separate fits.

    `score` uses `scoring`. An interrupt (Ctrl-C) ends the training of the folds; what
    is there is scored, and nothing is fitted to all rows, so that it cannot predict.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet.model_selection import GroupSparseLinearRegressionCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GroupSparseLinearRegressionCV(lams=5, cv=3, selection="1se")
    >>> model = model.fit(scale(X), y)
    >>> model.lams_.round(2)
    array([45.16,  8.03,  1.43,  0.25,  0.05])
    >>> round(model.lam_, 2), model.n_active_features_
    (1.43, 7)
    >>> round(model.score(scale(X), y), 2)
    0.51
    """

    _parameter_constraints: dict = search_constraints(
        GroupSparseLinearRegression._parameter_constraints
    )
    _plain = GroupSparseLinearRegression
    _default_scoring = "r2"

    def __init__(
        self,
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
        fit_intercept=True,
        solver="auto",
        rho="auto",
        learning_rate_init=1e-3,
        batch_size="auto",
        max_iter=1000,
        tol=1e-6,
        random_state=None,
        verbose=False,
        device="cpu",
    ):
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
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rho = rho
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.device = device


class GroupSparsePoissonRegressorCV(LamSearch, GroupSparsePoissonModel):
    """Poisson regression with a group penalty; cross-validation chooses `lam`.

    It is `GroupSparsePoissonRegressor` in all else: one model is fitted for every
    value of `lam` and every fold, and one more with the value that was chosen.

    Parameters
    ----------
    lams : int or array-like of shape (n_lams,), default=20
        Values of `lam` to try, or how many of them: log-spaced, from the smallest one
        that leaves no feature down to a thousandth of it. It is exact if the penalty
        has a finite slope at zero, else an estimate from short fits. Where none of
        these is empty, as with l2, it is twice that of the group lasso.
    cv : int, cross-validation generator or iterable, default=None
        The folds, as for `sklearn.model_selection.cross_validate`: None is 5 folds, an
        int the number of folds.
    scoring : str or callable, default=None
        How to score a fold, see `sklearn.metrics.get_scorer_names`; a callable is
        called as ``scoring(estimator, X, y)``. Larger is better. None: D^2,
        the share of the deviance that is explained.
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
    fit_intercept : bool, default=True
        Whether to fit an intercept; if not, it is zero.
    solver : {"auto", "fista", "admm", "adam", "adamax", "rmsprop", "sgd", "rmda"}, \
            default="auto"
        "fista" is an accelerated proximal gradient method, "admm" the alternating
        direction method of multipliers; in each iteration they use all rows. "auto" is
        a proximal Newton method on working sets of features for convex penalties,
        else "fista"; the user guide has the exceptions. The others are the stochastic
        updates of the networks, with their default settings.
    rho : float or "auto", default="auto"
        For ``solver="admm"`` only: weight, > 0, of the squared distance of the two
        copies of the coefficients, one for the loss and one for the penalty. "auto"
        balances the primal and the dual residual if the penalty is convex; else it
        grows until the augmented Lagrangian falls.
    learning_rate_init : float, default=1e-3
        Constant learning rate of a stochastic solver.
    batch_size : int or "auto", default="auto"
        Rows per step of a stochastic solver; "auto" is ``min(200, n_samples)``.
    max_iter : int, default=1000
        Largest number of iterations, or of epochs of a stochastic solver.
    tol : float, default=1e-6
        The fit ends when the distance of every group from stationarity, see
        ``stationarity_gap_``, is at most `tol` relative to the units of the data: the
        largest standard deviation of the columns of the group times that of y (without
        an intercept, roots of the mean squares).
    random_state : int, RandomState instance or None, default=None
        Decides the order of the rows for a stochastic solver.
    verbose : bool, default=False
        Whether to print a line each time that a model of the folds is solved (with a
        stochastic solver: for each epoch of all of them), then one per iteration of the
        refit.
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
        Hidden neurons left of each model (0 for a linear model); nan if its fit failed.
    n_active_features_path_ : ndarray of float of shape (n_lams, n_folds)
        Input features left of each model.
    n_active_parameters_path_ : ndarray of float of shape (n_lams, n_folds)
        Non-zero weights and biases left of each model.
    coef_ : ndarray of shape (n_features,) or (n_outputs, n_features)
        Coefficients, with exact zeros; of one axis if y has a single column.
    intercept_ : float or ndarray of shape (n_outputs,)
        Intercept, or one for each output.
    coefs_ : list of ndarray of shape (n_features, n_outputs)
        The coefficients as the one weight matrix of a network, (n_features, n_outputs).
        The arrays are read-only.
    intercepts_ : list of ndarray of shape (n_outputs,)
        The intercepts.
    n_active_neurons_ : int
        Hidden neurons that are left after pruning: 0 for a linear model.
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
        Iterations done.
    loss_curve_ : list of float of length n_iter_
        Objective of each iteration.
    loss_ : float
        Objective of the last iteration.
    admm_history_ : dict of ndarray of shape (n_iter_,)
        Course of ``solver="admm"``, defined only with it: "primal_residual", the
        distance of the two copies of the coefficients; "dual_residual", `rho` times the
        length of the last step of the first one; "objective", of the second one, which
        is the answer; "lagrangian", the augmented one; and "rho".
    stationarity_gap_ : float
        Distance from the optimum, or from a directionally stationary point if the
        penalty is not convex: the largest distance, over all groups, of the negative
        gradient from the subdifferential of the penalty, divided by the square root of
        the size of the group. It is on the scale of `lam`.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of outputs of the network.
    out_activation_ : str
        Output map: "exp".
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns of X. Defined only when they are all strings.

    See Also
    --------
    GroupSparsePoissonRegressor : The model with one `lam`; it says what is minimised.
    GroupSparseMLPRegressorCV : The same search for a network with hidden layers.
    sklearn.linear_model.PoissonRegressor : With a ridge penalty and one strength.

    Notes
    -----
    The folds are drawn once and the values are found on all rows. With an int as
    `random_state`, the scores are those of separate fits.

    `score` uses `scoring`. An interrupt (Ctrl-C) ends the training of the folds; what
    is there is scored, and nothing is fitted to all rows, so that it cannot predict.

    Examples
    --------
    >>> import numpy as np
    >>> from skgroupnet.model_selection import GroupSparsePoissonRegressorCV
    >>> rng = np.random.RandomState(0)
    >>> X = rng.normal(size=(500, 6))
    >>> y = rng.poisson(np.exp(X[:, 0] - X[:, 1] / 2))
    >>> model = GroupSparsePoissonRegressorCV(lams=8, cv=3, selection="1se")
    >>> model.fit(X, y).coef_.round(1)
    array([ 1. , -0.5,  0. ,  0. ,  0. ,  0. ])
    >>> round(model.score(X, y), 2)
    0.7
    """

    _parameter_constraints: dict = search_constraints(
        GroupSparsePoissonRegressor._parameter_constraints
    )
    _plain = GroupSparsePoissonRegressor
    _default_scoring = make_scorer(poisson_d2)

    def __init__(
        self,
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
        fit_intercept=True,
        solver="auto",
        rho="auto",
        learning_rate_init=1e-3,
        batch_size="auto",
        max_iter=1000,
        tol=1e-6,
        random_state=None,
        verbose=False,
        device="cpu",
    ):
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
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rho = rho
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
