"""Sparse matrices in memory, by compressed columns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpar_select._typing import Array, Index, Names
from skpar_select.matrices._base import FingerprintPart, Matrix, RawBlock
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._selection import as_slice


@dataclass(frozen=True)
class SparseBlock(RawBlock):
    """A block of compressed columns."""

    values: Any

    def decode(self) -> Array:
        """Return the block as a dense array."""
        dense: Array = self.values.toarray(order="F")
        return dense

    def native(self) -> Any:
        """Return the sparse matrix itself."""
        return self.values


class SparseMatrix(Matrix):
    """A matrix in CSC format; reading makes one block dense and no more."""

    in_memory = True
    is_sparse = True

    def __init__(self, values: Any, feature_names: Names | None = None) -> None:
        self.values = values
        self.shape: tuple[int, int] = values.shape
        self.dtype: np.dtype[Any] = values.dtype
        self._feature_names = feature_names

    @property
    def feature_names(self) -> Names | None:
        """Names of the columns, where there are any."""
        return self._feature_names

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe a block: it is made from memory."""
        shape = len(rows), len(columns)
        return Layout(shape=shape, dtype=self.dtype, order="memory", n_rows=self.shape[0])

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Return the columns as a dense array."""
        return self.fetch(columns, rows).decode()

    def fetch(self, columns: Index, rows: Index | None = None) -> SparseBlock:
        """Cut the columns out, still compressed."""
        values = self.values[:, as_slice(columns)]
        return SparseBlock(values if rows is None else values[as_slice(rows)])

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield the stored values and their positions."""
        yield f"sparse {self.shape}".encode()
        yield self.values.data
        yield self.values.indices
        yield self.values.indptr
