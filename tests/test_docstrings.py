"""Every public docstring follows numpydoc."""

import importlib
import inspect
import pkgutil

import pytest
from numpydoc.validate import validate

import skgroupnet

# A public name is one that a public package lists.
PACKAGES = (
    "skgroupnet",
    "skgroupnet.datasets",
    "skgroupnet.model_selection",
    "skgroupnet.penalties",
    "skgroupnet.plotting",
)

# What numpydoc would also have, and why it is not asked for:
IGNORED = {
    "ES01",  # an extended summary: a short one is often enough
    "EX01",  # an example in every docstring
    "GL01",  # the summary on the line after the quotes
    "GL02",  # the closing quotes on a line of their own
    "RT02",  # a single returned value with its type only: a name may say more
    "SA01",  # a section "See Also"
    "SA04",  # a description in "See Also"
    "SS05",  # the infinitive: numpydoc takes every word that ends in s for a verb
}
# The methods of a penalty follow one protocol: the tensors and their shapes are
# explained once, in skgroupnet.penalties.base, and named in one line by each method.
PROTOCOL = {"PR01", "RT01"}


def is_ours(value):
    """Tell functions and classes of this package from those it inherits."""
    value = value.fget if isinstance(value, property) else value
    return (getattr(value, "__module__", None) or "").startswith("skgroupnet")


def documented():
    """Return the dotted names of all public classes, functions and methods."""
    names = []
    for package in PACKAGES:
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if not callable(value) or not is_ours(value):
                continue
            names.append(f"{package}.{name}")
            if inspect.isclass(value):
                names.extend(methods(value, f"{package}.{name}"))
    return names


def methods(cls, path):
    """Return the dotted names of the public methods and properties of a class."""
    return [
        f"{path}.{name}"
        for name in dir(cls)
        if not name.startswith("_")
        and isinstance(
            value := inspect.getattr_static(cls, name),
            property | classmethod | staticmethod | type(is_ours),
        )
        and is_ours(getattr(value, "__func__", value))
    ]


def follows_protocol(name):
    """Tell the protocol of the penalties, and the methods that follow it."""
    is_method = name.startswith("skgroupnet.penalties.") and name.count(".") == 3
    return is_method or name == "skgroupnet.penalties.Penalty"


def modules():
    """Return the names of all modules of the package."""
    walk = pkgutil.walk_packages(skgroupnet.__path__, "skgroupnet.")
    return ["skgroupnet", *(module.name for module in walk)]


@pytest.mark.parametrize("name", documented())
def test_docstring(name):
    report = validate(name)
    ignored = IGNORED | PROTOCOL if follows_protocol(name) else IGNORED
    errors = [
        f"{code}: {text}" for code, text in report["errors"] if code not in ignored
    ]
    assert not errors, f"{name} in {report['file']}\n" + "\n".join(errors)


@pytest.mark.parametrize("name", modules())
def test_a_module_says_in_one_line_which_idea_lives_there(name):
    first = inspect.getdoc(importlib.import_module(name)).splitlines()[0]
    assert first.endswith(".")
