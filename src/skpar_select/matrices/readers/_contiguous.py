"""Values that lie row after row in a file.

Every extent of selected values is read by one ``preadv`` straight into the result. HDF5 itself
would read at least 64 KiB for each extent, and a memory map would kill the process where the file
is cut short.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from skpar_select._typing import Array, Index
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._layout import TILE_BYTES, Layout
from skpar_select.matrices.io._buffers import empty
from skpar_select.matrices.io._file import FileSnapshot, read_into
from skpar_select.matrices.io._selection import (
    NEAR_BYTES,
    Extent,
    extents,
    is_contiguous,
    n_spanned,
)


@dataclass(eq=False, repr=False)
class ContiguousMatrix(Matrix):
    """A matrix of fixed-size values at an offset of a file; ValueError if that is too short."""

    tile_bytes: ClassVar[int] = TILE_BYTES
    """The most that a buffer holds."""

    near_bytes: ClassVar[int] = NEAR_BYTES
    """Columns of a row that are so near are read together."""

    file: FileSnapshot
    offset: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    label: str
    description: str = "contiguous"

    def __post_init__(self) -> None:
        needed = self.offset + self.shape[0] * self.shape[1] * self.dtype.itemsize
        if needed > self.file.size:
            raise ValueError(
                f"{self.label}: its values would end at byte {needed}, and the file has "
                f"{self.file.size}. All values must be there. Copy the file again, or finish "
                "writing it."
            )

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The file."""
        return (self.file,)

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        itemsize = self.dtype.itemsize
        n_lines = len(rows) if isinstance(rows, range) else len(np.unique(rows))
        # Between columns that are near each other, the rest is read too.
        spanned = n_spanned(columns, near=self.near_bytes // itemsize) * itemsize
        return Layout(
            shape=(len(rows), len(columns)),
            dtype=self.dtype,
            order="row-major",
            n_rows=self.shape[0],
            stored_bytes=n_lines * spanned,
            read_bytes=0 if is_contiguous(columns) else min(spanned, self.tile_bytes),
        )

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where the given rows and columns cross, in the order asked for."""
        rows = range(self.shape[0]) if rows is None else rows
        out = empty((len(rows), len(columns)), self.dtype)
        if not out.size:
            return out
        length = self.shape[1]
        if isinstance(columns, range) and columns.step == 1:
            whole = len(columns) == length
            with self.file.opened(forwards=whole) as descriptor:
                for start, stop, first in _row_runs(rows, joined=whole):
                    position = start * length + columns.start
                    self._fill(descriptor, position, out[first : first + stop - start])
        else:
            itemsize = self.dtype.itemsize
            selected = list(
                extents(
                    columns,
                    near=self.near_bytes // itemsize,
                    widest=max(1, self.tile_bytes // itemsize),
                )
            )
            buffer = np.empty(max(extent.width for extent in selected), dtype=self.dtype)
            # 5,000 columns of 483,512, in 8,085 rows, are all of it: 6.9 s, as a plain read; else 27.
            most = 2 * sum(extent.width for extent in selected) > length
            with self.file.opened(forwards=most) as descriptor:
                for start, _, first in _row_runs(rows, joined=False):
                    self._pick(descriptor, start * length, selected, buffer, out[first])
        _repeat(rows, out)
        return out

    def _pick(
        self, descriptor: int, first: int, selected: list[Extent], buffer: Array, out: Array
    ) -> None:
        for extent in selected:
            values = buffer[: extent.width]
            self._fill(descriptor, first + extent.source.start, values)
            out[extent.destination] = values[extent.within()]

    def _fill(self, descriptor: int, first: int, out: Array) -> None:
        try:
            read_into(descriptor, self.offset + first * self.dtype.itemsize, out)
        except OSError as error:
            row, column = divmod(first, self.shape[1])
            raise OSError(
                f"{self.label}: stored row {row} from column {column} on cannot be read "
                f"({error}). The file must be whole. Copy it again."
            ) from error


def _row_runs(rows: Index, *, joined: bool) -> Iterator[tuple[int, int, int]]:
    """Yield rows of the file to read at once, in its order, and the position of the first."""
    if isinstance(rows, range) and rows.step == 1:
        if joined and rows:
            yield rows.start, rows.stop, 0
        elif not joined:
            yield from ((row, row + 1, at) for at, row in enumerate(rows))
        return
    unique, first = np.unique(np.asarray(rows), return_index=True)
    for at, position in enumerate(first):
        row = int(unique[at])
        yield row, row + 1, int(position)


def _repeat(rows: Index, out: Array) -> None:
    """Copy the rows that are selected more than once: each was read to its first position only."""
    if isinstance(rows, range):
        return
    _, first, inverse = np.unique(rows, return_index=True, return_inverse=True)
    source = first[inverse.reshape(-1)]
    for position in np.flatnonzero(source != np.arange(len(out))):
        out[position] = out[source[position]]
