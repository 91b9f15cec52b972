"""Forest cover types: 54 features of a patch of forest, 7 kinds of trees."""

from http.client import HTTPException

import numpy as np
from sklearn.datasets import fetch_covtype
from sklearn.utils._param_validation import validate_params

from skgroupnet.datasets.home import PARAMETERS, home_of, missing
from skgroupnet.datasets.original import Original

COVERTYPE = Original(
    title="Covertype",
    archive="covtype.npz",
    n_rows=581_012,
    # As scikit-learn calls them.
    feature_names=[
        "Elevation",
        "Aspect",
        "Slope",
        "Horizontal_Distance_To_Hydrology",
        "Vertical_Distance_To_Hydrology",
        "Horizontal_Distance_To_Roadways",
        "Hillshade_9am",
        "Hillshade_Noon",
        "Hillshade_3pm",
        "Horizontal_Distance_To_Fire_Points",
        *(f"Wilderness_Area_{i}" for i in range(4)),
        *(f"Soil_Type_{i}" for i in range(40)),
    ],
    target_name="Cover_Type",
    labels=range(1, 8),
    dtype=np.float64,
    text="""\
Covertype
=========

Which of 7 kinds of trees covers a patch of forest of 30 m by 30 m in Colorado: 10
measures of the place, in their original units, and two 0/1 codings, of 4 wilderness
areas and of 40 kinds of soil. Two of the classes are 85 % of the rows.

J. A. Blackard (1998), Covertype, UCI Machine Learning Repository,
https://doi.org/10.24432/C50K5N, CC BY 4.0.
""",
)


@validate_params(PARAMETERS, prefer_skip_nested_validation=True)
def fetch_covertype(
    *,
    data_home=None,
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
    n_retries=3,
    delay=1.0,
):
    """Load Covertype: 54 features, 7 classes, 581,012 rows in the original.

    Without ``covtype.npz`` in `data_home`, scikit-learn's
    :func:`~sklearn.datasets.fetch_covtype` loads the original, downloads it if need be
    and verifies its SHA-256.

    Parameters
    ----------
    data_home : str or path-like, default=None
        A folder with ``covtype.npz`` (arrays X and y; a sample will do), or the folder
        that scikit-learn keeps its data in. None is the folder that the environment
        variable SKGROUPNET_DATA names, or else scikit-learn's own.
    download_if_missing : bool, default=True
        If False, raise an OSError where the data are not in `data_home`.
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
        `data`, float64, and `target`, uint8 of 1 to 7, with `frame` (None unless
        `as_frame`), `feature_names`, `target_names` (the name of the target) and
        `DESCR`, which says where the rows come from and how many of the original's
        they are; or the first two.
    """
    home = home_of(data_home)
    path = home / COVERTYPE.archive
    if path.exists():
        source = f"read from {path}"
        X, y = COVERTYPE.read(path)
    else:
        source = "read by scikit-learn's fetch_covtype"
        try:
            X, y = fetch_covtype(
                data_home=home,
                download_if_missing=download_if_missing,
                return_X_y=True,
                n_retries=n_retries,
                delay=delay,
            )
        except (OSError, HTTPException) as error:
            tried = [f"scikit-learn's fetch_covtype ({error})"]
            raise missing(
                COVERTYPE, home, tried if download_if_missing else ()
            ) from error
        X, y = COVERTYPE.typed(X, y, source)
    return COVERTYPE.bunch(X, y, source, return_X_y=return_X_y, as_frame=as_frame)
