"""A matrix in chunks of columns: the same bits, read once, and continued where it was stopped."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from recorded import RecordedMatrix

from skpar_select import open_matrix
from skpar_select.matrices import LazyMatrix
from skpar_select.tables import repack_matrix
from skpar_select.tables._begun import JOURNAL
from skpar_select.tables._repack import REPACK

NAMES = [f"cg{index:05}" for index in range(700)]
IDS = [f"s{index}" for index in range(90)]


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(size=(90, 700)).astype(np.float32)


def write(path, values, chunks=(8, 700), turned=False, **options):
    with h5py.File(path, "w") as file:
        held = values.T if turned else values
        file.create_dataset(
            "data", data=held, chunks=chunks and chunks[:: -1 if turned else 1], **options
        )
        file["features"], file["samples"] = NAMES[: values.shape[1]], IDS[: values.shape[0]]


def repacked(X, path="out.h5", **options):
    repack_matrix(X, path, n_jobs=1, **options)
    return open_matrix(path)


def assert_same(X, expected, names=NAMES, ids=IDS):
    assert np.ascontiguousarray(X).tobytes() == np.ascontiguousarray(expected).tobytes()
    assert list(X.feature_names) == list(names)
    assert list(X.sample_ids) == list(ids)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def left():
    return sorted(name for name in os.listdir() if name.startswith("."))


@pytest.mark.parametrize(
    ("dtype", "chunks", "turned"),
    [
        ("f2", (8, 700), False),
        ("f4", (90, 3), True),
        (">f8", (16, 50), False),
        ("i2", None, False),
        ("?", None, True),
    ],
)
def test_repack__keeps_every_bit_and_label(dtype, chunks, turned, values):
    values = (10 * values).astype(dtype)
    write("x.h5", values, chunks, turned)
    X = repacked(open_matrix("x.h5", orientation="auto"))
    assert_same(X, values)
    assert X.dtype == values.dtype
    assert X.layout.chunks[0] == 90
    assert left() == []


def test_repack__of_a_small_budget_takes_many_tiles(values):
    write("x.h5", values, (8, 64), compression="gzip")
    X = open_matrix("x.h5")
    with pytest.raises(ValueError, match=r"memory_budget=1000 bytes is too small"):
        repack_matrix(X, "out.h5", memory_budget=1000)
    assert left() == []
    assert_same(repacked(X, memory_budget="72kB"), values)


def test_repack__of_a_view_and_of_several_files(values):
    write("x.h5", values)
    X = open_matrix("x.h5")
    rows, columns = np.random.default_rng(1).permutation(90)[:50], np.arange(699, 0, -2)
    assert_same(
        repacked(X[rows][:, columns]),
        values[rows][:, columns],
        np.array(NAMES)[columns],
        np.array(IDS)[rows],
    )
    with h5py.File("y.h5", "w") as file:
        file["data"], file["features"], file["samples"] = (
            values[::-1],
            [f"y{n}" for n in NAMES],
            IDS[::-1],
        )
    both = open_matrix(["x.h5", "y.h5"])
    assert_same(
        repacked(both, overwrite=True),
        np.hstack([values, values]),
        [*NAMES, *(f"y{n}" for n in NAMES)],
    )


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (1, 1)])
def test_repack__of_next_to_nothing(shape):
    X = LazyMatrix(RecordedMatrix(np.ones(shape)))
    repack_matrix(X, "out.h5", n_jobs=1)
    with h5py.File("out.h5") as file:
        assert file["data"].shape == shape
        np.testing.assert_array_equal(file["data"], np.ones(shape))


def test_repack__leaves_each_shard_its_own_part(values):
    write("x.h5", values)
    X = open_matrix("x.h5")
    done = repacked(X)
    border = 2 * done.layout.chunks[1]
    assert 0 < border < 700
    read = [
        sum(held[:, some].layout.stored_bytes for some in (slice(0, border), slice(border, 700)))
        for held in (X, done)
    ]
    assert read == [2 * X.layout.stored_bytes, done.layout.stored_bytes]


def test_output__is_not_replaced_unless_told_and_never_an_input(values):
    write("x.h5", values)
    X = open_matrix("x.h5")
    repack_matrix(X, "out.h5", n_jobs=1)
    with pytest.raises(FileExistsError, match=r"out\.h5' exists"):
        repack_matrix(X, "out.h5")
    with pytest.raises(ValueError, match=r"x\.h5' is an input"):
        repack_matrix(X, "x.h5", overwrite=True)
    with pytest.raises(ValueError, match=r"Results are written in the format"):
        repack_matrix(X, "out.csv")


class Stopping:
    """Stands in for progress, and stops a run after some tiles."""

    def __init__(self, n_tiles, fault):
        self.n_tiles, self.fault = n_tiles, fault

    def start(self, n_total, unit):
        self.n_total = n_total

    def advance(self, n_units):
        self.n_tiles -= 1
        if self.n_tiles == 0:
            raise self.fault


def stopped(X, n_tiles=4, fault=KeyboardInterrupt, memory_budget="140kB"):
    with pytest.raises(fault):
        repack_matrix(
            X, "out.h5", n_jobs=1, memory_budget=memory_budget, progress=Stopping(n_tiles, fault)
        )
    assert sorted(os.path.splitext(name)[1] for name in left()) == [JOURNAL, REPACK]
    assert not os.path.exists("out.h5")


class TestContinued:
    def continued(self, X, **options):
        said, progress = [], Stopping(-1, None)
        repack_matrix(
            X, "out.h5", progress=progress, tell=said.append,
            **{"memory_budget": "140kB", "n_jobs": 1, **options},
        )  # fmt: skip
        assert left() == []
        return said, progress.n_total

    @pytest.fixture
    def X(self, values):
        write("x.h5", values)
        return open_matrix("x.h5")

    @pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError])
    def test_next_run__copies_what_is_left(self, X, values, fault):
        whole = self.continued(X)[1]
        os.unlink("out.h5")
        stopped(X, 4, fault)
        said, n_tiles = self.continued(X)
        assert n_tiles == whole - 4
        assert said == ["An earlier run is continued: 4 pieces are there."]
        assert_same(open_matrix("out.h5"), values)

    def test_next_run__of_another_matrix_begins_anew(self, X, values):
        stopped(X)
        write("x.h5", values + 1)
        said, _ = self.continued(open_matrix("x.h5"))
        assert len(said) == 1
        assert (
            "is of another matrix, of one that has changed, or of another version. All is written anew."
            in said[0]
        )
        assert_same(open_matrix("out.h5"), values + 1)

    @pytest.mark.parametrize("options", [{"memory_budget": "1MB"}, {"memory_budget": "138kB"}])
    @pytest.mark.parametrize("n_jobs", [1, 3])
    def test_next_run__of_another_budget_keeps_the_pieces(self, X, values, options, n_jobs):
        whole = self.continued(X)[1]
        os.unlink("out.h5")
        stopped(X, 4)
        said, n_tiles = self.continued(X, **options, n_jobs=n_jobs)
        assert said == ["An earlier run is continued: 4 pieces are there."]
        assert n_tiles == whole - 4
        assert_same(open_matrix("out.h5"), values)

    def test_next_run__of_too_small_a_budget_begins_anew(self, X, values):
        stopped(X, 1, memory_budget="4MB")
        said, _ = self.continued(X)
        assert said == [
            "What an earlier run has left is in pieces that are too large for this budget. "
            "All is written anew."
        ]
        assert_same(open_matrix("out.h5"), values)

    def test_next_run__of_another_output_leaves_it_alone(self, X):
        stopped(X)
        there = left()
        repack_matrix(X, "other.h5", n_jobs=1)
        assert left() == there

    def test_journal__that_is_torn_anywhere_loses_no_more_than_its_end(self, X, values):
        stopped(X)
        name = next(name for name in left() if name.endswith(JOURNAL))
        held = Path(name).read_bytes()
        part = next(name for name in left() if name.endswith(REPACK))
        copy = Path(part).read_bytes()
        for n_bytes in range(0, len(held), 1 + len(held) // 6):
            Path(name).write_bytes(held[:n_bytes])
            Path(part).write_bytes(copy)
            self.continued(X, overwrite=True)
            assert_same(open_matrix("out.h5"), values)

    def test_piece__that_is_damaged_meanwhile_is_told_and_begun_anew(self, X, values):
        stopped(X)
        name = next(name for name in left() if name.endswith(REPACK))
        held = bytearray(Path(name).read_bytes())
        held[held.index(values[0, :20].tobytes())] ^= 1
        Path(name).write_bytes(held)
        with pytest.raises(OSError, match=r"what was read again is not what was written"):
            self.continued(X)
        assert left() == []
        assert not os.path.exists("out.h5")
        assert self.continued(X)[0] == []

    def test_output_that_was_linked_already__is_not_written_to(self, X, values):
        stopped(X)
        name = next(name for name in left() if name.endswith(REPACK))
        os.link(name, "out.h5")
        held = Path("out.h5").stat().st_ino
        with open("out.h5", "rb"):
            assert self.continued(X, overwrite=True)[0] == []
            assert Path("out.h5").stat().st_ino != held
        assert_same(open_matrix("out.h5"), values)

    def test_run_that_goes_on__is_left_alone(self, X, values):
        class Another:
            def start(self, n_total, unit):
                pass

            def advance(self, n_units):
                if not os.path.exists("out.h5"):
                    repack_matrix(X, "out.h5", n_jobs=1, memory_budget="140kB")

        repack_matrix(
            X, "out.h5", n_jobs=1, memory_budget="140kB", overwrite=True, progress=Another()
        )
        assert_same(open_matrix("out.h5"), values)
        assert left() == []

    def test_killed_process__is_continued_by_the_same_command(self, X, values):
        program = (
            "import os, sys; from skpar_select import open_matrix\n"
            "from skpar_select.tables import _repack, repack_matrix\n"
            "_repack._LATEST_SECONDS = 0\n"
            "class Killed:\n"
            "    n = 0\n"
            "    def start(self, *_): pass\n"
            "    def advance(self, _):\n"
            "        self.n += 1\n"
            "        if self.n == 5: os.kill(os.getpid(), 9)\n"
            "repack_matrix(open_matrix('x.h5'), 'out.h5', n_jobs=1, memory_budget='140kB', progress=Killed())"
        )
        done = subprocess.run([sys.executable, "-c", program], check=False)
        assert done.returncode == -signal.SIGKILL
        said, _ = self.continued(X)
        assert said == ["An earlier run is continued: 5 pieces are there."]
        assert_same(open_matrix("out.h5"), values)
