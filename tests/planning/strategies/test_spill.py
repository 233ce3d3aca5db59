"""The strategies that copy: where the copy is made, what it holds, and that nothing of it stays."""

import os
import tempfile
from dataclasses import replace

import h5py
import numpy as np
import pytest
from layouts import layout_of, limits_of, needs_of
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.execution import ThreadsExecutor
from skpar_select.matrices import LazyMatrix
from skpar_select.planning.strategies import InMemory, Spill
from skpar_select.scoring import DiscreteFeatures, MutualInformation, Sink, Targets, score_columns


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of temporary files, as TMPDIR names it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def matrix(problem, write_h5):
    return open_matrix(write_h5(problem[0], chunks=(7, 23), compression="gzip"))


def opened(strategy, matrix, n_jobs=2):
    """Open a matrix by a strategy that copies it."""
    needs = needs_of(matrix.shape[0])
    priced = strategy.price(matrix.layout, needs, limits_of(matrix.layout, needs, n_jobs), 10**8)
    return priced.open(matrix, ThreadsExecutor(n_jobs))


class Watched(LazyMatrix):
    """Notes which rows and columns are read together."""

    def __init__(self, source):
        super().__init__(source)
        self.fetched = []

    def fetch(self, columns, rows=None):
        self.fetched.append((np.asarray(columns), np.asarray(rows)))
        return super().fetch(columns, rows)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("rows", [np.s_[:], np.s_[::-2], np.array([3, 3, 50, 0])])
def test_spill__holds_the_matrix_in_the_temporary_folder(folder, matrix, problem, n_jobs, rows):
    with opened(Spill, matrix[rows], n_jobs) as copy:
        assert_array_equal(copy.read(range(23)), problem[0][rows])
        assert copy.layout.order == "row-major"
        # Without a name, so that it goes with the process, however that ends.
        assert not list(folder.iterdir()) or not os.path.exists("/proc/self/fd")
    assert not list(folder.iterdir())


def test_spill__leaves_room_for_what_a_library_keeps():
    needs = needs_of()
    layout = layout_of("chunked", n_features=30_000)
    limits = limits_of(layout, needs, 2)
    narrowest = Spill.price(layout, needs, limits, 0)
    budget = narrowest.peak_bytes + 500_000
    plain = Spill.price(layout, needs, limits, budget)
    keeping = Spill.price(replace(layout, kept_bytes=400_000), needs, limits, budget)
    assert keeping.peak_bytes <= budget
    assert keeping.width < plain.width


@pytest.mark.parametrize("how", [{}, {"orientation": "features_by_samples"}])
@pytest.mark.parametrize("strategy", [InMemory, Spill])
def test_copy__reads_a_row_that_is_selected_often_once(strategy, how, write_h5):
    values = np.random.default_rng(0).random((40, 30), dtype=np.float32)
    stored = values.T if how else values
    path = write_h5(
        stored, features=not how, samples=not how,
        chunks=(30, 5) if how else (5, 30), compression="gzip",
    )  # fmt: skip
    rows = np.random.default_rng(1).integers(0, 40, 1000)
    view = Watched(open_matrix(path, "data", **how)[rows])
    assert view.layout.rows_per_chunk_row == 5
    with opened(strategy, view) as copy:
        assert_array_equal(copy.read(range(30)), values[rows])
    assert sum(len(rows) for _, rows in view.fetched) == 40


@pytest.mark.parametrize("dtypes", [("f4", "f4"), ("f4", "f8")])
@pytest.mark.parametrize("strategy", [InMemory, Spill])
def test_copy__of_files_with_rows_in_orders_of_their_own_decodes_each_chunk_once(
    strategy, dtypes, tmp_path
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
    some = np.setdiff1d(np.arange(60), [5 + 6 * chunk_row for chunk_row in range(10)])
    for view, expected in ((X, values), (X[some], values[some])):
        n_read = 0
        for part in view.parts:
            watched = Watched(part.matrix)
            with opened(strategy, watched) as copy:
                assert_array_equal(copy.read(range(12)), expected[:, part.columns])
            stored = np.asarray(
                watched.stored_rows if part.columns[0] == 0 else np.argsort(order)[view.stored_rows]
            )
            seen = [
                chunk_row for _, rows in watched.fetched for chunk_row in set(stored[rows] // 6)
            ]
            assert sorted(seen) == list(range(10))
            n_read += len(seen)
        assert n_read == 2 * 10
    assert X[order[:6]].parts[1].matrix.layout.rows_per_chunk_row == 6


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_spill__leaves_nothing_after_an_error(folder, matrix, error):
    n_open = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else None
    with pytest.raises(error, match="stop"), opened(Spill, matrix):
        raise error("stop")
    assert not list(folder.iterdir())
    assert n_open is None or len(os.listdir("/proc/self/fd")) == n_open


class Stopping(Sink):
    """Notes the strategies of the plan, and stops the work with its second block."""

    def __init__(self, error):
        self.error, self.n_written = error, 0

    def begin(self, plan):
        self.strategies = [strategy.name for strategy in plan.strategies]

    def write(self, columns, result):
        self.n_written += 1
        if self.n_written == 2:
            raise self.error("stop")


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_spill__of_a_run_that_stops_leaves_nothing(folder, write_h5, error):
    X = np.random.default_rng(0).normal(size=(200, 6000))
    matrix = open_matrix(write_h5(X, chunks=(5, 6000), compression="gzip", compression_opts=1))
    scorer = MutualInformation(
        Targets(X[:, 0], 200, task="regression", omit=False),
        task="regression",
        discrete=DiscreteFeatures("auto", 6000, sparse=False),
        n_neighbors=3,
        random_state=0,
    )
    sink = Stopping(error)
    n_open = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else None
    with pytest.raises(error, match="stop"):
        score_columns(matrix, scorer, ThreadsExecutor(2), memory_budget=4_000_000, sinks=[sink])
    assert sink.strategies == ["spill"]
    assert sink.n_written == 2
    assert not list(folder.iterdir())
    assert n_open is None or len(os.listdir("/proc/self/fd")) == n_open


def test_spill__of_a_system_without_open_names_is_removed_at_the_end(folder, matrix, monkeypatch):
    exists = os.path.exists
    monkeypatch.setattr(
        os.path, "exists", lambda path: not str(path).startswith("/proc") and exists(path)
    )
    with opened(Spill, matrix) as copy:
        assert len(list(folder.iterdir())) == 1
        assert copy.read(range(23)).shape == (60, 23)
    assert not list(folder.iterdir())


def test_spill__says_when_the_disk_is_full(folder, matrix, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with (
        pytest.raises(OSError, match=r"temporary file of 5\.6 kB cannot be made in .*Set TMPDIR"),
        opened(Spill, matrix),
    ):
        pass
    assert not list(folder.iterdir())


def priced(**changes):
    layout, needs = layout_of("chunked", ratio=0.5), needs_of()
    return Spill.price(layout, needs, limits_of(layout, needs, **changes), 10**9)


def test_spill__is_not_offered_where_workers_do_not_see_it_or_the_disk_is_full():
    assert priced(shares_memory=False) is not None
    assert priced(same_host=False) is None
    n_bytes = layout_of("chunked").n_bytes
    assert priced(scratch_bytes=n_bytes) is not None
    assert priced(scratch_bytes=n_bytes - 1) is None
