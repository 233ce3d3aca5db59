"""Several matrices of the same samples, their columns one after another.

Data split by chromosome come so, and so do the blocks of a data frame, a block for each type.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from skpar_select._typing import Array, Index, IndexArray
from skpar_select.matrices._base import FingerprintPart, Matrix, Part
from skpar_select.matrices._layout import TILE_BYTES, Layout
from skpar_select.matrices.io._buffers import empty
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._selection import (
    Extent,
    as_range,
    as_slice,
    compose,
    rows_within,
    scatter,
)


class ConcatenatedMatrix(Matrix):
    """Matrices with the same rows in the same order as one wide matrix.

    A plan reads each part by its own layout, so that no block lies in two of them. Only scattered
    columns are gathered from several parts. `order` is the position of each column among the
    columns of all parts; None keeps their order.
    """

    def __init__(
        self,
        parts: Sequence[Matrix],
        label: str,
        description: str,
        *,
        order: IndexArray | None = None,
    ) -> None:
        self.label = label
        self.description = description
        # The smallest type that holds the values of all.
        self.dtype: np.dtype[Any] = np.result_type(*(part.dtype for part in parts))
        shape = (parts[0].shape[0], sum(part.shape[1] for part in parts))
        self.shape = check_matrix_shape(shape, self.dtype, label)
        held: Index = range(shape[1]) if order is None else np.argsort(order)
        starts = [0, *accumulate(part.shape[1] for part in parts)]
        # The parts of a part are parts of the whole.
        self._parts = tuple(
            Part(inner.matrix.astype(self.dtype), compose(held[start:stop], inner.columns))
            for part, start, stop in zip(parts, starts, starts[1:], strict=False)
            for inner in part.parts
        )
        self.is_sparse = all(part.matrix.is_sparse for part in self._parts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The matrices, with the index of each of their columns in the whole."""
        return self._parts

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files of all parts, each once."""
        files = {file.path: file for part in self._parts for file in part.matrix.files}
        return tuple(files.values())

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Sum up what the columns take in all files; plans are made from the parts' own layouts."""
        layouts = [part.matrix.layout_of(rows, range(part.matrix.shape[1])) for part in self._parts]
        stored = sum(layout.stored_bytes for layout in layouts)
        return Layout(
            shape=(len(rows), len(columns)),
            dtype=self.dtype,
            order="row-major",
            n_rows=self.shape[0],
            stored_bytes=stored * len(columns) // max(1, self.shape[1]),
            compressed=any(layout.compressed for layout in layouts),
            read_bytes=max(
                layout.read_bytes + layout.decode_bytes + self._step_bytes(layout, len(columns))
                for layout in layouts
            ),
            index_bytes=sum(layout.index_bytes for layout in layouts),
        )

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where rows and columns cross, in the order asked for."""
        rows = range(self.shape[0]) if rows is None else rows
        index = np.asarray(columns, dtype=np.intp)
        out = empty((len(rows), len(index)), self.dtype)
        for part in self._parts:
            held, positions = part.select(index)
            if len(held):
                destination = as_slice(as_range(positions))
                self._read_part(part.matrix, as_range(held), rows, destination, out)
        return out

    def _read_part(
        self,
        matrix: Matrix,
        columns: Index,
        rows: Index,
        positions: slice | IndexArray,
        out: Array,
    ) -> None:
        """Read columns of a part some rows at a time, and copy them to their positions."""
        layout = matrix.layout_of(rows, columns)
        stored_rows = compose(matrix.stored_rows, rows)
        row_bytes = len(columns) * self.dtype.itemsize
        tall = max(1, self._step_bytes(layout, len(columns)) // row_bytes)
        for start in range(0, layout.n_rows, tall):
            samples, extent = rows_within(stored_rows, start, start + tall)
            if extent.width:
                values = matrix.read(columns, compose(rows, samples))
                scatter(values, extent, Extent(slice(0, len(columns)), positions), out)

    def _step_bytes(self, layout: Layout, n_columns: int) -> int:
        """Return the bytes of the rows that are read at a time: whole rows of chunks."""
        chunk_rows, _ = layout.chunks or (1, 1)
        unit = max(1, chunk_rows * n_columns * self.dtype.itemsize)
        return max(1, TILE_BYTES // unit) * unit

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values of all parts."""
        yield f"concatenated {self.shape} {self.dtype}".encode()
        for part in self._parts:
            yield repr(part.columns).encode() if isinstance(part.columns, range) else part.columns
            yield from part.matrix.fingerprint_parts()
