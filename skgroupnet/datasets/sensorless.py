"""Sensorless drive diagnosis: 48 features of the currents of a motor, 11 conditions."""

import warnings
from hashlib import sha256
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile, is_zipfile

import numpy as np
from sklearn.utils._param_validation import validate_params

from skgroupnet.datasets.download import MAX_BYTES, Remote, download
from skgroupnet.datasets.home import PARAMETERS, home_of, missing, save
from skgroupnet.datasets.original import BROKEN, Original

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


# The first is where the repository keeps it, the second where it was before. No
# published checksum is known: `_check` verifies the content.
FILE = "Sensorless_drive_diagnosis.txt"
UCI = "https://archive.ics.uci.edu"
REMOTES = (
    Remote(f"{UCI}/static/public/325/dataset+for+sensorless+drive+diagnosis.zip"),
    Remote(f"{UCI}/ml/machine-learning-databases/00325/{FILE}"),
)
N_PER_CLASS = 5319
# SHA-256 of the rows of class 1, little-endian float64, in lexicographic order. Not
# published: computed from a copy of these rows in a public repository, of which 200 are
# also in a second one, with the same values.
CLASS_1 = "991be4fe5fc997d2c9c43678f6a1923ce14413247c33be5afc207ef1e8047655"


@validate_params(PARAMETERS, prefer_skip_nested_validation=True)
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
    Learning Repository. No published checksum of it is known: what is verified is its
    content, by the shape, by the number of rows of each class and by a SHA-256 of all
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
        save(SENSORLESS, path, *_original(home, download_if_missing, n_retries, delay))
    X, y = SENSORLESS.read(path)
    return SENSORLESS.bunch(
        X, y, f"read from {path}", return_X_y=return_X_y, as_frame=as_frame
    )


def _original(home, download_if_missing, n_retries, delay):
    """X and y of the original, from its text file or from the web."""
    if (home / FILE).exists():
        return _parse(home / FILE, f"{home / FILE}")
    also = f", or {FILE}, the original,"
    if not download_if_missing:
        raise missing(SENSORLESS, home, also=also)
    tried, last = [], None
    for remote in REMOTES:
        try:
            with TemporaryDirectory(dir=home) as folder:
                path = Path(folder) / FILE
                download(remote, path, n_retries, delay)
                return _parse(path, "the file")
        except (OSError, HTTPException) as error:
            tried.append(f"{remote.url} ({error})")
            last = error
    raise missing(SENSORLESS, home, tried, also) from last


def _parse(path, name):
    """X and y of the original text file, or of the zip file of it; errors name it."""
    try:
        if is_zipfile(path):
            with ZipFile(path) as archive:
                _check_size(archive.getinfo(FILE).file_size)
                with archive.open(FILE) as file:
                    table = _table(file)
        else:
            _check_size(path.stat().st_size)
            table = _table(path)
        X, y = SENSORLESS.typed(table[:, :-1], table[:, -1], name)
    # A file cut short, a page that says something else, a zip file of something else,
    # or encrypted (RuntimeError).
    except (ValueError, KeyError, RuntimeError, *BROKEN) as error:
        raise OSError(f"{name} is not the original: {error}") from error
    _check(X, y, name)
    return X, y


def _check_size(n_bytes):
    """Verify that a text can be the original before it fills the memory."""
    if n_bytes > MAX_BYTES:
        raise ValueError(
            f"it has {n_bytes} bytes when unpacked, and at most {MAX_BYTES} are "
            "expected"
        )


def _table(file):
    with warnings.catch_warnings():
        # An empty file has the wrong shape, which is told next.
        warnings.filterwarnings("ignore", "loadtxt: input contained no data")
        return np.loadtxt(file, ndmin=2)


def _check(X, y, name):
    """Verify the content of the original."""
    counts = np.bincount(y, minlength=12)[1:].tolist()
    if counts != [N_PER_CLASS] * len(SENSORLESS.labels):
        raise OSError(
            f"{name} is not the original: it has {counts} rows of the classes 1 to 11, "
            f"and not {N_PER_CLASS} of each"
        )
    found = sha256(np.unique(X[y == 1], axis=0).astype("<f8").tobytes()).hexdigest()
    if found != CLASS_1:
        raise OSError(
            f"{name} is not the original: the SHA-256 of its rows of class 1 is "
            f"{found}, and not {CLASS_1}"
        )
