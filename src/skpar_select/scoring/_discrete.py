"""Which columns are discrete: `discrete_features`, in the memory that it was given in."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from skpar_select._typing import BoolArray, IndexArray


class DiscreteFeaturesError(ValueError, IndexError):
    """`discrete_features` does not fit the columns; scikit-learn raises IndexError here."""


class DiscreteFeatures:
    """The columns that hold classes rather than quantities.

    ``"auto"`` is all for a sparse matrix and none for any other. What does not fit the columns is
    a ValueError, which is an IndexError too. Nothing that is as long as the matrix is wide is made:
    a file of 8 kB may claim billions of columns.
    """

    def __init__(self, discrete_features: Any, n_features: int, *, sparse: bool) -> None:
        self.n_features = n_features
        self._every = False
        self._indices: IndexArray = np.empty(0, dtype=np.intp)
        if isinstance(discrete_features, str):
            if discrete_features != "auto":
                raise ValueError(
                    f"discrete_features={discrete_features!r} is not known. It must be 'auto', a "
                    "bool, a boolean mask or column indices. Columns are given by index, not by "
                    "name."
                )
            self._every = sparse
        elif np.ndim(discrete_features) == 0:
            self._every = bool(discrete_features)
        else:
            self._indices = _sorted_indices(np.asarray(discrete_features), n_features)

    def all(self) -> bool:
        """Return whether every column is discrete."""
        return self._every or len(self._indices) == self.n_features

    def mask(self, columns: IndexArray) -> BoolArray:
        """Return which of these columns, given by index, are discrete."""
        if self._every or not len(self._indices):
            return np.full(len(columns), self._every)
        positions = np.searchsorted(self._indices, columns)
        positions[positions == len(self._indices)] = 0
        return np.asarray(self._indices[positions] == columns)

    def fingerprint_parts(self) -> Iterator[Any]:
        """Yield what distinguishes these columns from others."""
        yield self.all()
        yield np.empty(0, dtype=np.intp) if self.all() else self._indices


def _sorted_indices(index: Any, n_features: int) -> IndexArray:
    if index.ndim != 1 or (index.size and index.dtype.kind not in "biu"):
        raise DiscreteFeaturesError(
            f"discrete_features has shape {index.shape} and type {index.dtype}. It must be a "
            "boolean mask or a list of column indices. Convert it."
        )
    if index.dtype.kind == "b":
        if index.size != n_features:
            raise DiscreteFeaturesError(
                f"discrete_features has {index.size} entries, X has {n_features} features. A "
                "boolean mask has one entry for each feature. Give as many, or column indices."
            )
        return np.flatnonzero(index)
    outside = index[(index < -n_features) | (index >= n_features)]
    if outside.size:
        raise DiscreteFeaturesError(
            f"discrete_features holds index {outside[0]}, X has {n_features} features. Indices "
            f"run from 0 to {n_features - 1}. Correct it."
        )
    signed = index.astype(np.intp)
    return np.unique(np.where(signed < 0, signed + n_features, signed))
