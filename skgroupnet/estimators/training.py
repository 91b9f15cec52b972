"""From an estimator's parameters to the engine's update."""

from functools import partial

SOLVERS = ("adam", "adamax", "rmsprop", "sgd", "rmda")


def make_update(
    solver, momentum=0.9, nesterov=True, beta_1=0.9, beta_2=0.999, epsilon=1e-8
):
    """Make the update of a stochastic solver.

    Parameters
    ----------
    solver : {"adam", "adamax", "rmsprop", "sgd", "rmda"}
        Name of the solver.
    momentum : float, default=0.9
        Momentum of sgd and rmda.
    nesterov : bool, default=True
        Whether the momentum of sgd is Nesterov's.
    beta_1, beta_2 : float, default=0.9 and 0.999
        Decay of the averages of adam and adamax.
    epsilon : float, default=1e-8
        What adam, adamax and rmsprop add to the denominator.

    Returns
    -------
    Update
        A frozen object of the engine.

    Raises
    ------
    ValueError
        If the momentum of rmda is 1, with which it would never move.
    """
    from skgroupnet.engine import RMDA, SGD, Adam, AdaMax, RMSprop

    updates: dict = {
        "adam": partial(Adam, beta_1, beta_2, epsilon),
        "adamax": partial(AdaMax, beta_1, beta_2, epsilon),
        "rmsprop": partial(RMSprop, epsilon=epsilon),
        "sgd": partial(SGD, momentum, nesterov),
        "rmda": partial(RMDA, momentum),
    }
    return updates[solver]()
