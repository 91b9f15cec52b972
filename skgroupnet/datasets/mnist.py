"""MNIST: handwritten digits, 28 by 28 pixels each."""

import struct
from hashlib import md5
from http.client import HTTPException
from importlib.util import find_spec

import numpy as np
from sklearn.datasets import fetch_openml
from sklearn.utils._param_validation import validate_params

from skgroupnet.datasets.home import PARAMETERS, home_of, missing, save
from skgroupnet.datasets.original import Original

MNIST = Original(
    title="MNIST",
    archive="mnist.npz",
    n_rows=70_000,
    # As OpenML calls them.
    feature_names=[f"pixel{i}" for i in range(1, 785)],
    target_name="class",
    labels=range(10),
    dtype=np.uint8,
    text="""\
MNIST
=====

Handwritten digits, 0 to 9. A row of X is an image of 28 by 28 pixels, 0 (background) to
255, line by line. In the original the first 60,000 rows are the training set and the
last 10,000 the test set.

Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits,
https://www.openml.org/d/554.
""",
)

# MD5 of the two files of labels as they were published, headers included; OpenML's
# own MD5 of its file is checked by scikit-learn.
N_TRAIN = 60_000
LABELS = {
    "training set": "a25bea736e30d166cdddb491f175f624",
    "test set": "27ae3e4e09519cfbb04c329615203637",
}


@validate_params(PARAMETERS, prefer_skip_nested_validation=True)
def fetch_mnist(
    *,
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
    n_retries=3,
    delay=1.0,
):
    """Load MNIST: images of 28 by 28 pixels, 10 classes, 70,000 rows in the original.

    The first 60,000 rows of the original are the training set, the last 10,000 the test
    set. Without ``mnist.npz`` in `data_home`, scikit-learn's
    :func:`~sklearn.datasets.fetch_openml` downloads "mnist_784" and verifies its MD5;
    the order of the rows is verified by that of the original labels. ``mnist.npz`` is
    then written.

    Parameters
    ----------
    data_home : str or path-like, default=None
        A folder with ``mnist.npz`` (arrays X and y; a sample will do), or the folder
        that scikit-learn keeps its data in. None is the folder that the environment
        variable SKGROUPNET_DATA names, or else scikit-learn's own.
    download_if_missing : bool, default=True
        If False, raise an OSError where there is no ``mnist.npz`` in `data_home`.
    return_X_y : bool, default=False
        Return `(data, target)` instead of a Bunch.
    as_frame : bool, default=False
        Return a pandas DataFrame and a Series instead of arrays.
    n_retries : int, default=3
        How often a failed download is tried again.
    delay : float, default=1.0
        Seconds between the tries.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch` or tuple
        `data`, uint8 of 0 to 255, and `target`, uint8 of 0 to 9, with `frame` (None
        unless `as_frame`), `feature_names`, `target_names` (the name of the target) and
        `DESCR`, which says where the rows come from and how many of the original's
        they are; or the first two.
    """
    home = home_of(data_home)
    path = home / MNIST.archive
    if not path.exists():
        if not download_if_missing:
            raise missing(MNIST, home)
        save(MNIST, path, *_from_openml(home, n_retries, delay))
    X, y = MNIST.read(path)
    return MNIST.bunch(
        X, y, f"read from {path}", return_X_y=return_X_y, as_frame=as_frame
    )


def _from_openml(home, n_retries, delay):
    """X and y of the original, in its order."""
    try:
        X, y = fetch_openml(
            "mnist_784",
            version=1,
            data_home=home,
            return_X_y=True,
            as_frame=False,
            # The quick parser is pandas'.
            parser="pandas" if find_spec("pandas") else "liac-arff",
            n_retries=n_retries,
            delay=delay,
        )
    # OpenML's own errors, and those of its MD5, are ValueErrors.
    except (OSError, HTTPException, ValueError) as error:
        tried = [f"scikit-learn's fetch_openml('mnist_784', version=1) ({error})"]
        raise missing(MNIST, home, tried) from error
    X, y = MNIST.typed(X, y, "OpenML")
    _check_order(y)
    return X, y


def _check_order(y):
    """Verify the labels against those of the original files."""
    parts = zip(LABELS.items(), (y[:N_TRAIN], y[N_TRAIN:]), strict=True)
    for (name, checksum), labels in parts:
        file = struct.pack(">2i", 2049, len(labels)) + labels.tobytes()
        if md5(file, usedforsecurity=False).hexdigest() != checksum:
            raise OSError(
                f"The labels of mnist_784 from OpenML are not those of MNIST's {name} "
                f"in its own order: the MD5 differs from {checksum}."
            )
