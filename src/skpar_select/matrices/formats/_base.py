"""The contract of a file format.

A format looks into a :class:`~skpar_select.matrices.io.FileSession`, which is opened once, and owes

- ``recognises(session)``: whether the path holds such a file, by its content;
- ``open(session, dataset)``: an :class:`OpenedMatrix`: the matrix as it lies, and how its labels
  are read.

One line of the table ``FORMATS`` in ``formats/__init__.py`` makes a format known.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from skpar_select._typing import Names
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._labels import Axis
from skpar_select.matrices.io._session import FileSession


@dataclass(frozen=True)
class OpenedMatrix:
    """A matrix as it lies in its file, and its labels; it pickles without a handle.

    The default has no labels.
    """

    matrix: Matrix

    rows_are_samples: bool = False
    """Whether the format itself says that the stored rows are the samples."""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Read the labels of a stored axis.

        Parameters
        ----------
        session : FileSession
            The path, opened again where labels are asked for later.
        place : str
            Their name in the file; ``"auto"`` for those that are found without a name.
        axis : {"feature_names", "sample_ids"}
            What the labels name.
        along : {0, 1}
            The stored axis along which they run.

        Returns
        -------
        names, label : ndarray of str and str, or None
            The labels, and what holds them in words; None if there are none.

        Raises
        ------
        ValueError
            If there is no such place, or ``"auto"`` fits more than one.
        """
        if place == "auto":
            return None
        raise ValueError(
            f"{axis}={place!r} is not in {self.matrix.label}. The file holds an array alone. Give "
            "the names themselves."
        )

    def label_length(self, session: FileSession, place: str, axis: Axis) -> int | None:
        """Count the labels of this name, where that may tell which axis they are of.

        Parameters
        ----------
        session : FileSession
            The path.
        place : str
            Their name in the file; ``"auto"`` for those whose name says what they name.
        axis : {"feature_names", "sample_ids"}
            What the labels name.

        Returns
        -------
        int or None
            None where they tell nothing, which is the default.
        """
        return None


class Format(ABC):
    """A kind of file."""

    @abstractmethod
    def recognises(self, session: FileSession) -> bool:
        """Return whether the path holds such a file."""

    @abstractmethod
    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Find the matrix that is named; None means the only one, or the usual one.

        Raises
        ------
        ValueError
            If there is no such matrix, or it is not two-dimensional and real.
        """
