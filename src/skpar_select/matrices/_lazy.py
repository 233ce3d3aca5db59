"""Lazy matrices: rows and columns of a matrix in a file, and its labels, read when asked for.

A reader knows how to read a rectangle; this module makes of it what scikit-learn's model selection
and users ask for: views of rows and columns in any order, and their labels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from skpar_select._memory import format_bytes, parse_memory
from skpar_select._typing import Array, Index, Names
from skpar_select.matrices._base import FingerprintPart, Matrix, Part, RawBlock
from skpar_select.matrices._cuts import Cuts
from skpar_select.matrices._keys import (
    COLUMNS,
    ROWS,
    Key,
    as_names,
    check_once,
    named,
    positions,
    selected,
    split,
)
from skpar_select.matrices._labels import Labels
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._selection import as_range, as_slice, compose, max_per_chunk


class LazyMatrix(Matrix):
    """A samples x features matrix in a file, of which only what is asked for is read.

    :func:`skpar_select.open_matrix` returns one. ``X[rows]``, ``X[:, columns]`` and
    ``X[rows, columns]`` with slices, integer arrays or boolean masks are other lazy matrices, and
    nothing is read; columns are selected by a list of their names, too. Unlike in NumPy, two
    integer arrays select the rectangle where these rows and columns cross. A single row or column
    is read as an array. It pickles as an address, never with its values.

    Parameters
    ----------
    source : Matrix
        The matrix that holds the values.
    rows : range or ndarray of int, default=None
        Its rows that belong to this one, in any order and repeated; None means all.
    columns : range or ndarray of int, default=None
        The same for its columns.
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

    Examples
    --------
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skpar_select import open_matrix
    >>> with TemporaryDirectory() as folder:
    ...     np.save(Path(folder, "x.npy"), np.arange(12).reshape(3, 4))
    ...     X = open_matrix(Path(folder, "x.npy"), feature_names=["a", "b", "c", "d"])
    ...     some = X[1:, ["d", "a"]]
    ...     some.shape, some.feature_names.tolist(), np.asarray(some).tolist()
    ((2, 2), ['d', 'a'], [[7, 4], [11, 8]])
    """

    ndim = 2

    def __init__(
        self,
        source: Matrix,
        *,
        rows: Index | None = None,
        columns: Index | None = None,
        feature_names: Labels | None = None,
        sample_ids: Labels | None = None,
    ) -> None:
        self._source: Matrix = source
        self._rows: Index = range(source.shape[0]) if rows is None else rows
        self._columns = as_range(range(source.shape[1]) if columns is None else columns)
        if isinstance(source, LazyMatrix):
            # A view of a view reads the matrix itself.
            self._source, self._rows = source._source, source._stored(rows)
            self._columns = source._stored_columns(self._columns)
        self._feature_names = feature_names
        self._sample_ids = sample_ids
        self.shape = len(self._rows), len(self._columns)
        self.dtype = source.dtype
        self.in_memory = source.in_memory
        self.is_sparse = source.is_sparse
        self.label = source.label
        self.description = source.description

    @property
    def feature_names(self) -> Names | None:
        """Names of the columns, where there are any."""
        names = None if self._feature_names is None else self._feature_names.values()
        return None if names is None else names[as_slice(self._columns)]

    @property
    def sample_ids(self) -> Names | None:
        """Ids of the rows, where there are any."""
        ids = None if self._sample_ids is None else self._sample_ids.values()
        return None if ids is None else ids[as_slice(self._rows)]

    @property
    def stored_ids(self) -> Names | None:
        """Ids of all rows of the file, of which this matrix may hold some."""
        return None if self._sample_ids is None else self._sample_ids.values()

    @property
    def stored_rows(self) -> Index:
        """The row of the file that each sample is."""
        return compose(self._source.stored_rows, self._rows)

    def astype(self, dtype: np.dtype[Any]) -> Matrix:
        """Return the same rows and columns, read in another type."""
        if dtype == self.dtype:
            return self
        return LazyMatrix(self._source.astype(dtype), rows=self._rows, columns=self._columns)

    @property
    def labels_of_rows(self) -> Labels | None:
        """The ids of the rows of the file, read or not."""
        return self._sample_ids

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def nbytes(self) -> int:
        """Bytes of all values in an array, as NumPy counts them; the file may hold fewer."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    def __iter__(self) -> Iterator[Array]:
        """Read row after row."""
        return (self[row] for row in range(len(self)))

    def __getitem__(self, key: Any) -> Any:
        """Rows and columns as another lazy matrix; where one is single, its values."""
        of_rows, of_columns = split(key)
        rows = selected(of_rows, self.shape[0], ROWS)
        columns = self._selected_columns(of_columns)
        if rows.single or columns.single:
            values = self.read(columns.index, rows.index)
            return values[0 if rows.single else slice(None), 0 if columns.single else slice(None)]
        if isinstance(columns.index, np.ndarray):
            check_once(columns.index, lambda: self.feature_names, self.label)
        return LazyMatrix(
            self,
            rows=rows.index,
            columns=columns.index,
            feature_names=self._feature_names,
            sample_ids=self._sample_ids,
        )

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Load the whole matrix, if it fits the memory that a fit may take by default."""
        if copy is False:
            raise ValueError(
                f"copy=False cannot be kept: {self.label} is in a file. An array of it is a copy. "
                "Leave copy out."
            )
        needed = self.nbytes
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
        stored, stored_columns = compose(self._rows, rows), self._stored_columns(columns)
        layout = self._source.layout_of(stored, stored_columns)
        if layout.chunks is None:
            return layout
        return replace(
            layout,
            rows_per_chunk_row=max_per_chunk(stored, layout.chunks[0]),
            column_cuts=Cuts.at_multiples(stored_columns, layout.chunks[1]),
        )

    def read(self, columns: slice | Index | Sequence[str], rows: Index | None = None) -> Array:
        """Read columns, in the order asked for, into a new array.

        Parameters
        ----------
        columns : slice, integer array, boolean mask, list of str or range
            The columns, by position from 0 or by name.
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
            If a column is out of range, or there is none of a name; it is a ValueError too.
        """
        return self._source.read(self._asked(columns), self._stored(rows))

    def fetch(self, columns: slice | Index | Sequence[str], rows: Index | None = None) -> RawBlock:
        """Do the input of :meth:`read`; the block that is returned decodes later."""
        return self._source.fetch(self._asked(columns), self._stored(rows))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The matrices that this one is made of, with the rows of this one.

        Their columns are in the order of the file, so that blocks of them are near each other.
        """
        selections = [(part, *part.select(self._columns)) for part in self._source.parts]
        parts = tuple(
            Part(LazyMatrix(part.matrix, rows=self._rows, columns=held), as_range(here))
            for part, held, here in selections
            if len(held)
        )
        # A matrix without a column is a part, too.
        return parts or (Part(self, range(0)),)

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files that hold the values."""
        return self._source.files

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values, and which rows and columns they are."""
        yield from self._source.fingerprint_parts()
        for index in (self._rows, self._columns):
            yield repr(index).encode() if isinstance(index, range) else index

    def check_unchanged(self) -> None:
        """Raise OSError if a file is no longer the one that was opened."""
        self._source.check_unchanged()

    def _stored(self, rows: Index | None) -> Index:
        return self._rows if rows is None else compose(self._rows, rows)

    def _stored_columns(self, columns: Index) -> Index:
        return as_range(compose(self._columns, columns))

    def _selected_columns(self, key: Any) -> Key:
        names = as_names(key)
        if names is None:
            return selected(key, self.shape[1], COLUMNS)
        return Key(named(names, self.feature_names, self.label), single=isinstance(key, str))

    def _asked(self, columns: slice | Index | Sequence[str]) -> Index:
        names = as_names(columns)
        if names is not None:
            return self._stored_columns(named(names, self.feature_names, self.label))
        return self._stored_columns(positions(columns, self.shape[1], self.label))
