"""The data of FeatureImportanceDisplay."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skgroupnet import GroupSparseLogisticRegression
from skgroupnet.plotting import FeatureImportanceDisplay

colors = pytest.importorskip("matplotlib.colors")


def widths(display):
    return [bar.get_width() for bar in display.bars_]


def rows(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def texts(display):
    """Return what is written beside the bars, by row."""
    return {text.xy[1]: text.get_text() for text in display.ax_.texts}


@pytest.fixture(scope="module")
def frame():
    """Rows with three variables of names and two of numbers; y (300,) of 0 and 1."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "colour": rng.choice(["red", "green", "blue"], 300),
            "city": rng.choice(["Rome", "Oslo"], 300),
            "age": rng.normal(size=300),
            "noise": rng.normal(size=300),
        }
    )
    return X, ((X["colour"] == "red") + X["age"] > 0.5).astype(int)


def one_hot(groups):
    """Make a pipeline that encodes the names in columns of a frame."""
    encoder = make_column_transformer(
        (OneHotEncoder(sparse_output=False), ["colour", "city"]),
        remainder="passthrough",
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    return make_pipeline(
        encoder, GroupSparseLogisticRegression(lam=0.03, groups=groups)
    )


LABELS = ["hue", "hue", "hue", "town", "town", "age", "noise"]
NUMBERS = [5, 5, 5, 2, 2, 1, 0]
BLOCKS = [["city_Oslo", "city_Rome"], ["colour_blue", "colour_green", "colour_red"]]


def test_norms_of_features_the_largest_first(network):
    display = FeatureImportanceDisplay.from_estimator(
        network, feature_names=["a", "b", "c", "d"]
    )

    strengths = network.feature_importances_
    order = np.argsort(-strengths)[: network.n_active_features_]
    assert_array_equal(widths(display), strengths[order])
    assert_array_equal(display.shown_, order)
    assert rows(display) == [*np.array(list("abcd"))[order], "1 feature gone"]
    assert display.notes_ == ["1 feature gone"]
    assert not texts(display)


@pytest.mark.parametrize("groups", [LABELS, NUMBERS, BLOCKS])
def test_a_group_is_one_bar(frame, groups):
    pipeline = one_hot(groups).fit(*frame)
    model = pipeline[-1]

    display = FeatureImportanceDisplay.from_estimator(pipeline)

    colour = np.linalg.norm(model.feature_importances_[:3])
    assert_allclose(widths(display), [model.feature_importances_[5], colour])
    name = "hue" if groups is LABELS else "colour"
    assert rows(display) == ["age", name, "3 features gone"]
    assert texts(display) == {1: "blue, green, red"}


def test_long_groups_are_listed_in_part():
    display = FeatureImportanceDisplay(
        importances=[1.0, 0.5],
        names=["month", "x"],
        members=[[f"month={number}" for number in range(12)], ["x"]],
    ).plot()
    assert texts(display) == {0: "0, 1, 2, 3 and 8 more"}


def test_members_fit_into_the_axes(plt):
    for figsize in ((6, 3), (2.5, 3)):
        ax = plt.subplots(figsize=figsize)[1]
        members = [["a_first_one", "a_second_one", "a_third_one"], ["b_1", "b_2"]]
        display = FeatureImportanceDisplay(
            importances=[1.0, 0.9], names=["a", "b"], members=members
        ).plot(ax)
        end = ax.get_window_extent().x1
        assert all(text.get_window_extent().x1 <= end for text in ax.texts)
    # Too narrow for the names.
    assert texts(display) == {0: "3 features", 1: "1, 2"}


@pytest.mark.parametrize(
    ("members", "name"),
    [
        (["kind_a", "kind_b"], "kind"),
        (["onehot__kind_a", "onehot__kind_ab"], "onehot__kind"),
        (["kind", "kin"], "kind, kin"),
        (["x1", "x10"], "x1, x10"),
        (["a b", "a c"], "a"),
    ],
)
def test_name_of_a_group_without_a_label(members, name):
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = GroupSparseLogisticRegression(lam=0.01, groups=[[0, 1]])
    model.fit(X, X.sum(axis=1) > 0)

    display = FeatureImportanceDisplay.from_estimator(
        model, feature_names=[*members, "other"]
    )

    assert display.names == [name, "other"]


def test_unpenalised_features_are_no_group():
    X = np.random.default_rng(0).normal(size=(60, 4))
    model = GroupSparseLogisticRegression(lam=0.01, groups=[-1, 0, 0, -1])
    model.fit(X, X.sum(axis=1) > 0)

    display = FeatureImportanceDisplay.from_estimator(model)

    assert display.members == [["x0"], ["x1", "x2"], ["x3"]]


def test_max_features(wide):
    display = FeatureImportanceDisplay.from_estimator(wide, max_features=5)

    largest = np.sort(wide.feature_importances_)[::-1]
    assert_array_equal(widths(display), largest[:5])
    assert display.notes_ == ["and 195 more"]
    assert len(FeatureImportanceDisplay.from_estimator(wide).bars_) == 20
    everything = FeatureImportanceDisplay.from_estimator(wide, max_features=None)
    assert_array_equal(widths(everything), largest)
    assert everything.notes_ == []


def test_pruned(network):
    whole = FeatureImportanceDisplay.from_estimator(network)
    pruned = FeatureImportanceDisplay.from_estimator(network.prune())
    assert rows(pruned) == rows(whole)
    assert widths(pruned) == widths(whole)


def test_nothing_left(nothing):
    display = FeatureImportanceDisplay.from_estimator(nothing)
    assert len(display.bars_) == 0
    assert rows(display) == ["4 features gone"]


def test_notes_without_counts():
    display = FeatureImportanceDisplay(
        importances=[0.0, 2.0, 0.0, 1.0], names=list("abcd")
    ).plot(max_features=1)
    assert rows(display) == ["b", "and 1 more", "2 features gone"]


def test_names_of_columns(iris):
    X, y = iris
    X = pd.DataFrame(X, columns=["one", "two", "three", "four"])
    model = GroupSparseLogisticRegression(lam=0.01).fit(X, y)
    assert "three" in rows(FeatureImportanceDisplay.from_estimator(model))


def test_names_that_come_out_of_a_pipeline(iris):
    X, y = iris
    X = pd.DataFrame(X, columns=["one", "two", "three", "four"])
    linear = GroupSparseLogisticRegression(lam=0.01)
    pipeline = make_pipeline(StandardScaler(), linear).fit(X, y)
    assert "three" in rows(FeatureImportanceDisplay.from_estimator(pipeline))

    # A step that cannot name what it returns.
    pipeline = make_pipeline(FunctionTransformer(np.asarray), linear).fit(X, y)
    assert "x2" in rows(FeatureImportanceDisplay.from_estimator(pipeline))
    pipeline = make_pipeline(linear).fit(X.to_numpy(), y)
    assert "x2" in rows(FeatureImportanceDisplay.from_estimator(pipeline))


def test_wrong_number_of_names(network):
    with pytest.raises(ValueError, match="one name for each of the 4 features"):
        FeatureImportanceDisplay.from_estimator(network, feature_names=["a"])


def test_style(network):
    display = FeatureImportanceDisplay.from_estimator(
        network, bar_kwargs={"fc": "red", "height": 0.2}
    )
    for bar in display.bars_:
        assert bar.get_height() == pytest.approx(0.2)
        assert bar.get_facecolor() == colors.to_rgba("red")
