"""Fitted models to draw, and figures that are closed after every test."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import scale

from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier


@pytest.fixture(autouse=True)
def plt():
    """Draw without a screen; skip the test where matplotlib is missing."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.fixture(scope="session")
def iris():
    """X (150, 4) scaled, y (150,) of three names."""
    data = load_iris()
    return scale(data.data), data.target_names[data.target]


@pytest.fixture(scope="session")
def network(iris):
    """A 4-8-3 network of which something was pruned in both layers."""
    model = GroupSparseMLPClassifier(
        (8,), lam=0.01, learning_rate_init=0.02, tol=1e-3, random_state=0
    ).fit(*iris)
    assert 0 < model.n_active_features_ < 4
    assert 0 < model.n_active_neurons_ < 8
    return model


@pytest.fixture(scope="session")
def linear(iris):
    """A linear model of three classes that lost a feature."""
    model = GroupSparseLogisticRegression(lam=0.1).fit(*iris)
    assert 0 < model.n_active_features_ < 4
    return model


@pytest.fixture(scope="session")
def nothing(iris):
    """A 4-8-5-3 network of which nothing is left."""
    with warnings.catch_warnings(action="ignore"):
        model = GroupSparseMLPClassifier((8, 5), lam=2, random_state=0).fit(*iris)
    assert model.n_active_features_ == 0
    return model


@pytest.fixture(scope="session")
def wide():
    """A 200-60-12-4 network with weights that were drawn, half of them negative."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 200))
    y = np.arange(40) % 4
    return GroupSparseMLPClassifier(
        (60, 12), lam=0.0, max_iter=3, tol=1e6, n_iter_no_change=1, random_state=0
    ).fit(X, y)
