"""Lazy matrices: rows and columns of a matrix in a file, read when asked for.

A container (a file format) tells where values are and offers a way to read them; this module
makes of it what scikit-learn's model selection and the scoring ask for: views of rows in any order
and with repetition, blocks of columns, scattered columns.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from skpar_select._memory import format_bytes, parse_memory
from skpar_select._storage import Storage
from skpar_select._typing import Array, Columns, IndexArray, Names
from skpar_select.sources._base import Content, Source
from skpar_select.sources._rectangles import read_rectangles, storage_of_rectangles
from skpar_select.sources._runs import Run, most_together


class Direct(Protocol):
    """Reads values where they are, by rows and columns in any order and repeated.

    `storage` tells how the given rows lie. `read` holds its result and the ``read_bytes`` and
    ``decode_bytes`` of that. `fetch`, which only some have, does the input alone and gives what
    makes an array of it; that holds the raw bytes too. See :mod:`skpar_select.sources._contiguous`
    and :mod:`skpar_select.sources._chunks`.
    """

    def storage(self, rows: range | IndexArray) -> Storage: ...

    def read(self, rows: range | IndexArray, columns: range | IndexArray) -> Array: ...


class Container(Protocol):
    """A two-dimensional matrix in a file: its address and shape, and a way to read it.

    It pickles without a handle. It has one of

    - ``direct``, a :class:`Direct`, or None where it can only be opened;
    - ``open()``, a context that gives a :class:`Reader` for as long as it lasts, and raises when
      the file is no longer the one that was opened first. Not used where there is a ``direct``.

    That is enough. A container may also have

    - ``storage(rows)``, which gives a :class:`~skpar_select._storage.Storage` where ``chunks``
      does not tell the cost of reading well enough;
    - ``stored_bytes``, what the values take in the file, where they are compressed;
    - ``file``, the :class:`~skpar_select.sources._file.StillFile`, or ``parts``, lazy matrices that
      it is made of: without one of these its scores cannot be cached;
    - ``check_unchanged()``, which raises when the file is no longer the one that was opened.
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunks: tuple[int, int] | None
    where: str
    layout: str


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
        if key is Ellipsis:
            key = slice(None)
        if isinstance(key, int | np.integer) and not isinstance(key, bool):
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

    @property
    def layout(self) -> str:
        """How the matrix lies in its file, in words."""
        return self._container.layout

    @property
    def storage(self) -> Storage:
        """How these rows lie in the file."""
        container = self._container
        teller: Any = getattr(container, "direct", None) or container
        if hasattr(teller, "storage"):
            storage: Storage = teller.storage(self._rows)
        else:
            storage = storage_of_rectangles(container, self._rows)
        if storage.chunks is None:
            return storage
        # Where several files hold their rows in orders of their own, one may have more.
        band_rows = max(storage.band_rows, most_together(self._rows, storage.chunks[0]))
        return replace(storage, band_rows=band_rows)

    def read(self, columns: Columns) -> Array:
        """Read columns, in the order asked for, into a new array.

        Parameters
        ----------
        columns : slice or integer array
            A slice has step 1.

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
        places = self._places(columns)
        direct: Direct | None = getattr(self._container, "direct", None)
        if direct is not None:
            return direct.read(self._rows, places)
        return read_rectangles(self._container, self._rows, places)

    def fetch(self) -> Callable[[], Array]:
        """Read the bytes of this matrix; give what makes an array of them, to be called once."""
        direct: Any = getattr(self._container, "direct", None)
        if not hasattr(direct, "fetch"):
            return super().fetch()
        decode: Callable[[], Array] = direct.fetch(self._rows, self._columns)
        return decode

    def content(self) -> Iterator[Content]:
        """Give the files, where in them the matrix is, and its rows and columns."""
        container: Any = self._container
        yield f"{container.where} {container.layout} {container.shape} {container.dtype}".encode()
        if hasattr(container, "parts"):
            for part in container.parts:
                yield from part.content()
        else:
            yield container.file
        rows = self._rows
        yield repr(rows).encode() if isinstance(rows, range) else rows
        yield repr(self._columns).encode()

    def within(self, stretch: slice, columns: slice) -> "tuple[LazyMatrix, Run]":
        """Give the rows that lie in a stretch of the file, of some columns.

        Parameters
        ----------
        stretch : slice
            Rows of the file; where there are several, of that which holds the columns.
        columns : slice
            Of step 1.

        Returns
        -------
        rows : LazyMatrix
            Each of them once, in the order of the file, however often it is here. Of several files,
            of the type that the one has.
        places : Run
            Where they go here.
        """
        if hasattr(self._container, "alone"):
            part: LazyMatrix | None = self._container.alone(self._rows, self._columns[columns])
            if part is not None:
                return part.within(stretch, slice(None))
        view, places = self._within(stretch)
        return view.part(columns), places

    def _within(self, stretch: slice) -> "tuple[LazyMatrix, Run]":
        rows = self._rows
        if isinstance(rows, range) and rows.step == 1:
            start, stop = max(rows.start, stretch.start), min(rows.stop, stretch.stop)
            held = range(start, max(start, stop))
            into = slice(start - rows.start, start - rows.start + len(held))
            return self._view(held), Run(slice(0, len(held)), into, None)
        rows = np.asarray(rows, dtype=np.intp)
        here = np.flatnonzero((rows >= stretch.start) & (rows < stretch.stop))
        places = here[np.argsort(rows[here], kind="stable")]
        once, picked = np.unique(rows[places], return_inverse=True)
        adjacent = len(once) and once[-1] - once[0] == len(once) - 1
        view = self._view(range(int(once[0]), int(once[-1]) + 1) if adjacent else once)
        whole = slice(0, len(once))
        if len(places) > len(once):
            return view, Run(whole, places, picked)
        if len(places) and (np.diff(places) == 1).all():
            return view, Run(whole, slice(int(places[0]), int(places[-1]) + 1), None)
        return view, Run(whole, places, None)

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer the one that was opened."""
        check = getattr(self._container, "check_unchanged", None)
        if check is not None:
            check()

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
            places = self._columns[columns]
            return places if places.step == 1 else np.asarray(places, dtype=np.intp)
        n_features = len(self._columns)
        index = np.asarray(columns)
        if index.shape == (n_features,) and index.dtype.kind == "b":
            index = np.flatnonzero(index)
        if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
            raise IndexError(
                f"X.read({_short(columns)}) names no columns. Columns are read by a slice, a "
                f"one-dimensional integer array, or a boolean mask of {n_features} entries. "
                "Convert it."
            )
        index = index.astype(np.intp)
        outside = (index < 0) | (index >= n_features)
        if outside.any():
            raise IndexError(
                f"column {index[outside][0]} is out of range: {self.where} has {n_features} "
                f"features here. Use 0 to {n_features - 1}."
            )
        return self._columns.start + index


def _only_rows(key: tuple[Any, ...]) -> Any:
    rows, *rest = key or (slice(None),)
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
