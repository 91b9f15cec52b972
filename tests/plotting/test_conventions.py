"""What all displays share with scikit-learn's."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skgroupnet import GroupSparseMLPClassifier, plotting
from skgroupnet.plotting import (
    FeatureImportanceDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    RegularizationPathDisplay,
)

DATA = {
    FeatureImportanceDisplay: {
        "importances": np.array([0.5, 0.0, 2.0]),
        "names": ["a", "b", "c"],
        "members": [["a"], ["b"], ["c1", "c2"]],
        "n_gone": 1,
    },
    LossCurveDisplay: {
        "loss_curve": [3.0, 2.0, 1.5],
        "validation_scores": [0.1, 0.3, 0.2],
        "finetune_start": 2,
        "score_name": "R²",
        "step_name": "epoch",
    },
    NetworkDisplay: {
        "weights": [np.array([[1.0, -2.0]]), np.array([[0.5], [0.1]])],
        "active": [np.array([True, False]), np.array([True, True, False])],
        "feature_names": ["a", "b"],
        "output_names": ["y"],
    },
    RegularizationPathDisplay: {
        "lams": [1.0, 0.1],
        "sizes": {"features": [1, 2]},
        "totals": {"features": 4},
        "scores": [[0.5, 0.7], [0.9, 0.9]],
        "lam": 0.1,
        "score_name": "accuracy",
    },
}
STYLES = [
    (FeatureImportanceDisplay, "bar_kwargs"),
    (LossCurveDisplay, "line_kwargs"),
    (LossCurveDisplay, "score_kwargs"),
    (NetworkDisplay, "unit_kwargs"),
    (NetworkDisplay, "edge_kwargs"),
    (RegularizationPathDisplay, "score_kwargs"),
    (RegularizationPathDisplay, "size_kwargs"),
    (RegularizationPathDisplay, "lam_kwargs"),
]
displays = pytest.mark.parametrize("cls", DATA, ids=lambda cls: cls.__name__)


def test_all_displays_are_tested():
    assert {cls.__name__ for cls in DATA} == set(plotting.__all__)


@displays
def test_parameters_are_stored(cls):
    display = cls(**DATA[cls])

    assert list(inspect.signature(cls).parameters) == list(DATA[cls])
    for name, value in DATA[cls].items():
        assert getattr(display, name) is value


@displays
def test_plot_returns_the_display_with_axes_and_figure(plt, cls):
    display = cls(**DATA[cls])

    assert display.plot() is display
    assert display.figure_ is display.ax_.figure
    assert plt.get_fignums() == [display.figure_.number]


@displays
def test_given_axes_are_used(plt, cls):
    figure, (_, ax) = plt.subplots(1, 2)

    display = cls(**DATA[cls]).plot(ax)

    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@displays
def test_can_be_drawn_again_elsewhere(plt, cls):
    first, second = plt.subplots(1, 2)[1]

    display = cls(**DATA[cls]).plot(first)
    n_artists = len(first.get_children())
    display.plot(second)

    assert display.ax_ is second
    assert len(first.get_children()) == n_artists
    assert len(second.get_children()) == n_artists


@displays
def test_only_the_axes_is_positional(cls):
    kinds = [
        parameter.kind for parameter in inspect.signature(cls.plot).parameters.values()
    ]

    assert kinds[:2] == [inspect.Parameter.POSITIONAL_OR_KEYWORD] * 2
    assert set(kinds[2:]) == {inspect.Parameter.KEYWORD_ONLY}
    assert list(inspect.signature(cls.plot).parameters)[1] == "ax"


@displays
def test_a_class_method_takes_all_that_plot_does(cls):
    makers = [
        getattr(cls, name)
        for name in ("from_estimator", "from_path")
        if name in vars(cls)
    ]

    asked = set(inspect.signature(cls.plot).parameters) - {"self"}
    assert makers
    for maker in makers:
        assert asked <= set(inspect.signature(maker).parameters)


@pytest.mark.parametrize(("cls", "keyword"), STYLES)
def test_aliases_of_one_style_are_refused(cls, keyword):
    with pytest.raises(TypeError, match="aliases"):
        cls(**DATA[cls]).plot(**{keyword: {"lw": 1, "linewidth": 1}})


@displays
def test_without_matplotlib(monkeypatch, cls, network):
    monkeypatch.setitem(sys.modules, "matplotlib", None)

    with pytest.raises(ImportError, match=f"{cls.__name__}.plot requires matplotlib"):
        cls(**DATA[cls]).plot()
    with pytest.raises(ImportError, match=f"{cls.__name__}.from_estimator requires"):
        cls.from_estimator(network)


@displays
def test_unfitted_estimator(cls):
    with pytest.raises(NotFittedError, match="GroupSparseMLPClassifier"):
        cls.from_estimator(GroupSparseMLPClassifier())


def test_matplotlib_is_imported_when_drawing_only():
    program = (
        "import sys\n"
        "from skgroupnet.plotting import NetworkDisplay\n"
        "assert 'matplotlib' not in sys.modules\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
