"""Dense matrices in memory: NumPy arrays, and what scikit-learn makes of data frames."""

from collections.abc import Iterator

import numpy as np

from skpar_select._typing import Array, Index, Names
from skpar_select.matrices._base import FingerprintPart, Matrix
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._selection import as_slice, cross


class ArrayMatrix(Matrix):
    """A two-dimensional array of any order and real type; a block of adjacent columns is a view."""

    in_memory = True

    def __init__(self, values: Array, feature_names: Names | None = None, label: str = "X") -> None:
        self.values = values
        self.shape: tuple[int, int] = values.shape
        self.dtype = values.dtype
        self.label = label
        self._feature_names = feature_names

    @property
    def feature_names(self) -> Names | None:
        """Names of the columns, where there are any."""
        return self._feature_names

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe a block: it is a view, unless its rows or columns are scattered."""
        shape = len(rows), len(columns)
        views = isinstance(rows, range) and isinstance(columns, range)
        return Layout(
            shape=shape, dtype=self.dtype, order="memory", views=views, n_rows=self.shape[0]
        )

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Return a view of a range of columns, or a copy of scattered ones."""
        if rows is None:
            return self.values[:, as_slice(columns)]
        return np.asarray(self.values[cross(as_slice(rows), as_slice(columns))])

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield the array."""
        yield self.values
