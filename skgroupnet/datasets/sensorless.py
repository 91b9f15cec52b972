"""Sensorless drive diagnosis: 48 features of the currents of a motor, 11 conditions."""

import os
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, validate_params

from skgroupnet.datasets.home import home_of, missing
from skgroupnet.datasets.original import Original

SENSORLESS = Original(
    title="Sensorless drive diagnosis",
    archive="sdd.npz",
    n_rows=58_509,
    # The original names no columns.
    feature_names=[f"x{i:02d}" for i in range(1, 49)],
    target_name="class",
    labels=range(1, 12),
    dtype=np.float64,
    text="""\
Sensorless drive diagnosis
==========================

Which of 11 conditions, intact or defective, a motor is in: 48 statistics of its phase
currents (mean, standard deviation, skewness and kurtosis of their empirical modes), of
scales that differ by orders of magnitude. The original has 5319 rows of each class,
sorted by class: shuffle before splitting.

M. Bator (2013), Dataset for Sensorless Drive Diagnosis, UCI Machine Learning
Repository, https://doi.org/10.24432/C5VP5F, CC BY 4.0.
""",
)


@validate_params(
    {
        "data_home": [str, os.PathLike, None],
        "download_if_missing": ["boolean"],
        "return_X_y": ["boolean"],
        "as_frame": ["boolean"],
        "n_retries": [Interval(Integral, 1, None, closed="left")],
        "delay": [Interval(Real, 0.0, None, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def fetch_sensorless(
    *,
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
    n_retries=3,
    delay=1.0,
):
    """Load Sensorless drive diagnosis: 48 features, 11 classes, 58,509 rows.

    Without ``sdd.npz`` in `data_home`, it is made of the original text file, which is
    ``Sensorless_drive_diagnosis.txt`` in `data_home` or downloaded from the UCI Machine
    Learning Repository. No checksum of it is published: what is verified is its
    content, by the shape, by the number of rows of each class and by the SHA-256 of all
    rows of class 1.

    Parameters
    ----------
    data_home : str or path-like, default=None
        A folder with ``sdd.npz`` (arrays X and y; a sample will do), or the folder
        that scikit-learn keeps its data in. None is the folder that the environment
        variable SKGROUPNET_DATA names, or else scikit-learn's own.
    download_if_missing : bool, default=True
        If False, raise an OSError where neither file is in `data_home`.
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
        `data`, float64, and `target`, uint8 of 1 to 11, with `frame` (None unless
        `as_frame`), `feature_names`, `target_names` (the name of the target) and
        `DESCR`, which says where the rows come from and how many of the original's
        they are; or the first two.
    """
    home = home_of(data_home)
    path = home / SENSORLESS.archive
    if not path.exists():
        if not download_if_missing:
            raise missing(SENSORLESS, home)
    X, y = SENSORLESS.read(path)
    return SENSORLESS.bunch(
        X, y, f"read from {path}", return_X_y=return_X_y, as_frame=as_frame
    )
