"""Pickles, copies and clones; pickles of another version."""

import copy
import io
import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone

from skgroupnet import (
    GroupSparseLogisticRegression,
    GroupSparseMLPClassifier,
    GroupSparseMLPRegressor,
)
from skgroupnet.penalties import SparseGroupLasso


def through_joblib(estimator, **keywords):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    file.seek(0)
    return joblib.load(file, **keywords)


WAYS = {
    "pickle": lambda estimator: pickle.loads(pickle.dumps(estimator)),
    "joblib": through_joblib,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(params=["classifier", "regressor", "logistic", "pruned"])
def fitted(request, three_classes, epochs):
    X, y = three_classes
    model = {
        "classifier": GroupSparseMLPClassifier(
            (6,), penalty=SparseGroupLasso(0.5), **epochs(4)
        ),
        "regressor": GroupSparseMLPRegressor((6,), **epochs(4)),
        "logistic": GroupSparseLogisticRegression(lam=0.1),
        "pruned": GroupSparseMLPClassifier(
            (6,), lam=0.03, learning_rate_init=0.05, **epochs(20)
        ),
    }[request.param]
    model.set_params(random_state=0).fit(X, y)
    return model.prune() if request.param == "pruned" else model


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_round_trip(fitted, three_classes, way):
    X, _ = three_classes
    back = way(fitted)
    np.testing.assert_array_equal(back.predict(X), fitted.predict(X))
    assert back.get_params().keys() == fitted.get_params().keys()
    assert vars(back).keys() == vars(fitted).keys()
    assert back.penalty == fitted.penalty
    # A network shares read-only arrays, and copies others in every prediction.
    network = back._network()
    assert network.weights[0] is back.coefs_[0]


def test_memory_mapped(fitted, three_classes, tmp_path):
    X, _ = three_classes
    joblib.dump(fitted, tmp_path / "model.joblib")
    back = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_array_equal(back.predict(X), fitted.predict(X))


def test_clone_forgets_what_was_learned(fitted):
    again = clone(fitted)
    assert set(vars(again)) == set(again.get_params())


def test_partial_fit_goes_on_after_a_round_trip(three_classes):
    X, y = three_classes
    model = GroupSparseMLPClassifier((6,), batch_size=50, random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2])
    back = pickle.loads(pickle.dumps(model))
    for est in (model, back):
        est.partial_fit(X, y)
    np.testing.assert_array_equal(back.coefs_[0], model.coefs_[0])


@pytest.mark.parametrize("version", ["0.0.1", None])
def test_another_version_warns(fitted, version, monkeypatch):
    state = fitted.__getstate__()
    assert state["_skgroupnet_version"]
    if version is None:
        del state["_skgroupnet_version"]
    else:
        state["_skgroupnet_version"] = version
    back = type(fitted)()
    name = f"{type(fitted).__name__} was pickled with skgroupnet"
    with pytest.warns(UserWarning, match=f"{name} {version or 'of an unknown'}"):
        back.__setstate__(state)
    np.testing.assert_array_equal(back.coefs_[0], fitted.coefs_[0])
    assert "_skgroupnet_version" not in vars(back)


def test_the_same_version_is_silent(fitted):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(fitted))
        pickle.loads(pickle.dumps(type(fitted)()))
