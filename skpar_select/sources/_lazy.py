"""Lazy matrices: rows and columns of a matrix in a file, read when asked for.

A container (a file format) offers rectangles; this module makes of them what scikit-learn's
model selection and the scoring ask for: views of rows in any order and with repetition, blocks
of columns, scattered columns. It cuts what is asked for into few rectangles, so that a file is
read once and forwards, and a buffer never exceeds `PIECE_BYTES` or one row of chunks.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np

from skpar_select._memory import format_bytes, parse_memory
from skpar_select._typing import Array, BoolArray, Columns, IndexArray, Names
from skpar_select.sources._base import Source

PIECE_BYTES = 8 * 2**20

# Two columns of a contiguous file this near cost less read together than in two accesses: it is
# the size of HDF5's sieve buffer, and about what a disk reads ahead.
NEAR_BYTES = 64 * 2**10

# A read of its own costs about as much as skipping so many rows.
NEAR_ROWS = 16


class Reader(Protocol):
    """Fills `out` with a rectangle of an open file."""

    def __call__(self, rows: slice, columns: slice, out: Array) -> None: ...


class Container(Protocol):
    """A two-dimensional matrix in a file: its address and shape, and a way to open it.

    It pickles without a handle. ``open`` gives a reader for as long as its context lasts, and
    raises when the file is no longer the one that was opened first.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunks: tuple[int, int] | None
    where: str
    layout: str

    def open(self) -> AbstractContextManager[Reader]: ...


