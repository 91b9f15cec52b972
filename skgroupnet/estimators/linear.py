"""Linear models with a group penalty on their features."""

from sklearn.utils._param_validation import StrOptions

from skgroupnet.estimators.linear_base import (
    GroupSparseLinearModel,
    GroupSparseLinearRegressor,
    GroupSparsePoissonModel,
)
from skgroupnet.estimators.predictors import NetworkClassifier


class GroupSparseLogisticRegression(NetworkClassifier, GroupSparseLinearModel):
    """Logistic regression with a group penalty.

    Binary, multinomial or, for multilabel targets, one model per label. It is a network
    without a hidden layer, and a convex problem if the penalty is convex: solved to
    `tol`, the answer is then the optimum.

    The objective is::

        mean_i s_i loss(x_i W + b, y_i) + R(W; lam),
        R = lam * sum_g sqrt(|g|) * norm(W_g)       (group lasso)

    with row weights s_i of mean 1 and the loss -log p(y_i | x_i). A group g holds the
    coefficients of one feature, or of one group of features, for all classes.

    Parameters
    ----------
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
    warm_start : bool, default=False
        Whether `fit` goes on from the coefficients of the last `fit`.
    random_state : int, RandomState instance or None, default=None
        Decides the order of the rows for a stochastic solver.
    verbose : bool, default=False
        Whether to print one line per iteration.
    device : str, default="cpu"
        The torch device to train on, such as "cpu" or "cuda". Prediction runs in numpy
        on the CPU.

    Attributes
    ----------
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
    GroupSparseMLPClassifier : The same penalties on a network with hidden layers.
    sklearn.linear_model.LogisticRegression : Without groups.

    Notes
    -----
    A fit that leaves no feature warns and names the smallest such `lam`.

    With ``penalty="adaptive_group_lasso"``, `fit` trains twice: with the group lasso,
    then from there on with the weights of the groups divided by a power of the norms
    that the group lasso gave them. Each time has `max_iter` iterations; ``n_iter_`` and
    the curves are those of the second one.

    References
    ----------
    .. [1] L. Meier, S. van de Geer, P. Buehlmann, "The group lasso for logistic
       regression", JRSS B 70(1), 2008.
    .. [2] A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for
       linear inverse problems", SIAM J. Imaging Sci. 2(1), 2009.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseLogisticRegression
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = GroupSparseLogisticRegression(lam=0.05).fit(scale(X), y)
    >>> model.coef_.shape, model.n_active_features_
    ((1, 30), 4)
    >>> round(model.score(scale(X), y), 2)
    0.96
    """

    _parameter_constraints: dict = {
        **GroupSparseLinearModel._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        *,
        penalty="group_lasso",
        lam=1e-3,
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
        warm_start=False,
        random_state=None,
        verbose=False,
        device="cpu",
    ):
        self.penalty = penalty
        self.lam = lam
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
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.device = device


class GroupSparseLinearRegression(GroupSparseLinearRegressor):
    """Linear regression with a group penalty.

    Least squares for one or several outputs. It is a network without a hidden layer,
    and a convex problem if the penalty is convex: solved to `tol`, the answer is then
    the optimum.

    The objective is::

        mean_i s_i norm(x_i W + b - y_i)^2 / 2 + R(W; lam),
        R = lam * sum_g sqrt(|g|) * norm(W_g)       (group lasso)

    with row weights s_i of mean 1. A group g holds the coefficients of one feature, or
    of one group of features, for all outputs; its size counts all of them.

    Parameters
    ----------
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
    warm_start : bool, default=False
        Whether `fit` goes on from the coefficients of the last `fit`.
    random_state : int, RandomState instance or None, default=None
        Decides the order of the rows for a stochastic solver.
    verbose : bool, default=False
        Whether to print one line per iteration.
    device : str, default="cpu"
        The torch device to train on, such as "cpu" or "cuda". Prediction runs in numpy
        on the CPU.

    Attributes
    ----------
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
    GroupSparsePoissonRegressor : The same for counts.
    GroupSparseMLPRegressor : The same penalties on a network with hidden layers.
    sklearn.linear_model.MultiTaskLasso : Rows of coefficients as the only groups.

    Notes
    -----
    The squared error has the factor 1/2: with ``penalty="l1"`` `lam` is ``alpha`` of
    `sklearn.linear_model.Lasso`, with ``penalty="l2"`` it is ``alpha / n_samples`` of
    `sklearn.linear_model.Ridge`.

    A fit that leaves no feature warns and names the smallest such `lam`.

    With ``penalty="adaptive_group_lasso"``, `fit` trains twice: with the group lasso,
    then from there on with the weights of the groups divided by a power of the norms
    that the group lasso gave them. Each time has `max_iter` iterations; ``n_iter_`` and
    the curves are those of the second one.

    References
    ----------
    .. [1] M. Yuan, Y. Lin, "Model selection and estimation in regression with grouped
       variables", JRSS B 68(1), 2006.
    .. [2] A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for
       linear inverse problems", SIAM J. Imaging Sci. 2(1), 2009.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.preprocessing import scale
    >>> from skgroupnet import GroupSparseLinearRegression
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = GroupSparseLinearRegression(lam=5).fit(scale(X), y)
    >>> model.coef_.shape, model.n_active_features_
    ((10,), 5)
    >>> round(model.score(scale(X), y), 2)
    0.49
    """

    def __init__(
        self,
        *,
        penalty="group_lasso",
        lam=1e-3,
        groups=None,
        penalize_bias=False,
        fit_intercept=True,
        solver="auto",
        rho="auto",
        learning_rate_init=1e-3,
        batch_size="auto",
        max_iter=1000,
        tol=1e-6,
        warm_start=False,
        random_state=None,
        verbose=False,
        device="cpu",
    ):
        self.penalty = penalty
        self.lam = lam
        self.groups = groups
        self.penalize_bias = penalize_bias
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rho = rho
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.device = device


