"""HDF5 files of results: written through a stream that loses no fault, and read again before they count."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from skpar_select._typing import Array
from skpar_select.tables._checksum import Checksum
from skpar_select.tables._output import Output
from skpar_select.tables._streams import SilentStream, differs

TEXT = h5py.string_dtype("utf-8")

# Names that are compared at a time, and the values of a matrix.
_NAMES = 4096
_VALUES = 2**17

# A name in HDF5's heap, its place there, and what these are rounded up to.
_NAME_BYTES = 44
_FILE_BYTES = 64 * 2**10


@contextmanager
def writing_hdf5(output: Output) -> Iterator[Any]:
    """Give an empty file of h5py for an output; faults of its disk are raised when it is closed."""
    try:
        with h5py.File(SilentStream(output), "w") as file:
            yield file
    except Exception:
        # What HDF5 makes of bytes that did not reach the disk is no news.
        output.check()
        raise
    output.check()


@contextmanager
def written_hdf5(output: Output) -> Iterator["Written"]:
    """Give what was written to an output, to be compared with what was meant."""
    try:
        with h5py.File(SilentStream(output), "r") as file:
            yield Written(output, file)
    except Exception as error:
        output.check()
        # What HDF5 cannot read is not what it wrote.
        raise differs(output) from error
    output.check()


class Written:
    """A file of results that is read again; each check raises OSError where it differs."""

    def __init__(self, output: Output, file: Any) -> None:
        self._output, self._file = output, file

    def check_text(self, name: str, texts: Sequence[str] | NDArray[Any]) -> None:
        """Compare a dataset of names, or of ids."""
        held = self.dataset(name, (len(texts),))
        for first in range(0, len(texts), _NAMES):
            there = held.asstr(errors="surrogateescape")[first : first + _NAMES]
            if there.tolist() != [str(text) for text in texts[first : first + _NAMES]]:
                raise differs(self._output)

    def check_values(self, name: str, values: Array) -> None:
        """Compare a dataset of one axis, to the bit."""
        held = self.dataset(name, values.shape)
        if held.dtype != values.dtype or held[...].tobytes() != values.tobytes():
            raise differs(self._output)

    def check_matrix(self, name: str, shape: tuple[int, int], checksum: Checksum) -> None:
        """Compare a matrix by the checksum of the values that were written."""
        held = self.dataset(name, shape)
        found = Checksum()
        wide = max(1, min(_VALUES, shape[1]))
        tall, wide = held.chunks or (max(1, _VALUES // wide), wide)
        for row in range(0, shape[0], tall):
            for column in range(0, shape[1], wide):
                rows = slice(row, min(row + tall, shape[0]))
                columns = slice(column, min(column + wide, shape[1]))
                found.add(held[rows, columns], rows, columns)
        if found.value != checksum.value:
            raise differs(self._output)

    def dataset(self, name: str, shape: tuple[int, ...] | None = None) -> Any:
        """Return a dataset, of a shape if that is given."""
        held = self._file.get(name)
        if not isinstance(held, h5py.Dataset) or shape not in (None, held.shape):
            raise differs(self._output)
        return held


def bytes_of_matrix(
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    feature_names: Sequence[str] | NDArray[Any],
    sample_ids: Sequence[str] | NDArray[Any] | None,
) -> int:
    """Return what a matrix and its labels take in a file, or a little more."""
    names = bytes_of_names(feature_names) + bytes_of_names(sample_ids)
    return math.prod(shape) * dtype.itemsize + names + _NAME_BYTES * sum(shape) + _FILE_BYTES


def bytes_of_names(names: Sequence[str] | NDArray[Any] | None) -> int:
    """Return what names take, without their places."""
    return 0 if names is None else sum(len(str(name).encode("utf-8", "replace")) for name in names)
