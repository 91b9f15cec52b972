"""From an estimator's parameters to the engine's update."""

SOLVERS = ("adam", "adamax", "rmsprop", "sgd")


def make_update(
    solver, momentum=0.9, nesterov=True, beta_1=0.9, beta_2=0.999, epsilon=1e-8
):
    """Make the update of a stochastic solver.

    Parameters
    ----------
    solver : {"adam", "adamax", "rmsprop", "sgd"}
        Name of the solver.
    momentum : float, default=0.9
        Momentum of sgd.
    nesterov : bool, default=True
        Whether the momentum is Nesterov's.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay of the averages of adam and adamax.
    epsilon : float, default=1e-8
        What adam, adamax and rmsprop add to the denominator.

    Returns
    -------
    Update
        A frozen object of the engine.
    """
    from skgroupnet.engine import SGD, Adam, AdaMax, RMSprop

    updates = {
        "adam": Adam(beta_1, beta_2, epsilon),
        "adamax": AdaMax(beta_1, beta_2, epsilon),
        "rmsprop": RMSprop(epsilon=epsilon),
        "sgd": SGD(momentum, nesterov),
    }
    return updates[solver]
