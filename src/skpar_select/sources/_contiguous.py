"""Values that lie one after another in a file: row after row, or column after column.

Every run of wanted values is read by one ``preadv`` straight to where it belongs. HDF5 itself
would read at least 64 KiB for each run, and a memory map would kill the process where the file is
cut short.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray
from skpar_select.sources._buffers import empty
from skpar_select.sources._file import StillFile, read_at
from skpar_select.sources._runs import NEAR_BYTES, PIECE_BYTES, Run, runs


@dataclass(frozen=True)
class Contiguous:
    """A matrix of fixed-size values at an offset of a file.

    Parameters
    ----------
    file : StillFile
        The file.
    offset : int
        Of the first value, in bytes.
    shape : tuple of int
        (n_samples, n_features).
    dtype : numpy.dtype
        Of the values as stored.
    where : str
        The matrix in words, for errors.
    by_columns : bool, default=False
        Whether the values lie column after column, as in Fortran.
    """

    file: StillFile
    offset: int
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    where: str
    by_columns: bool = False

    def __post_init__(self) -> None:
        needed = self.offset + self.shape[0] * self.shape[1] * self.dtype.itemsize
        if needed > self.file.stamp[0]:
            raise ValueError(
                f"{self.where}: its values would end at byte {needed}, and the file has "
                f"{self.file.stamp[0]}. All values must be there. Copy the file again, or finish "
                "writing it."
            )

    def storage(self, rows: range | IndexArray) -> Storage:
        """Tell how the given rows lie."""
        n_features, itemsize = self.shape[1], self.dtype.itemsize
        n_read = len(rows) if isinstance(rows, range) else len(np.unique(rows))
        stored = n_read * n_features * itemsize
        if not self.by_columns:
            return Storage(kind="rows", stored_bytes=stored, n_rows=self.shape[0])
        whole = self.shape[0] * itemsize
        near = isinstance(rows, range) and rows.step == 1
        return Storage(
            kind="columns",
            stored_bytes=stored if near else n_features * whole,
            n_rows=self.shape[0],
            read_bytes=0 if near else min(whole, PIECE_BYTES),
        )

    def read(self, rows: range | IndexArray, columns: range | IndexArray) -> Array:
        """Read the values where the given rows and columns cross, in the order asked for."""
        if self.by_columns:
            return self._read(columns, rows).T
        return self._read(rows, columns)

    def _read(self, lines: range | IndexArray, places: range | IndexArray) -> Array:
        # A line is a stretch of the file: a row, or by columns a column.
        out = empty((len(lines), len(places)), self.dtype)
        if not out.size:
            return out
        length = self.shape[0] if self.by_columns else self.shape[1]
        if isinstance(places, range) and places.step == 1:
            whole = len(places) == length
            with self.file.opened(forwards=whole) as descriptor:
                for start, stop, first in _stretches(lines, joined=whole):
                    offset = start * length + places.start
                    self._fill(descriptor, offset, out[first : first + stop - start])
        else:
            itemsize = self.dtype.itemsize
            stretches = runs(
                np.asarray(places),
                near=NEAR_BYTES // itemsize,
                widest=max(1, PIECE_BYTES // itemsize),
            )
            buffer = np.empty(max(run.width for run in stretches), dtype=self.dtype)
            # 5,000 columns of 483,512, in 8,085 rows, are all of it: 6.9 s, as a plain read; else 27.
            most = 2 * sum(run.width for run in stretches) > length
            with self.file.opened(forwards=most) as descriptor:
                for start, _, first in _stretches(lines, joined=False):
                    self._pick(descriptor, start * length, stretches, buffer, out[first])
        _repeat(lines, out)
        return out

    def _pick(
        self, descriptor: int, offset: int, stretches: list[Run], buffer: Array, out: Array
    ) -> None:
        for run in stretches:
            values = buffer[: run.width]
            self._fill(descriptor, offset + run.stretch.start, values)
            out[run.into] = values if run.picked is None else values[run.picked]

    def _fill(self, descriptor: int, first: int, out: Array) -> None:
        length = self.shape[0] if self.by_columns else self.shape[1]
        try:
            read_at(descriptor, self.offset + first * self.dtype.itemsize, out)
        except OSError as error:
            line, place = divmod(first, length)
            line_name, place_name = ("column", "row") if self.by_columns else ("row", "column")
            raise OSError(
                f"{self.where}: {line_name} {line} from {place_name} {place} on cannot be read "
                f"({error}). The file must be whole. Copy it again."
            ) from error


def _stretches(lines: range | IndexArray, *, joined: bool) -> list[tuple[int, int, int]]:
    """Lines of the file to read at once, in its order, and where the first of them goes."""
    if joined and isinstance(lines, range) and lines.step == 1:
        return [(lines.start, lines.stop, 0)] if lines else []
    wanted = np.asarray(lines)
    unique, first = np.unique(wanted, return_index=True)
    return [(line, line + 1, at) for line, at in zip(unique.tolist(), first.tolist(), strict=True)]


def _repeat(lines: range | IndexArray, out: Array) -> None:
    """Copy the lines that are wanted more than once: each was read to its first place only."""
    if isinstance(lines, range):
        return
    _, first, inverse = np.unique(lines, return_index=True, return_inverse=True)
    source = first[inverse.reshape(-1)]
    for place in np.flatnonzero(source != np.arange(len(out))):
        out[place] = out[source[place]]
