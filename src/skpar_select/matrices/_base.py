"""The contract of a matrix: samples x features of real numbers, of which rectangles are read.

An implementation knows its ``shape`` and ``dtype``, a ``label`` for errors and a ``description``
of how it lies, and owes two methods:

- ``layout_of(rows, columns)`` says, in numbers, how these rows and columns lie. The planner asks
  for nothing else.
- ``read(columns, rows)`` gives the values where rows and columns cross, in the order asked for,
  repeated where they are repeated.

Everything else has a default. ``fetch`` is a read in two halves: it does the input now, and
returns a :class:`RawBlock` that decodes later, in another thread. ``parts`` are the matrices that
a matrix is made of, one after another; a block of columns never lies in two of them. ``files``
names the files that the values come from, and ``fingerprint_parts`` yields what determines them.

A matrix pickles as an address, without an open file and without the values of a file. It is never
changed by being read, and any thread of any process may read it.

:class:`skpar_select.testing.MatrixConformance` is the suite that every implementation passes.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from skpar_select._exact import is_beyond_exact, not_exact
from skpar_select._typing import Array, Index, Names
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._file import FileSnapshot

FingerprintPart: TypeAlias = bytes | Array | FileSnapshot


class RawBlock(ABC):
    """A block of columns whose input is done."""

    @abstractmethod
    def decode(self) -> Array:
        """Return the values, as an array of shape (n_rows, n_columns). Called once."""

    def native(self) -> Any:
        """Return the values as a function of scikit-learn takes them; a sparse matrix stays one."""
        return self.decode()


@dataclass(frozen=True)
class ArrayBlock(RawBlock):
    """A block that is an array already."""

    values: Array

    def decode(self) -> Array:
        """Return the array."""
        return self.values


class Part(NamedTuple):
    """One of the matrices that a matrix is made of."""

    matrix: "Matrix"
    columns: Index
    """The index of each column of the part in the whole."""

    def select(self, columns: Index) -> tuple[Index, Index]:
        """Return the columns that the part holds, as it counts them, and their positions in `columns`.

        They come in the order of the part, so that columns of one chunk follow each other.
        """
        if isinstance(self.columns, range) and self.columns.step == 1:
            first, stop = self.columns.start, self.columns.stop
            if isinstance(columns, range):
                return _meet(first, stop, columns)
            positions = np.flatnonzero((columns >= first) & (columns < stop))
            held = columns[positions] - first
        else:
            held_by, wanted = np.asarray(self.columns), np.asarray(columns, dtype=np.intp)
            order = np.argsort(held_by)
            found = np.searchsorted(held_by, wanted, sorter=order)
            near = order[np.minimum(found, len(order) - 1)]
            positions = np.flatnonzero(held_by[near] == wanted)
            held = near[positions]
        in_order = np.argsort(held, kind="stable")
        return held[in_order], positions[in_order]


def _meet(first: int, stop: int, wanted: range) -> tuple[range, range]:
    """Select the columns from `first` to `stop`; either range may be longer than memory."""
    ascending, positions = wanted, range(len(wanted))
    if wanted.step < 0:
        ascending, positions = wanted[::-1], positions[::-1]
    begin, end = (
        min(max(0, -((ascending.start - border) // ascending.step)), len(wanted))
        for border in (first, stop)
    )
    held = ascending[begin:end]
    return range(held.start - first, held.stop - first, held.step), positions[begin:end]


class Matrix(ABC):
    """A samples x features matrix that is read by rectangles.

    Attributes
    ----------
    shape : tuple of int
        (n_samples, n_features).
    dtype : numpy.dtype
        The type in which values are read.
    label : str
        The matrix in words, for errors.
    description : str
        How it lies, in words.
    in_memory : bool
        Whether its values are in memory already, so that a block costs no input.
    is_sparse : bool
        Whether it holds the values that are not zero, and where they are.
    feature_names : ndarray of str of shape (n_features,), or None
    sample_ids : ndarray of str of shape (n_samples,), or None
    """

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    label: str = "X"
    description: str = "in memory"
    in_memory: bool = False
    is_sparse: bool = False

    @property
    def feature_names(self) -> Names | None:
        """Names of the columns, where there are any."""
        return None

    @property
    def sample_ids(self) -> Names | None:
        """Ids of the rows, where there are any."""
        return None

    @property
    def stored_ids(self) -> Names | None:
        """Ids of all rows that this matrix was selected from, where there are any."""
        return None

    @abstractmethod
    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie.

        Parameters
        ----------
        rows, columns : range or ndarray of int
            In any order and repeated.
        """

    @abstractmethod
    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where rows and columns cross.

        Parameters
        ----------
        columns : range or ndarray of int
            In any order and repeated.
        rows : range or ndarray of int, default=None
            The same; None means all rows.

        Returns
        -------
        ndarray of shape (n_rows, n_columns)
            In any memory order. It may be a view, and read-only.

        Raises
        ------
        OSError
            If the file is gone, changed, truncated or damaged.
        """

    @property
    def layout(self) -> Layout:
        """How the whole matrix lies."""
        return self.layout_of(range(self.shape[0]), range(self.shape[1]))

    def astype(self, dtype: np.dtype[Any]) -> "Matrix":
        """Return the same matrix, read in another type."""
        return self if dtype == self.dtype else CastMatrix(self, dtype)

    def fetch(self, columns: Index, rows: Index | None = None) -> RawBlock:
        """Do the input of :meth:`read`; the block that is returned decodes later.

        The default reads and decodes at once.
        """
        return ArrayBlock(self.read(columns, rows))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The matrices that this one is made of; by default itself alone."""
        return (Part(self, range(self.shape[1])),)

    @property
    def stored_rows(self) -> Index:
        """The row of the file that each sample is."""
        return range(self.shape[0])

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files that hold the values."""
        return ()

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values: arrays, bytes, files."""
        place = self.label
        for file in self.files:
            # Where in a file they lie counts, and what the file holds; not what it is called.
            place = place.replace(f"'{file.path}'", "", 1)
        yield f"{place} {self.description} {self.shape} {self.dtype}".encode()
        yield from self.files

    def check_unchanged(self) -> None:
        """Raise OSError if a file is no longer the one that was opened first."""
        for file in self.files:
            file.check_unchanged()


