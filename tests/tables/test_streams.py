"""Every write of every format that is written, each of which fails: told, or the right file."""

import errno
import os
from functools import partial

import h5py
import numpy as np
import pytest

from skpar_select import open_matrix
from skpar_select.execution import SerialExecutor
from skpar_select.tables import Output, convert_csv, write_matrix, write_scores
from skpar_select.tables._streams import PartStream, SilentStream, writing_forwards

LETTERS = b"cg000124"
NAMES = [f"cg{index:06}" for index in range(300)]
IDS = [f"s{index}" for index in range(20)]
VALUES = np.random.default_rng(0).normal(size=(20, 300))


def scores(path):
    write_scores(path, NAMES, VALUES[0], VALUES[0] > 1, {"pvalue": VALUES[1]})


def matrix(path, source):
    X = open_matrix(source)
    columns = np.arange(0, 300, 2)
    write_matrix(path, X, columns, X.feature_names[columns], SerialExecutor(), memory_budget=2**20)


def text(path, source):
    convert_csv(source, path, overwrite=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sources")
    with h5py.File(folder / "x.h5", "w") as file:
        file["data"], file["features"], file["samples"] = VALUES, NAMES, IDS
    lines = [",".join(["id", *NAMES])]
    lines += [
        ",".join([name, *map(repr, row)]) for name, row in zip(IDS, VALUES.tolist(), strict=True)
    ]
    (folder / "x.csv").write_text("\n".join(lines) + "\n")
    return folder


def writer_of(kind, folder):
    """What writes a file, and what its name ends in."""
    what, end = kind.split("-")
    if what == "scores":
        return scores, end
    source = folder / ("x.csv" if what == "text" else "x.h5")
    return partial({"matrix": matrix, "text": text}[what], source=source), end


class Disk:
    """Stands in for a call of the system that fails, or writes less than it is given."""

    def __init__(self, call, first, last, how):
        self.call, self.first, self.last, self.how = call, first, last, how
        self.n_calls = 0

    def __call__(self, descriptor, data, *place):
        number, self.n_calls = self.n_calls, self.n_calls + 1
        if not self.first <= number <= self.last:
            return self.call(descriptor, data, *place)
        if self.how == "short":
            return self.call(descriptor, memoryview(data)[: max(1, len(data) // 2)], *place)
        raise OSError(self.how, os.strerror(self.how))


@pytest.mark.parametrize(
    "kind",
    [
        "scores-.csv", "scores-.tsv.gz", "scores-.parquet", "scores-.h5",
        "matrix-.csv", "matrix-.csv.gz", "matrix-.parquet", "matrix-.h5", "matrix-.h5ad", "text-.h5",
    ],
)  # fmt: skip
def test_every_write_that_fails__is_told_and_nothing_is_replaced(
    kind, folder, tmp_path, monkeypatch
):
    if "parquet" in kind:
        pytest.importorskip("pyarrow")
    write, end = writer_of(kind, folder)
    path = tmp_path / f"out{end}"
    pwrite = os.pwrite
    disk = Disk(pwrite, -1, -1, None)
    monkeypatch.setattr(os, "pwrite", disk)
    write(path)
    whole, n_writes = path.read_bytes(), disk.n_calls
    assert n_writes
    for first in range(0, n_writes, 1 + n_writes // 20):
        for last, how in [(first, errno.EIO), (n_writes, errno.ENOSPC), (first, "short")]:
            path.write_bytes(b"before")
            monkeypatch.setattr(os, "pwrite", Disk(pwrite, first, last, how))
            if how == "short":
                write(path)
                assert path.read_bytes() == whole
                continue
            with pytest.raises(OSError, match=rf"out{end}' cannot be written \(.*\)"):
                write(path)
            assert path.read_bytes() == b"before"
            assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", ["scores-.csv", "scores-.h5", "matrix-.h5", "text-.h5"])
@pytest.mark.parametrize("call", ["ftruncate", "fsync"])
def test_other_faults_of_the_disk__are_told(kind, call, folder, tmp_path, monkeypatch):
    def fail(descriptor, *_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    write, end = writer_of(kind, folder)
    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match=rf"out{end}' cannot be written \(Input/output error\)"):
        write(tmp_path / f"out{end}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "kind", ["scores-.csv", "scores-.h5", "matrix-.csv.gz", "matrix-.h5", "text-.h5"]
)
def test_bytes_that_a_disk_changes__are_told(kind, folder, tmp_path, monkeypatch):
    pwrite = os.pwrite

    def change(descriptor, data, place):
        wrong = bytearray(data)
        if LETTERS in wrong:
            wrong[wrong.index(LETTERS)] ^= 1
        elif kind.endswith(".gz"):
            wrong[len(wrong) // 2] ^= 1
        return pwrite(descriptor, wrong, place)

    write, end = writer_of(kind, folder)
    path = tmp_path / f"out{end}"
    monkeypatch.setattr(os, "pwrite", change)
    with pytest.raises(OSError, match=rf"out{end}' cannot be written"):
        write(path)
    assert list(tmp_path.iterdir()) == []


def test_interrupt__within_a_write_of_hdf5_ends_it(folder, tmp_path, monkeypatch):
    write, end = writer_of("matrix-.h5", folder)
    pwrite = os.pwrite

    def interrupted(descriptor, data, place):
        if place > 4096:
            raise KeyboardInterrupt
        return pwrite(descriptor, data, place)

    monkeypatch.setattr(os, "pwrite", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / f"out{end}")
    assert list(tmp_path.iterdir()) == []


def test_stream__is_a_file(tmp_path):
    with Output(tmp_path / "a.h5") as output:
        stream = PartStream(output)
        assert stream.write(b"0123456789") == stream.tell() == 10
        assert stream.seek(-3, os.SEEK_END) == 7
        assert stream.read(9) == b"789"
        assert stream.seek(-2, os.SEEK_CUR) == 8
        stream.truncate(4)
        stream.seek(0)
        assert stream.read() == b"0123"
        assert (stream.readable(), stream.writable(), stream.seekable()) == (True, True, True)


def test_silent_stream__keeps_the_first_fault(tmp_path, monkeypatch):
    with Output(tmp_path / "a.h5") as output:
        stream = SilentStream(output)
        monkeypatch.setattr(os, "pwrite", Disk(os.pwrite, 0, 0, errno.EIO))
        assert stream.write(b"0123") == stream.tell() == 4
        stream.write(b"4567")
        with pytest.raises(OSError, match=r"a\.h5' cannot be written \(Input/output error\)"):
            output.check()


def test_silent_stream__gives_back_what_the_disk_did_not_take(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    pwrite = os.pwrite
    with Output(tmp_path / "a.h5") as output:
        stream, expected = SilentStream(output), bytearray(40_000)
        for number in range(60):
            if number == 20:
                monkeypatch.setattr(os, "pwrite", Disk(pwrite, 0, 99, errno.ENOSPC))
            place, n_bytes = int(rng.integers(30_000)), int(rng.integers(10_000))
            data = rng.bytes(n_bytes)
            stream.seek(place)
            assert stream.write(data) == n_bytes
            expected[place : place + n_bytes] = data
            stream.seek(0)
            if number >= 20:
                assert stream.read(40_000) == expected


@pytest.mark.parametrize("n_bytes", [50_000, 500_000, 800_000])
def test_full_disk__does_not_end_the_process_in_hdf5(n_bytes, tmp_path, monkeypatch):
    pwrite = os.pwrite

    def full(descriptor, data, place):
        if place + len(data) > n_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return pwrite(descriptor, data, place)

    monkeypatch.setattr(os, "pwrite", full)
    names = [f"a long name of feature {number}" for number in range(20_000)]
    with pytest.raises(OSError, match=r"a\.h5' cannot be written \(No space left on device\)"):
        write_scores(tmp_path / "a.h5", names, np.ones(20_000), np.ones(20_000, dtype=bool))
    assert list(tmp_path.iterdir()) == []


def test_writing_forwards__raises_the_fault_in_place_of_what_became_of_it(tmp_path, monkeypatch):
    def write():
        with Output(tmp_path / "a.csv") as output, writing_forwards(output) as stream:
            monkeypatch.setattr(os, "pwrite", Disk(os.pwrite, 0, 0, errno.EIO))
            try:
                stream.write(b"0" * 10**6)
            except OSError as error:
                raise RuntimeError("a library is surprised") from error

    with pytest.raises(OSError, match=r"a\.csv' cannot be written"):
        write()
