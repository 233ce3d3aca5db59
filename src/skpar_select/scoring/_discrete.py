"""Which columns are discrete: `discrete_features`, in the memory that it was given in."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from skpar_select._typing import BoolArray, IndexArray, Names
from skpar_select._wording import counted, did_you_mean, listing


class DiscreteFeaturesError(ValueError, IndexError):
    """`discrete_features` does not fit the columns; scikit-learn raises IndexError here."""


class DiscreteFeatures:
    """The columns that hold classes rather than quantities.

    ``"auto"`` is all for a sparse matrix and none for any other, whatever holds it. Names are looked
    up in `feature_names`, which is called where there are any. What does not fit the columns is a
    ValueError, which is an IndexError too. Nothing that is as long as the matrix is wide is made:
    a file of 8 kB may claim billions of columns. Where ``"auto"`` is `doubted`, the scorer tells which
    columns hold fractions.
    """

    def __init__(
        self,
        discrete_features: Any,
        n_features: int,
        *,
        sparse: bool,
        feature_names: Callable[[], Names | None] = lambda: None,
        doubted: bool = False,
    ) -> None:
        self.n_features = n_features
        self._every = False
        self.is_doubted = False
        self._indices: IndexArray = np.empty(0, dtype=np.intp)
        if isinstance(discrete_features, str):
            if discrete_features != "auto":
                raise ValueError(
                    f"discrete_features={discrete_features!r} is not known. It must be 'auto', "
                    "'from_dtype', a bool, a boolean mask, column indices, a list of column names, or a "
                    "function that gives one of these. Put a single name into a list."
                )
            self._every = sparse
            self.is_doubted = sparse and doubted
        elif np.ndim(discrete_features) == 0:
            self._every = bool(discrete_features)
        else:
            given = np.asarray(discrete_features)
            if given.dtype.kind in "OSU" and given.ndim == 1:
                given = _indices_of(given, feature_names())
            self._indices = _sorted_indices(given, n_features)

    def all(self) -> bool:
        """Return whether every column is discrete."""
        return self._every or len(self._indices) == self.n_features

    def any(self) -> bool:
        """Return whether some column is discrete."""
        return self._every or len(self._indices) > 0

    def mask(self, columns: IndexArray) -> BoolArray:
        """Return which of these columns, given by index, are discrete."""
        if self._every or not len(self._indices):
            return np.full(len(columns), self._every)
        positions = np.searchsorted(self._indices, columns)
        positions[positions == len(self._indices)] = 0
        return np.asarray(self._indices[positions] == columns)

    def fingerprint_parts(self) -> Iterator[Any]:
        """Yield what distinguishes these columns from others."""
        # Where "auto" is doubted, the results say which columns hold fractions.
        yield self.is_doubted
        yield self.all()
        yield np.empty(0, dtype=np.intp) if self.all() else self._indices


def _indices_of(given: Any, names: Names | None) -> IndexArray:
    if names is None:
        raise DiscreteFeaturesError(
            f"discrete_features names {listing(given)}, and X has no feature names. Columns are named as X "
            "names them. Pass a data frame or a matrix with names, a boolean mask, or column indices."
        )
    position = {name: index for index, name in enumerate(names)}
    unknown = [name for name in given.tolist() if name not in position]
    if unknown:
        raise DiscreteFeaturesError(
            f"discrete_features names {counted(len(unknown), 'column')} that X lacks "
            f"({listing(unknown)}). Each must be one of its columns. "
            f"{did_you_mean(unknown[0], names) or 'Correct the names.'}"
        )
    return np.array([position[name] for name in given.tolist()], dtype=np.intp)


def _sorted_indices(index: Any, n_features: int) -> IndexArray:
    if index.ndim != 1 or (index.size and index.dtype.kind not in "biu"):
        raise DiscreteFeaturesError(
            f"discrete_features has shape {index.shape} and type {index.dtype}. It must be a "
            "boolean mask or a list of column indices or names. Convert it."
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
