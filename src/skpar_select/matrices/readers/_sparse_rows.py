"""Sparse matrices in HDF5 files: ``data``, ``indices`` and ``indptr`` of compressed rows.

Entries are read in order, some at a time, and made dense at their positions. Reading a block of
columns of compressed rows means passing over all entries of these rows: the file says nothing about
columns. Where there are many blocks, the planner makes that pass once, into a temporary file.
Compressed columns are compressed rows of the transposed matrix, of which a block of columns is one
extent.

Files may come from strangers, so that every number that is used as a position is checked
before it is: ``indptr`` when the file is opened, ``indices`` as they are read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skpar_select._stopping import check_stop
from skpar_select._typing import Array, Index, IndexArray
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._datasets import find_dataset
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._hdf5 import HANDLE_BYTES, open_hdf5
from skpar_select.matrices.io._lines import Line
from skpar_select.matrices.io._selection import NEAR_BYTES, extents, n_spanned
from skpar_select.matrices.readers._rectangles import NEAR_ROWS, Reader, RectangleMatrix

# Entries that are held at a time, unless a chunk has more. More read no faster.
ENTRIES = 2**15


class SparseRowsMatrix(RectangleMatrix):
    """A group, of an open file, that holds compressed rows.

    Raises ValueError if the three datasets do not fit each other and the shape.
    """

    is_sparse = True

    entries: int = ENTRIES
    """Entries that are held at a time, unless a chunk has more."""

    def __init__(
        self,
        file: FileSnapshot,
        handle: Any,
        group: str,
        shape: tuple[int, int],
        label: str,
        description: str,
    ) -> None:
        self.file = file
        self.group = group
        self.label = label
        self.description = description
        # The least that is read is a row, with all of its columns.
        self.chunks = (1, max(1, shape[1]))
        self.stored_bytes = sum(
            find_dataset(handle, f"{group}/{name}", label).id.get_storage_size()
            for name in ("data", "indices")
        )
        with file.opened() as descriptor:
            data, indices, indptr = self._parts(handle, descriptor)
            self.dtype = data.dtype
            self.shape = check_matrix_shape(shape, self.dtype, label)
            self._check(data, indices, indptr)
        self._entry_bytes = data.dtype.itemsize + indices.dtype.itemsize
        # HDF5 reads a chunk of entries whole, and at least 64 KiB of those that are in none.
        at_least = max(part.chunk or NEAR_BYTES // part.dtype.itemsize for part in (data, indices))
        self._rows_at_least = max(1, at_least * self.shape[0] // max(1, data.length))
        self.near_rows = max(NEAR_ROWS, self._rows_at_least)
        # Steps end where chunks do, so that none is decoded twice.
        self._step = max(self.entries, data.chunk, indices.chunk)

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The file."""
        return (self.file,)

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        # As if entries were spread evenly over the rows.
        at_least = self._rows_at_least
        n_read = at_least * n_spanned(rows, near=self.near_rows, length=at_least)
        share = min(1, n_read / max(1, self.shape[0]))
        return Layout(
            shape=(len(rows), len(columns)),
            dtype=self.dtype,
            order="chunked",
            n_rows=self.shape[0],
            stored_bytes=int(self.stored_bytes * share),
            chunks=self.chunks,
            compressed=True,
            # Values and indices, as read and with a chunk to decode; these as int64, and seven
            # arrays of their length that say where they go; borders of the rows; and a tile,
            # from which scattered rows and columns are copied.
            read_bytes=self._step * (2 * self._entry_bytes + 8 * 8)
            + 2 * 8 * self.shape[0]
            + HANDLE_BYTES
            + self.picking_bytes(rows, columns),
        )

    @contextmanager
    def open_reader(self) -> Iterator[Reader]:
        """Open the file for as long as the context lasts."""
        self.check_unchanged()
        with open_hdf5(self.file.path) as handle, self.file.opened() as descriptor:
            data, indices, indptr = self._parts(handle, descriptor)

            def read(rows: slice, columns: slice, out: Array) -> None:
                out[...] = 0
                flat = out.reshape(-1)
                borders = indptr.read(rows.start, rows.stop + 1).astype(np.int64)
                for start, stop in _steps(int(borders[0]), int(borders[-1]), self._step):
                    check_stop()
                    index = indices.read(start, stop).astype(np.int64)
                    self._check_index(index, start)
                    inside = np.flatnonzero((index >= columns.start) & (index < columns.stop))
                    if not inside.size:
                        continue
                    row = np.searchsorted(borders, start + inside, side="right") - 1
                    values = data.read(start, stop)[inside]
                    # Added, as an entry that is stored twice counts twice.
                    np.add.at(flat, row * out.shape[1] + index[inside] - columns.start, values)

            yield read
        self.check_unchanged()

    def _parts(self, handle: Any, descriptor: int) -> list[Line]:
        parts = []
        for name in ("data", "indices", "indptr"):
            label = f"{self.label}: '{name}'"
            part = find_dataset(handle, f"{self.group}/{name}", label)
            parts.append(Line(self.file, descriptor, part, label))
        # Read whole, and before any budget is known.
        parts[2].check_size()
        return parts

    def _check(self, data: Line, indices: Line, indptr: Line) -> None:
        self._require(
            data.dtype.kind in "biuf",
            f"'data' of type {data.dtype}",
            "real numbers",
        )
        self._require(
            indices.length == data.length and indices.dtype.kind in "iu",
            f"'indices' of length {indices.length} and type {indices.dtype}",
            f"a whole number for each of {data.length} entries",
        )
        self._require(
            indptr.length == self.shape[0] + 1 and indptr.dtype.kind in "iu",
            f"'indptr' of length {indptr.length} and type {indptr.dtype}",
            f"{self.shape[0] + 1} whole numbers",
        )
        first, last, n_falls = _course(indptr)
        self._require(
            first == 0 and last == data.length and not n_falls,
            f"'indptr' from {first} to {last}, falling {n_falls} times",
            f"never falling, from 0 to {data.length}",
        )

    def _check_index(self, index: IndexArray, start: int) -> None:
        outside = (index < 0) | (index >= self.shape[1])
        if outside.any():
            first = int(np.argmax(outside))
            self._require(
                False,
                f"'indices' with {index[first]} at entry {start + first}",
                f"0 to {self.shape[1] - 1}",
            )

    def _require(self, fine: bool, value: str, rule: str) -> None:
        if not fine:
            raise ValueError(
                f"{self.label} has {value}. It must be {rule}. The file is damaged: write it again."
            )


def _course(indptr: Line) -> tuple[int, int, int]:
    """Return the first and the last border, and how often they fall."""
    # Step by step, and as stored: some hundred kilobytes of gzip hold any number of zeros.
    first = last = int(indptr.read(0, 1)[0])
    n_falls = 0
    for start, stop in _steps(0, indptr.length, max(ENTRIES, indptr.chunk)):
        borders = indptr.read(start, stop)
        n_falls += int(borders[0] < last) + int(np.count_nonzero(borders[1:] < borders[:-1]))
        last = int(borders[-1])
    return first, last, n_falls


def _steps(start: int, stop: int, length: int) -> Iterator[tuple[int, int]]:
    """Cut a range of entries at multiples of a length."""
    for extent in extents(range(start, stop), near=1, widest=length):
        yield extent.source.start, extent.source.stop
