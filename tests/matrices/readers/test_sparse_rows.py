"""Compressed rows and columns: entries are read in order, and checked before they name a place."""

import tracemalloc
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
from containers import VIEWS, values_of, write_anndata
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.matrices import LazyMatrix
from skpar_select.matrices.io import _lines
from skpar_select.matrices.io._filters import decode
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import SparseRowsMatrix
from skpar_select.testing import MatrixConformance


class SmallSparseRowsMatrix(SparseRowsMatrix):
    """The same with few entries at a time, so that every read is cut."""

    entries = 5
    tile_bytes = 64


def sparse_rows(path, kind=SparseRowsMatrix):
    with FileSession(path) as session:
        shape = tuple(session.hdf5["X"].attrs["shape"].tolist())
        return kind(session.snapshot, session.hdf5, "X", shape, f"'{path}', 'X'", "by rows")


class TestSparseRows(MatrixConformance):
    @pytest.fixture(params=[{}, {"chunks": (7,), "compression": "gzip"}], ids=["plain", "gzip"])
    def case(self, request, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix", **request.param)
        return sparse_rows(path), values_of()


class TestSmallSparseRows(MatrixConformance):
    @pytest.fixture(params=["all", *VIEWS])
    def case(self, request, tmp_path):
        path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix")
        matrix = sparse_rows(path, SmallSparseRowsMatrix)
        if request.param == "all":
            return matrix, values_of()
        rows = np.arange(len(values_of()))[VIEWS[request.param]]
        return LazyMatrix(matrix, rows=rows), values_of()[rows]


@pytest.fixture
def sparse(tmp_path):
    """A sparse file, and a function that changes one of its datasets."""
    path = write_anndata(tmp_path / "x.h5ad", values_of(), "csr_matrix")

    def change(name, values):
        with h5py.File(path, "a") as file:
            del file["X"][name]
            file["X"][name] = values

    with h5py.File(path) as file:
        parts = {name: item[:] for name, item in file["X"].items()}
    return path, parts, change


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("indptr", lambda p: p[:-1], "'indptr' of length 19 .*20 whole numbers"),
        ("indptr", lambda p: np.r_[p[:-1].astype("i8"), 2**40], "from 0 to 1099511627776"),
        ("indptr", lambda p: np.r_[0, p[:0:-1]], "falling [0-9]+ times.*never falling"),
        ("indptr", lambda p: p.astype(float), "'indptr' of length 20 and type float64"),
        ("indices", lambda p: p[:-1], "'indices' of length.*a whole number for each of"),
        ("indices", lambda p: p.astype(float), "'indices' of length .* type float64"),
        ("data", lambda p: p.astype("S4"), r"holds text \(\|S4\)\. A matrix holds real numbers"),
        ("data", lambda p: p[None], r"'data' has shape \(1, "),
    ],
)
def test_parts__that_do_not_fit_are_refused(sparse, name, damage, message):
    path, parts, change = sparse
    change(name, damage(parts[name]))
    with pytest.raises(ValueError, match=message):
        open_matrix(path)


@pytest.mark.parametrize("place", [-1, 23, 2**31 - 1])
def test_read__of_places_out_of_range_is_refused(sparse, place):
    path, parts, change = sparse
    parts["indices"][7] = place
    change("indices", parts["indices"])
    with pytest.raises(ValueError, match=f"'indices' with {place} at entry 7.*0 to 22"):
        open_matrix(path).read(np.s_[:])


def test_read__of_entries_in_any_order_and_twice(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", np.zeros((2, 3)), "csr_matrix")
    with h5py.File(path, "a") as file:
        for name, values in {
            "data": [1.0, 2, 4],
            "indices": [2, 0, 2],
            "indptr": [0, 3, 3],
        }.items():
            del file["X"][name]
            file["X"][name] = values
    assert_array_equal(open_matrix(path), [[2, 0, 5], [0, 0, 0]])


def test_read__of_columns_of_compressed_columns_reads_these_alone(tmp_path):
    path = write_anndata(tmp_path / "x.h5ad", values_of(), "csc_matrix")
    with h5py.File(path, "a") as file:
        # Beyond column 9 nothing is read: damage there is not seen.
        file["X/indices"][int(file["X/indptr"][10]) :] = -1
    matrix = open_matrix(path)
    assert_array_equal(matrix.read(np.s_[4:10]), values_of()[:, 4:10])
    with pytest.raises(ValueError, match="'indices' with -1 at entry"):
        matrix.read(np.s_[4:11])


def test_read__decodes_no_chunk_twice(tmp_path, monkeypatch):
    values = np.random.default_rng(0).random((50, 40)).astype(np.float32)
    path = write_anndata(
        tmp_path / "x.h5ad", values, encoding="csr_matrix", chunks=(300,), compression="gzip"
    )

    class Small(SparseRowsMatrix):
        entries = 128

    matrix = sparse_rows(path, Small)
    decoded = []

    def recording(*args):
        decoded.append(args)
        return decode(*args)

    monkeypatch.setattr(_lines, "decode", recording)
    assert_array_equal(matrix.read(range(40)), values)
    # Each of seven chunks, of the values and of the indices.
    assert len(decoded) == 14


@contextmanager
def at_most(n_bytes):
    """Refuse arrays that take more than this, within the context."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= n_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["csr_matrix", "csc_matrix"])
def test_borders__are_checked_step_by_step(encoding, tmp_path):
    n_lines = 5_000_000
    path = write_anndata(tmp_path / "x.h5ad", np.zeros((2, 2), "f4"), encoding)

    def write(**changed):
        borders = np.zeros(n_lines + 1, "i1")
        for place, value in changed.items():
            borders[int(place[1:])] = value
        with h5py.File(path, "a") as file:
            shape = (n_lines, 4)
            file["X"].attrs["shape"] = shape if encoding == "csr_matrix" else shape[::-1]
            del file["X/indptr"]
            options = {"chunks": (2**16,), "compression": "gzip"}
            file["X"].create_dataset("indptr", data=borders, **options)

    write()
    with at_most(5_000_000):
        assert sorted(open_matrix(path).shape) == [4, n_lines]
    # Up at the end of a step and down at the begin of the next; both within one; at both ends.
    for changed, message in [
        ({f"_{2**17 - 1}": 1}, "from 0 to 0, falling 1 times"),
        ({"_7": 1, "_8": 2, "_70000": 3}, "from 0 to 0, falling 2 times"),
        ({"_0": -1}, "from -1 to 0, falling 0 times"),
        ({f"_{n_lines}": 1}, "from 0 to 1, falling 0 times"),
    ]:
        write(**changed)
        with pytest.raises(ValueError, match=f"'indptr' {message}.*never falling, from 0 to 0"):
            open_matrix(path)
