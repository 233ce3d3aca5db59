"""A matrix with rows and columns exchanged, as GEO and minfi store features x samples.

Values that lie together in the file, in one row of it, are a column of the matrix: the cheapest
layout for reading by columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from skpar_select._typing import Array, Index
from skpar_select.matrices._base import FingerprintPart, Matrix, RawBlock
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._file import FileSnapshot


@dataclass(frozen=True)
class TransposedBlock(RawBlock):
    """A block of which the transpose was fetched."""

    stored: RawBlock

    def decode(self) -> Array:
        """Return the values."""
        return self.stored.decode().T


class TransposedMatrix(Matrix):
    """The transpose of a stored matrix."""

    def __init__(self, stored: Matrix, description: str | None = None) -> None:
        self.stored = stored
        self.shape = stored.shape[1], stored.shape[0]
        self.dtype = stored.dtype
        self.in_memory = stored.in_memory
        self.is_sparse = stored.is_sparse
        self.label = stored.label
        self.description = description or f"{stored.description}, stored as features x samples"

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files of the stored matrix."""
        return self.stored.files

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        return self.stored.layout_of(columns, rows).transposed(n_rows=self.shape[0])

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where rows and columns cross, in the order asked for."""
        return self.stored.read(self._rows(rows), columns).T

    def fetch(self, columns: Index, rows: Index | None = None) -> RawBlock:
        """Do the input of :meth:`read`."""
        return TransposedBlock(self.stored.fetch(self._rows(rows), columns))

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values of the stored matrix."""
        yield f"transposed {self.description}".encode()
        yield from self.stored.fingerprint_parts()

    def _rows(self, rows: Index | None) -> Index:
        return range(self.shape[0]) if rows is None else rows
