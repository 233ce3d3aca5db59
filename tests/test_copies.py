"""The temporary copy: where it is made, what it holds, and that nothing of it stays."""

import os
import tempfile
from collections import namedtuple

import h5py
import numpy as np
import pytest

from skpar_select import ParallelMutualInfoSelector, _blocks, _copies, open_matrix
from skpar_select._copies import copied, scratch_available
from skpar_select._progress import ProgressLine
from skpar_select._scoring import plan_scoring
from skpar_select.sources import LazyMatrix, _chunks


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of temporary files, as TMPDIR names it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def scratch(monkeypatch):
    """Have the planner take a temporary file."""
    ways = _blocks._ways
    monkeypatch.setattr(
        _blocks, "_ways", lambda *args: [p for p in ways(*args) if p.route == "scratch"]
    )


@pytest.fixture
def matrix(problem, write_h5):
    return open_matrix(write_h5(problem[0], chunks=(7, 23), compression="gzip"))


def plan(matrix, n_jobs=2):
    return plan_scoring(matrix, score_func=False, memory_budget=10**8, n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("rows", [np.s_[:], np.s_[::-2], np.array([3, 3, 50, 0])])
def test_copied__holds_the_matrix_in_the_temporary_folder(
    folder, scratch, matrix, problem, n_jobs, rows
):
    view = matrix[rows]
    with copied(view, plan(view, n_jobs)) as copy:
        np.testing.assert_array_equal(copy.read(np.s_[:]), problem[0][rows])
        assert copy.storage.kind == "rows"
        # Without a name, so that it goes with the process, however that ends.
        assert not list(folder.iterdir()) or not os.path.exists("/proc/self/fd")
    assert not list(folder.iterdir())


@pytest.mark.parametrize("how", [{}, {"orientation": "features_by_samples"}])
@pytest.mark.parametrize("route", ["load", "scratch"])
def test_copied__reads_a_row_that_is_wanted_often_once(route, how, write_h5, monkeypatch):
    values = np.random.default_rng(0).random((40, 30), dtype=np.float32)
    stored = values.T if how else values
    path = write_h5(stored, chunks=(30, 5) if how else (5, 30), compression="gzip")
    rows = np.random.default_rng(1).integers(0, 40, 1000)
    view = open_matrix(path, "data", **how)[rows]
    assert view.storage.band_rows == 5
    ways = _blocks._ways
    monkeypatch.setattr(
        _blocks, "_ways", lambda *args: [p for p in ways(*args) if p.route == route]
    )
    fetched = []
    fetch = LazyMatrix.fetch
    monkeypatch.setattr(LazyMatrix, "fetch", lambda self: fetched.append(len(self)) or fetch(self))
    with copied(view, plan(view)) as copy:
        np.testing.assert_array_equal(copy.read(np.s_[:]), values[rows])
    assert sum(fetched) == 40


@pytest.mark.parametrize("dtypes", [("f4", "f4"), ("f4", "f8")])
@pytest.mark.parametrize("route", ["load", "scratch"])
def test_copied__of_files_with_rows_in_orders_of_their_own_decodes_each_chunk_once(
    route, dtypes, tmp_path, monkeypatch
):
    values = np.random.default_rng(0).random((60, 24), dtype=np.float32)
    order = np.random.default_rng(1).permutation(60)
    paths = [tmp_path / "0.h5", tmp_path / "1.h5"]
    for path, part, rows, dtype in zip(
        paths, np.hsplit(values, 2), [np.arange(60), order], dtypes, strict=True
    ):
        with h5py.File(path, "w") as file:
            data = part[rows].astype(dtype)
            file.create_dataset("data", data=data, chunks=(6, 12), compression="gzip")
            file["samples"] = [str(row) for row in rows]
    X = open_matrix(paths, "data", sample_ids="samples")
    ways = _blocks._ways
    monkeypatch.setattr(
        _blocks, "_ways", lambda *args: [p for p in ways(*args) if p.route == route]
    )
    decoded = []
    decode = _chunks.decode
    monkeypatch.setattr(_chunks, "decode", lambda *args: decoded.append(1) or decode(*args))
    some = np.setdiff1d(np.arange(60), [5 + 6 * band for band in range(10)])
    for view, expected in ((X, values), (X[some], values[some])):
        decoded.clear()
        with copied(view, plan(view)) as copy:
            np.testing.assert_array_equal(copy.read(np.s_[:]), expected)
        assert len(decoded) == 2 * 10
    assert X[order[:6]].storage.band_rows == 6


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_copied__leaves_nothing_after_an_error(
    folder, scratch, matrix, problem, error, monkeypatch
):
    n_open = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else None

    def stop(self, block, n_columns):
        raise error("stop")

    monkeypatch.setattr(ProgressLine, "end", stop)
    selector = ParallelMutualInfoSelector(n_jobs=2, memory_budget="1MB", verbose=1)
    with pytest.raises(error, match="stop"):
        selector.fit(matrix, problem[1])
    assert not list(folder.iterdir())
    assert n_open is None or len(os.listdir("/proc/self/fd")) == n_open


def test_copied__of_a_system_without_open_names_is_removed_at_the_end(
    folder, scratch, matrix, monkeypatch
):
    monkeypatch.setattr(_copies.os.path, "exists", lambda path: False)
    with copied(matrix, plan(matrix)) as copy:
        assert len(list(folder.iterdir())) == 1
        assert copy.read(np.s_[:]).shape == (60, 23)
    assert not list(folder.iterdir())


def test_copied__tells_when_the_disk_is_full(folder, scratch, matrix, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_copies.os, "posix_fallocate", full)
    with (
        pytest.raises(OSError, match=r"temporary file of 5\.6 kB cannot be made in .*Set TMPDIR"),
        copied(matrix, plan(matrix)),
    ):
        pass
    assert not list(folder.iterdir())


def test_scratch_available__is_what_the_temporary_folder_has(folder, monkeypatch):
    asked = []

    def disk_usage(place):
        asked.append(place)
        return namedtuple("Usage", "free")(5)

    monkeypatch.setattr(_copies.shutil, "disk_usage", disk_usage)
    assert scratch_available() == 5
    assert asked == [str(folder)]
    folder.rmdir()
    monkeypatch.undo()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert scratch_available() == 0
