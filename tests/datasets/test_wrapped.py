"""The data sets that scikit-learn downloads."""

from hashlib import md5
from unittest.mock import create_autospec
from urllib.error import URLError

import joblib
import numpy as np
import pytest
from sklearn.datasets import fetch_covtype, fetch_openml
from sklearn.datasets._covtype import FEATURE_NAMES, TARGET_NAMES

from skgroupnet.datasets import covertype, fetch_covertype, fetch_mnist, mnist


def test_covertype_has_the_names_of_scikit_learn():
    assert covertype.COVERTYPE.feature_names == FEATURE_NAMES
    assert [covertype.COVERTYPE.target_name] == TARGET_NAMES


@pytest.mark.parametrize("as_frame", [False, True])
def test_covertype_that_scikit_learn_has(tmp_path, as_frame):
    # As scikit-learn keeps it.
    X, y = np.ones((3, 54)), np.array([1, 7, 2], dtype=np.int32)
    (tmp_path / "covertype").mkdir()
    joblib.dump(X, tmp_path / "covertype" / "samples_py3")
    joblib.dump(y, tmp_path / "covertype" / "targets_py3")
    bunch = fetch_covertype(data_home=tmp_path, as_frame=as_frame)
    np.testing.assert_array_equal(bunch.data, X)
    np.testing.assert_array_equal(bunch.target, y)
    assert bunch.target.dtype == np.uint8
    assert "3, a sample of the 581012 of the original, read by sci" in bunch.DESCR


def test_covertype_that_cannot_be_downloaded(tmp_path, monkeypatch):
    cause = URLError("no network")
    fake = create_autospec(fetch_covtype, side_effect=cause)
    monkeypatch.setattr(covertype, "fetch_covtype", fake)
    with pytest.raises(OSError, match="no network.* put covtype.npz") as caught:
        fetch_covertype(data_home=tmp_path, n_retries=5, delay=0.5)
    assert caught.value.__cause__ is cause
    assert fake.call_args.kwargs["n_retries"] == 5
    assert fake.call_args.kwargs["delay"] == 0.5


@pytest.fixture
def openml(monkeypatch):
    """Stands in for fetch_openml: 3 rows to train on and 2 to test, typed as there."""
    X = np.arange(5 * 784).reshape(5, 784) % 256
    y = np.array(["5", "0", "4", "9", "1"], dtype=object)
    heads = (b"\0\0\x08\x01\0\0\0\x03", b"\0\0\x08\x01\0\0\0\x02")
    parts = (bytes([5, 0, 4]), bytes([9, 1]))
    sums = [md5(a + b).hexdigest() for a, b in zip(heads, parts, strict=True)]
    monkeypatch.setattr(mnist, "LABELS", {"training set": sums[0], "test set": sums[1]})
    monkeypatch.setattr(mnist, "N_TRAIN", 3)
    fake = create_autospec(fetch_openml, return_value=(X.astype(float), y))
    monkeypatch.setattr(mnist, "fetch_openml", fake)
    return fake


@pytest.mark.parametrize("parser", ["pandas", "liac-arff"])
def test_mnist_from_openml(tmp_path, openml, monkeypatch, parser):
    if parser == "liac-arff":
        monkeypatch.setattr(mnist, "find_spec", lambda _: None)
    bunch = fetch_mnist(data_home=tmp_path, n_retries=7)
    X, y = openml.return_value
    np.testing.assert_array_equal(bunch.data, X)
    assert bunch.target.tolist() == [5, 0, 4, 9, 1]
    assert bunch.data.dtype == bunch.target.dtype == np.uint8
    assert openml.call_args.args == ("mnist_784",)
    assert openml.call_args.kwargs["version"] == 1
    assert openml.call_args.kwargs["parser"] == parser
    assert openml.call_args.kwargs["n_retries"] == 7
    # It is kept, and OpenML asked once.
    again = fetch_mnist(data_home=tmp_path, download_if_missing=False)
    np.testing.assert_array_equal(again.data, bunch.data)
    np.testing.assert_array_equal(again.target, bunch.target)
    assert again.DESCR == bunch.DESCR
    assert openml.call_count == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mnist.npz"]


@pytest.mark.parametrize(
    ("order", "name"),
    [([1, 0, 2, 3, 4], "training set"), ([0, 1, 2, 4, 3], "test set")],
)
def test_mnist_in_another_order(tmp_path, openml, order, name):
    X, y = openml.return_value
    openml.return_value = X[order], y[order]
    with pytest.raises(OSError, match=f"not those of MNIST's {name} in its own order"):
        fetch_mnist(data_home=tmp_path)
    assert list(tmp_path.iterdir()) == []


# OpenML's errors, and a wrong MD5, are ValueErrors.
@pytest.mark.parametrize("error", [URLError("no network"), ValueError("md5 checksum")])
def test_mnist_that_cannot_be_downloaded(tmp_path, openml, error):
    openml.side_effect = error
    with pytest.raises(OSError, match=r"Tried: .*mnist_784.* put mnist.npz") as caught:
        fetch_mnist(data_home=tmp_path)
    assert caught.value.__cause__ is error
    assert str(error) in str(caught.value)


def test_the_labels_of_mnist(real_data):
    y = real_data("mnist")["y"]
    mnist._check_order(y)
    with pytest.raises(OSError, match="in its own order"):
        mnist._check_order(y[::-1])
