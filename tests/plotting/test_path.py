"""The data of RegularizationPathDisplay."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseLogisticRegression, GroupSparseLogisticRegressionCV
from skgroupnet.model_selection import BatchedGridSearchCV, regularization_path
from skgroupnet.plotting import (
    FeatureImportanceDisplay,
    NetworkDisplay,
    RegularizationPathDisplay,
)

colors = pytest.importorskip("matplotlib.colors")

LAMS = np.array([0.3, 0.1, 0.01, 0.001])
SCORES = np.array([[0.3, 0.4, 0.2], [0.8, 0.9, 0.7], [0.9, 1.0, 0.8], [0.9, 0.9, 0.8]])
SIZES = {
    "neurons": [0, 2, 4, 8],
    "features": [0, 1, 2, 4],
    "parameters": [3, 7, 20, 67],
}


@pytest.fixture(scope="module")
def path(network):
    """What a path of four 4-8-3 networks looks like."""
    return SimpleNamespace(
        lams=LAMS,
        estimators=(network.prune(),) * 4,
        scores=SCORES[:, 0],
        **{f"n_active_{name}": np.array(counts) for name, counts in SIZES.items()},
    )


@pytest.fixture(scope="module")
def linear_path(iris):
    """What a path of linear models looks like, without scores."""
    model = GroupSparseLogisticRegression()
    models = [clone(model).set_params(lam=lam).fit(*iris).prune() for lam in LAMS]
    return SimpleNamespace(
        lams=LAMS,
        estimators=models,
        scores=None,
        **{
            f"n_active_{name}": np.array(
                [getattr(model, f"n_active_{name}_") for model in models]
            )
            for name in SIZES
        },
    )


def cross_validated(model, **attributes):
    """Give a model the attributes of an estimator that chose its lam."""
    model = model.prune()
    vars(model).update(
        lams_=LAMS,
        lam_=0.01,
        scores_=SCORES,
        scoring=None,
        **{
            f"n_active_{name}_path_": np.array(counts)[:, np.newaxis] + [0, 0, 0]
            for name, counts in SIZES.items()
        },
    )
    vars(model).update(attributes)
    return model


def labels(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_shares_of_the_dense_network(path):
    display = RegularizationPathDisplay.from_path(path)

    assert list(display.lines_) == ["neurons", "features", "parameters"]
    totals = {"neurons": 8, "features": 4, "parameters": 4 * 8 + 8 + 8 * 3 + 3}
    for name, line in display.lines_.items():
        assert line.axes is display.size_ax_
        assert_array_equal(line.get_xdata(), LAMS)
        assert_allclose(line.get_ydata(), 100 * np.array(SIZES[name]) / totals[name])
    assert labels(display.size_ax_) == [
        "neurons (of 8)",
        "features (of 4)",
        "parameters (of 67)",
    ]
    assert display.size_ax_.get_xscale() == "log"
    assert display.size_ax_.get_xlabel() == "lam"


def test_scores_of_a_path_have_no_error_bars(path):
    display = RegularizationPathDisplay.from_path(path, score_name="accuracy")

    line, caps, bars = display.errorbar_
    assert line.axes is display.score_ax_
    assert_array_equal(line.get_xdata(), LAMS)
    assert_array_equal(line.get_ydata(), path.scores)
    assert caps == bars == ()
    assert display.band_ is None
    assert display.score_ax_.get_ylabel() == "accuracy"
    assert display.score_ax_.get_legend() is None
    assert display.lam_lines_ == []


def test_chosen_lam_of_a_path(path):
    display = RegularizationPathDisplay.from_path(path, lam=0.01)

    assert [line.axes for line in display.lam_lines_] == [
        display.score_ax_,
        display.size_ax_,
    ]
    for line in display.lam_lines_:
        assert_array_equal(line.get_xdata(), [0.01, 0.01])
    assert labels(display.score_ax_) == ["chosen lam = 0.01"]
    assert labels(display.size_ax_) == [
        "4 of 8 neurons",
        "2 of 4 features",
        "20 of 67 parameters",
    ]


def test_linear_path_without_scores(linear_path):
    display = RegularizationPathDisplay.from_path(linear_path, lam=0.1)

    assert list(display.lines_) == ["features", "parameters"]
    assert display.size_ax_ is display.ax_
    assert display.score_ax_ is display.errorbar_ is display.band_ is None
    counts = linear_path.n_active_features
    assert_allclose(display.lines_["features"].get_ydata(), 25 * counts)
    assert labels(display.ax_) == [
        f"{counts[1]} of 4 features",
        f"{linear_path.n_active_parameters[1]} of 15 parameters",
        "chosen lam = 0.1",
    ]


def test_mean_and_standard_error_over_folds(network):
    display = RegularizationPathDisplay.from_estimator(cross_validated(network))

    line, _, (bars,) = display.errorbar_
    means = SCORES.mean(axis=1)
    errors = SCORES.std(axis=1, ddof=1) / np.sqrt(3)
    assert_allclose(line.get_ydata(), means)
    for lam, mean, error, segment in zip(
        LAMS, means, errors, bars.get_segments(), strict=True
    ):
        assert_allclose(segment, [(lam, mean - error), (lam, mean + error)])
    assert display.score_ax_.get_ylabel() == "accuracy"


def test_band_of_one_standard_error_below_the_best(network):
    display = RegularizationPathDisplay.from_estimator(cross_validated(network))

    error = SCORES[2].std(ddof=1) / np.sqrt(3)
    assert display.band_.get_y() == pytest.approx(0.9 - error)
    assert display.band_.get_height() == pytest.approx(error)
    assert labels(display.score_ax_) == ["chosen lam = 0.01", "one standard error"]


def test_mean_sizes_over_folds(network):
    sizes = np.array([[0, 1, 1], [2, 3, 3], [4, 4, 4], [4, 4, 4]])
    model = cross_validated(network, n_active_features_path_=sizes)

    display = RegularizationPathDisplay.from_estimator(model)

    assert_allclose(display.lines_["features"].get_ydata(), 25 * sizes.mean(axis=1))
    assert labels(display.size_ax_)[1] == "4 of 4 features"


def test_linear_estimator(linear):
    model = cross_validated(linear, n_active_neurons_path_=np.zeros((4, 3), dtype=int))
    display = RegularizationPathDisplay.from_estimator(model)
    assert list(display.lines_) == ["features", "parameters"]


@pytest.mark.parametrize("is_linear", [False, True])
def test_without_a_refit_the_largest_model_is_the_whole(network, is_linear):
    model = cross_validated(network)
    del model.coefs_, model.active_neurons_
    if is_linear:
        model.n_active_neurons_path_ = np.zeros((4, 3))
    # There is no model of the sparsest lam and the first fold.
    for name in SIZES:
        counts = getattr(model, f"n_active_{name}_path_").astype(float)
        counts[0, 0] = np.nan
        setattr(model, f"n_active_{name}_path_", counts)

    display = RegularizationPathDisplay.from_estimator(model)

    names = ["features", "parameters"] if is_linear else list(SIZES)
    assert list(display.lines_) == names
    for line in display.lines_.values():
        assert np.nanmax(line.get_ydata()) == 100
        assert np.isnan(line.get_ydata()[0])


def test_one_fold_has_no_error(network):
    model = cross_validated(network, scores_=SCORES[:, :1])
    display = RegularizationPathDisplay.from_estimator(model)
    assert_array_equal(display.errorbar_[0].get_ydata(), SCORES[:, 0])
    assert display.band_ is None


@pytest.mark.parametrize(
    ("scoring", "name"),
    [
        ("neg_log_loss", "negative log loss"),
        ("roc_auc", "roc auc"),
        (make_scorer(accuracy_score), "score"),
    ],
)
def test_name_of_the_score(network, scoring, name):
    model = cross_validated(network, scoring=scoring)
    display = RegularizationPathDisplay.from_estimator(model)
    assert display.score_ax_.get_ylabel() == name


def test_missing_scores(network):
    scores = SCORES.copy()
    scores[2, 0] = np.nan
    display = RegularizationPathDisplay.from_estimator(
        cross_validated(network, scores_=scores)
    )
    best = scores[3].mean()
    assert display.band_.get_y() + display.band_.get_height() == pytest.approx(best)

    nothing = cross_validated(network, scores_=np.full_like(SCORES, np.nan))
    assert RegularizationPathDisplay.from_estimator(nothing).band_ is None


def test_empty_models_do_not_stretch_the_score(path):
    display = RegularizationPathDisplay.from_path(path)
    low, high = display.score_ax_.get_ylim()
    assert 0.3 < low < 0.8
    assert 0.9 < high < 1


def test_low_scores_do_not_stretch_the_others():
    scores = [0.2, 0.9, 0.91, 0.93, 0.95, 0.95, 0.95]
    display = RegularizationPathDisplay(
        lams=np.geomspace(1, 0.01, 7), sizes={"features": [1] * 7}, scores=scores
    ).plot()
    low, high = display.score_ax_.get_ylim()
    assert 0.85 < low < 0.9
    assert 0.95 < high < 1


@pytest.mark.parametrize(
    ("smallest", "shown"),
    [
        (1e-5, ["$\\mathdefault{10^{-4}}$", "$\\mathdefault{10^{-2}}$"]),
        (0.02, ["0.03", "0.1", "0.3", "1"]),
        (0.2, ["0.2", "0.5", "1"]),
    ],
)
def test_labels_of_lam(smallest, shown):
    display = RegularizationPathDisplay(
        lams=np.geomspace(1, smallest, 5), sizes={"features": [1] * 5}, scores=[1] * 5
    ).plot()
    display.figure_.draw_without_rendering()

    low, high = display.size_ax_.get_xlim()
    ticks = display.size_ax_.get_xticklabels()
    inside = [
        tick.get_text() for tick in ticks if low <= tick.get_position()[0] <= high
    ]
    assert set(shown) <= set(inside)
    assert len(inside) <= 6
    for ax in (display.size_ax_, display.score_ax_):
        assert not any(t.get_text() for t in ax.get_xticklabels(minor=True))
    axis = display.score_ax_.xaxis
    for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
        assert not tick.label1.get_visible()


def test_lam_of_zero():
    display = RegularizationPathDisplay(
        lams=[0.1, 0.01, 0.0], sizes={"features": [1, 2, 3]}
    ).plot()
    assert display.ax_.get_xscale() == "symlog"


def test_axes_lie_in_the_given_ones(plt, path):
    ax = plt.subplots(2, 2)[1][0, 1]

    display = RegularizationPathDisplay.from_path(path, ax=ax)

    assert ax.child_axes == [display.size_ax_, display.score_ax_]
    outer = ax.get_position()
    for inner in ax.child_axes:
        box = inner.get_position()
        assert outer.x0 <= box.x0 + 1e-9
        assert box.x1 <= outer.x1 + 1e-9
        assert outer.y0 <= box.y0 + 1e-9
        assert box.y1 <= outer.y1 + 1e-9


@pytest.mark.parametrize(("figsize", "is_between"), [((7, 5), True), ((3, 3), False)])
def test_the_legend_is_between_the_axes_if_there_is_room(
    plt, path, figsize, is_between
):
    ax = plt.subplots(figsize=figsize)[1]
    display = RegularizationPathDisplay.from_path(path, lam=0.01, ax=ax)

    box = display.size_ax_.get_legend().get_window_extent()
    above = display.score_ax_.get_window_extent()
    below = display.size_ax_.get_window_extent()

    assert (below.y1 <= box.y0 <= box.y1 <= above.y0) == is_between
    assert (box.y1 <= below.y1) == (not is_between)


def test_style(path):
    display = RegularizationPathDisplay.from_path(
        path,
        lam=0.1,
        score_kwargs={"c": "red"},
        size_kwargs={"lw": 4},
        lam_kwargs={"ls": ":"},
    )
    assert colors.same_color(display.errorbar_[0].get_color(), "red")
    assert {line.get_linewidth() for line in display.lines_.values()} == {4}
    assert {line.get_linestyle() for line in display.lam_lines_} == {":"}


def test_real_paths_and_searches(iris):
    """Displays of what the package itself returns, also behind a scaler."""
    X, y = iris
    path = regularization_path(GroupSparseLogisticRegression(), X, y, lams=5)
    display = RegularizationPathDisplay.from_path(path)
    drawn = display.lines_["features"]
    np.testing.assert_array_equal(drawn.get_xdata(), path.lams)
    share = 100 * path.n_active_features / 4
    np.testing.assert_allclose(drawn.get_ydata(), share)
    search = GroupSparseLogisticRegressionCV(lams=4, cv=3)
    pipeline = make_pipeline(StandardScaler(), search).fit(X, y)
    display = RegularizationPathDisplay.from_estimator(pipeline)
    means = pipeline[-1].scores_.mean(axis=1)
    assert pipeline[-1].lam_ in display.lams
    np.testing.assert_allclose(display.scores.mean(axis=1), means)


def test_a_search_shows_what_it_found(iris):
    X, y = iris
    search = BatchedGridSearchCV(
        make_pipeline(StandardScaler(), GroupSparseLogisticRegression()),
        {"groupsparselogisticregression__lam": [0.1, 0.01]},
    )
    with pytest.raises(NotFittedError):
        NetworkDisplay.from_estimator(search)
    display = NetworkDisplay.from_estimator(search.fit(X, y))
    expected = NetworkDisplay.from_estimator(search.best_estimator_)
    assert display.feature_names.tolist() == expected.feature_names.tolist()
    assert FeatureImportanceDisplay.from_estimator(search).ax_ is not None
