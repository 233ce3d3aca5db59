"""Lazy matrices: rows of a matrix in a file, and its labels, read when they are asked for.

A reader knows how to read a rectangle; this module makes of it what scikit-learn's model selection
and users ask for: views of rows in any order and with repetition, labels, scattered columns.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from skpar_select._memory import format_bytes, parse_memory
from skpar_select._typing import Array, Index, IndexArray, Names
from skpar_select._wording import quote
from skpar_select.matrices._base import FingerprintPart, Matrix, Part, RawBlock
from skpar_select.matrices._labels import Labels
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._selection import as_slice, compose, max_per_chunk


class LazyMatrix(Matrix):
    """A samples x features matrix in a file, of which only what is asked for is read.

    :func:`skpar_select.open_matrix` returns one. scikit-learn's model selection slices it by
    rows as it does an array: ``X[rows]`` with a slice, an integer array or a boolean mask is
    another lazy matrix, and nothing is read. It pickles as an address, never with its values.

    Parameters
    ----------
    source : Matrix
        The matrix that holds the values.
    rows : range or ndarray of int, default=None
        Its rows that belong to this one, in any order and repeated; None means all.
    feature_names, sample_ids : Labels, default=None
        The labels of the columns and rows of `source`.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, n_features).
    dtype : numpy.dtype
        The type of the stored values, in which they are read.
    feature_names : ndarray of str of shape (n_features,), or None
        Names of the columns; read from the file when they are asked for.
    sample_ids : ndarray of str of shape (n_samples,), or None
        Ids of the rows; the same.
    """

    ndim = 2

    def __init__(
        self,
        source: Matrix,
        *,
        rows: Index | None = None,
        feature_names: Labels | None = None,
        sample_ids: Labels | None = None,
    ) -> None:
        self._source: Matrix = source
        self._rows: Index = range(source.shape[0]) if rows is None else rows
        if isinstance(source, LazyMatrix):
            # A view of a view reads the matrix itself.
            self._source, self._rows = source._source, source._stored(rows)
        self._feature_names = feature_names
        self._sample_ids = sample_ids
        self.shape = len(self._rows), source.shape[1]
        self.dtype = source.dtype
        self.in_memory = source.in_memory
        self.label = source.label
        self.description = source.description

    @property
    def feature_names(self) -> Names | None:
        """Names of the columns, where there are any."""
        return None if self._feature_names is None else self._feature_names.values()

    @property
    def sample_ids(self) -> Names | None:
        """Ids of the rows, where there are any."""
        ids = None if self._sample_ids is None else self._sample_ids.values()
        return None if ids is None else ids[as_slice(self._rows)]

    @property
    def stored_rows(self) -> Index:
        """The row of the file that each sample is."""
        return compose(self._source.stored_rows, self._rows)

    def astype(self, dtype: np.dtype[Any]) -> Matrix:
        """Return the same rows, read in another type."""
        return (
            self if dtype == self.dtype else LazyMatrix(self._source.astype(dtype), rows=self._rows)
        )

    @property
    def labels_of_rows(self) -> Labels | None:
        """The ids of the rows of the file, read or not."""
        return self._sample_ids

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> Any:
        """Rows as another lazy matrix; one row, by a single integer, as an array."""
        if isinstance(key, tuple):
            key = _only_rows(key)
        if key is Ellipsis:
            key = slice(None)
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
            row = self._position(int(key))
            return self._view(range(row, row + 1)).read(slice(None))[0]
        if isinstance(key, slice):
            return self._view(range(len(self))[key])
        return self._view(self._positions(key))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Load the whole matrix, if it fits the memory that a fit may take by default."""
        if copy is False:
            raise ValueError(
                f"copy=False cannot be kept: {self.label} is in a file. An array of it is a copy. "
                "Leave copy out."
            )
        needed = self.shape[0] * self.shape[1] * self.dtype.itemsize
        allowed = parse_memory("auto")
        if needed > allowed:
            raise ValueError(
                f"Loading {self.label} whole takes {format_bytes(needed)}; at most "
                f"{format_bytes(allowed)} are allowed, a quarter of the available memory. Load "
                "fewer rows, np.asarray(X[rows]), or blocks of columns, X.read(columns); the "
                "selector reads it by blocks."
            )
        values = self.read(slice(None))
        return values if dtype is None else values.astype(dtype, copy=False)

    def __repr__(self) -> str:
        n_samples, n_features = self.shape
        return (
            f"<{type(self).__name__} {self.label}: {n_samples} samples x {n_features} features, "
            f"{self.dtype.name}, {self.description}>"
        )

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie in the file."""
        stored = compose(self._rows, rows)
        layout = self._source.layout_of(stored, columns)
        if layout.chunks is None:
            return layout
        return replace(layout, rows_per_chunk_row=max_per_chunk(stored, layout.chunks[0]))

    def read(self, columns: slice | Index, rows: Index | None = None) -> Array:
        """Read columns, in the order asked for, into a new array.

        Parameters
        ----------
        columns : slice, integer array, boolean mask or range
            The columns.
        rows : range or ndarray of int, default=None
            Rows of this matrix; None means all.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            In the memory order in which the file is.

        Raises
        ------
        OSError
            If the file is gone, changed, truncated or damaged.
        IndexError
            If a column is out of range.
        """
        return self._source.read(self._checked(columns), self._stored(rows))

    def fetch(self, columns: slice | Index, rows: Index | None = None) -> RawBlock:
        """Do the input of :meth:`read`; the block that is returned decodes later."""
        return self._source.fetch(self._checked(columns), self._stored(rows))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The matrices that this one is made of, with the rows of this one."""
        return tuple(
            Part(LazyMatrix(part.matrix, rows=self._rows), part.columns)
            for part in self._source.parts
        )

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files that hold the values."""
        return self._source.files

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values, and which rows they are."""
        yield from self._source.fingerprint_parts()
        yield repr(self._rows).encode() if isinstance(self._rows, range) else self._rows

    def check_unchanged(self) -> None:
        """Raise OSError if a file is no longer the one that was opened."""
        self._source.check_unchanged()

    def _view(self, rows: Index) -> "LazyMatrix":
        return LazyMatrix(
            self, rows=rows, feature_names=self._feature_names, sample_ids=self._sample_ids
        )

    def _stored(self, rows: Index | None) -> Index:
        return self._rows if rows is None else compose(self._rows, rows)

    def _position(self, position: int) -> int:
        n_samples = len(self._rows)
        if not -n_samples <= position < n_samples:
            raise IndexError(
                f"row {position} is out of range: the matrix has {n_samples} samples. "
                f"Use -{n_samples} to {n_samples - 1}."
            )
        return position % n_samples

    def _positions(self, key: Any) -> IndexArray:
        n_samples = len(self._rows)
        index = np.asarray(key)
        if index.ndim == 1 and not index.size:
            return np.empty(0, dtype=np.intp)
        if index.ndim != 1 or index.dtype.kind not in "bui":
            raise IndexError(
                f"X[{quote(key)}] is no selection of rows. Rows are selected with a slice, a "
                "one-dimensional integer array or a boolean mask. For columns use "
                "X.read(columns)."
            )
        if index.dtype.kind == "b":
            if index.size != n_samples:
                raise IndexError(
                    f"The boolean mask has {index.size} entries, but the matrix has {n_samples} "
                    "samples. Give one entry for each sample."
                )
            return np.flatnonzero(index)
        outside = (index < -n_samples) | (index >= n_samples)
        if outside.any():
            self._position(int(index[outside][0]))
        index = index.astype(np.intp)
        return np.where(index < 0, index + n_samples, index)

    def _checked(self, columns: slice | Index) -> Index:
        n_features = self.shape[1]
        if isinstance(columns, slice):
            return range(n_features)[columns]
        if isinstance(columns, range) and (
            not columns
            or (columns[0] >= 0 and columns[-1] >= 0 and max(columns[0], columns[-1]) < n_features)
        ):
            return columns
        index = np.asarray(columns)
        if index.shape == (n_features,) and index.dtype.kind == "b":
            index = np.flatnonzero(index)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
            raise IndexError(
                f"X.read({quote(columns)}) names no columns. Columns are read by a slice, a "
                f"one-dimensional integer array, or a boolean mask of {n_features} entries. "
                "Convert it."
            )
        index = index.astype(np.intp)
        outside = (index < 0) | (index >= n_features)
        if outside.any():
            raise IndexError(
                f"column {index[outside][0]} is out of range: {self.label} has {n_features} "
                f"features here. Use 0 to {n_features - 1}."
            )
        return index


def _only_rows(key: tuple[Any, ...]) -> Any:
    rows, *rest = key or (slice(None),)
    if all(
        other is Ellipsis or (isinstance(other, slice) and other == slice(None)) for other in rest
    ):
        return rows
    raise IndexError(
        f"X[{quote(key)}] selects columns. A lazy matrix is sliced by rows only: X[rows] or "
        "X[rows, ...]. Read columns with X.read(columns)."
    )
