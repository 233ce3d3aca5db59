"""Whole numbers as float64: exactly, or not at all."""

from typing import Any

import numpy as np

from skpar_select._typing import Array

LARGEST_EXACT = 2**53
"""Up to here every whole number is a float64; beyond, neighbours become one."""


def is_beyond_exact(values: Any) -> bool:
    """Return whether an array of integers, or Python objects among others, holds larger ones."""
    if isinstance(values, np.ndarray) and values.dtype.kind != "O":
        if values.dtype.kind not in "iu" or values.dtype.itemsize < 8 or not values.size:
            return False
        return bool(values.max() > LARGEST_EXACT or values.min() < -LARGEST_EXACT)
    cells = values.ravel() if isinstance(values, np.ndarray) else values
    return any(isinstance(one, int | np.integer) and abs(int(one)) > LARGEST_EXACT for one in cells)


def not_exact(label: str) -> ValueError:
    """Return the error for whole numbers that would be rounded, so that different ones are alike."""
    return ValueError(
        f"{label} holds whole numbers beyond 2**53 beside fractions, other types or missing values. "
        "There they would become float64, which rounds them, so that different ones are the same. "
        "Pass such columns as an array of one type of integers, subtract the least of each column, "
        "or number its classes."
    )


def exact_floats(values: Array, label: str = "X") -> Array:
    """Convert to float64, or raise ValueError where that would round whole numbers."""
    if is_beyond_exact(values):
        raise not_exact(label)
    return values.astype(np.float64)


def floats_up_to_shift(values: Array) -> Array:
    """Convert to float64: integers that it would round, less the least of them."""
    if not is_beyond_exact(values):
        return values.astype(np.float64)
    if values.dtype.kind == "O":
        raise not_exact("y")
    return from_least(values).astype(np.float64)


def from_least(values: Array) -> Array:
    """Return integers less the least of them, exactly."""
    # Modulo 2**64, so that the difference of any two fits.
    differences: Array = values.astype(np.uint64) - values.min().astype(np.uint64)
    return differences
