"""How training ends: interrupted, diverged, stopped by a watch, by a score."""

import itertools
from dataclasses import replace

import numpy as np
import pytest

from skgroupnet import config_context
from skgroupnet.engine import SGD, Adam, AdaMax, Problem, RMSprop, Settings, train
from skgroupnet.engine.shrinkage import Shrinkage
from skgroupnet.penalties import NoPenalty

UPDATES = [Adam(), AdaMax(), RMSprop(), SGD(0.0), SGD(0.9, False), SGD(0.9, True)]
every_update = pytest.mark.parametrize("update", UPDATES, ids=repr)
WIDTHS = (5, 6, 3)


def _settings(update=None, **changes):
    values = {"batch_size": 16, "max_iter": 6, "tol": 0.0, "n_iter_no_change": np.inf}
    return Settings(update or Adam(), **(values | changes))


@pytest.mark.parametrize("where", ["watch", "score"])
def test_interrupt_after_an_epoch_keeps_it(where, problem, model, flat):
    epochs = itertools.count(1)

    def interrupted(argument):
        epoch = next(epochs)
        if epoch == 3:
            raise KeyboardInterrupt
        return epoch if where == "score" else False

    if where == "watch":
        (fit,) = train(problem, [model()], _settings(), interrupted)
        (expected,) = train(problem, [model()], _settings(max_iter=3))
    else:
        (fit,) = train(problem, [model(score=interrupted)], _settings())
        # The third epoch has no score: the best known network is the second's.
        (expected,) = train(problem, [model()], _settings(max_iter=2))
    assert fit.outcome == "interrupted"
    np.testing.assert_array_equal(flat(fit.network), flat(expected.network))
    assert fit.loss_curve[: expected.n_iter] == expected.loss_curve


def test_interrupt_within_an_epoch_keeps_the_last_whole_one(
    problem, model, flat, monkeypatch
):
    apply, steps = Shrinkage.apply, []

    def interrupted(self, *args, **kwargs):
        apply(self, *args, **kwargs)
        steps.append(1)
        if len(steps) == 10:
            raise KeyboardInterrupt

    with config_context(step="torch"):
        monkeypatch.setattr(Shrinkage, "apply", interrupted)
        # Sixty rows make four batches of sixteen an epoch.
        (fit,) = train(problem, [model()], _settings())
        monkeypatch.undo()
        (expected,) = train(problem, [model()], _settings(max_iter=2))
    assert (fit.outcome, fit.n_iter) == ("interrupted", 2)
    np.testing.assert_array_equal(flat(fit.network), flat(expected.network))
    assert fit.loss_curve == expected.loss_curve


def test_interrupt_ends_all_stacks(problem, model, flat):
    def watch(epoch):
        raise KeyboardInterrupt

    models = [model(), model(rows=np.arange(20))]
    fits = train(problem, models, _settings(), watch)
    models = [model(), model(rows=np.arange(20))]
    once = train(problem, models, _settings(max_iter=1))
    for fit, expected in zip(fits, once, strict=True):
        assert (fit.outcome, fit.n_iter) == ("interrupted", 1)
        np.testing.assert_array_equal(flat(fit.network), flat(expected.network))


@every_update
def test_a_loss_that_overflows_ends_with_a_finite_network(
    update, draw, random_network, make_model, flat
):
    X, y = draw("squared_error")
    start = random_network("squared_error", WIDTHS, "relu")
    problem = Problem(X, y, "squared_error", NoPenalty())
    (fit,) = train(problem, [make_model(start, rate=1e200)], _settings(update))
    assert fit.outcome == "diverged"
    assert fit.n_iter < 6
    assert not np.isfinite(fit.loss_curve[-1])
    assert np.isfinite(fit.loss_curve[:-1]).all()
    assert np.isfinite(flat(fit.network)).all()


@pytest.mark.parametrize("keep_zeros", [False, True])
def test_the_last_finite_network_is_kept(keep_zeros, problem, model, flat, monkeypatch):
    # With fixed zeros there is no penalty, whose value would show the nan, too.
    problem = replace(problem, keep_zeros=keep_zeros)
    apply, steps = Shrinkage.apply, []

    def spoiled(self, *args, **kwargs):
        apply(self, *args, **kwargs)
        steps.append(1)
        if len(steps) == 12:
            self._stack.flat[0, 3] = np.nan

    with config_context(step="torch"):
        monkeypatch.setattr(Shrinkage, "apply", spoiled)
        (fit,) = train(problem, [model()], _settings())
        monkeypatch.undo()
        (expected,) = train(problem, [model()], _settings(max_iter=2))
    assert (fit.outcome, fit.n_iter) == ("diverged", 3)
    np.testing.assert_array_equal(flat(fit.network), flat(expected.network))


def test_watch_sees_every_epoch_and_stops(problem, model, flat):
    seen = []

    def watch(epoch):
        seen.append(epoch)
        networks.append(flat(epoch.network(0)))
        return epoch.n_iter == 4

    networks = []
    stopping = _settings(n_iter_no_change=1, tol=1e-6)
    fits = train(problem, [model(), model(rate=1e-12)], stopping, watch)
    assert [fit.outcome for fit in fits] == ["stopped", "converged"]
    assert [epoch.n_iter for epoch in seen] == [1, 2, 3, 4]
    assert [epoch.losses[0] for epoch in seen] == fits[0].loss_curve
    assert [epoch.losses[1] for epoch in seen][:3] == fits[1].loss_curve
    assert np.isnan(seen[3].losses[1])
    assert all(epoch.scores is None for epoch in seen)
    assert [tuple(epoch.running) for epoch in seen] == [
        (True, True), (True, True), (True, False), (True, False)
    ]  # fmt: skip
    np.testing.assert_array_equal(networks[-1], flat(fits[0].network))


def test_no_model_goes_on_after_the_last_epoch(problem, model):
    running = []
    train(
        problem, [model()], _settings(max_iter=2), lambda e: running.append(e.running)
    )
    assert [r.tolist() for r in running] == [[True], [False]]


def test_score_keeps_the_network_of_the_best_epoch(problem, model, flat):
    values, networks = [0.1, 0.3, 0.7, 0.7, 0.2, 0.6, 0.1], []
    scores = iter(values)

    def score(network):
        networks.append(flat(network))
        return next(scores)

    seen = []
    settings = _settings(n_iter_no_change=2, max_iter=9)
    watch = lambda epoch: seen.append(float(epoch.scores[0]))  # noqa: E731
    (fit,) = train(problem, [model(score=score)], settings, watch)
    assert fit.outcome == "converged"
    # With tol = 0 a tie is patience regained, but no better network.
    assert fit.scores == seen == values
    np.testing.assert_array_equal(flat(fit.network), networks[2])