class LazyMatrix(Source):
    """A samples x features matrix in a file, of which only what is asked for is read.

    What :func:`skpar_select.open_matrix` returns. scikit-learn's model selection slices it by
    rows as it does an array: ``X[rows]`` with a slice, an integer array or a boolean mask is
    another lazy matrix, and nothing is read. It pickles as an address, never with its values.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, n_features).
    dtype : numpy.dtype
        The type of the stored values, in which they are read.
    feature_names : ndarray of str of shape (n_features,), or None
        Names of the columns.
    sample_ids : ndarray of str of shape (n_samples,), or None
        Ids of the rows.
    """

    ndim = 2
    in_memory = False

    def __init__(
        self,
        container: Container,
        *,
        feature_names: Names | None = None,
        sample_ids: Names | None = None,
        rows: range | IndexArray | None = None,
        columns: range | None = None,
    ) -> None:
        self._container = container
        self._rows = range(container.shape[0]) if rows is None else rows
        self._columns = range(container.shape[1]) if columns is None else columns
        self.feature_names = feature_names
        self.sample_ids = sample_ids
        self.where = container.where
        chunk_rows, chunk_columns = container.chunks or (0, 1)
        self.chunk_columns = min(chunk_columns, max(1, len(self._columns)))
        chunk = chunk_rows * chunk_columns * self.dtype.itemsize
        whole = container.shape[0] * len(self._columns) * self.dtype.itemsize
        piece = min(max(PIECE_BYTES, chunk), whole)
        # HDF5 holds a chunk as stored and as decoded; picking rows holds a piece and what is
        # picked of it.
        self.buffer_bytes = 2 * chunk + (0 if self._in_order() else 2 * piece)

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""
        return len(self._rows), len(self._columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the stored values."""
        return self._container.dtype

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: Any) -> Any:
        """Rows as another lazy matrix; one row, by a single integer, as an array."""
        if isinstance(key, tuple):
            key = _only_rows(key)
        if isinstance(key, int | np.integer):
            row = self._row(int(key))
            return self._view(range(row, row + 1)).read(slice(None))[0]
        ids = self.sample_ids
        if isinstance(key, slice):
            return self._view(self._rows[key], None if ids is None else ids[key])
        index = self._positions(key)
        rows = np.asarray(self._rows, dtype=np.intp)[index]
        return self._view(rows, None if ids is None else ids[index])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Load the whole matrix, if it fits the memory that a fit may take by default."""
        if copy is False:
            raise ValueError(
                f"copy=False cannot be kept: {self.where} is in a file. An array of it is a copy. "
                "Leave copy out."
            )
        needed = self.shape[0] * self.shape[1] * self.dtype.itemsize
        allowed = parse_memory("auto")
        if needed > allowed:
            raise ValueError(
                f"Loading {self.where} whole takes {format_bytes(needed)}; at most "
                f"{format_bytes(allowed)} are allowed, a quarter of the available memory. Load "
                "fewer rows, np.asarray(X[rows]), or blocks of columns, X.read(columns); the "
                "selector reads it by blocks."
            )
        values = self.read(slice(None))
        return values if dtype is None else values.astype(dtype, copy=False)

    def __repr__(self) -> str:
        n_samples, n_features = self.shape
        return (
            f"<{type(self).__name__} {self.where}: {n_samples} samples x {n_features} features, "
            f"{self.dtype.name}, {self._container.layout}>"
        )

    def read(self, columns: Columns) -> Array:
        """Read columns, in the order asked for, into a new array in C order.

        Parameters
        ----------
        columns : slice or integer array
            A slice has step 1.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)

        Raises
        ------
        OSError
            If the file is gone, changed, truncated or damaged.
        IndexError
            If a column is out of range.
        """
        places = self._places(columns)
        out = np.empty((len(self), len(places)), dtype=self.dtype)
        if not out.size:
            return out
        rows = np.asarray(self._rows, dtype=np.intp)
        order = np.argsort(rows, kind="stable")
        ordered = rows[order]
        with self._container.open() as reader:
            for run in self._column_runs(places):
                for piece in self._row_runs(order, ordered, run.width):
                    _fill(reader, piece, run, out)
        return out

    def part(self, columns: slice) -> "LazyMatrix":
        """Give the address of these columns alone."""
        names = self.feature_names
        return LazyMatrix(
            self._container,
            rows=self._rows,
            columns=self._columns[columns],
            feature_names=None if names is None else names[columns],
        )

    def _view(self, rows: range | IndexArray, ids: Names | None = None) -> "LazyMatrix":
        return LazyMatrix(
            self._container,
            rows=rows,
            columns=self._columns,
            feature_names=self.feature_names,
            sample_ids=ids,
        )

    def _row(self, position: int) -> int:
        n_samples = len(self._rows)
        if not -n_samples <= position < n_samples:
            raise IndexError(
                f"row {position} is out of range: the matrix has {n_samples} samples. "
                f"Use -{n_samples} to {n_samples - 1}."
            )
        return int(self._rows[position])

    def _positions(self, key: Any) -> IndexArray:
        n_samples = len(self._rows)
        index = np.asarray(key)
        if index.ndim == 1 and not index.size:
            return np.empty(0, dtype=np.intp)
        if index.ndim != 1 or index.dtype.kind not in "bui":
            raise IndexError(
                f"X[{_short(key)}] is no selection of rows. Rows are selected with a slice, a "
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
        if index.min() < -n_samples or index.max() >= n_samples:
            wrong = index[(index < -n_samples) | (index >= n_samples)][0]
            raise IndexError(
                f"row {wrong} is out of range: the matrix has {n_samples} samples. "
                f"Use -{n_samples} to {n_samples - 1}."
            )
        index = index.astype(np.intp)
        return np.where(index < 0, index + n_samples, index)

    def _places(self, columns: Columns) -> range | IndexArray:
        if isinstance(columns, slice):
            return self._columns[columns]
        n_features = len(self._columns)
        index = np.asarray(columns, dtype=np.intp)
        outside = (index < 0) | (index >= n_features)
        if outside.any():
            raise IndexError(
                f"column {index[outside][0]} is out of range: {self.where} has {n_features} "
                f"features here. Use 0 to {n_features - 1}."
            )
        return self._columns.start + index

    def _in_order(self) -> bool:
        return isinstance(self._rows, range) and self._rows.step == 1

    def _column_runs(self, places: range | IndexArray) -> "Iterator[_Run]":
        if isinstance(places, range) and self._in_order():
            yield _Run(slice(places.start, places.stop), slice(None), None)
            return
        chunk_rows, chunk_columns = self._container.chunks or (1, 1)
        itemsize = self.dtype.itemsize
        # So wide that one row of chunks still fits a piece.
        widest = max(1, PIECE_BYTES // (chunk_rows * itemsize) // chunk_columns) * chunk_columns
        near = chunk_columns if self._container.chunks else NEAR_BYTES // itemsize
        wanted = np.asarray(places, dtype=np.intp)
        order = np.argsort(wanted, kind="stable")
        ordered = wanted[order]
        # Counted in whole chunks, so that no chunk is read that holds no wanted column.
        steps = np.diff(ordered // chunk_columns) * chunk_columns
        yield from _runs(order, ordered, (steps > near) | (np.diff(ordered // widest) > 0))

    def _row_runs(self, order: IndexArray, ordered: IndexArray, width: int) -> "Iterator[_Run]":
        chunk_rows = self._container.chunks[0] if self._container.chunks else 1
        tall = max(1, PIECE_BYTES // (width * self.dtype.itemsize) // chunk_rows) * chunk_rows
        far = np.diff(ordered) > max(chunk_rows, NEAR_ROWS)
        yield from _runs(order, ordered, far | (np.diff(ordered // tall) > 0))


class _Run(NamedTuple):
    """A stretch of the file along one axis."""

    stretch: slice
    into: slice | IndexArray
    """Where it goes in the block that is asked for."""
    picked: IndexArray | None
    """What of it goes there, or None for all of it in order."""

    @property
    def width(self) -> int:
        return int(self.stretch.stop - self.stretch.start)


def _runs(order: IndexArray, ordered: IndexArray, apart: BoolArray) -> Iterator[_Run]:
    borders = [0, *(np.flatnonzero(apart) + 1), len(order)]
    for first, last in pairwise(borders):
        into, wanted = order[first:last], ordered[first:last]
        start, stop = int(wanted[0]), int(wanted[-1]) + 1
        if (np.diff(wanted) == 1).all() and (np.diff(into) == 1).all():
            begin = int(into[0])
            yield _Run(slice(start, stop), slice(begin, begin + stop - start), None)
        else:
            yield _Run(slice(start, stop), into, wanted - start)


def _fill(reader: Reader, rows: _Run, columns: _Run, out: Array) -> None:
    if rows.picked is None and columns.picked is None:
        whole = out[rows.into, columns.into]
        if whole.flags.c_contiguous:
            reader(rows.stretch, columns.stretch, whole)
            return
    block = np.empty((rows.width, columns.width), dtype=out.dtype)
    reader(rows.stretch, columns.stretch, block)
    if rows.picked is not None:
        block = block[rows.picked]
    if columns.picked is not None:
        block = block[:, columns.picked]
    if isinstance(rows.into, slice) or isinstance(columns.into, slice):
        out[rows.into, columns.into] = block
    else:
        out[np.ix_(rows.into, columns.into)] = block


def _only_rows(key: tuple[Any, ...]) -> Any:
    rows, *rest = key
    if all(
        other is Ellipsis or (isinstance(other, slice) and other == slice(None)) for other in rest
    ):
        return rows
    raise IndexError(
        f"X[{_short(key)}] selects columns. A lazy matrix is sliced by rows only: X[rows] or "
        "X[rows, ...]. Read columns with X.read(columns)."
    )


def _short(key: Any) -> str:
    text = repr(key)
    return text if len(text) <= 60 else text[:57] + "..."
