"""What the package promises by its name: public names, metadata, files that travel with it."""

import re
import tomllib
from importlib.metadata import entry_points, metadata, version
from pathlib import Path

import skpar_select
from skpar_select import targets

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_public_names__are_those_of_the_design():
    assert sorted(skpar_select.__all__) == [
        "MutualInfoDisplay",
        "ParallelMutualInfoSelector",
        "__version__",
        "get_config",
        "mutual_info_classif",
        "mutual_info_regression",
        "open_matrix",
        "read_targets",
    ]
    for name in skpar_select.__all__:
        assert getattr(skpar_select, name) is not None


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
