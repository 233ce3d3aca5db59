"""NumPy's own files, ``.npy``: a header, then the values without a gap.

NumPy parses the header and evaluates literals only; arrays of objects, which are pickles, are
refused. Arrays in Fortran order lie column after column: they are rows of the transpose.
"""

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._file import reading
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import ContiguousMatrix, TransposedMatrix


class NpyFormat(Format):
    """A file with one array, without a name and without labels."""

    def recognises(self, session: FileSession) -> bool:
        """Return whether the file begins as ``.npy`` files do."""
        return session.begins_with(npy.MAGIC_PREFIX)

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Return the array, which has no name, if its header is whole and fits the file."""
        file = session.snapshot
        label = f"'{file.path}'"
        if dataset is not None:
            raise ValueError(
                f"dataset={dataset!r} is not in {label}. A .npy file holds one array, without "
                "a name. Leave dataset out."
            )
        with reading(file.path), Path(file.path).open("rb") as stream:
            shape, by_columns, dtype = _read_header(stream, label)
            offset = stream.tell()
        shape = check_matrix_shape(shape, dtype, label)
        _check_end(offset + shape[0] * shape[1] * dtype.itemsize, file.size, label)
        if not by_columns:
            return OpenedMatrix(ContiguousMatrix(file, offset, shape, dtype, label))
        stored = ContiguousMatrix(file, offset, shape[::-1], dtype, label)
        return OpenedMatrix(TransposedMatrix(stored, "contiguous by columns"))


def _read_header(file: BinaryIO, label: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        if version == (1, 0):
            return npy.read_array_header_1_0(file)
        if version == (2, 0):
            return npy.read_array_header_2_0(file)
    except OSError:
        raise
    except Exception as error:  # Python's parser raises whatever it likes, MemoryError too
        words = next(iter(str(error).splitlines()), type(error).__name__)
        raise ValueError(
            f"{label} has a damaged header ({words}). A .npy file begins with the shape and "
            "type of its array. Save the array again with numpy.save."
        ) from error
    raise ValueError(
        f"{label} has a header of version {version[0]}.{version[1]}. Matrices of numbers have "
        "1.0 or 2.0. Save the array again with numpy.save."
    )


def _check_end(end: int, size: int, label: str) -> None:
    """Refuse a file that goes on: of what is damaged its header may say too little."""
    if end < size:
        raise ValueError(
            f"{label}: its values would end at byte {end}, and the file has {size}. The header must "
            "tell all that a file holds. Save the array alone with numpy.save."
        )
