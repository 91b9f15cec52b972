"""From an estimator's parameters to the engine's update; fine-tuning."""

from dataclasses import replace

import numpy as np

from skgroupnet.estimators.sample import take_columns
from skgroupnet.pruning import prune, scatter

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


def finetuned(problem, model, settings, trained, held_out, progress):
    """Train the compact network on without the penalty, its zeros staying zero.

    Parameters
    ----------
    problem : Problem
        What was trained.
    model : Model
        How it was trained.
    settings : Settings
        How to train on.
    trained : Fit
        The result so far.
    held_out : Sample or None
        Rows to score on under early stopping.
    progress : Progress
        Who follows.

    Returns
    -------
    Fit
        The network in the shape of ``trained``, its curves going on.
    """
    from skgroupnet.engine import train

    pruned = prune(trained.network)
    columns = np.flatnonzero(pruned.kept[0])
    if len(columns) == 0:
        return trained

    def in_full(network):
        return scatter(network, pruned.kept, trained.network.widths)

    score = None if held_out is None else held_out.columns(columns).score
    # Keeping zeros takes the place of the penalty.
    (tuned,) = train(
        replace(
            problem,
            X=take_columns(problem.X, columns),
            labels=None,
            group_sizes=None,
            keep_zeros=True,
        ),
        [replace(model, start=pruned.network, score=score)],
        settings,
        progress.watch(in_full),
    )
    # The best epoch of all counts: of the fine-tuned network only if it is no worse.
    best = max(trained.scores, default=-np.inf)
    no_worse = max(tuned.scores, default=-np.inf) >= best
    ended_early = tuned.outcome in ("interrupted", "diverged")
    return replace(
        trained,
        network=in_full(tuned.network) if no_worse else trained.network,
        loss_curve=trained.loss_curve + tuned.loss_curve,
        scores=trained.scores + tuned.scores,
        outcome=tuned.outcome if ended_early else trained.outcome,
    )
