"""Small archives of the three data sets, and folders to put them in."""

from typing import NamedTuple

import numpy as np
import pytest

from skgroupnet.datasets import fetch_covertype, fetch_mnist, fetch_sensorless
from skgroupnet.datasets.covertype import COVERTYPE
from skgroupnet.datasets.mnist import MNIST
from skgroupnet.datasets.original import Original
from skgroupnet.datasets.sensorless import SENSORLESS


class Case(NamedTuple):
    """A data set, its fetcher, and a few rows that are like its own."""

    original: Original
    fetch: object

    def rows(self, n=4):
        """X of shape (n, n_features) and y of shape (n,)."""
        X = np.arange(n * len(self.original.feature_names)) % 256
        y = np.resize(np.array(self.original.labels), n)
        return X.reshape(n, -1).astype(self.original.dtype), y.astype(np.uint8)

    def write(self, folder, **arrays):
        """Write the archive of these arrays."""
        np.savez(folder / self.original.archive, **arrays)


CASES = [
    Case(SENSORLESS, fetch_sensorless),
    Case(COVERTYPE, fetch_covertype),
    Case(MNIST, fetch_mnist),
]


@pytest.fixture(params=CASES, ids=lambda case: case.original.archive)
def case(request):
    """Each of the three data sets."""
    return request.param


@pytest.fixture(autouse=True)
def no_other_data(monkeypatch, tmp_path_factory):
    """Hide the data that this machine has."""
    monkeypatch.delenv("SKGROUPNET_DATA", raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path_factory.mktemp("sklearn")))
