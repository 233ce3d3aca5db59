"""How matrices lie, in numbers: what every kind of file tells the planner."""

import tracemalloc
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
from containers import KINDS, LAYOUTS, opened, values_of

from skpar_select import open_matrix
from skpar_select.matrices import Layout, LazyMatrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.readers import DatasetMatrix


@pytest.mark.parametrize("kind", KINDS)
def test_layout__of_every_kind_counts_the_different_rows_of_a_row_of_chunks(kind, tmp_path):
    def most(view):
        return max(part.matrix.layout.rows_per_chunk_row for part in view.parts)

    matrix = opened(kind, tmp_path, values_of())
    chunks = matrix.parts[0].matrix.layout.chunks
    if chunks is None:
        assert most(matrix) == 0
        return
    tall = chunks[0]
    assert most(matrix) == tall
    assert most(matrix[np.repeat([0, 1], 100)]) == min(2, tall)
    # Of files with rows in orders of their own, one may have all of them together.
    half = -(-tall // 2)
    assert half <= most(matrix[::-2]) <= (tall if kind.startswith("wide") else half)
    assert most(matrix[:0]) == 0


def test_layout__of_a_view_counts_what_its_rows_touch(write_h5):
    matrix = open_matrix(write_h5(values_of(), **LAYOUTS["squares"]))
    whole = matrix.layout
    assert matrix[:5].layout.stored_bytes < whole.stored_bytes
    parts = [matrix[start : start + 5].layout.stored_bytes for start in (0, 5, 10, 15)]
    assert sum(parts) == whole.stored_bytes
    assert matrix[[3, 3, 0, 3]].layout.stored_bytes == parts[0]
    assert matrix[[3, 3, 0, 3]].layout.shape == (4, 23)
    assert matrix[[3, 3, 0, 3]].layout.n_rows == 19


@contextmanager
def at_most(n_bytes):
    """Refuse arrays that take more than this, within the context."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] <= n_bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("by_hdf5", [False, True])
def test_layout__of_many_rows_in_few_bytes_counts_none_of_them(by_hdf5, tmp_path):
    n_rows = 5_000_000
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        options = {"chunks": (n_rows, 1), "compression": "gzip"}
        data = file.create_dataset("data", data=np.zeros((n_rows, 1), "i1"), **options)
        stored = data.id.get_storage_size()
        shape, dtype, chunks = data.shape, data.dtype, data.chunks
    matrix = open_matrix(path)
    if by_hdf5:
        reader = DatasetMatrix(
            FileSnapshot(path), "data", shape, dtype, chunks, stored, "x", "by HDF5"
        )
        matrix = LazyMatrix(reader)
    for view, most in ((matrix, n_rows), (matrix[::-1], n_rows), (matrix[7::1000], 5000)):
        with at_most(500_000):
            layout = view.layout
        assert layout.rows_per_chunk_row == most
        assert layout.stored_bytes == stored


@pytest.mark.parametrize(
    ("order", "turned"),
    [("row-major", "column-major"), ("column-major", "row-major"), ("chunked", "chunked")],
)
def test_transposed__exchanges_rows_and_columns(order, turned):
    layout = Layout(
        shape=(4, 7),
        dtype=np.dtype("f4"),
        order=order,
        n_rows=9,
        stored_bytes=100,
        chunks=(2, 3) if order == "chunked" else None,
        rows_per_chunk_row=2,
        chunk_column_bytes=11,
        chunk_row_bytes=22,
    )
    other = layout.transposed(n_rows=7)
    assert other == Layout(
        shape=(7, 4),
        dtype=np.dtype("f4"),
        order=turned,
        n_rows=7,
        stored_bytes=100,
        chunks=(3, 2) if order == "chunked" else None,
        rows_per_chunk_row=0,
        chunk_column_bytes=22,
        chunk_row_bytes=11,
    )
    assert layout.n_bytes == other.n_bytes == 4 * 7 * 4
