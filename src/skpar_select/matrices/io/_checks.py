"""The rule that a stored matrix is two-dimensional, real, and of a size that can be counted."""

import math
import sys
from typing import Any

import numpy as np

_KINDS = {
    "O": "text or objects",
    "S": "text",
    "U": "text",
    "V": "compound values",
    "c": "complex numbers",
    "m": "durations",
    "M": "dates",
}


def is_matrix(shape: tuple[int, ...] | None, dtype: np.dtype[Any]) -> bool:
    """Return whether stored values can be a matrix: two axes of real numbers."""
    return shape is not None and len(shape) == 2 and dtype.kind in "biuf"


def check_matrix_shape(
    shape: tuple[int, ...] | None, dtype: np.dtype[Any], label: str
) -> tuple[int, int]:
    """Return the shape of a matrix.

    Raises ValueError if there are not two axes, the values are not real numbers, or an axis or the
    bytes of all values exceed ``sys.maxsize``.
    """
    if shape is None or len(shape) != 2 or min(shape) < 0:
        raise ValueError(
            f"{label} has shape {shape}. A matrix has two dimensions, samples x features. Name or "
            "store a two-dimensional array."
        )
    if not is_matrix(shape, dtype):
        raise ValueError(
            f"{label} holds {_KINDS.get(dtype.kind, 'no numbers')} ({dtype}). A matrix holds real "
            "numbers, and objects are never unpickled. Name a numeric array, or store the numeric "
            "columns as one."
        )
    # Python's ranges and NumPy's sizes end at sys.maxsize: beyond, they overflow or start again.
    n_bytes = math.prod(shape) * dtype.itemsize
    if max(*shape, n_bytes) > sys.maxsize:
        raise ValueError(
            f"{label} has shape {shape}, which are {n_bytes} bytes of {dtype}. No axis and no "
            f"matrix may exceed {sys.maxsize}, what this system can count. If it was not meant to "
            "be so large, the file is damaged: write it again."
        )
    return int(shape[0]), int(shape[1])
