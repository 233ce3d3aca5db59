"""Matrices in NumPy's own files, ``.npy``: a header, then the values without a gap.

The header is parsed by NumPy, which evaluates literals only; arrays of objects, which are
pickles, are refused. Arrays in Fortran order lie column after column.
"""

from os import PathLike
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from skpar_select.sources._contiguous import Contiguous
from skpar_select.sources._file import StillFile
from skpar_select.sources._shape import checked_shape


def is_npy(path: str) -> bool:
    """Tell whether a file begins as ``.npy`` files do."""
    with open(path, "rb") as file:
        return file.read(len(npy.MAGIC_PREFIX)) == npy.MAGIC_PREFIX


class NpyContainer:
    """The address of the array of a file.

    Parameters
    ----------
    path : str or path-like
        The file.
    dataset : None
        Such a file holds one array, without a name.

    Raises
    ------
    ValueError
        If a dataset is named, the header is damaged, the array is no matrix of real numbers, or
        the file is shorter than its header says.
    """

    def __init__(self, path: str | PathLike[str], dataset: str | None) -> None:
        self.file = StillFile(path)
        self.path = self.file.path
        self.where = f"'{self.path}'"
        if dataset is not None:
            raise ValueError(
                f"dataset={dataset!r} is not in {self.where}. A .npy file holds one array, without "
                "a name. Leave dataset out."
            )
        with open(self.path, "rb") as file:
            shape, by_columns, self.dtype = _header(file, self.where)
            offset = file.tell()
        if len(shape) != 2 or min(shape) < 0:
            raise ValueError(
                f"{self.where} has shape {shape}. A matrix has two dimensions, samples x features. "
                "Reshape the array and save it again."
            )
        if self.dtype.kind not in "biuf":
            raise ValueError(
                f"{self.where} holds {self.dtype}. A matrix holds real numbers, and objects are "
                "never unpickled. Save it as an array of numbers."
            )
        self.shape = checked_shape((shape[0], shape[1]), self.dtype, self.where)
        self.layout = "contiguous by columns" if by_columns else "contiguous"
        self.chunks: tuple[int, int] | None = None
        self.direct = Contiguous(
            self.file, offset, self.shape, self.dtype, self.where, by_columns=by_columns
        )

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer the one that was opened first."""
        self.file.check_unchanged()


def _header(file: BinaryIO, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = npy.read_magic(file)
        if version == (1, 0):
            return npy.read_array_header_1_0(file)
        if version == (2, 0):
            return npy.read_array_header_2_0(file)
    except (ValueError, TypeError, OverflowError) as error:
        first_line = str(error).splitlines()[0]
        raise ValueError(
            f"{where} has a damaged header ({first_line}). A .npy file begins with the shape and "
            "type of its array. Save the array again with numpy.save."
        ) from error
    raise ValueError(
        f"{where} has a header of version {version[0]}.{version[1]}. Matrices of numbers have "
        "1.0 or 2.0. Save the array again with numpy.save."
    )
