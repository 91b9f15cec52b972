"""The folder that holds the data, what fetchers take, what they say without data."""

import os
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.datasets import get_data_home
from sklearn.utils._param_validation import Interval

from skgroupnet.datasets.original import Original

VARIABLE = "SKGROUPNET_DATA"
# What the fetchers take.
PARAMETERS = {
    "data_home": [str, os.PathLike, None],
    "download_if_missing": ["boolean"],
    "return_X_y": ["boolean"],
    "as_frame": ["boolean"],
    "n_retries": [Interval(Integral, 1, None, closed="left")],
    "delay": [Interval(Real, 0.0, None, closed="neither")],
}


def home_of(data_home: str | os.PathLike | None) -> Path:
    """Return the folder of the data: the given one, the environment's, scikit-learn's.

    It is made where it does not exist, as scikit-learn does.
    """
    if data_home is None:
        data_home = os.environ.get(VARIABLE) or None
    try:
        return Path(get_data_home(data_home))
    except OSError as error:
        raise OSError(
            f"The folder of the data, given by data_home or the environment variable "
            f"{VARIABLE}, can be neither found nor made: {error}."
        ) from error


def save(original: Original, path: Path, X: np.ndarray, y: np.ndarray) -> None:
    """Write an npz file, all of it or nothing."""
    try:
        with TemporaryDirectory(dir=path.parent) as folder:
            whole = Path(folder) / path.name
            names = np.array(original.feature_names)
            np.savez_compressed(whole, X=X, y=y, feature_names=names)
            os.replace(whole, path)
    except OSError as error:
        raise OSError(
            f"{path}, the rows of {original.title}, cannot be written: {error}. Name "
            f"a folder that can be written to by data_home or the environment variable "
            f"{VARIABLE}."
        ) from error


def missing(
    original: Original, home: Path, tried: Sequence[str] = (), also: str = ""
) -> OSError:
    """Make the error that says what was tried and where to put which file.

    ``also`` names another file that will do.
    """
    if tried:
        what = f"could not be downloaded. Tried: {'; '.join(tried)}."
    else:
        what = f"was not found in {home}, and download_if_missing is False."
    n_features = len(original.feature_names)
    return OSError(
        f"{original.title} {what} To use it without a network, put {original.archive} "
        f"(made by numpy.savez, with X of shape (n, {n_features}) and y of shape (n,), "
        f"labels {original.labels[0]} to {original.labels[-1]}){also} into {home}, or "
        f"name the folder that holds it by data_home or the environment variable "
        f"{VARIABLE}."
    )
