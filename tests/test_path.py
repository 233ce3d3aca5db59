"""The path from `fit` to `scores_`, as docs/design.md draws it, is short."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import skpar_select
from skpar_select import ParallelMutualInfoSelector, open_matrix

PACKAGE = Path(skpar_select.__file__).parent
PAGE = Path(__file__).parents[1] / "docs" / "design.md"

# Where the way of a block ends: its bytes are read, decoded, put in place and scored, and its scores
# are taken.
ENDS = {
    "matrices/io/_file": "read_into",
    "matrices/io/_filters": "decode",
    "matrices/io/_selection": "scatter",
    "kernels/_score": "mutual_information",
    "scoring/_sinks": "write",
}


def module_of(frame):
    file = Path(frame.f_code.co_filename)
    inside = file.is_relative_to(PACKAGE)
    return file.relative_to(PACKAGE).with_suffix("").as_posix() if inside else None


@pytest.fixture
def modules_on_the_path(write_h5):
    """Fit a chunked file, and list the modules that call each other to one of the ends."""
    X = np.random.default_rng(0).normal(size=(60, 90))
    path = write_h5(X, chunks=(20, 15), compression="gzip", shuffle=True)
    found = set()

    def watch(frame, event, argument):
        if event != "call" or ENDS.get(module_of(frame)) != frame.f_code.co_name:
            return
        while frame is not None:
            found.add(module_of(frame))
            frame = frame.f_back

    # Names are read as values are, on a way of their own.
    selector = ParallelMutualInfoSelector(n_jobs=2)
    matrix = open_matrix(path, feature_names=None, sample_ids=None)
    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        selector.fit(matrix, X[:, 0])
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return found - {None}


def test_path__from_fit_to_scores_enters_at_most_14_modules(modules_on_the_path):
    assert {"_selector", "matrices/readers/_chunked", *ENDS} <= modules_on_the_path
    assert len(modules_on_the_path) <= 14, sorted(modules_on_the_path)


def test_page__names_the_modules_of_the_path(modules_on_the_path):
    page = PAGE.read_text("utf-8")
    for name in modules_on_the_path:
        assert f"`{name.rpartition('/')[2]}`" in page or f"`{name.replace('/', '.')}`" in page, name


def test_score_columns__is_one_screen():
    source = (PACKAGE / "scoring" / "_score_columns.py").read_text("utf-8")
    path = source[source.index("    needs = ") : source.index("def _take_found")]
    assert len(path.splitlines()) <= 70
