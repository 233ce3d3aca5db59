"""Sparse matrices in HDF5 files: ``data``, ``indices`` and ``indptr`` of compressed rows.

Entries are read in pieces, in the order of the file, and made dense where they belong. To read a
block of columns of compressed rows is to pass over all entries of these rows: the file tells
nothing about columns. Where many blocks are wanted, the planner makes that pass once, into a
temporary file. Compressed columns are compressed rows of the transposed matrix, of which a
block of columns is one stretch.

Files may come from strangers, so that every number that is used as a place is checked before it
is: ``indptr`` when the file is opened, ``indices`` as they are read.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray
from skpar_select.sources._datasets import check_readable, find_dataset
from skpar_select.sources._file import StillFile
from skpar_select.sources._opening import HANDLE_BYTES, open_file
from skpar_select.sources._rectangles import Reader
from skpar_select.sources._shape import checked_shape

# Entries that are held at a time, unless a chunk has more. More read no faster.
ENTRIES = 2**15


class CompressedContainer:
    """The address of a group that holds compressed rows.

    Parameters
    ----------
    file : StillFile
        The file.
    group : str
        The name of the group.
    shape : tuple of int
        Rows and columns, of which the rows are compressed.
    where, layout : str
        The matrix and how it lies, in words.

    Raises
    ------
    ValueError
        If the three datasets do not fit each other and the shape.
    """

    def __init__(
        self, file: StillFile, group: str, shape: tuple[int, int], where: str, layout: str
    ) -> None:
        self.file = file
        self.path = file.path
        self.group = group
        self.shape = shape
        self.where = where
        self.layout = layout
        # A row is the least that is read; all of its columns are.
        self.chunks: tuple[int, int] | None = (1, max(1, shape[1]))
        with open_file(self.path) as handle:
            data, indices, indptr = self._parts(handle)
            self.dtype: np.dtype[Any] = data.dtype
            checked_shape(shape, self.dtype, where)
            self._check(data, indices, indptr)
            self.n_entries = int(data.shape[0])
            self.stored_bytes = data.id.get_storage_size() + indices.id.get_storage_size()
            self.entry_bytes = data.dtype.itemsize + indices.dtype.itemsize
            # Pieces end where chunks do, so that none is decoded twice.
            self.step = max([ENTRIES, *(part.chunks[0] for part in (data, indices) if part.chunks)])

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer the one that was opened first."""
        self.file.check_unchanged()

    def storage(self, rows: range | IndexArray) -> Storage:
        """Tell how the given rows lie."""
        share = len(rows) / max(1, self.shape[0])
        return Storage(
            kind="chunks",
            stored_bytes=int(self.stored_bytes * min(1, share)),
            chunks=self.chunks,
            compressed=True,
            n_rows=self.shape[0],
            # Values and places, as read and with a chunk to decode; these as int64, and seven
            # arrays like them that tell where they fall; borders of the rows.
            read_bytes=self.step * (2 * self.entry_bytes + 8 * 8)
            + 2 * 8 * self.shape[0]
            + HANDLE_BYTES,
        )

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """Open the file for as long as the context lasts."""
        self.check_unchanged()
        with open_file(self.path) as handle:
            data, indices, indptr = self._parts(handle)

            def read(rows: slice, columns: slice, out: Array) -> None:
                out[...] = 0
                flat = out.reshape(-1)
                try:
                    borders = indptr[rows.start : rows.stop + 1].astype(np.int64)
                    for start, stop in _steps(int(borders[0]), int(borders[-1]), self.step):
                        places = indices[start:stop].astype(np.int64)
                        self._check_places(places, start)
                        wanted = np.flatnonzero((places >= columns.start) & (places < columns.stop))
                        if not wanted.size:
                            continue
                        row = np.searchsorted(borders, start + wanted, side="right") - 1
                        values = data[start:stop][wanted]
                        # Added, as an entry that is stored twice counts twice.
                        np.add.at(flat, row * out.shape[1] + places[wanted] - columns.start, values)
                except OSError as error:
                    raise OSError(
                        f"{self.where}: rows {rows.start} to {rows.stop - 1} of the entries cannot "
                        f"be read ({error}). The file must be whole. Check or copy it again."
                    ) from error

            yield read
        self.check_unchanged()

    def _parts(self, handle: Any) -> list[Any]:
        parts = []
        for name in ("data", "indices", "indptr"):
            where = f"{self.where}: '{name}'"
            part = find_dataset(handle, f"{self.group}/{name}", where)
            check_readable(part, where)
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

    def _check_places(self, places: IndexArray, start: int) -> None:
        outside = (places < 0) | (places >= self.shape[1])
        if outside.any():
            first = int(np.argmax(outside))
            self._require(
                False,
                f"'indices' with {places[first]} at entry {start + first}",
                f"0 to {self.shape[1] - 1}",
            )

    def _require(self, fine: bool, value: str, rule: str) -> None:
        if not fine:
            raise ValueError(
                f"{self.where} has {value}. It must be {rule}. The file is damaged: write it again."
            )


def _course(indptr: Any) -> tuple[int, int, int]:
    """Tell the first and the last border, and how often they fall."""
    # In pieces, and as stored: some hundred kilobytes of gzip hold any number of zeros.
    n_borders = indptr.shape[0]
    first = last = int(indptr[0])
    n_falls = 0
    for start, stop in _steps(0, n_borders, max(ENTRIES, indptr.chunks[0] if indptr.chunks else 0)):
        borders = indptr[start:stop]
        n_falls += int(borders[0] < last) + int(np.count_nonzero(borders[1:] < borders[:-1]))
        last = int(borders[-1])
    return first, last, n_falls


def _steps(start: int, stop: int, length: int) -> Iterator[tuple[int, int]]:
    """Cut a stretch at multiples of a length."""
    while start < stop:
        end = min(stop, (start // length + 1) * length)
        yield start, end
        start = end
