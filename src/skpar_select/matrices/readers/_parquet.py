"""Columns of Parquet files: the matrix lies by columns, so that this is its transpose.

A row of this matrix is a column of the files; the row groups of one file after another are its
columns. What is read is a column of a row group, whole.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate
from typing import Any

import numpy as np

from skpar_select._typing import Array, Index, IndexArray
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._parquet import read_columns
from skpar_select.matrices.io._parquet_footer import footers_of
from skpar_select.matrices.io._selection import boxes
from skpar_select.matrices.readers._rectangles import Reader, RectangleMatrix

# Columns of a row group that are decoded at a time: as many as these bytes, and at most so many.
BATCH_BYTES = 2**20
MOST_COLUMNS = 128

# pyarrow takes this for each of them (measured), besides the values as stored and as decoded.
COLUMN_BYTES = 16 * 2**10

# What is kept of each column besides the footer: its name, once it was described (measured).
NAME_BYTES = 100


class ParquetColumns(RectangleMatrix):
    """The columns of one or several Parquet files of one schema, as rows.

    Parameters
    ----------
    files : sequence of FileSnapshot
        Their rows follow each other.
    left_out : sequence of int
        The columns that belong to no matrix, such as ids.
    dtype : numpy.dtype
        The type that holds the values of all other columns.
    """

    near_rows = 1

    def __init__(
        self,
        files: Sequence[FileSnapshot],
        left_out: Sequence[int],
        dtype: np.dtype[Any],
        label: str,
    ) -> None:
        self._files = tuple(files)
        self.left_out = tuple(left_out)
        self.label = label
        self.dtype = dtype
        footers = footers_of(self._files)
        heights = [group.n_rows for footer in footers for group in footer.groups]
        n_columns = footers[0].n_columns - len(self.left_out)
        self.shape = check_matrix_shape((n_columns, sum(heights)), dtype, label)
        self.chunks = (1, max(1, *heights, 1))
        self.stored_bytes = sum(file.size for file in self._files)
        self.footer_bytes = sum(footer.n_bytes for footer in footers)
        groups = f"{len(heights)} row group{'s' if len(heights) != 1 else ''}"
        self.description = f"Parquet, {groups}"

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files."""
        return self._files

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        assert self.chunks is not None
        layout = super().layout_of(rows, columns)
        batch = self._batch(self.chunks[1])
        # As stored, uncompressed, as pyarrow's array and as an array of NumPy.
        held = batch * (4 * self.chunks[1] * self.dtype.itemsize + COLUMN_BYTES)
        return replace(
            layout,
            read_bytes=layout.read_bytes + held,
            index_bytes=self.footer_bytes + NAME_BYTES * self.shape[0],
        )

    @contextmanager
    def open_reader(self) -> Iterator[Reader]:
        """Read column by column, some of a row group at a time."""
        self.check_unchanged()
        places = [
            (file, number, group.n_rows)
            for file, footer in zip(self._files, footers_of(self._files), strict=True)
            for number, group in enumerate(footer.groups)
        ]
        starts = [0, *accumulate(n_rows for _, _, n_rows in places)]
        positions = self._positions()

        def read(rows: slice, columns: slice, out: Array) -> None:
            # Empty row groups begin and end at one place.
            for _, (_, at) in boxes(rows, columns, (range(0, rows.stop + 1, rows.stop), starts)):
                first = columns.start + at.start
                number = int(np.searchsorted(starts, first, side="right")) - 1
                file, group, n_rows = places[number]
                within = slice(first - starts[number], columns.start + at.stop - starts[number])
                batch = self._batch(n_rows)
                for row in range(rows.start, rows.stop, batch):
                    stop = min(row + batch, rows.stop)
                    values = out[row - rows.start : stop - rows.start, at]
                    wanted = positions[row:stop].tolist()
                    read_columns(file, wanted, group, within, values, self.label)

        yield read
        self.check_unchanged()

    def _batch(self, n_rows: int) -> int:
        return max(1, min(MOST_COLUMNS, BATCH_BYTES // max(1, n_rows * self.dtype.itemsize)))

    def _positions(self) -> IndexArray:
        """Return the column of the file that each row is."""
        n_columns = self.shape[0] + len(self.left_out)
        return np.delete(np.arange(n_columns), self.left_out)
