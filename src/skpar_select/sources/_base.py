"""The contract of a source.

A source is a samples x features matrix of real numbers whose columns can be read by blocks. It
knows its ``shape`` and ``dtype``, and the names of its features and samples where there are any.
``read`` gives the columns asked for, in the order asked for. ``part`` gives a source over
adjacent columns alone, which is what a worker is sent: it pickles small, carries no open file,
and may be read in any thread of any process. A source is never changed by being read.

``in_memory`` tells whether the values are in memory already. ``storage`` tells how they lie,
which is all that the planner asks. ``fetch`` is a read in two halves, so that the first, input, may
be done while others compute: what it returns makes an array of what was read.

A container is admitted by the shared suite of ``tests/test_sources.py``.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, Columns, Names
from skpar_select.sources._file import StillFile

Content: TypeAlias = bytes | Array | StillFile


class Source(ABC):
    """A samples x features matrix that is read by blocks of columns."""

    feature_names: Names | None = None
    sample_ids: Names | None = None
    in_memory: bool = False
    where: str = "X"
    """The matrix in words, for errors."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_features)."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The type in which blocks are read."""

    @property
    def storage(self) -> Storage:
        """How the values lie."""
        return Storage(kind="memory")

    @abstractmethod
    def read(self, columns: Columns) -> Array:
        """Read the given columns.

        Parameters
        ----------
        columns : slice or integer array
            Columns in any order; a slice has step 1.

        Returns
        -------
        ndarray of shape (n_samples, n_columns)
            May be a view and read-only.
        """

    @abstractmethod
    def part(self, columns: slice) -> "Source":
        """Give a small, picklable source over the columns of a slice of step 1."""

    def native(self) -> Any:
        """Give the whole of this source as a score function of scikit-learn's form takes it."""
        return self.read(slice(None))

    def fetch(self) -> Callable[[], Array]:
        """Do the input of reading the whole of this source.

        Returns
        -------
        callable
            Gives the array; to be called once, in any thread.
        """
        values = self.read(slice(None))
        return lambda: values

    @abstractmethod
    def content(self) -> Iterator[Content]:
        """Give all that the values follow from, for a fingerprint: arrays, bytes, files."""

    def check_unchanged(self) -> None:  # noqa: B027  # what is in memory is the caller's to keep
        """Refuse values that are no longer those that were there at first.

        Raises
        ------
        OSError
            If the file changed.
        """
