"""Training: the objective, weights, resuming, and every way in which it ends."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skgroupnet.engine import (
    LOSSES,
    SGD,
    Adam,
    AdaMax,
    Problem,
    RMSprop,
    Settings,
    train,
)
from skgroupnet.penalties import (
    PENALTIES,
    GroupLasso,
    NoPenalty,
    SparseGroupLasso,
    get_penalty,
)

UPDATES = [Adam(), AdaMax(), RMSprop(), SGD(0.0), SGD(0.9, False), SGD(0.9, True)]
every_update = pytest.mark.parametrize("update", UPDATES, ids=repr)
WIDTHS = (5, 6, 3)


def _settings(update=None, **changes):
    values = {"batch_size": 16, "max_iter": 6, "tol": 0.0, "n_iter_no_change": np.inf}
    return Settings(update or Adam(), **(values | changes))


@pytest.mark.parametrize("loss", LOSSES)
def test_curve_is_the_documented_objective(
    loss, draw, random_network, make_model, full_batch, objective, tensors
):
    X, y = draw(loss)
    labels = np.array([0, 1, 0, -1, 1])
    start = random_network(loss, (5, 4, 3))
    weight = np.random.RandomState(0).randint(0, 3, len(X))
    problem = Problem(X, y, loss, SparseGroupLasso(0.5), labels, penalize_bias=True)
    model = make_model(start, 0.03, rate=0.0, row_weight=weight)
    (fit,) = train(problem, [model], full_batch(SGD(0.0)))
    value = objective(tensors(start), X, y, loss, "tanh", weight).item()
    first, second = start.weights
    parts = [first[[0, 2]], first[[1, 4]], *second, *np.concatenate(start.biases)]
    for part in map(np.asarray, parts):
        value += 0.03 * np.sqrt(part.size) * np.linalg.norm(part)
        value += 0.03 * 0.5 * np.abs(part).sum()
    assert fit.loss_curve == pytest.approx([value], rel=1e-13)


def test_penalty_of_the_curve_is_that_of_the_end_of_the_epoch(problem, model):
    settings = _settings(SGD(0.0), batch_size=60, max_iter=1)
    (fit,) = train(problem, [model(lam=0.0)], settings)
    (penalised,) = train(problem, [model(lam=0.1)], settings)
    rows = [row for w in penalised.network.weights for row in w]
    penalty = 0.1 * sum(np.sqrt(r.size) * np.linalg.norm(r) for r in rows)
    expected = fit.loss_curve[0] + penalty
    assert penalised.loss_curve == pytest.approx([expected], rel=1e-13)


@every_update
@pytest.mark.parametrize("penalty", PENALTIES)
def test_weights_are_repetitions_in_full_batch(
    update, penalty, draw, random_network, make_model, full_batch, flat
):
    X, y = draw("cross_entropy")
    weight = np.random.RandomState(0).randint(0, 4, len(X))
    start = random_network("cross_entropy", WIDTHS)
    rows = np.repeat(np.arange(len(X)), weight)
    arguments = "cross_entropy", get_penalty(penalty)
    settings = full_batch(update, max_iter=20)
    model = make_model(start, 0.02, 0.02, row_weight=0.7 * weight)
    (weighted,) = train(Problem(X, y, *arguments), [model], settings)
    model = make_model(start, 0.02, 0.02)
    (repeated,) = train(Problem(X[rows], y[rows], *arguments), [model], settings)
    np.testing.assert_allclose(
        flat(weighted.network), flat(repeated.network), rtol=1e-8, atol=1e-10
    )
    np.testing.assert_allclose(weighted.loss_curve, repeated.loss_curve, rtol=1e-10)


def test_a_row_of_weight_zero_changes_nothing(draw, random_network, make_model, flat):
    X, y = draw("squared_error", n=83)
    weight = np.random.RandomState(0).randint(0, 3, len(X)).astype(float)
    start = random_network("squared_error", WIDTHS)

    def run(X, y, **settings):
        problem = Problem(X, y, "squared_error", GroupLasso())
        model = make_model(start, 0.02, 0.01, **settings)
        return train(problem, [model], _settings())[0]

    plain = run(X, y, row_weight=weight)
    moved, used = X.copy(), weight > 0
    moved[~used] = 1e300
    fits = [
        run(moved, y, row_weight=weight),
        run(X[used], y[used], row_weight=weight[used]),
        run(X, y, row_weight=5 * weight),
        run(X, y, row_weight=weight, rows=np.flatnonzero(used)),
    ]
    for fit in fits:
        np.testing.assert_allclose(flat(fit.network), flat(plain.network), rtol=1e-11)
    # Equal weights are no weights.
    np.testing.assert_array_equal(
        flat(run(X, y, row_weight=np.full(83, 3.0)).network), flat(run(X, y).network)
    )


@every_update
@pytest.mark.parametrize("schedule", ["constant", "invscaling", "adaptive"])
def test_resumed_training_is_uninterrupted_training(
    update, schedule, problem, model, flat
):
    settings = _settings(update, learning_rate=schedule)
    ten = replace(settings, max_iter=10)
    (whole,) = train(problem, [model()], ten)
    random_state = np.random.RandomState(0)
    first_half = replace(model(), random_state=random_state)
    five = replace(settings, max_iter=5)
    (half,) = train(problem, [first_half], five)
    second_half = replace(
        model(), start=half.network, state=half.state, random_state=random_state
    )
    (rest,) = train(problem, [second_half], five)
    np.testing.assert_array_equal(flat(rest.network), flat(whole.network))
    assert half.loss_curve + rest.loss_curve == whole.loss_curve
    assert rest.state.keys() == whole.state.keys()
    for name, value in rest.state.items():
        assert isinstance(value, np.ndarray)
        np.testing.assert_array_equal(value, whole.state[name])


def test_a_lowered_rate_is_part_of_the_state(problem, model):
    settings = _settings(
        SGD(0.0), learning_rate="adaptive", tol=10.0, n_iter_no_change=1, max_iter=5
    )
    (half,) = train(problem, [model()], settings)
    # The first epoch improves on infinity; the rate is divided after two more, twice.
    assert half.outcome == "max_iter"
    assert half.state["rate"] == pytest.approx(0.02 / 25)
    resumed = replace(model(), start=half.network, state=half.state)
    (rest,) = train(problem, [resumed], settings)
    assert rest.state["rate"] == pytest.approx(0.02 / 25 / 25)


@every_update
def test_state_of_a_fit_is_not_touched_by_another(update, problem, model):
    (fit,) = train(problem, [model()], _settings(update))
    before = {name: value.copy() for name, value in fit.state.items()}
    resumed = replace(model(), start=fit.network, state=fit.state)
    train(problem, [resumed], _settings(update))
    for name, value in fit.state.items():
        np.testing.assert_array_equal(value, before[name])


def test_objective_falls_and_rows_vanish(problem, model):
    settings = _settings(max_iter=150, batch_size=60)
    weak, strong, empty = train(
        problem, [model(0.0, 0.05), model(0.03, 0.05), model(3.0, 0.05)], settings
    )
    assert all(fit.loss_curve[-1] < fit.loss_curve[0] for fit in (weak, strong, empty))
    assert all(weight.all() for weight in weak.network.weights)
    rows = strong.network.weights[0]
    kept = rows.any(axis=1)
    assert 0 < kept.sum() < len(kept)
    assert rows[kept].all()
    assert not any(weight.any() for weight in empty.network.weights)
    assert empty.network.biases[-1].all()


def test_global_generators_are_left_alone(problem, model):
    np.random.seed(3)
    torch.manual_seed(3)
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    (first,) = train(problem, [model(seed=1)], _settings())
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    np.random.seed(4)
    torch.manual_seed(4)
    (second,) = train(problem, [model(seed=1)], _settings())
    assert first.loss_curve == second.loss_curve
    (other,) = train(problem, [model(seed=2)], _settings())
    assert first.loss_curve != other.loss_curve


def test_inference_mode_stays_inside(problem, model):
    (fit,) = train(problem, [model()], _settings())
    assert not torch.is_inference_mode_enabled()
    assert all(isinstance(w, np.ndarray) for w in fit.network.weights)


@every_update
@pytest.mark.parametrize("penalize_bias", [False, True])
def test_zeros_stay_where_they_are_fixed(
    update, penalize_bias, problem, model, random_network, flat
):
    start = random_network("cross_entropy", WIDTHS)
    rng = np.random.RandomState(0)
    weights = tuple(w * (rng.rand(*w.shape) > 0.5) for w in start.weights)
    biases = (start.biases[0] * [0, 1, 1, 0, 1, 1], start.biases[1])
    start = replace(start, weights=weights, biases=biases)
    tuned = replace(problem, keep_zeros=True, penalize_bias=penalize_bias)
    # The first one hardly moves, and ends before the others.
    models = [model(rate=1e-12), model(lam=5.0), model()]
    many = [replace(each, start=start) for each in models]
    fits = train(tuned, many, _settings(update, n_iter_no_change=1, tol=1e-6))
    for fit in fits:
        for before, after in zip(weights, fit.network.weights, strict=True):
            np.testing.assert_array_equal(before == 0, after == 0)
        still = fit.network.biases[0][[0, 3]] == 0
        assert still.all() == penalize_bias
    # There is no penalty: its strength does not matter.
    np.testing.assert_array_equal(flat(fits[1].network), flat(fits[2].network))
    assert fits[0].n_iter < fits[1].n_iter


def test_group_sizes_keep_the_strength_of_a_pruned_network(
    problem, random_network, make_model, full_batch
):
    """Rows and columns that are zero may be cut out, if the sizes are given."""
    start = random_network("cross_entropy", WIDTHS)
    used, units = np.array([0, 2, 3]), np.array([1, 2, 4, 5])
    first, second = start.weights[0].copy(), start.weights[1].copy()
    first[[1, 4]], first[:, [0, 3]], second[[0, 3]] = 0, 0, 0
    cut = replace(
        start,
        weights=(first[np.ix_(used, units)], second[units]),
        biases=(start.biases[0][units], start.biases[1]),
    )
    full = replace(start, weights=(first, second))
    labels = np.array([0, 1, 0, -1, 1])
    compact = replace(
        problem,
        X=problem.X[:, used],
        labels=labels[used],
        group_sizes=(np.array([12, 12, 1]), np.full(4, 3)),
    )
    whole = replace(problem, labels=labels)
    values = [
        train(p, [make_model(s, 0.05, rate=0.0)], full_batch(SGD(0.0)))[0].loss_curve
        for p, s in ((whole, full), (compact, cut))
    ]
    assert values[0] == pytest.approx(values[1], rel=1e-13)
    uncounted = replace(compact, group_sizes=None)
    (fit,) = train(uncounted, [make_model(cut, 0.05, rate=0.0)], full_batch(SGD(0.0)))
    assert fit.loss_curve != pytest.approx(values[0], rel=1e-3)


def test_unpenalised_features_and_biases_keep_their_weights(
    problem, random_network, make_model, full_batch
):
    labels = np.array([0, -1, 1, -3, 0])
    start = random_network("cross_entropy", (5, 3))
    strong = replace(problem, labels=labels)
    (fit,) = train(strong, [make_model(start, 9.0)], full_batch(Adam(), max_iter=50))
    assert fit.network.weights[0].any(axis=1).tolist() == (labels < 0).tolist()
    assert fit.network.biases[0].all()
    (fit,) = train(
        replace(strong, penalize_bias=True),
        [make_model(start, 9.0)],
        full_batch(Adam(), max_iter=50),
    )
    assert not fit.network.biases[0].any()


def test_fixed_biases_stay(problem, model):
    fixed = replace(problem, fit_intercept=False)
    (fit,) = train(fixed, [model(lam=0.0)], _settings())
    start = model().start
    for before, after in zip(start.biases, fit.network.biases, strict=True):
        np.testing.assert_array_equal(before, after)
    assert (fit.network.weights[0] != start.weights[0]).all()


@pytest.mark.parametrize("hidden", [(), (4,)])
def test_without_columns_the_biases_are_trained(
    hidden, draw, random_network, make_model
):
    X, y = draw("squared_error", n=50)
    start = random_network("squared_error", (0, *hidden, 3))
    problem = Problem(X[:, :0], y, "squared_error", GroupLasso())
    settings = _settings(Adam(), batch_size=50, max_iter=400)
    (fit,) = train(problem, [make_model(start, 0.01, rate=0.05)], settings)
    assert fit.network.widths == (0, *hidden, 3)
    np.testing.assert_allclose(fit.network.raw(X[:1, :0])[0], y.mean(0), atol=0.05)


def test_one_row_and_one_output(draw, random_network, make_model):
    X, y = draw("log_loss", n=1, k=1)
    start = random_network("log_loss", (5, 4, 1))
    problem = Problem(X, y, "log_loss", GroupLasso())
    (fit,) = train(problem, [make_model(start, 1e-3)], _settings(max_iter=30))
    assert fit.loss_curve[-1] < fit.loss_curve[0]


def test_strength_zero_is_no_penalty(problem, model, flat):
    (zero,) = train(problem, [model(lam=0.0)], _settings(SGD()))
    none = replace(problem, penalty=NoPenalty())
    (without,) = train(none, [model(lam=1.0)], _settings(SGD()))
    np.testing.assert_allclose(flat(zero.network), flat(without.network), rtol=1e-12)


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((4, 3), np.float64, "with 4 inputs cannot be trained on X .* with 5 columns"),
        ((5, 3), np.float32, "of float32 .* cannot be trained on X of float64"),
        ((5, 2), np.float64, "with 2 outputs does not fit y with 3"),
    ],
)
@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_a_network_that_does_not_fit(
    loss, shape, dtype, message, draw, zeros, make_model
):
    problem = Problem(*draw(loss), loss, GroupLasso())
    with pytest.raises(ValueError, match=message):
        train(problem, [make_model(zeros(loss, shape, dtype))], Settings(SGD()))


def test_one_model_does_not_ask_for_threads(problem, model, monkeypatch):
    """Asking takes a tenth of a small fit."""
    asked = []
    monkeypatch.setattr(
        "skgroupnet.engine.stochastic.available_threads", lambda: asked.append(1) or 1
    )
    train(problem, [model()], _settings())
    assert not asked
    train(problem, [model(seed=0), model(seed=1)], _settings())
    assert asked
