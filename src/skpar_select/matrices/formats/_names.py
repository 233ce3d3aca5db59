"""One-dimensional datasets of text or whole numbers, read as names."""

from typing import Any

import h5py
import numpy as np

from skpar_select._typing import Array, IndexArray, Names
from skpar_select.matrices._labels import Axis, as_text, check_number
from skpar_select.matrices.io._lines import open_line, read_line
from skpar_select.matrices.io._selection import extents

# Names that are read at a time where only some are selected.
_STEP = 2**16


def is_text(data: Any) -> bool:
    """Return whether a dataset holds text in one dimension."""
    return _is_line(data) and h5py.check_string_dtype(data.dtype) is not None


def is_whole(data: Any) -> bool:
    """Return whether a dataset holds whole numbers in one dimension."""
    return _is_line(data) and data.dtype.kind in "iu"


def read_names(data: Any, label: str, axis: Axis, length: int) -> Names:
    """Read a one-dimensional dataset of text or whole numbers as text.

    The length is compared before anything is read: a few bytes may claim to be any number of names.
    Raises ValueError if the dataset is of another type, shape or length, its values do not lie in
    the file, or its text is not UTF-8.
    """
    _check_kind(data, label)
    check_number(data.shape[0], label, axis, length)
    return _as_names(read_line(data, label), label)


def names_at(data: Any, label: str, positions: IndexArray) -> Names:
    """Read the names at these positions alone, of however many the dataset has."""
    _check_kind(data, label)
    names = np.empty(len(positions), dtype=object)
    with open_line(data, label) as line:
        line.check_size()
        # Extents end where chunks do, so that none is decoded twice.
        step = max(_STEP, line.chunk)
        for extent in extents(positions, near=step, widest=step):
            values = line.read(extent.source.start, extent.source.stop)
            names[extent.destination] = _as_names(values, label)[extent.within()]
    return names


def _check_kind(data: Any, label: str) -> None:
    if not is_text(data) and not is_whole(data):
        raise ValueError(
            f"{label} has shape {data.shape} and type {data.dtype}. Names are one-dimensional "
            "text. Name another dataset, or give the names themselves."
        )


def _is_line(data: Any) -> bool:
    return data.shape is not None and len(data.shape) == 1


def _as_names(values: Array, label: str) -> Names:
    if values.dtype.kind in "iu":
        return np.asarray([str(number) for number in values], dtype=object)
    return np.asarray([as_text(name, label) for name in values], dtype=object)
