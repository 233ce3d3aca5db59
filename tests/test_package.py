"""What the package promises by its name: public names, metadata, files that travel with it."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, metadata, version
from pathlib import Path

import pytest

import skpar_select
from skpar_select import targets

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_public_names__are_those_of_the_design():
    assert sorted(skpar_select.__all__) == [
        "DroppedSamplesWarning",
        "LazyMatrix",
        "MutualInfoDisplay",
        "ParallelMutualInfoSelector",
        "__version__",
        "align",
        "get_config",
        "mutual_info_classif",
        "mutual_info_classif_test",
        "mutual_info_regression",
        "mutual_info_regression_test",
        "open_matrix",
        "read_targets",
    ]
    for name in skpar_select.__all__:
        assert getattr(skpar_select, name) is not None


def test_public_names__are_listed_before_they_are_imported():
    assert set(skpar_select.__all__) <= set(dir(skpar_select))
    assert set(skpar_select._MODULE_OF) == set(skpar_select.__all__)


def test_unknown_name__is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'skpar_select' has no attribute 'select'"):
        skpar_select.select  # noqa: B018  # that it fails is the test


def test_rooms__are_there_without_an_import():
    for room in skpar_select._ROOMS:
        assert getattr(skpar_select, room).__name__ == f"skpar_select.{room}"


def test_import__takes_no_library_along():
    code = "import sys, skpar_select; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "skpar_select" in loaded
    assert loaded.isdisjoint({"numpy", "scipy", "sklearn", "h5py", "joblib"})


def test_module_of_targets__gives_the_public_function():
    assert targets.read_targets is skpar_select.read_targets


def test_public_names__are_documented():
    # A string, such as the version, has the docstring of its type.
    documented = [name for name in skpar_select.__all__ if name != "__version__"]
    for name in documented:
        thing = getattr(skpar_select, name)
        assert thing.__module__.startswith("skpar_select."), name
        assert thing.__doc__, name


def test_version__is_that_of_the_project():
    assert skpar_select.__version__ == PROJECT["version"]


def test_metadata__agrees_with_pyproject():
    assert version("skpar-select") == PROJECT["version"]
    assert metadata("skpar-select")["Requires-Python"] == PROJECT["requires-python"]


def test_metadata__names_the_command():
    (command,) = entry_points(group="console_scripts", name="skpar-select")
    assert command.value == "skpar_select.cli:main"


def test_changelog__has_the_current_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## \[{re.escape(PROJECT['version'])}\]", changelog, re.MULTILINE)


def test_package__ships_its_types():
    assert (Path(skpar_select.__file__).parent / "py.typed").is_file()
