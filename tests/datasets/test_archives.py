"""Data sets that are read from npz files."""

import sys

import numpy as np
import pytest

from skgroupnet.datasets import fetch_covertype, fetch_mnist, fetch_sensorless
from skgroupnet.datasets.original import Original


@pytest.fixture
def home(case, tmp_path):
    """A folder with an archive of a few rows."""
    X, y = case.rows()
    case.write(tmp_path, X=X, y=y)
    return tmp_path


def test_a_bunch(case, home):
    X, y = case.rows()
    bunch = case.fetch(data_home=home)
    assert sorted(bunch) == sorted(
        ["data", "target", "frame", "feature_names", "target_names", "DESCR"]
    )
    np.testing.assert_array_equal(bunch.data, X)
    np.testing.assert_array_equal(bunch.target, y)
    assert bunch.data.dtype == case.original.dtype
    assert bunch.target.dtype == np.uint8
    assert bunch.frame is None
    assert bunch.feature_names == case.original.feature_names
    assert len(set(bunch.feature_names)) == X.shape[1]
    assert bunch.target_names == [case.original.target_name]


def test_X_and_y(case, home):
    X, y = case.fetch(data_home=str(home), return_X_y=True)
    bunch = case.fetch(data_home=home)
    np.testing.assert_array_equal(X, bunch.data)
    np.testing.assert_array_equal(y, bunch.target)


def test_a_frame(case, home):
    bunch = case.fetch(data_home=home, as_frame=True)
    X, y = case.rows()
    assert list(bunch.frame) == [*bunch.feature_names, *bunch.target_names]
    assert list(bunch.data) == bunch.feature_names
    assert bunch.target.name == bunch.target_names[0]
    np.testing.assert_array_equal(bunch.data, X)
    np.testing.assert_array_equal(bunch.target, y)
    assert {dtype.name for dtype in bunch.data.dtypes} == {X.dtype.name}
    assert bunch.target.dtype == np.uint8
    data, target = case.fetch(data_home=home, as_frame=True, return_X_y=True)
    assert data.equals(bunch.data) and target.equals(bunch.target)


def test_a_frame_without_pandas(case, home, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    case.fetch(data_home=home)
    with pytest.raises(ImportError, match="`as_frame=True` requires pandas"):
        case.fetch(data_home=home, as_frame=True)


def test_the_type_in_the_file_does_not_matter(case, home, tmp_path):
    X, y = case.rows()
    case.write(tmp_path, X=X.astype(np.int16), y=y.astype("U2"))
    bunch = case.fetch(data_home=home)
    np.testing.assert_array_equal(bunch.data, X)
    np.testing.assert_array_equal(bunch.target, y)
    assert bunch.data.dtype == case.original.dtype
    assert bunch.target.dtype == np.uint8


def test_a_sample_is_called_one(case, home):
    text = case.fetch(data_home=home).DESCR
    assert f"Rows: 4, a sample of the {case.original.n_rows} of the original" in text
    assert str(home / case.original.archive) in text
    first, last = case.original.labels[0], case.original.labels[-1]
    assert f"Rows of class {first} to {last}: 1, 1, 1, 1, 0" in text


@pytest.mark.parametrize(
    ("n_rows", "words"),
    [
        (5, "a sample of the 5 of the original"),
        (4, "as many as the original has"),
        (3, "more than the 3 of the original"),
    ],
)
def test_how_many_of_how_many(case, n_rows, words):
    original = Original(**{**vars(case.original), "n_rows": n_rows})
    bunch = original.bunch(*case.rows(), "made up", return_X_y=False, as_frame=False)
    assert f"Rows: 4, {words}, made up." in bunch.DESCR


def test_the_folder_of_the_environment(case, home, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("SKGROUPNET_DATA", str(home))
    X, _ = case.fetch(return_X_y=True)
    np.testing.assert_array_equal(X, case.rows()[0])
    # The given one comes first.
    with pytest.raises(OSError, match="was not found in"):
        case.fetch(
            data_home=tmp_path_factory.mktemp("empty"), download_if_missing=False
        )


def test_the_folder_of_scikit_learn(case, home, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home))
    X, _ = case.fetch(return_X_y=True)
    np.testing.assert_array_equal(X, case.rows()[0])


def test_nothing_there(case, tmp_path):
    with pytest.raises(OSError) as caught:
        case.fetch(data_home=tmp_path, download_if_missing=False)
    message = str(caught.value)
    assert f"was not found in {tmp_path}" in message
    assert case.original.archive in message
    assert f"X of shape (n, {len(case.original.feature_names)})" in message
    assert "SKGROUPNET_DATA" in message


def without(case, key):
    X, y = case.rows()
    return {name: value for name, value in {"X": X, "y": y}.items() if name != key}


def with_other(case, **arrays):
    X, y = case.rows()
    return {"X": X, "y": y, **arrays}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (lambda case: without(case, "y"), r"holds the arrays \['X'\]; X and y were"),
        (lambda case: with_other(case, X=case.rows()[0][:, 1:]), r"have the shapes \("),
        (lambda case: with_other(case, y=case.rows()[1][1:]), r"have the shapes \("),
        (lambda case: with_other(case, y=np.full(4, 77)), r"y of .* has also \[77\]"),
        (lambda case: with_other(case, y=np.full(4, 1.5)), "that uint8 cannot"),
        (lambda case: with_other(case, y=np.full(4, 257)), "that uint8 cannot"),
        (
            lambda case: with_other(case, X=np.full(case.rows()[0].shape, np.nan)),
            "holds values that are not finite",
        ),
        (
            lambda case: with_other(case, X=case.rows()[0].astype(object)),
            "allow_pickle=False",
        ),
    ],
)
def test_a_file_of_something_else(case, tmp_path, arrays, words):
    case.write(tmp_path, **arrays(case))
    with pytest.raises(ValueError, match=words):
        case.fetch(data_home=tmp_path)


def test_pixels_that_were_scaled_are_not_cut_off(tmp_path):
    X, y = np.full((2, 784), 0.5), np.zeros(2, dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", X=X, y=y)
    with pytest.raises(
        ValueError,
        match="X of .*, float64, holds values that",
    ):
        fetch_mnist(data_home=tmp_path)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("data_home", 3),
        ("download_if_missing", "yes"),
        ("return_X_y", None),
        ("as_frame", "auto"),
        ("n_retries", 0),
        ("delay", -1.0),
    ],
)
def test_invalid_parameters(case, parameter, value):
    with pytest.raises(ValueError, match=f"The '{parameter}' parameter of fetch_"):
        case.fetch(**{parameter: value})


@pytest.mark.parametrize(
    ("name", "fetch"),
    [("sdd", fetch_sensorless), ("covtype", fetch_covertype), ("mnist", fetch_mnist)],
)
def test_the_real_data(real_data, tmp_path, name, fetch):
    arrays = real_data(name)
    np.savez(tmp_path / f"{name}.npz", **arrays)
    X, y = fetch(data_home=tmp_path, return_X_y=True)
    np.testing.assert_array_equal(X, arrays["X"])
    np.testing.assert_array_equal(y, arrays["y"])
