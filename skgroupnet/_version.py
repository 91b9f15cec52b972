"""The version of the package, and a report of what it runs on."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version

__version__ = "0.1.0.dev0"

_PACKAGES = ("scikit-learn", "torch", "numpy", "scipy", "joblib", "matplotlib")


def show_versions() -> None:
    """Print the versions of skgroupnet, Python and the packages it builds on.

    The last line says what takes the training steps, see `config_context`. Include
    the report in bug reports.

    Examples
    --------
    >>> from skgroupnet import show_versions
    >>> show_versions()  # doctest: +ELLIPSIS
    skgroupnet    ...
    """
    lines = [
        ("skgroupnet", __version__),
        ("python", sys.version.split()[0]),
        ("platform", platform.platform()),
        *((name, _installed(name)) for name in _PACKAGES),
        ("steps", _steps()),
    ]
    for name, value in lines:
        print(f"{name:<13} {value}")


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _steps() -> str:
    try:
        from skgroupnet.engine.compiled import default_report

        return default_report()
    except Exception as error:  # a report for bugs goes on, whatever is broken
        return f"unknown: {error!r}"