class GroupSparsePoissonRegressor(GroupSparsePoissonModel):
    """Poisson regression with a group penalty.

    Counts, or rates with exposures as row weights, by a linear model of their
    logarithm. It is a network without a hidden layer, and a convex problem if the
    penalty is convex: solved to `tol`, the answer is then the optimum.

    The objective is::

        mean_i s_i (exp(f_i) - y_i f_i + y_i log y_i - y_i) + R(W; lam),  f = X W + b,
        R = lam * sum_g sqrt(|g|) * norm(W_g)       (group lasso)

    with row weights s_i of mean 1 and y >= 0; the loss, half the unit deviance, is
    summed over the outputs. A group g holds the coefficients of one feature, or of one
    group of features, for all outputs; its size counts all of them.

    Parameters
    ----------
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
    warm_start : bool, default=False
        Whether `fit` goes on from the coefficients of the last `fit`.
    random_state : int, RandomState instance or None, default=None
        Decides the order of the rows for a stochastic solver.
    verbose : bool, default=False
        Whether to print one line per iteration.
    device : str, default="cpu"
        The torch device to train on, such as "cpu" or "cuda". Prediction runs in numpy
        on the CPU.

    Attributes
    ----------
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
    GroupSparseLinearRegression : The same for numbers with a squared error.
    GroupSparseMLPRegressor : The same penalties on a network with hidden layers.
    sklearn.linear_model.PoissonRegressor : With a ridge penalty only.

    Notes
    -----
    With ``penalty="l2"`` `lam` is ``alpha`` of `sklearn.linear_model.PoissonRegressor`.

    A fit that leaves no feature warns and names the smallest such `lam`.

    With ``penalty="adaptive_group_lasso"``, `fit` trains twice: with the group lasso,
    then from there on with the weights of the groups divided by a power of the norms
    that the group lasso gave them. Each time has `max_iter` iterations; ``n_iter_`` and
    the curves are those of the second one.

    References
    ----------
    .. [1] P. McCullagh, J. A. Nelder, "Generalized linear models", Chapman and Hall,
       2nd ed., 1989.
    .. [2] P. Breheny, J. Huang, "Group descent algorithms for nonconvex penalized
       linear and logistic regression models with grouped predictors", Stat. Comput.
       25, 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from skgroupnet import GroupSparsePoissonRegressor
    >>> rng = np.random.RandomState(0)
    >>> X = rng.normal(size=(500, 6))
    >>> y = rng.poisson(np.exp(X[:, 0] - X[:, 1] / 2))
    >>> model = GroupSparsePoissonRegressor(lam=0.2).fit(X, y)
    >>> model.get_support(indices=True)
    array([0, 1])
    >>> bool((model.predict(X) > 0).all())
    True
    """

    def __init__(
        self,
        *,
        penalty="group_lasso",
        lam=1e-3,
        groups=None,
        penalize_bias=False,
        fit_intercept=True,
        solver="auto",
        rho="auto",
        learning_rate_init=1e-3,
        batch_size="auto",
        max_iter=1000,
        tol=1e-6,
        warm_start=False,
        random_state=None,
        verbose=False,
        device="cpu",
    ):
        self.penalty = penalty
        self.lam = lam
        self.groups = groups
        self.penalize_bias = penalize_bias
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.rho = rho
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.device = device
