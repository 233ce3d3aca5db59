"""Matrices that are stored as features x samples, as GEO and minfi write them.

What lies together in the file, a row of it, is a column of the matrix: the cheapest layout for
reading by columns.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray
from skpar_select.sources._chunks import RawChunks
from skpar_select.sources._contiguous import Contiguous
from skpar_select.sources._file import StillFile
from skpar_select.sources._lazy import Container
from skpar_select.sources._rectangles import Reader, storage_of_rectangles
from skpar_select.sources._runs import PIECE_BYTES


class TransposedContainer:
    """A container with rows and columns exchanged.

    Parameters
    ----------
    stored : Container
        The matrix as it lies in its file.
    """

    def __init__(self, stored: Container) -> None:
        self.stored = stored
        self.file: StillFile = stored.file  # type: ignore[attr-defined]  # all of this package have it
        self.where = stored.where
        self.layout = f"{stored.layout}, stored as features x samples"
        self.dtype: np.dtype[Any] = stored.dtype
        n_features, n_samples = stored.shape
        self.shape = (n_samples, n_features)
        tall, wide = stored.chunks or (1, max(1, n_samples))
        self.chunks: tuple[int, int] | None = (wide, tall)
        n_bytes = n_samples * n_features * self.dtype.itemsize
        self.stored_bytes: int = getattr(stored, "stored_bytes", n_bytes)
        direct = getattr(stored, "direct", None)
        self.direct: Any = None if direct is None else _turned(direct, n_samples, n_features)

    def storage(self, rows: range | IndexArray) -> Storage:
        """Tell how the given rows lie where there is no `direct`: turning holds a piece more."""
        if hasattr(self.stored, "storage"):
            lies = _Turned(self.stored, *self.shape).storage(rows)
        else:
            lies = storage_of_rectangles(self, rows)
        return replace(lies, read_bytes=lies.read_bytes + PIECE_BYTES)

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer the one that was opened first."""
        self.stored.check_unchanged()  # type: ignore[attr-defined]  # all of this package have it

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """Open the file for as long as the context lasts, where there is no `direct`."""
        tall = self.stored.chunks[0] if self.stored.chunks else 1
        with self.stored.open() as reader:  # type: ignore[attr-defined]  # it has no direct

            def read(rows: slice, columns: slice, out: Array) -> None:
                # Turned piece by piece, so that there is no second copy of a block.
                n_rows = rows.stop - rows.start
                step = max(1, PIECE_BYTES // max(1, n_rows * self.dtype.itemsize) // tall) * tall
                start = columns.start
                while start < columns.stop:
                    stop = min(columns.stop, (start // step + 1) * step)
                    piece = np.empty((stop - start, n_rows), dtype=self.dtype)
                    reader(slice(start, stop), rows, piece)
                    out[:, start - columns.start : stop - columns.start] = piece.T
                    start = stop

            yield read


@dataclass(frozen=True)
class _Turned:
    """What reads values where they are, or only tells how they lie, with the axes exchanged."""

    stored: Any
    n_samples: int
    n_features: int

    def storage(self, rows: range | IndexArray) -> Storage:
        whole: Storage = self.stored.storage(range(self.n_features))
        return whole.transposed(self.n_samples)

    def read(self, rows: range | IndexArray, columns: range | IndexArray) -> Array:
        block: Array = self.stored.read(columns, rows)
        return block.T


@dataclass(frozen=True)
class _TurnedChunks(_Turned):
    """The same of chunks, which are fetched first and decoded later."""

    stored: RawChunks

    def storage(self, rows: range | IndexArray) -> Storage:
        """Tell how the given rows lie: of the chunks, all rows and these columns."""
        return self.stored.storage(range(self.n_features), rows).transposed(self.n_samples)

    def fetch(self, rows: range | IndexArray, columns: range | IndexArray) -> Callable[[], Array]:
        decode = self.stored.fetch(columns, rows)
        return lambda: decode().T


def _turned(direct: Any, n_samples: int, n_features: int) -> Any:
    if isinstance(direct, Contiguous):
        return replace(direct, shape=(n_samples, n_features), by_columns=not direct.by_columns)
    kind = _TurnedChunks if isinstance(direct, RawChunks) else _Turned
    return kind(direct, n_samples, n_features)
