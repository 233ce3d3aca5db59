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
from skpar_select.matrices.io._datasets import check_readable, find_dataset
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._hdf5 import HANDLE_BYTES, open_hdf5
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
        data, indices, indptr = self._parts(handle)
        self.dtype = data.dtype
        self.shape = check_matrix_shape(shape, self.dtype, label)
        # The least that is read is a row, with all of its columns.
        self.chunks = (1, max(1, shape[1]))
        self._check(data, indices, indptr)
        self.stored_bytes = data.id.get_storage_size() + indices.id.get_storage_size()
        self._entry_bytes = data.dtype.itemsize + indices.dtype.itemsize
        # HDF5 reads a chunk of entries whole, and at least 64 KiB of those that are in none.
        at_least = max(
            part.chunks[0] if part.chunks else NEAR_BYTES // part.dtype.itemsize
            for part in (data, indices)
        )
        self._rows_at_least = max(1, at_least * self.shape[0] // max(1, data.shape[0]))
        self.near_rows = max(NEAR_ROWS, self._rows_at_least)
        # Steps end where chunks do, so that none is decoded twice.
        self._step = max(
            [self.entries, *(part.chunks[0] for part in (data, indices) if part.chunks)]
        )

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
        with open_hdf5(self.file.path) as handle:
            data, indices, indptr = self._parts(handle)

            def read(rows: slice, columns: slice, out: Array) -> None:
                out[...] = 0
                flat = out.reshape(-1)
                try:
                    borders = indptr[rows.start : rows.stop + 1].astype(np.int64)
                    for start, stop in _steps(int(borders[0]), int(borders[-1]), self._step):
                        check_stop()
                        index = indices[start:stop].astype(np.int64)
                        self._check_index(index, start)
                        inside = np.flatnonzero((index >= columns.start) & (index < columns.stop))
                        if not inside.size:
                            continue
                        row = np.searchsorted(borders, start + inside, side="right") - 1
                        values = data[start:stop][inside]
                        # Added, as an entry that is stored twice counts twice.
                        np.add.at(flat, row * out.shape[1] + index[inside] - columns.start, values)
                except OSError as error:
                    raise OSError(
                        f"{self.label}: rows {rows.start} to {rows.stop - 1} of the entries cannot "
                        f"be read ({error}). The file must be whole. Check or copy it again."
                    ) from error

            yield read
        self.check_unchanged()

    def _parts(self, handle: Any) -> list[Any]:
        parts = []
        for name in ("data", "indices", "indptr"):
            label = f"{self.label}: '{name}'"
            part = find_dataset(handle, f"{self.group}/{name}", label)
            check_readable(part, label)
            parts.append(part)
        return parts

    def _check(self, data: Any, indices: Any, indptr: Any) -> None:
        self._require(
            len(data.shape) == 1 and data.dtype.kind in "biuf",
            f"'data' of shape {data.shape} and type {data.dtype}",
            "real numbers in one dimension",
        )
        self._require(
            indices.shape == data.shape and indices.dtype.kind in "iu",
            f"'indices' of shape {indices.shape} and type {indices.dtype}",
            f"a whole number for each of {data.shape[0]} entries",
        )
        self._require(
            indptr.shape == (self.shape[0] + 1,) and indptr.dtype.kind in "iu",
            f"'indptr' of shape {indptr.shape} and type {indptr.dtype}",
            f"{self.shape[0] + 1} whole numbers",
        )
        first, last, n_falls = _course(indptr)
        self._require(
            first == 0 and last == data.shape[0] and not n_falls,
            f"'indptr' from {first} to {last}, falling {n_falls} times",
            f"never falling, from 0 to {data.shape[0]}",
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


def _course(indptr: Any) -> tuple[int, int, int]:
    """Return the first and the last border, and how often they fall."""
    # Step by step, and as stored: some hundred kilobytes of gzip hold any number of zeros.
    n_borders = indptr.shape[0]
    first = last = int(indptr[0])
    n_falls = 0
    for start, stop in _steps(0, n_borders, max(ENTRIES, indptr.chunks[0] if indptr.chunks else 0)):
        borders = indptr[start:stop]
        n_falls += int(borders[0] < last) + int(np.count_nonzero(borders[1:] < borders[:-1]))
        last = int(borders[-1])
    return first, last, n_falls


def _steps(start: int, stop: int, length: int) -> Iterator[tuple[int, int]]:
    """Cut a range of entries at multiples of a length."""
    for extent in extents(range(start, stop), near=1, widest=length):
        yield extent.source.start, extent.source.stop
