"""The extension that the tests run is the one that its sources make."""

from pathlib import Path

import pytest

from skpar_select.kernels import _kernels

SOURCES = Path(__file__).parents[2] / "src" / "skpar_select" / "kernels" / "src"


def newest_source(sources):
    return max(sources.glob("*.?pp"), key=lambda source: source.stat().st_mtime)


def test_extension__is_not_older_than_its_sources():
    built = Path(_kernels.__file__)
    if built.parent == SOURCES.parent:
        pytest.skip("an extension that was copied into the tree has the date of its copy")
    newest = newest_source(SOURCES)
    assert built.stat().st_mtime >= newest.stat().st_mtime, (
        f"{newest.name} was changed after the extension was built, so that these tests are of what "
        "was there before. Install the change, as CONTRIBUTING.md says."
    )


def test_sources__are_there():
    assert newest_source(SOURCES).suffix in (".cpp", ".hpp")
