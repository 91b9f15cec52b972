"""Defaults on data that people start with: training ends by itself."""

import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.preprocessing import StandardScaler

from skgroupnet import GroupSparseLogisticRegression
from skgroupnet.engine.compiled import default_report


def _sdd():
    path = Path(os.environ.get("SKGROUPNET_DATA", "")) / "sdd.npz"
    if not path.is_file():
        pytest.skip("needs sdd.npz")
    with np.load(path) as data:
        return data["X"].astype(float), data["y"]


LOADERS = {
    "iris": lambda: load_iris(return_X_y=True),
    "wine": lambda: load_wine(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "sdd": _sdd,
}


@pytest.mark.skipif(
    default_report().startswith("torch"), reason="Newton's method is compiled"
)
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("name", LOADERS)
def test_classification_converges(name, scaled):
    X, y = LOADERS[name]()
    X = StandardScaler().fit_transform(X) if scaled else X
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", ConvergenceWarning)
        model = GroupSparseLogisticRegression().fit(X, y)
    assert model.n_iter_ <= 30
