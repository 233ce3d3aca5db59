"""A temporary file of values, row after row, without a header."""

from typing import Any

import numpy as np

from skpar_select.sources._contiguous import Contiguous
from skpar_select.sources._file import StillFile


class ScratchContainer:
    """The address of a temporary file.

    Parameters
    ----------
    path : str
        The file, complete.
    shape : tuple of int
        (n_samples, n_features).
    dtype : numpy.dtype
        The type of its values.
    where : str
        The matrix in words, for errors.
    """

    chunks: tuple[int, int] | None = None
    layout = "rows of a temporary file"

    def __init__(self, path: str, shape: tuple[int, int], dtype: np.dtype[Any], where: str) -> None:
        self.shape = shape
        self.dtype = dtype
        self.where = where
        self.direct = Contiguous(StillFile(path), 0, shape, dtype, where)
