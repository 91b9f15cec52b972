"""Pickles remember the version of the package that wrote them."""

import warnings

from skgroupnet._version import __version__


def check_version(name, version):
    """Warn if an estimator comes from another version of the package.

    Parameters
    ----------
    name : str
        Name of the estimator.
    version : str or None
        The version that pickled it, None if unknown.
    """
    if version != __version__:
        warnings.warn(
            f"{name} was pickled with skgroupnet {version or 'of an unknown version'} "
            f"and is loaded with skgroupnet {__version__}. It may not work, or predict "
            "something else: train it again to be sure.",
            UserWarning,
            stacklevel=3,
        )
