"""Shapes that this system can count, whatever a file claims."""

import math
import sys
from typing import Any

import numpy as np


def checked_shape(shape: tuple[int, int], dtype: np.dtype[Any], where: str) -> tuple[int, int]:
    """Give the shape of a matrix back if its axes and its bytes can be counted.

    Parameters
    ----------
    shape : tuple of int
        Not negative.
    dtype : numpy.dtype
        Of the values.
    where : str
        The matrix in words, for errors.

    Raises
    ------
    ValueError
        If an axis, or the bytes of all values, exceed ``sys.maxsize``.
    """
    # Python's ranges and NumPy's sizes end there: beyond, they overflow or begin anew.
    n_bytes = math.prod(shape) * dtype.itemsize
    if max(*shape, n_bytes) > sys.maxsize:
        raise ValueError(
            f"{where} has shape {shape}, which are {n_bytes} bytes of {dtype}. No axis and no "
            f"matrix may exceed {sys.maxsize}, what this system can count. If it was not meant to "
            "be so large, the file is damaged: write it again."
        )
    return shape