@dataclass(frozen=True)
class CastBlock(RawBlock):
    """A block that is converted when it is decoded."""

    stored: RawBlock
    dtype: np.dtype[Any]

    def decode(self) -> Array:
        """Return the values in the other type."""
        values = self.stored.decode()
        if self.dtype.kind == "f" and is_beyond_exact(values):
            raise not_exact("X, a matrix of several types,")
        return values.astype(self.dtype, copy=False)


class CastMatrix(Matrix):
    """A matrix read in another type than its own."""

    def __init__(self, stored: Matrix, dtype: np.dtype[Any]) -> None:
        self.stored = stored
        self.shape = stored.shape
        self.dtype = dtype
        self.label = stored.label
        self.description = stored.description
        self.in_memory = stored.in_memory
        self.is_sparse = stored.is_sparse

    @property
    def stored_rows(self) -> Index:
        """The row of the file that each sample is."""
        return self.stored.stored_rows

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The files of the stored matrix."""
        return self.stored.files

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the stored matrix lies, and what converting it takes."""
        layout = self.stored.layout_of(rows, columns)
        held = layout.value_bytes + layout.dtype.itemsize
        return replace(layout, dtype=self.dtype, views=False, value_bytes=held)

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values in the other type."""
        return self.fetch(columns, rows).decode()

    def fetch(self, columns: Index, rows: Index | None = None) -> RawBlock:
        """Do the input of :meth:`read`."""
        return CastBlock(self.stored.fetch(columns, rows), self.dtype)

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values, and their type."""
        yield str(self.dtype).encode()
        yield from self.stored.fingerprint_parts()
