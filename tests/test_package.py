"""The public names, the version and the package's metadata."""

import importlib
import runpy
import sys
import tomllib
from importlib.metadata import metadata, version
from importlib.resources import files
from pathlib import Path

import pytest
import setuptools

import skgroupnet
from skgroupnet.engine import compiled

ROOT = Path(__file__).parents[1]
NAMES = {
    "GroupSparseLinearRegression",
    "GroupSparseLinearRegressionCV",
    "GroupSparseLogisticRegression",
    "GroupSparseLogisticRegressionCV",
    "GroupSparseMLPClassifier",
    "GroupSparseMLPClassifierCV",
    "GroupSparseMLPRegressor",
    "GroupSparseMLPRegressorCV",
    "GroupSparsePoissonRegressor",
    "GroupSparsePoissonRegressorCV",
    "Network",
    "Pruned",
    "__version__",
    "config_context",
    "datasets",
    "model_selection",
    "penalties",
    "plotting",
    "prune",
    "show_versions",
}


def test_public_names():
    assert set(skgroupnet.__all__) == NAMES
    assert set(dir(skgroupnet)) >= NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_public_name_is_there(name):
    assert getattr(skgroupnet, name) is not None


@pytest.mark.parametrize(
    "name", ["datasets", "model_selection", "penalties", "plotting"]
)
def test_a_public_package_is_an_attribute(monkeypatch, name):
    module = importlib.import_module(f"skgroupnet.{name}")
    # As in an interpreter that has not imported it yet.
    monkeypatch.delattr(skgroupnet, name)
    assert getattr(skgroupnet, name) is module


@pytest.mark.parametrize("name", sorted(n for n in NAMES if n.endswith("CV")))
def test_estimators_that_choose_lam_have_two_homes(name):
    assert getattr(skgroupnet, name) is getattr(skgroupnet.model_selection, name)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'GroupDense'"):
        _ = skgroupnet.GroupDense


def test_version_is_the_installed_one():
    assert skgroupnet.__version__ == version("skgroupnet")


def test_the_package_is_typed():
    assert files("skgroupnet").joinpath("py.typed").is_file()


def test_metadata():
    meta = metadata("skgroupnet")
    assert meta["License-Expression"] == "BSD-3-Clause"
    assert set(meta.get_all("Provides-Extra")) == {"plot", "test", "doc", "dev"}
    needed = [line for line in meta.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(needed) == [
        "numpy>=1.26",
        "scikit-learn>=1.9",
        "scipy>=1.12",
        "torch>=2.6",
    ]


def test_constraints_pin_every_direct_dependency():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted.extend(extra)
    names = {line.split(">=")[0].lower() for line in wanted}
    assert {name for name in names if not name.startswith("skgroupnet")} <= pinned


def test_the_build_knows_every_source_of_the_compiled_steps(monkeypatch):
    # One that is not listed is missing from the source distribution.
    monkeypatch.chdir(ROOT)
    extensions = []
    monkeypatch.setattr(
        setuptools, "setup", lambda ext_modules: extensions.extend(ext_modules)
    )
    runpy.run_path("setup.py")
    [extension] = extensions
    listed = [*extension.sources, *extension.depends]
    folder = ROOT / "skgroupnet" / "engine" / "step"
    assert sorted(listed) == sorted(
        path.relative_to(ROOT).as_posix() for path in folder.glob("*.[ch]")
    )
    assert (extension.optional, extension.py_limited_api) == (True, True)
    [(name, digest)] = extension.define_macros
    assert name == "DIGEST"
    assert compiled.is_of(folder, digest)


def test_show_versions_names_every_dependency(capsys):
    skgroupnet.show_versions()
    report = capsys.readouterr().out
    for name in ("skgroupnet", "python", "scikit-learn", "torch", "numpy", "scipy"):
        assert f"\n{name} " in f"\n{report}"


def test_show_versions_where_the_engine_is_broken(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "skgroupnet.engine.compiled", None)
    skgroupnet.show_versions()
    assert "steps         unknown: ModuleNotFoundError(" in capsys.readouterr().out


def test_show_versions_without_an_optional_package(capsys, monkeypatch):
    monkeypatch.setattr("skgroupnet._version._PACKAGES", ("no-such-package",))
    skgroupnet.show_versions()
    assert "not installed" in capsys.readouterr().out


def test_the_example_of_the_readme_runs(capsys):
    readme = (ROOT / "README.md").read_text()
    example = readme.split("```python\n")[1].split("```")[0]
    names = {}
    exec(example, names)
    assert names["compact"].n_active_neurons_ < 100
    assert float(capsys.readouterr().out.splitlines()[0]) > 0.9
