"""Data that several test files share."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits


@pytest.fixture(scope="session")
def digits():
    """Handwritten digits: X (1797, 64) float64 in [0, 1], y (1797,) of 0 to 9."""
    X, y = load_digits(return_X_y=True)
    return X / 16, y


@pytest.fixture(scope="session")
def real_data():
    """Load an archive of real data by name; skip the test where there is none."""
    folder = os.environ.get("SKGROUPNET_DATA")

    def load(name):
        if folder is None:
            pytest.skip("SKGROUPNET_DATA, the folder of real data, is not set")
        path = Path(folder) / f"{name}.npz"
        if not path.is_file():
            pytest.skip(f"the folder named by SKGROUPNET_DATA holds no {path.name}")
        with np.load(path) as archive:
            return dict(archive)

    return load


@pytest.fixture(scope="session")
def sensorless(real_data):
    """Sensorless drive diagnosis: X (2200, 48) float64, y (2200,), shuffled."""
    data = real_data("sdd")
    order = np.random.RandomState(0).permutation(len(data["y"]))
    return data["X"][order], data["y"][order]
