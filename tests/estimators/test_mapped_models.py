"""A fitted estimator whose arrays lie in a file that is opened read-only."""

import warnings

import joblib
import numpy as np
import pytest

from skgroupnet import GroupSparseLogisticRegression, GroupSparseMLPClassifier

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 30))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture
def mapped(tmp_path):
    """Dump an estimator and load it as a memory map; the file must not change."""
    files = {}

    def load(model):
        file = tmp_path / f"{len(files)}.joblib"
        joblib.dump(model, file)
        files[file] = file.read_bytes()
        return joblib.load(file, mmap_mode="r")

    yield load
    for file, before in files.items():
        assert file.read_bytes() == before


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", "Training stopped after max_iter")
        yield


def test_a_mapped_network_goes_on_as_the_one_in_memory(mapped):
    model = GroupSparseMLPClassifier((20,), max_iter=5, lam=0.01, random_state=0)
    model.partial_fit(X, Y, classes=[0, 1])
    for name in ("partial_fit", "fit"):
        loaded = mapped(model)
        assert isinstance(loaded.coefs_[0], np.memmap)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
        for one in (loaded, model):
            getattr(one.set_params(warm_start=True), name)(X, Y)
        np.testing.assert_array_equal(loaded.coefs_[0], model.coefs_[0])
    compact, loaded = model.prune(), mapped(model).prune()
    for one in (compact, loaded):
        one.partial_fit(X, Y)
    np.testing.assert_array_equal(loaded.coefs_[0], compact.coefs_[0])


@pytest.mark.parametrize("solver", ["auto", "fista", "admm", "adam"])
def test_a_mapped_linear_model_goes_on_as_the_one_in_memory(solver, mapped):
    model = GroupSparseLogisticRegression(lam=0.01, solver=solver, max_iter=20)
    loaded = mapped(model.set_params(random_state=0, warm_start=True).fit(X, Y))
    for one in (loaded, model):
        one.fit(X, Y)
    np.testing.assert_array_equal(loaded.coef_, model.coef_)
