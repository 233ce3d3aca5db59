"""Sparse matrices in memory, by compressed columns."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from skpar_select._typing import Array, Columns, Names
from skpar_select.sources._base import Content, Source


class SparseSource(Source):
    """A matrix in CSC format; reading makes one block dense and no more.

    Parameters
    ----------
    values : sparse matrix or array of shape (n_samples, n_features), in CSC format
        What is not stored is 0.
    feature_names : ndarray of str of shape (n_features,), default=None
        Names for errors and tables.
    """

    in_memory = True

    def __init__(self, values: Any, feature_names: Names | None = None) -> None:
        self.values = values
        self.feature_names = feature_names

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""
        n_samples, n_features = self.values.shape
        return n_samples, n_features

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the stored values."""
        dtype: np.dtype[Any] = self.values.dtype
        return dtype

    def read(self, columns: Columns) -> Array:
        """Read the columns as a dense array."""
        block: Array = self.values[:, columns].toarray(order="F")
        return block

    def part(self, columns: slice) -> "SparseSource":
        """Give the stored values of these columns."""
        names = self.feature_names
        return SparseSource(self.values[:, columns], None if names is None else names[columns])

    def native(self) -> Any:
        """Give the sparse matrix itself."""
        return self.values

    def content(self) -> Iterator[Content]:
        """Give the stored values and their places."""
        yield f"sparse {self.shape}".encode()
        yield self.values.data
        yield self.values.indices
        yield self.values.indptr
