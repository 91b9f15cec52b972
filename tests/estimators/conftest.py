"""Small problems, and settings that train for a known number of epochs."""

import numpy as np
import pytest
from sklearn.datasets import make_classification, make_regression
from sklearn.preprocessing import scale


@pytest.fixture(scope="session")
def epochs():
    """Settings that converge, silently, after exactly n >= 3 epochs."""

    def settings(n):
        return {"max_iter": n, "tol": 1e6, "n_iter_no_change": n - 2}

    return settings


@pytest.fixture(scope="session")
def three_classes():
    """X (240, 8) float64, y (240,) of 0 to 2; four columns carry no information."""
    X, y = make_classification(
        n_samples=240,
        n_features=8,
        n_informative=4,
        n_redundant=0,
        n_classes=3,
        n_clusters_per_class=1,
        class_sep=2,
        random_state=0,
    )
    return scale(X), y


@pytest.fixture(scope="session")
def two_classes(three_classes):
    """X (160, 8) float64, y (160,) of "no" and "yes"."""
    X, y = three_classes
    return X[y < 2], np.array(["no", "yes"])[y[y < 2]]


@pytest.fixture(scope="session")
def labels(three_classes):
    """X (240, 8) float64, y (240, 3) of 0 and 1."""
    X, y = three_classes
    return X, np.column_stack([y == 0, y > 0, X[:, 0] > 0]).astype(int)


@pytest.fixture(scope="session")
def numbers():
    """X (200, 6) float64, y (200,) of mean 0 and variance 1."""
    X, y = make_regression(
        n_samples=200, n_features=6, n_informative=3, noise=5, random_state=0
    )
    return scale(X), scale(y)
