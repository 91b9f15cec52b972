"""Training of the networks: weights of rows and classes, going on, stopping early."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.class_weight import compute_sample_weight

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor
from skgroupnet.estimators.training import SOLVERS
from skgroupnet.network import ACTIVATIONS
from skgroupnet.penalties import GroupLasso, NoPenalty, SparseGroupLasso

FULL_BATCH = {"solver": "sgd", "momentum": 0.0, "batch_size": 1000, "shuffle": False}


def weights(estimator):
    """All weights and biases as one vector."""
    return np.concatenate(
        [a.ravel() for a in (*estimator.coefs_, *estimator.intercepts_)]
    )


@pytest.fixture
def classifier(epochs):
    return GroupSparseMLPClassifier((10, 6), random_state=0, **epochs(5))


@pytest.fixture
def regressor(epochs):
    return GroupSparseMLPRegressor((10,), random_state=0, **epochs(5))


# The result of a fit


def test_attributes(classifier, three_classes):
    X, y = three_classes
    classifier.fit(X, y)
    assert [w.shape for w in classifier.coefs_] == [(8, 10), (10, 6), (6, 3)]
    assert [b.shape for b in classifier.intercepts_] == [(10,), (6,), (3,)]
    assert (classifier.n_layers_, classifier.n_outputs_) == (4, 3)
    assert classifier.out_activation_ == "softmax"
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 5
    assert classifier.loss_ == classifier.loss_curve_[-1]
    assert classifier.best_loss_ == min(classifier.loss_curve_)
    assert classifier.validation_scores_ is None
    assert classifier.best_validation_score_ is None
    assert classifier.stationarity_gap_ > 0
    assert not any(w.flags.writeable for w in classifier.coefs_)


def test_a_single_width_and_no_hidden_layer(three_classes, epochs):
    X, y = three_classes
    for sizes, shapes in ((7, [(8, 7), (7, 3)]), ((), [(8, 3)]), ([], [(8, 3)])):
        classifier = GroupSparseMLPClassifier(sizes, **epochs(3)).fit(X, y)
        assert [w.shape for w in classifier.coefs_] == shapes


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_and_activations_learn(solver, activation, three_classes):
    X, y = three_classes
    classifier = GroupSparseMLPClassifier(
        (16,),
        activation,
        solver=solver,
        learning_rate="cosine",
        learning_rate_init=0.2 if solver in ("sgd", "rmda") else 0.02,
        batch_size=40,
        max_iter=60,
        tol=1e-3,
        random_state=0,
    )
    assert classifier.fit(X, y).score(X, y) > 0.9


def test_parameters_reach_the_engine(three_classes, epochs):
    X, y = three_classes
    base = GroupSparseMLPClassifier((4,), batch_size=40, random_state=0, **epochs(4))
    changes = [
        {},
        {"activation": "tanh"},
        {"penalty": "l1"},
        {"lam": 0.1},
        {"groups": [[0, 1, 2]]},
        {"penalize_bias": True, "lam": 0.2},
        {"learning_rate_init": 1e-2},
        {"learning_rate": "cosine"},
        {"learning_rate": "invscaling"},
        {"learning_rate": "invscaling", "power_t": 0.2},
        {"beta_1": 0.5},
        {"beta_2": 0.5},
        {"epsilon": 1e-2},
        {"solver": "adamax"},
        {"solver": "rmsprop"},
        {"solver": "rmda"},
        {"solver": "rmda", "momentum": 0.5},
        {"solver": "rmsprop", "epsilon": 1e-2},
        {"solver": "sgd"},
        {"solver": "sgd", "momentum": 0.5},
        {"solver": "sgd", "nesterovs_momentum": False},
        {"batch_size": 60},
        {"shuffle": False},
        {"random_state": 1},
        {"class_weight": {0: 9}},
        {"finetune_iter": 2},
    ]
    ends = [weights(clone(base).set_params(**c).fit(X, y)) for c in changes]
    for i, first in enumerate(ends):
        for second in ends[:i]:
            assert not np.allclose(first, second, rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "penalty"),
    [
        ("group_lasso", GroupLasso()),
        ("sparse_group_lasso", SparseGroupLasso()),
        ("none", None),
        (None, NoPenalty()),
    ],
)
def test_penalties_by_name_and_as_objects(classifier, three_classes, name, penalty):
    X, y = three_classes
    by_name = weights(classifier.set_params(penalty=name).fit(X, y))
    as_object = weights(classifier.set_params(penalty=penalty).fit(X, y))
    np.testing.assert_array_equal(by_name, as_object)


def test_one_seed_one_result(classifier, three_classes):
    X, y = three_classes
    before = np.random.get_state()[1].copy()
    first = weights(clone(classifier).fit(X, y))
    np.testing.assert_array_equal(weights(clone(classifier).fit(X, y)), first)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    classifier.set_params(random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(weights(classifier.fit(X, y)), first)
    assert not np.array_equal(weights(classifier.fit(X, y)), first)


def test_poisson_learns_positive_numbers(numbers):
    X, y = numbers
    y = np.random.RandomState(0).poisson(np.exp(y))
    regressor = GroupSparseMLPRegressor(
        (16,), loss="poisson", learning_rate_init=0.01, tol=1e-3, random_state=0
    )
    regressor.fit(X, y)
    assert regressor.predict(X).min() > 0
    assert regressor.score(X, y) > 0.5


# Weights of rows and classes


def test_a_weight_of_k_equals_k_copies(regressor, numbers):
    X, y = numbers
    weight = np.arange(len(X)) % 3
    repeated = clone(regressor).set_params(batch_size=1000)
    with pytest.warns(UserWarning, match="batch_size=1000 is larger than the 199 rows"):
        repeated.fit(X.repeat(weight, axis=0), y.repeat(weight))
    with pytest.warns(UserWarning, match="larger than the 133 rows"):
        regressor.set_params(batch_size=1000).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(weights(regressor), weights(repeated), rtol=1e-9)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_a_row_of_weight_zero_changes_nothing(
    classifier, three_classes, early_stopping
):
    X, y = three_classes
    weight = np.random.RandomState(0).uniform(0.5, 2, size=len(X))
    weight[::3] = 0
    kept = weight > 0
    classifier.set_params(batch_size=32, early_stopping=early_stopping)
    alone = weights(clone(classifier).fit(X[kept], y[kept], weight[kept]))
    X, y = X.copy(), y.copy()
    X[~kept], y[~kept] = 7, 99
    classifier.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weights(classifier), alone)
    np.testing.assert_array_equal(classifier.classes_, [0, 1, 2])


def test_only_the_ratio_of_weights_counts(classifier, three_classes):
    X, y = three_classes
    plain = weights(clone(classifier).fit(X, y))
    equal = weights(clone(classifier).fit(X, y, sample_weight=np.full(len(X), 3)))
    np.testing.assert_array_equal(equal, plain)
    weight = np.linspace(1, 2, len(X))
    once = weights(clone(classifier).fit(X, y, sample_weight=weight))
    tenfold = weights(clone(classifier).fit(X, y, sample_weight=10 * weight))
    np.testing.assert_allclose(tenfold, once, rtol=1e-9)
    assert not np.allclose(once, plain)


@pytest.mark.parametrize("class_weight", ["balanced", {"no": 5.0}, {"no": 2, "yes": 3}])
@pytest.mark.parametrize("weighted", [False, True])
def test_class_weights_multiply_the_weights_of_rows(
    classifier, two_classes, class_weight, weighted
):
    X, y = (part[:100] for part in two_classes)
    weight = 1 + np.arange(len(X)) % 2 if weighted else np.ones(len(X), int)
    product = weight * compute_sample_weight(
        class_weight if class_weight != "balanced" else None, y
    )
    if class_weight == "balanced":
        for label in np.unique(y):
            product[y == label] /= weight[y == label].sum()
    expected = weights(clone(classifier).fit(X, y, sample_weight=product))
    classifier.set_params(class_weight=class_weight)
    classifier.fit(X, y, sample_weight=weight if weighted else None)
    np.testing.assert_allclose(weights(classifier), expected, rtol=1e-9)


# Going on


def test_warm_start_goes_on_from_the_weights(three_classes, epochs):
    X, y = three_classes
    model = GroupSparseMLPClassifier((10,), random_state=0, **FULL_BATCH)
    model.set_params(batch_size=len(X), warm_start=True)
    twice = clone(model).set_params(**epochs(4)).fit(X, y)
    curve = twice.loss_curve_
    twice.fit(X, y)
    once = model.set_params(**epochs(8)).fit(X, y)
    np.testing.assert_allclose(weights(twice), weights(once), rtol=1e-9)
    assert twice.n_iter_ == 4
    np.testing.assert_allclose(curve + twice.loss_curve_, once.loss_curve_)


def test_warm_start_keeps_the_dtype_and_the_columns(classifier, three_classes):
    X, y = three_classes
    classifier.set_params(warm_start=True).fit(X.astype("f4"), y)
    classifier.fit(X, y)
    assert classifier.coefs_[0].dtype == np.float32
    with pytest.raises(ValueError, match="7 features.*expecting 8 features"):
        classifier.fit(X[:, :7], y)
    classifier.set_params(hidden_layer_sizes=(10, 7))
    with pytest.raises(ValueError, match=r"started with, \(10, 6\), .* is \(10, 7\)"):
        classifier.fit(X, y)
    assert classifier.set_params(warm_start=False).fit(X[:, :7], y).n_features_in_ == 7


def test_warm_start_needs_the_same_classes(classifier, three_classes):
    X, y = three_classes
    classifier.set_params(warm_start=True).fit(X, y).fit(X[y > 0], y[y > 0])
    assert classifier.coefs_[-1].shape == (6, 3)
    with pytest.raises(ValueError, match=r"classes \[3\] that are not among"):
        classifier.fit(X, y + 1)


@pytest.mark.parametrize("solver", SOLVERS)
def test_partial_fits_equal_one_fit(classifier, three_classes, solver, epochs):
    X, y = three_classes
    classifier.set_params(solver=solver, batch_size=50, learning_rate="cosine")
    step_by_step = clone(classifier)
    for _ in range(5):
        step_by_step.partial_fit(X, y, classes=[2, 1, 0])
    classifier.fit(X, y)
    np.testing.assert_array_equal(weights(step_by_step), weights(classifier))
    assert step_by_step.loss_curve_ == classifier.loss_curve_
    assert step_by_step.n_iter_ == 5
    assert not hasattr(step_by_step, "stationarity_gap_")
    state = step_by_step._optimizer_state
    assert all(isinstance(value, np.ndarray) for value in state.values())
    assert classifier._optimizer_state is None


def test_partial_fit_of_numbers_and_weights(regressor, numbers):
    X, y = numbers
    weight = np.linspace(1, 2, len(X))
    step_by_step = clone(regressor)
    for _ in range(5):
        step_by_step.partial_fit(X, y, sample_weight=weight)
    regressor.fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(weights(step_by_step), weights(regressor))


def test_partial_fit_takes_batches_that_lack_classes(classifier, three_classes):
    X, y = three_classes
    classifier.partial_fit(X[y == 1], y[y == 1], classes=[0, 1, 2])
    np.testing.assert_array_equal(classifier.classes_, [0, 1, 2])
    classifier.partial_fit(X[y == 0], y[y == 0])
    classifier.partial_fit(X, y, classes=[2, 0, 1])
    assert classifier.predict_proba(X).shape == (len(X), 3)


def test_partial_fit_of_labels(classifier, labels):
    X, y = labels
    classifier.partial_fit(X, y).partial_fit(X, y)
    given = clone(classifier).partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    np.testing.assert_array_equal(weights(classifier), weights(given))
    sparse = clone(classifier).partial_fit(X, csr_array(y)).partial_fit(X, y)
    np.testing.assert_array_equal(weights(classifier), weights(sparse))


def test_partial_fit_goes_on_after_fit(classifier, three_classes):
    X, y = three_classes
    classifier.fit(X, y).partial_fit(X, y)
    assert classifier.n_iter_ == len(classifier.loss_curve_) == 6


@pytest.mark.parametrize(
    "change",
    [{"solver": "sgd"}, {"penalty": "l1"}, {"groups": [[0, 1]]}, {"beta_1": 0.5}],
)
def test_partial_fit_with_another_setting(classifier, three_classes, change):
    X, y = three_classes
    classifier.partial_fit(X, y, classes=[0, 1, 2])
    classifier.set_params(**change).partial_fit(X, y)
    assert np.isfinite(weights(classifier)).all()


@pytest.mark.parametrize("learning_rate", ["constant", "invscaling", "adaptive"])
@pytest.mark.parametrize("solver", ["adam", "adamax", "rmsprop", "sgd"])
def test_a_rate_set_between_partial_fits(
    classifier, three_classes, solver, learning_rate
):
    X, y = three_classes
    classifier.set_params(solver=solver, learning_rate=learning_rate)
    classifier.partial_fit(X, y, classes=[0, 1, 2])
    before = weights(classifier)
    classifier.set_params(learning_rate_init=1e-12).partial_fit(X, y)
    np.testing.assert_allclose(weights(classifier), before, atol=1e-6)


CHANGES = [
    ({}, {"epsilon": 1e3}),
    ({}, {"beta_1": 0.1}),
    ({}, {"beta_2": 0.5}),
    ({}, {"lam": 0.1}),
    ({}, {"penalty": "group_mcp"}),
    ({}, {"batch_size": 10}),
    ({}, {"learning_rate": "invscaling"}),
    ({"learning_rate": "invscaling"}, {"power_t": 0.1}),
    ({"learning_rate": "cosine"}, {"max_iter": 3}),
    ({"solver": "rmsprop"}, {"epsilon": 1e3}),
    ({"solver": "adamax"}, {"epsilon": 1e3}),
    ({"solver": "sgd", "momentum": 0}, {"momentum": 0.9}),
    ({"solver": "sgd"}, {"momentum": 0}),
    ({"solver": "sgd"}, {"nesterovs_momentum": False}),
    ({"solver": "rmda"}, {"momentum": 0.1}),
]


@pytest.mark.parametrize(("first", "change"), CHANGES)
def test_settings_changed_between_partial_fits_take_effect(
    classifier, three_classes, first, change
):
    X, y = three_classes
    classifier.set_params(**first).partial_fit(X, y, classes=[0, 1, 2])
    same = clone(classifier).partial_fit(X, y, classes=[0, 1, 2]).partial_fit(X, y)
    other = classifier.set_params(**change).partial_fit(X, y)
    assert np.abs(weights(other) - weights(same)).max() > 1e-6
    assert np.isfinite(weights(other)).all()


# Stopping early


def test_early_stopping_keeps_the_best_epoch(three_classes):
    X, y = three_classes
    X_val, y_val, weight = X[160:], y[160:], np.linspace(1, 2, 80)
    classifier = GroupSparseMLPClassifier(
        (8,),
        learning_rate_init=0.03,
        early_stopping=True,
        n_iter_no_change=5,
        random_state=0,
    )
    classifier.fit(X[:160], y[:160], X_val=X_val, y_val=y_val, sample_weight_val=weight)
    scores = classifier.validation_scores_
    assert len(scores) == classifier.n_iter_ < 200
    assert classifier.best_validation_score_ == max(scores)
    assert scores[-1] <= max(scores)
    assert classifier.score(X_val, y_val, sample_weight=weight) == max(scores)
    assert classifier.best_loss_ is None


def test_early_stopping_scores_numbers_with_r2(regressor, numbers):
    X, y = numbers
    regressor.set_params(early_stopping=True)
    regressor.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert regressor.score(X[:50], y[:50]) == regressor.best_validation_score_


def test_held_out_rows_are_not_trained_on(classifier, three_classes):
    X, y = three_classes
    classifier.set_params(early_stopping=True, validation_fraction=0.2)
    classifier.fit(X, y)
    assert len(classifier.validation_scores_) == classifier.n_iter_
    # An accuracy on 48 rows.
    assert {48 * score % 1 for score in classifier.validation_scores_} == {0}
    assert not np.array_equal(
        weights(clone(classifier).set_params(early_stopping=False).fit(X, y)),
        weights(classifier),
    )


def test_scores_of_the_last_fit_are_forgotten(classifier, three_classes):
    X, y = three_classes
    classifier.set_params(early_stopping=True).fit(X, y)
    classifier.set_params(early_stopping=False).fit(X, y)
    assert classifier.validation_scores_ is None


# Training that ends in an unusual way


def test_max_iter_warns(classifier, three_classes):
    X, y = three_classes
    with pytest.warns(ConvergenceWarning, match="max_iter=3 iterations"):
        classifier.set_params(max_iter=3).fit(X, y)
    assert classifier.n_iter_ == 3


def test_a_cosine_plans_to_end_at_max_iter(classifier, three_classes):
    X, y = three_classes
    classifier.set_params(max_iter=3, learning_rate="cosine").fit(X, y)
    assert classifier.n_iter_ == 3


def test_divergence_keeps_the_last_finite_network(regressor, numbers):
    X, y = numbers
    regressor.set_params(solver="sgd", learning_rate_init=1e3, max_iter=50, tol=0)
    with pytest.warns(ConvergenceWarning, match="stopped being finite.*Scale"):
        regressor.fit(X, 1e3 * y)
    assert np.isfinite(weights(regressor)).all()
    assert np.isfinite(regressor.predict(X)).all()
    assert np.isfinite(regressor.best_loss_)


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize("activation", ["relu", "relu2", "identity"])
def test_divergence_keeps_finite_predictions(regressor, activation, early_stopping):
    # The weights are finite one epoch longer than what the network predicts.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)) * 1e6, rng.normal(size=200) * 1e6
    regressor.set_params(
        hidden_layer_sizes=(10,),
        activation=activation,
        solver="sgd",
        learning_rate_init=1e-3,
        max_iter=30,
        early_stopping=early_stopping,
    )
    with pytest.warns(ConvergenceWarning, match="last network with finite pred"):
        regressor.fit(X, y)
    assert np.isfinite(regressor.predict(X)).all()


def test_a_fit_that_ends_before_its_loss_overflows_has_diverged(regressor):
    # Its last step makes the predictions infinite; no epoch follows to tell.
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 5)) * 1e6, rng.normal(size=200) * 1e6
    settings = {"activation": "relu2", "solver": "sgd", "learning_rate_init": 1e-3}
    regressor.set_params(hidden_layer_sizes=(10,), max_iter=2, **settings)
    with pytest.warns(ConvergenceWarning, match="stopped being finite in iteration 2"):
        regressor.fit(X, y)
    assert np.isfinite(regressor.loss_curve_).all()
    assert np.isfinite(regressor.predict(X)).all()


def test_divergence_in_partial_fit(regressor, numbers):
    X, y = numbers
    regressor.set_params(solver="sgd", learning_rate_init=1e3)
    with pytest.warns(ConvergenceWarning, match="stopped being finite"):
        for _ in range(50):
            regressor.partial_fit(X, 1e3 * y)
            assert np.isfinite(regressor.predict(X)).all()
    assert np.isfinite(weights(regressor)).all()


@pytest.mark.parametrize("sample_weight", [None, np.linspace(1, 3, 240)])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_an_empty_network_names_lam_max(three_classes, sample_weight, early_stopping):
    X, y = three_classes
    classifier = GroupSparseMLPClassifier(
        (4,),
        lam=1.0,
        learning_rate_init=0.05,
        early_stopping=early_stopping,
        random_state=0,
    )
    with pytest.warns(ConvergenceWarning, match=r"with lam=1 .* lam_max=0\.\d+ on"):
        classifier.fit(X, y, sample_weight)
    assert classifier.n_active_neurons_ == classifier.n_active_features_ == 0
    assert np.ptp(classifier.predict_proba(X), axis=0).max() == 0


def test_lam_max_is_that_of_the_rows_that_are_trained_on(three_classes):
    X, y = three_classes
    classifier = GroupSparseMLPClassifier(
        (4,), lam=1.0, learning_rate_init=0.05, validation_fraction=0.5, random_state=0
    )
    lam_max = []
    for early_stopping in (False, True):
        classifier.set_params(early_stopping=early_stopping)
        with pytest.warns(ConvergenceWarning) as record:
            classifier.fit(X, y)
        lam_max.append(str(record[0].message).split("lam_max=")[1].split()[0])
    assert lam_max[0] != lam_max[1]


def test_one_warning_about_scales(classifier, three_classes):
    X, y = three_classes
    X = X * ([1e5] + 7 * [1.0])
    with pytest.warns(UserWarning, match="differ in scale") as record:
        classifier.set_params(warm_start=True).fit(X, y)
    assert len(record) == 1
    classifier.fit(X, y)
    with pytest.warns(UserWarning, match="differ in scale") as record:
        fresh = clone(classifier).partial_fit(X, y, classes=[0, 1, 2])
        fresh.partial_fit(X, y)
    assert len(record) == 1


def test_verbose_prints_one_line_per_epoch(classifier, three_classes, capsys):
    X, y = three_classes
    classifier.set_params(verbose=True, finetune_iter=2).fit(X, y)
    report, *lines = capsys.readouterr().out.splitlines()
    assert report.startswith("Steps ")
    assert len(lines) == classifier.n_iter_ == 7
    assert lines[0] == f"Iteration 1, loss = {classifier.loss_curve_[0]:.8f}"
    assert lines[6].startswith("Iteration 7, ")
    classifier.set_params(early_stopping=True, finetune_iter=0).fit(X, y)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.endswith(f", score = {classifier.validation_scores_[-1]:.6f}")
    classifier.set_params(early_stopping=False).partial_fit(X, y)
    assert capsys.readouterr().out.startswith("Iteration 6, loss")
    classifier.set_params(verbose=False).fit(X, y)
    assert capsys.readouterr().out == ""
