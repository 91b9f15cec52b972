"""The adaptive group lasso: two fits in one, the first one makes the weights."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV

from skgroupnet import (
    GroupSparseLinearRegression,
    GroupSparseLogisticRegression,
    GroupSparseLogisticRegressionCV,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path
from skgroupnet.model_selection.together import Fitting, fit_together
from skgroupnet.penalties import AdaptiveGroupLasso, GroupLasso

ADAPTIVE = "adaptive_group_lasso"


@pytest.fixture
def mlp(epochs):
    return GroupSparseMLPClassifier(
        (8,), penalty=ADAPTIVE, learning_rate_init=0.03, random_state=0, **epochs(5)
    )


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("weighted", [True, False])
def test_the_second_fit_is_a_lasso_of_rescaled_columns(numbers, gamma, weighted):
    X, y = numbers
    weight = np.linspace(0, 2, len(X)) if weighted else None
    settings = {"lam": 0.1, "tol": 1e-10}
    first = GroupSparseLinearRegression(**settings).fit(X, y, weight)
    scales = np.abs(first.coef_) ** gamma
    used = scales > 0
    lasso = Lasso(alpha=0.1, tol=1e-14, max_iter=100_000)
    expected = np.zeros(6)
    expected[used] = lasso.fit((X * scales)[:, used], y, weight).coef_ * scales[used]
    model = GroupSparseLinearRegression(penalty=AdaptiveGroupLasso(gamma), **settings)
    model.fit(X, y, weight)
    np.testing.assert_allclose(model.coef_, expected, atol=1e-8)
    assert model.stationarity_gap_ <= 1e-10
    assert 1 < used.sum() < 6
    objective = (y - model.predict(X)) ** 2 / 2 * (1 if weight is None else weight)
    penalty = 0.1 * (np.abs(expected[used]) / scales[used]).sum()
    assert model.loss_ == pytest.approx(objective.mean() + penalty)


def test_groups_are_weighted_by_the_norms_of_the_first_fit(three_classes):
    X, y = three_classes
    groups = [0, 0, 1, 1, 2, 2, 3, -1]
    settings = {"lam": 0.05, "groups": groups, "tol": 1e-9, "max_iter": 10_000}
    first = GroupSparseLogisticRegression(**settings).fit(X, y)
    model = clone(first).set_params(penalty=ADAPTIVE).fit(X, y)
    error = np.eye(3)[y] - model.predict_proba(X)
    slope = X.T @ error / len(X)
    for number in range(4):
        rows = np.equal(groups, number)
        before, after = (m.coef_[:, rows] for m in (first, model))
        strength = 0.05 * np.sqrt(before.size) / max(np.linalg.norm(before), 1e-10)
        norm = np.linalg.norm(after)
        if norm:
            expected = strength * after.T / norm
            np.testing.assert_allclose(slope[rows], expected, atol=1e-7)
        else:
            assert np.linalg.norm(slope[rows]) <= strength
    assert 0 < model.n_active_features_ < first.n_active_features_


@pytest.mark.parametrize(
    "estimator",
    [
        GroupSparseLinearRegression(tol=1e-8),
        GroupSparseMLPRegressor((6,), learning_rate_init=0.03, random_state=0),
        GroupSparseMLPRegressor(
            (6,), learning_rate_init=0.03, random_state=0, finetune_iter=3
        ),
        GroupSparseMLPRegressor(
            (6,), learning_rate_init=0.03, random_state=0, early_stopping=True
        ),
    ],
    ids=["linear", "mlp", "finetuned", "early stopping"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_searches_at_once_give_the_same(numbers, estimator):
    X, y = numbers
    if "max_iter" in estimator.get_params() and "MLP" in type(estimator).__name__:
        estimator = clone(estimator).set_params(max_iter=10)
    penalties = [ADAPTIVE, AdaptiveGroupLasso(2.0), GroupLasso()]
    grid = {"lam": [0.01, 0.1], "penalty": penalties}
    one_by_one = GridSearchCV(estimator, grid, cv=2).fit(X, y)
    at_once = BatchedGridSearchCV(estimator, grid, cv=2).fit(X, y)
    scores = [s.cv_results_["mean_test_score"] for s in (one_by_one, at_once)]
    np.testing.assert_allclose(*scores, rtol=1e-7)
    assert len(set(scores[0])) == len(scores[0])


def test_paths_and_cross_validation(numbers, two_classes):
    path = regularization_path(
        GroupSparseLinearRegression(penalty=ADAPTIVE), *numbers, lams=[0.1, 0.01]
    )
    for lam, model in zip(path.lams, path.estimators, strict=True):
        plain = GroupSparseLinearRegression(penalty=ADAPTIVE, lam=lam).fit(*numbers)
        np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-5)
    search = GroupSparseLogisticRegressionCV(penalty=ADAPTIVE, lams=5, cv=3)
    search.fit(*two_classes)
    plain = GroupSparseLogisticRegression(penalty=ADAPTIVE, lam=search.lam_)
    np.testing.assert_array_equal(search.coef_, plain.fit(*two_classes).coef_)


def test_a_warm_start_runs_both_fits_again(three_classes):
    X, y = three_classes
    model = GroupSparseLogisticRegression(
        penalty=ADAPTIVE, lam=0.03, tol=1e-9, max_iter=10_000
    ).fit(X, y)
    assert 0 < model.n_active_features_ < 8
    # What the last fit dropped can come back.
    for fitted in (model, clone(model).set_params(lam=0.1).fit(X, y)):
        again = fitted.set_params(warm_start=True, lam=0.03).fit(X, y)
        np.testing.assert_allclose(again.coef_, model.coef_, atol=1e-6)
    compact = model.prune().set_params(lam=0.05).fit(X, y)
    cold = clone(compact).fit(X, y)
    np.testing.assert_allclose(compact.coef_, cold.coef_, atol=1e-6)


def test_a_network_becomes_sparser_and_forgets_the_first_fit(mlp, digits):
    X, y = digits[0][:600], digits[1][:600]
    mlp.set_params(max_iter=40, lam=1e-3, hidden_layer_sizes=(30,), n_iter_no_change=99)
    with pytest.warns(ConvergenceWarning, match="max_iter=40"):
        mlp.fit(X, y)
    plain = clone(mlp).set_params(penalty="group_lasso", max_iter=80)
    with pytest.warns(ConvergenceWarning, match="max_iter=80"):
        plain.fit(X, y)
    assert mlp.n_iter_ == len(mlp.loss_curve_) == 40
    assert mlp.n_active_parameters_ < plain.n_active_parameters_
    # It goes on from the first fit.
    assert mlp.loss_curve_[0] < plain.loss_curve_[0] / 2
    assert mlp.score(X, y) > 0.9


def test_the_certificate_of_a_network_knows_the_weights(numbers):
    X, y = numbers
    model = GroupSparseMLPRegressor(
        (), penalty=ADAPTIVE, lam=0.1, learning_rate_init=0.1, batch_size=200,
        learning_rate="cosine", max_iter=300, tol=0, n_iter_no_change=np.inf,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    exact = GroupSparseLinearRegression(penalty=ADAPTIVE, lam=0.1).fit(X, y)
    np.testing.assert_allclose(model.coefs_[0][:, 0], exact.coef_, atol=1e-3)
    assert model.stationarity_gap_ < 1e-3


# What is told of two fits


class Epochs:
    """Counts epochs; ends the training after some, or raises an error there."""

    def __init__(self, stop_after=None, error=None):
        self.stop_after, self.error, self.n_epochs = stop_after, error, 0
        self.max_epochs = None

    def setup(self, estimator, context):
        self.max_epochs = context.max_subtasks

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        if context.task_name != "epoch":
            return False
        self.n_epochs += 1
        if self.n_epochs != self.stop_after:
            return False
        if self.error is not None:
            raise self.error
        return True

    def teardown(self, estimator, context):
        pass


def test_callbacks_and_lines_are_those_of_both_fits(mlp, three_classes, capsys):
    follower = Epochs()
    mlp.set_params(verbose=True, finetune_iter=3).set_callbacks(follower)
    mlp.fit(*three_classes)
    assert mlp.n_iter_ == 5 + 3
    assert follower.n_epochs == follower.max_epochs == 2 * 5 + 3
    assert len(capsys.readouterr().out.splitlines()) == 1 + 2 * 5 + 3


@pytest.mark.parametrize("stop_after", [2, 7])
def test_a_callback_ends_both_fits(mlp, three_classes, stop_after):
    mlp.set_params(finetune_iter=3).set_callbacks(Epochs(stop_after))
    mlp.fit(*three_classes)
    assert mlp.n_iter_ == 2


@pytest.mark.parametrize("stop_after", [2, 7])
def test_an_interrupt_keeps_what_is_there(mlp, three_classes, stop_after):
    follower = Epochs(stop_after, KeyboardInterrupt())
    mlp.set_params(finetune_iter=3).set_callbacks(follower)
    with pytest.warns(UserWarning, match="interrupted by the user after 2 iterations"):
        mlp.fit(*three_classes)
    assert follower.n_epochs == stop_after
    first = clone(mlp).set_params(finetune_iter=0, penalty="group_lasso")
    first.set_callbacks(Epochs(2)).fit(*three_classes)
    same = np.array_equal(first.coefs_[0], mlp.coefs_[0])
    assert same == (stop_after == 2)


def test_a_search_that_is_interrupted_in_the_first_fits(numbers):
    X, y = numbers

    def stop(epoch):
        raise KeyboardInterrupt

    mlp = GroupSparseMLPRegressor((6,), penalty=ADAPTIVE, max_iter=4, random_state=0)
    fits = fit_together([Fitting(mlp, X, y), Fitting(clone(mlp), X, y)], watch=stop)
    assert [fit.interrupted for fit in fits] == [True, True]
    assert [fit.estimator.n_iter_ for fit in fits] == [1, 1]


def test_a_first_fit_that_does_not_converge_warns(numbers):
    X, y = numbers
    X = X * [1, 1, 1, 1, 1, 0] + 0.9 * X[:, [0]]
    settings = {"solver": "fista", "lam": 0.05, "tol": 1e-10}
    needed = GroupSparseLinearRegression(**settings).fit(X, y).n_iter_
    model = GroupSparseLinearRegression(penalty=ADAPTIVE, max_iter=needed - 10)
    with pytest.warns(ConvergenceWarning, match=f"max_iter={needed - 10}"):
        model.set_params(**settings).fit(X, y)
    assert model.n_iter_ < needed - 10


@pytest.mark.parametrize("penalty", [ADAPTIVE, AdaptiveGroupLasso(2.0)])
def test_there_is_no_partial_fit(penalty, two_classes):
    model = GroupSparseMLPClassifier(penalty=penalty)
    assert not hasattr(model, "partial_fit")
    with pytest.raises(AttributeError) as error:
        model.partial_fit(*two_classes, classes=["no", "yes"])
    assert "partial_fit is not available with penalty=" in str(error.value.__cause__)
    assert hasattr(model.set_params(penalty="l1"), "partial_fit")
    # What is wrong with it is told by the validation of the parameters.
    with pytest.raises(ValueError, match="The 'penalty' parameter"):
        model.set_params(penalty="no such").partial_fit(*two_classes)
