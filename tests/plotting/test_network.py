"""The data of NetworkDisplay."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseMLPClassifier, GroupSparseMLPRegressor
from skgroupnet.plotting import NetworkDisplay

colors = pytest.importorskip("matplotlib.colors")

BLUE, ORANGE = "#0072B2", "#D55E00"


def names(texts):
    return [text.get_text() for text in texts]


def is_pale(units):
    """Which units of a layer are drawn as pruned."""
    return (units.get_facecolors()[:, :3] == 1).all(axis=1)


def drawn_weights(display, layer, n_left):
    """Read a matrix of weights from the ends and the colours of the edges."""
    matrix = np.zeros(n_left)
    heights = [units.get_offsets()[~is_pale(units), 1].data for units in display.units_]
    edges = display.edges_[layer]
    for segment, color in zip(edges.get_segments(), edges.get_colors(), strict=True):
        (x0, y0), (x1, y1) = segment
        assert (x0, x1) == (layer, layer + 1)
        row = np.abs(heights[layer] - y0).argmin()
        column = np.abs(heights[layer + 1] - y1).argmin()
        assert_allclose([heights[layer][row], heights[layer + 1][column]], [y0, y1])
        sign = 1 if colors.same_color(color[:3], BLUE) else -1
        assert sign == 1 or colors.same_color(color[:3], ORANGE)
        matrix[row, column] = sign
    return matrix


def test_units_of_every_layer(network):
    display = NetworkDisplay.from_estimator(network)

    masks = [*network.active_neurons_, np.ones(3, dtype=bool)]
    for x, (units, mask) in enumerate(zip(display.units_, masks, strict=True)):
        assert_array_equal(units.get_offsets()[:, 0], np.full(len(mask), x))
        assert_array_equal(is_pale(units), ~mask)
        # From top to bottom.
        assert (np.diff(units.get_offsets()[:, 1]) < 0).all()


def test_an_edge_for_every_weight_that_is_left(network):
    display = NetworkDisplay.from_estimator(network)

    for layer, matrix in enumerate(network.prune().coefs_):
        assert_array_equal(drawn_weights(display, layer, matrix.shape), np.sign(matrix))


def test_strong_edges_are_wide_opaque_and_on_top(network):
    display = NetworkDisplay.from_estimator(network)

    for edges, weights in zip(display.edges_, display.edge_weights_, strict=True):
        assert (np.diff(np.abs(weights)) >= 0).all()
        assert (np.diff(edges.get_linewidths()) >= 0).all()
        assert (np.diff(edges.get_alpha() or edges.get_colors()[:, 3]) >= 0).all()
        assert edges.get_linewidths()[0] < edges.get_linewidths()[-1]


def test_units_with_strong_weights_are_dark(network):
    (inputs, _, _) = NetworkDisplay.from_estimator(network).units_
    grey = inputs.get_facecolors()[network.get_support(), 0]
    strengths = network.feature_importances_[network.get_support()]
    assert_array_equal(np.argsort(grey), np.argsort(-strengths))


def test_names_and_headings(network):
    display = NetworkDisplay.from_estimator(network)

    assert names(display.feature_labels_) == ["x0", "x1", "x2", "x3"]
    assert names(display.output_labels_) == ["setosa", "versicolor", "virginica"]
    assert names(display.headings_) == [
        f"input\n{network.n_active_features_} of 4",
        f"hidden 1\n{network.n_active_neurons_} of 8",
        "output\n3",
    ]
    for labels, units in (
        (display.feature_labels_, display.units_[0]),
        (display.output_labels_, display.units_[2]),
    ):
        assert_allclose([label.xy[1] for label in labels], units.get_offsets()[:, 1])


def test_names_that_the_user_gives(network):
    display = NetworkDisplay.from_estimator(
        network, feature_names=["a", "b", "c" * 99, "d"], output_names=["p", "q", "r"]
    )
    assert names(display.feature_labels_) == ["a", "b", "c" * 23 + "…", "d"]
    assert names(display.output_labels_) == ["p", "q", "r"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"feature_names": ["a"]}, "feature_names .* each of the 4 features"),
        ({"output_names": ["a"]}, "output_names .* each of the 3 outputs"),
    ],
)
def test_wrong_number_of_names(network, names, message):
    with pytest.raises(ValueError, match=message):
        NetworkDisplay.from_estimator(network, **names)


def test_pruned_estimator_and_pipeline_look_the_same(network):
    whole = NetworkDisplay.from_estimator(network)
    for estimator in (network.prune(), make_pipeline(StandardScaler(), network)):
        display = NetworkDisplay.from_estimator(estimator)
        assert names(display.headings_) == names(whole.headings_)
        for one, other in zip(display.edges_, whole.edges_, strict=True):
            assert_allclose(one.get_segments(), other.get_segments())


def test_linear_model(linear):
    display = NetworkDisplay.from_estimator(linear)

    assert len(display.units_) == 2
    left = linear.n_active_features_
    assert_array_equal(
        drawn_weights(display, 0, (left, 3)),
        np.sign(linear.coefs_[0][linear.get_support()]),
    )


def test_nothing_left(nothing):
    display = NetworkDisplay.from_estimator(nothing)

    assert [len(edges.get_segments()) for edges in display.edges_] == [0, 0, 0]
    assert [is_pale(units).all() for units in display.units_] == [True, True, True, 0]
    assert names(display.headings_)[:3] == [
        "input\n0 of 4",
        "hidden 1\n0 of 8",
        "hidden 2\n0 of 5",
    ]
    assert "nothing is left: the prediction is constant" in names(
        display.ax_.get_legend().get_texts()
    )


def test_outputs_of_two_classes_and_of_regression(iris):
    X, y = iris
    settings = {"max_iter": 3, "tol": 1e6, "n_iter_no_change": 1, "random_state": 0}
    two = GroupSparseMLPClassifier((3,), **settings).fit(X[50:], y[50:])
    one = GroupSparseMLPRegressor((3,), **settings).fit(X, X[:, 0])
    many = GroupSparseMLPRegressor((3,), **settings).fit(X, X[:, :2])

    drawn = [
        names(NetworkDisplay.from_estimator(model).output_labels_)
        for model in (two, one, many)
    ]

    assert drawn == [["virginica"], ["y"], ["y0", "y1"]]


def test_wide_layers_are_strips(wide):
    display = NetworkDisplay.from_estimator(wide, max_units=12)

    inputs, first, second, output = display.units_
    assert len(inputs.get_segments()) == 200
    assert len(first.get_segments()) == 60
    assert len(second.get_offsets()) == 12
    assert len(output.get_offsets()) == 4


def test_a_strip_shows_what_is_left_in_its_place(network):
    display = NetworkDisplay.from_estimator(network, max_units=7)
    units = NetworkDisplay.from_estimator(network).units_[1]

    ticks = np.array(display.units_[1].get_segments())
    assert_allclose(ticks[:, 0, 1], units.get_offsets()[network.active_neurons_[1], 1])
    assert_allclose(ticks.mean(axis=1)[:, 0], 1)
    assert_allclose(
        np.sort([edge[1][1] for edge in display.edges_[0].get_segments()]),
        np.sort(np.repeat(ticks[:, 0, 1], network.n_active_features_)),
    )


@pytest.mark.parametrize("max_edges", [2000, 300, 9])
def test_the_strongest_edges_of_many(wide, max_edges):
    display = NetworkDisplay.from_estimator(wide, max_edges=max_edges)

    shares = {2000: [1232, 720, 48], 300: [126, 126, 48], 9: [3, 3, 3]}[max_edges]
    for edges, weights, matrix, n_edges in zip(
        display.edges_, display.edge_weights_, wide.coefs_, shares, strict=True
    ):
        assert len(edges.get_segments()) == n_edges
        largest = np.sort(np.abs(matrix), axis=None)[-n_edges:]
        assert_allclose(np.abs(weights), largest)
    n_weights = 200 * 60 + 60 * 12 + 12 * 4
    assert f"strongest {max_edges:,} of {n_weights:,}" in names(
        display.ax_.get_legend().get_texts()
    )


def test_names_of_the_strongest_features_of_many(wide):
    display = NetworkDisplay.from_estimator(wide)

    shown = [int(name[1:]) for name in names(display.feature_labels_)]
    strongest = np.argsort(-wide.feature_importances_)[: len(shown)]
    assert 20 <= len(shown) <= 40
    assert shown == sorted(strongest)


def overlap(texts):
    boxes = sorted((text.get_window_extent() for text in texts), key=lambda box: box.y0)
    return any(
        low.y1 > high.y0 + 1 for low, high in zip(boxes, boxes[1:], strict=False)
    )


@pytest.mark.parametrize("figsize", [None, (3, 2.5), (12, 8)])
@pytest.mark.parametrize("model", ["network", "linear", "wide", "nothing"])
def test_all_is_inside_and_no_names_overlap(plt, request, model, figsize):
    ax = None if figsize is None else plt.figure(figsize=figsize).add_axes((0, 0, 1, 1))
    model = request.getfixturevalue(model)
    display = NetworkDisplay.from_estimator(model, ax=ax)
    display.figure_.draw_without_rendering()

    frame = display.ax_.get_window_extent()
    for texts in (display.feature_labels_, display.output_labels_):
        assert not overlap(texts)
        for text in texts:
            box = text.get_window_extent()
            assert frame.x0 <= box.x0
            assert box.x1 <= frame.x1
            assert frame.y0 <= box.y0
            assert box.y1 <= frame.y1
    boxes = [text.get_window_extent() for text in display.headings_]
    for box, following in zip(boxes, boxes[1:], strict=False):
        assert box.x1 < following.x0


def test_style(network):
    display = NetworkDisplay.from_estimator(
        network, unit_kwargs={"ec": "red"}, edge_kwargs={"lw": 4, "colors": "green"}
    )
    for units in display.units_:
        assert colors.same_color(units.get_edgecolors(), "red")
    for edges in display.edges_:
        assert set(edges.get_linewidths()) == {4}
        assert colors.same_color(edges.get_colors(), "green")


def test_a_large_network_is_drawn_within_a_second():
    rng = np.random.default_rng(0)
    widths = [784, 300, 100, 10]
    display = NetworkDisplay(
        weights=[
            rng.normal(size=shape) for shape in zip(widths, widths[1:], strict=False)
        ],
        active=[np.ones(width, dtype=bool) for width in widths[:-1]],
        feature_names=[f"x{i}" for i in range(784)],
        output_names=list("0123456789"),
    )
    start = time.process_time()
    display.plot().figure_.canvas.draw()
    assert time.process_time() - start < 1
