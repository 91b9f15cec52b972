"""The data of LossCurveDisplay."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor
from skgroupnet.plotting import LossCurveDisplay

colors = pytest.importorskip("matplotlib.colors")

EPOCHS = {"max_iter": 6, "tol": 1e6, "n_iter_no_change": 4}


@pytest.fixture(scope="module")
def early(iris):
    return GroupSparseMLPClassifier(
        (8,), early_stopping=True, random_state=0, **EPOCHS
    ).fit(*iris)


def test_objective_of_every_epoch(network):
    display = LossCurveDisplay.from_estimator(network)

    assert_array_equal(display.line_.get_xdata(), np.arange(1, network.n_iter_ + 1))
    assert_array_equal(display.line_.get_ydata(), network.loss_curve_)
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "objective"
    assert display.score_ax_ is display.score_line_ is display.best_score_ is None
    assert display.finetune_line_ is None


def test_validation_scores_on_the_right(early):
    display = LossCurveDisplay.from_estimator(early)

    assert_array_equal(display.score_line_.get_xdata(), np.arange(1, 7))
    assert_array_equal(display.score_line_.get_ydata(), early.validation_scores_)
    assert display.score_line_.axes is display.score_ax_ is not display.ax_
    assert display.score_ax_.get_ylabel() == "accuracy on held-out rows"
    assert_array_equal(display.best_score_.get_ydata(), [early.best_validation_score_])


def test_the_best_score_is_marked():
    display = LossCurveDisplay(
        loss_curve=[3.0, 2.0, 1.0], validation_scores=[0.1, 0.75, np.nan]
    ).plot()
    assert_array_equal(display.best_score_.get_data(), [[2], [0.75]])
    assert [text.get_text() for text in display.score_ax_.texts] == ["best 0.750"]


def test_score_of_a_regressor():
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = GroupSparseMLPRegressor(
        (4,), early_stopping=True, random_state=0, **EPOCHS
    ).fit(X, X[:, 0])
    display = LossCurveDisplay.from_estimator(model)
    assert display.score_ax_.get_ylabel() == "R² on held-out rows"


def test_full_batch_solvers_count_iterations(linear):
    display = LossCurveDisplay.from_estimator(linear)
    assert display.ax_.get_xlabel() == "iteration"
    assert_array_equal(display.line_.get_ydata(), linear.loss_curve_)


@pytest.mark.parametrize("max_iter", [6, 7])
def test_where_fine_tuning_began(iris, max_iter):
    settings = {**EPOCHS, "max_iter": max_iter}
    model = GroupSparseMLPClassifier(
        (8,), finetune_iter=max_iter, random_state=0, **settings
    ).fit(*iris)

    line = LossCurveDisplay.from_estimator(model).finetune_line_

    # With max_iter=7, both phases ended after 6 epochs, for lack of progress.
    assert model.n_iter_ == 12 and model.n_finetune_iter_ == 6
    assert_array_equal(line.get_xdata(), [6.5, 6.5])


def test_no_fine_tuning_no_mark(iris):
    model = GroupSparseMLPClassifier((8,), random_state=0, **EPOCHS).fit(*iris)
    assert model.n_finetune_iter_ == 0
    assert LossCurveDisplay.from_estimator(model).finetune_line_ is None
    # What goes on is no fine-tuning.
    tuned = GroupSparseMLPClassifier(
        (8,), finetune_iter=6, random_state=0, **EPOCHS
    ).fit(*iris)
    assert tuned.prune().n_finetune_iter_ == 6
    assert tuned.partial_fit(*iris).n_finetune_iter_ == 0


@pytest.mark.parametrize(
    ("curve", "scale"),
    [
        ([11.0, 1.0], "log"),
        ([9.0, 1.0], "linear"),
        ([11.0, 0.0], "linear"),
        ([11.0, -1.0], "linear"),
        ([np.nan, 11.0, 1.0], "log"),
        ([np.nan], "linear"),
    ],
)
def test_scale(curve, scale):
    assert LossCurveDisplay(loss_curve=curve).plot().ax_.get_yscale() == scale


@pytest.mark.parametrize(("log_scale", "scale"), [(True, "log"), (False, "linear")])
def test_scale_that_the_user_wants(log_scale, scale):
    for curve in ([100.0, 1.0], [2.0, 1.0]):
        display = LossCurveDisplay(loss_curve=curve).plot(log_scale=log_scale)
        assert display.ax_.get_yscale() == scale


def test_scores_that_are_all_missing():
    display = LossCurveDisplay(loss_curve=[1.0], validation_scores=[-np.inf]).plot()
    assert display.best_score_ is None


def test_style(early):
    display = LossCurveDisplay.from_estimator(
        early, line_kwargs={"c": "red"}, score_kwargs={"lw": 7}
    )
    assert colors.to_rgba(display.line_.get_color()) == colors.to_rgba("red")
    assert colors.to_rgba(display.ax_.yaxis.label.get_color()) == colors.to_rgba("red")
    assert display.score_line_.get_linewidth() == 7


def test_pipeline_and_pruned_estimator(iris, network):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), network)
    search = GridSearchCV(network, {})
    search.best_estimator_ = network
    for estimator in (pipeline, network.prune(), search):
        display = LossCurveDisplay.from_estimator(estimator)
        assert_array_equal(display.line_.get_ydata(), network.loss_curve_)


def test_no_curve(network):
    interrupted = network.prune()
    interrupted.loss_curve_ = []
    with pytest.raises(ValueError, match="no loss curve to draw: the training of this"):
        LossCurveDisplay.from_estimator(interrupted)
