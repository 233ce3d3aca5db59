"""Dense matrices in memory: NumPy arrays, and what scikit-learn makes of data frames."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, Columns, Names
from skpar_select.sources._base import Content, Source


class ArraySource(Source):
    """A two-dimensional array; a block is a view of it.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_features)
        Any memory order and real type, read-only welcome.
    feature_names : ndarray of str of shape (n_features,), default=None
        Names for errors and tables.
    """

    in_memory = True

    def __init__(self, values: Array, feature_names: Names | None = None) -> None:
        self.values = values
        self.feature_names = feature_names

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""
        n_samples, n_features = self.values.shape
        return n_samples, n_features

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the array."""
        return self.values.dtype

    @property
    def storage(self) -> Storage:
        """In memory, where a block is a view."""
        return Storage(kind="memory", views=True)

    def read(self, columns: Columns) -> Array:
        """View of the columns of a slice, copy of those of an array."""
        return self.values[:, columns]

    def part(self, columns: slice) -> "ArraySource":
        """Give the same array, narrower; pickled, it holds its own columns only."""
        names = self.feature_names
        return ArraySource(self.values[:, columns], None if names is None else names[columns])

    def content(self) -> Iterator[Content]:
        """Give the array."""
        yield self.values
