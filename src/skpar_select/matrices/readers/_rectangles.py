"""The base of matrices whose library reads one rectangle of an open file at a time.

A selection is cut into few rectangles, so that a file is read once and forwards, and a buffer never
exceeds ``TILE_BYTES`` or one row of chunks.
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from skpar_select._stopping import check_stop
from skpar_select._typing import Array, Index, IndexArray
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._layout import TILE_BYTES, Layout
from skpar_select.matrices.io._buffers import empty
from skpar_select.matrices.io._hdf5 import HANDLE_BYTES
from skpar_select.matrices.io._selection import (
    NEAR_BYTES,
    Extent,
    ascending,
    cut,
    extents,
    is_contiguous,
    n_spanned,
    scatter,
)

# A read of its own costs about as much as skipping so many rows.
NEAR_ROWS = 16


class Reader(Protocol):
    """Fills `out`, in C order, with a rectangle of an open file."""

    def __call__(self, rows: slice, columns: slice, out: Array) -> None: ...


class RectangleMatrix(Matrix):
    """A matrix that owes ``open_reader``, ``shape``, ``dtype``, ``label`` and ``description``.

    Also ``chunks``, the smallest rectangle that is read together, None for rows one after another;
    and ``stored_bytes``, what all values take in the file. A buffer holds at most ``tile_bytes``,
    unless a row of chunks is larger; columns within ``near_bytes`` and rows within ``near_rows``
    are read together.
    """

    chunks: tuple[int, int] | None = None
    stored_bytes: int
    tile_bytes: int = TILE_BYTES
    near_bytes: int = NEAR_BYTES
    near_rows: int = NEAR_ROWS

    @abstractmethod
    def open_reader(self) -> AbstractContextManager[Reader]:
        """Open the file for as long as the context lasts.

        It raises when the file is no longer the one that was opened first.
        """

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie, as far as ``chunks`` say.

        Chunks count as compressed: most files that have chunks have them for that.
        """
        itemsize = self.dtype.itemsize
        chunk_rows, chunk_columns = self.chunks or (1, 1)
        chunk = chunk_rows * chunk_columns * itemsize if self.chunks else 0
        n_chunks = -(-self.shape[0] // chunk_rows) * -(-self.shape[1] // chunk_columns)
        n_read = self._n_chunks_read(rows, columns)
        return Layout(
            shape=(len(rows), len(columns)),
            dtype=self.dtype,
            order="chunked" if self.chunks else "row-major",
            n_rows=self.shape[0],
            stored_bytes=self.stored_bytes * n_read // max(1, n_chunks),
            chunks=self.chunks,
            compressed=self.chunks is not None,
            # A chunk as stored and as decoded; a tile, from which scattered columns are copied.
            read_bytes=HANDLE_BYTES + 2 * chunk + self.picking_bytes(rows, columns),
        )

    def picking_bytes(self, rows: Index, columns: Index) -> int:
        """Return the bytes of the tile from which scattered rows and columns are copied."""
        if is_contiguous(rows) and is_contiguous(columns):
            return 0
        chunk_rows, chunk_columns = self.chunks or (1, 1)
        chunk = chunk_rows * chunk_columns * self.dtype.itemsize
        return min(max(self.tile_bytes, chunk), self._n_chunks_read(rows, columns) * chunk)

    def _n_chunks_read(self, rows: Index, columns: Index) -> int:
        # What lies between rows or columns that are read together is read, too.
        chunk_rows, chunk_columns = self.chunks or (1, 1)
        n_rows = n_spanned(rows, near=self._near_rows, length=chunk_rows)
        return n_rows * n_spanned(columns, near=self._near_columns, length=chunk_columns)

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where rows and columns cross, in the order asked for, into C order."""
        rows = range(self.shape[0]) if rows is None else rows
        out = empty((len(rows), len(columns)), self.dtype)
        if not out.size:
            return out
        order, ordered = ascending(rows)
        with self.open_reader() as reader:
            for column_extent in self._column_extents(columns, in_order=is_contiguous(rows)):
                for row_extent in self._row_extents(order, ordered, column_extent.width):
                    _fill(reader, row_extent, column_extent, out)
        return out

    @property
    def _near_rows(self) -> int:
        return max(self.chunks[0] if self.chunks else 1, self.near_rows)

    @property
    def _near_columns(self) -> int:
        return self.chunks[1] if self.chunks else self.near_bytes // self.dtype.itemsize

    def _column_extents(self, columns: Index, *, in_order: bool) -> Iterator[Extent]:
        if in_order and isinstance(columns, range) and columns.step == 1:
            yield Extent(slice(columns.start, columns.stop), slice(0, len(columns)))
            return
        chunk_rows, chunk_columns = self.chunks or (1, 1)
        itemsize = self.dtype.itemsize
        # So wide that one row of chunks still fits a tile.
        widest = max(1, self.tile_bytes // (chunk_rows * itemsize) // chunk_columns) * chunk_columns
        if is_contiguous(columns):
            yield from extents(columns, near=1, widest=widest)
            return
        order, ordered = ascending(columns)
        # Counted in whole chunks, so that no chunk is read that holds no selected column.
        steps = np.diff(ordered // chunk_columns) * chunk_columns
        yield from cut(
            order, ordered, (steps > self._near_columns) | (np.diff(ordered // widest) > 0)
        )

    def _row_extents(self, order: IndexArray, ordered: IndexArray, width: int) -> Iterator[Extent]:
        chunk_rows = self.chunks[0] if self.chunks else 1
        fitting = self.tile_bytes // (width * self.dtype.itemsize)
        tall = max(1, fitting // chunk_rows) * chunk_rows
        far = np.diff(ordered) > self._near_rows
        yield from cut(order, ordered, far | (np.diff(ordered // tall) > 0))


def _fill(reader: Reader, rows: Extent, columns: Extent, out: Array) -> None:
    check_stop()
    if rows.selection is None and columns.selection is None:
        whole = out[rows.destination, columns.destination]
        if whole.flags.c_contiguous:
            reader(rows.source, columns.source, whole)
            return
    block = empty((rows.width, columns.width), out.dtype)
    reader(rows.source, columns.source, block)
    scatter(block, rows, columns, out)
