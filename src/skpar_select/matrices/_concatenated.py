"""Several matrices of the same samples, their columns one after another.

Data split by chromosome come so, and so do the blocks of a data frame, a block for each type.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from skpar_select._typing import Array, Index, IndexArray
from skpar_select.matrices._base import FingerprintPart, Matrix, Part, RawBlock
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io import (
    FileSnapshot,
    ascending,
    check_matrix_shape,
    cross,
    cut,
    empty,
    is_contiguous,
)


class ConcatenatedMatrix(Matrix):
    """Matrices of the same rows as one wide matrix.

    A plan reads each part by its own layout, so that no block lies in two of them. Only scattered
    columns are gathered from several parts.

    Parameters
    ----------
    parts : sequence of Matrix
        At least one; all have their rows in the same order.
    label, description : str
        The whole and how it lies, in words.
    order : ndarray of int of shape (n_features,), default=None
        The place of each column among the columns of all parts; None keeps their order.
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
        self._matrices = tuple(parts)
        self._order = order

    @property
    def parts(self) -> tuple[Part, ...]:
        """The matrices, with the index of each of their columns in the whole."""
        held: Index = range(self.shape[1]) if self._order is None else np.argsort(self._order)
        starts = self._starts
        return tuple(
            Part(matrix, held[start : start + matrix.shape[1]])
            for matrix, start in zip(self._matrices, starts, strict=False)
        )

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files of all parts, each once."""
        files = {file.path: file for matrix in self._matrices for file in matrix.files}
        return tuple(files.values())

    @property
    def _starts(self) -> list[int]:
        return [0, *accumulate(matrix.shape[1] for matrix in self._matrices)]

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Tell what the columns take in all files; plans are made from the parts' own layouts."""
        layouts = [matrix.layout_of(rows, range(matrix.shape[1])) for matrix in self._matrices]
        stored = sum(layout.stored_bytes for layout in layouts)
        itemsize = self.dtype.itemsize
        return Layout(
            shape=(len(rows), len(columns)),
            dtype=self.dtype,
            order="row-major",
            n_rows=self.shape[0],
            stored_bytes=stored * len(columns) // max(1, self.shape[1]),
            compressed=any(layout.compressed for layout in layouts),
            # Columns of each part are read, and copied to their places.
            read_bytes=max(layout.read_bytes + layout.decode_bytes for layout in layouts)
            + len(rows) * len(columns) * itemsize,
            index_bytes=sum(layout.index_bytes for layout in layouts),
        )

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where rows and columns cross, in the order asked for."""
        rows = range(self.shape[0]) if rows is None else rows
        single = self._single(columns)
        if single is not None:
            return single.matrix.read(single.columns, rows)
        out = empty((len(rows), len(columns)), self.dtype)
        every = slice(0, len(rows))
        for matrix, places, destination in self._by_part(columns):
            out[cross(every, destination)] = matrix.read(places, rows)
        return out

    def fetch(self, columns: Index, rows: Index | None = None) -> RawBlock:
        """Do the input of :meth:`read`."""
        single = self._single(columns)
        return (
            super().fetch(columns, rows)
            if single is None
            else single.matrix.fetch(single.columns, rows)
        )

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Give all that the values of all parts follow from."""
        yield f"{self.label} {self.description} {self.shape} {self.dtype}".encode()
        if self._order is not None:
            yield self._order
        for matrix in self._matrices:
            yield from matrix.fingerprint_parts()

    def _single(self, columns: Index) -> Part | None:
        """Return the one part that holds adjacent columns, in the type of the whole."""
        if self._order is not None or not is_contiguous(columns) or not len(columns):
            return None
        for matrix, start in zip(self._matrices, self._starts, strict=False):
            if start <= columns[0] and columns[-1] < start + matrix.shape[1]:
                if matrix.dtype != self.dtype:
                    return None
                return Part(matrix, range(columns[0] - start, columns[-1] + 1 - start))
        return None

    def _by_part(self, columns: Index) -> Iterator[tuple[Matrix, Index, slice | IndexArray]]:
        """Cut columns by part: the part, their places in it, and their places in the result."""
        starts = np.asarray(self._starts)
        places = np.asarray(columns, dtype=np.intp)
        order, ordered = ascending(places if self._order is None else self._order[places])
        holder = np.searchsorted(starts, ordered, side="right") - 1
        for extent in cut(order, ordered, np.diff(holder) > 0):
            part = int(np.searchsorted(starts, extent.source.start, side="right")) - 1
            first = extent.source.start - int(starts[part])
            stored = range(first, first + extent.width)
            picked = stored if extent.picked is None else first + extent.picked
            yield self._matrices[part], picked, extent.destination
