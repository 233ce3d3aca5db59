"""What is written between brackets, ``X[rows, columns]``, as positions of rows or columns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skpar_select._typing import Array, Index, IndexArray, Names
from skpar_select._wording import counted, did_you_mean, listing, quote


class SelectionError(IndexError, ValueError):
    """What is written between brackets selects nothing of a matrix."""


@dataclass(frozen=True)
class Key:
    """The positions that a key selects, and whether it is one integer or name."""

    index: Index
    single: bool = False


class KeyedAxis(NamedTuple):
    """An axis, in the words of its errors."""

    one: str
    """What its entries are called."""
    unit: str
    """What they are."""
    remedy: str
    """How they are selected."""


ROWS = KeyedAxis("row", "samples", "a slice, a one-dimensional integer array or a boolean mask")
COLUMNS = KeyedAxis(
    "column",
    "features",
    "a slice, a one-dimensional integer array, a boolean mask or a list of feature names",
)


def split(key: Any) -> tuple[Any, Any]:
    """Return what is said of the rows and of the columns."""
    given = list(key) if isinstance(key, tuple) else [key]
    whole = [place for place, part in enumerate(given) if part is Ellipsis]
    n_given = len(given) - bool(whole)
    if n_given > 2 or len(whole) > 1:
        raise SelectionError(
            f"X[{quote(key)}] has {len(given)} indices. A matrix has two axes. Write X[rows], "
            "X[:, columns] or X[rows, columns]."
        )
    at = whole[0] if whole else len(given)
    given[at : at + 1] = [slice(None)] * (2 - n_given)
    return given[0], given[1]


def selected(key: Any, length: int, axis: KeyedAxis) -> Key:
    """Return the positions that a slice, an integer, integers or a mask select of an axis."""
    if isinstance(key, slice):
        return Key(range(length)[key])
    if isinstance(key, int | np.integer) and not isinstance(key, bool):
        position = _checked(int(key), length, axis)
        return Key(range(position, position + 1), single=True)
    index = np.asarray(key)
    if index.ndim == 1 and not index.size:
        return Key(np.empty(0, dtype=np.intp))
    if index.ndim != 1 or index.dtype.kind not in "bui":
        raise SelectionError(
            f"X[{quote(key)}] is no selection of {axis.one}s. They are selected by {axis.remedy}. "
            "Convert it."
        )
    if index.dtype.kind == "b":
        if index.size != length:
            raise SelectionError(
                f"The boolean mask has {index.size} entries, but the matrix has {length} "
                f"{axis.unit}. Give one entry for each of them."
            )
        return Key(np.flatnonzero(index))
    outside = (index < -length) | (index >= length)
    if outside.any():
        _checked(int(index[outside][0]), length, axis)
    index = index.astype(np.intp)
    return Key(np.where(index < 0, index + length, index))


def _checked(position: int, length: int, axis: KeyedAxis) -> int:
    if not -length <= position < length:
        raise SelectionError(
            f"{axis.one} {position} is out of range: the matrix has {length} {axis.unit}. "
            f"Use -{length} to {length - 1}."
        )
    return position % length


def positions(columns: Any, length: int, label: str) -> Index:
    """Return columns to read as positions, which count from the first column alone."""
    if isinstance(columns, slice):
        return range(length)[columns]
    if isinstance(columns, range) and (
        not columns or (min(columns[0], columns[-1]) >= 0 and max(columns[0], columns[-1]) < length)
    ):
        return columns
    index = np.asarray(columns)
    if index.shape == (length,) and index.dtype.kind == "b":
        index = np.flatnonzero(index)
    if index.ndim != 1 or (index.size and index.dtype.kind not in "iu"):
        raise SelectionError(
            f"X.read({quote(columns)}) names no columns. Columns are read by a slice, a "
            f"one-dimensional integer array, a boolean mask of {length} entries or a list of names. "
            "Convert it."
        )
    index = index.astype(np.intp)
    outside = (index < 0) | (index >= length)
    if outside.any():
        raise SelectionError(
            f"column {index[outside][0]} is out of range: {label} has {length} features here. "
            f"Use 0 to {length - 1}."
        )
    return index


def as_names(key: Any) -> list[str] | None:
    """Return a key that is names, in a list or an array, as a list; None if it is something else."""
    if isinstance(key, str):
        return [str(key)]
    if isinstance(key, slice | range | int | np.integer):
        return None
    held: Array = np.asarray(key)
    if held.ndim != 1 or not held.size or held.dtype.kind not in "UOT":
        return None
    # NumPy writes numbers among names as text.
    names = (
        list(key) if held.dtype.kind == "U" and not isinstance(key, np.ndarray) else held.tolist()
    )
    return [str(name) for name in names] if all(isinstance(name, str) for name in names) else None


def named(wanted: list[str], names: Names | None, label: str) -> IndexArray:
    """Return the positions of names among those of a matrix."""
    if names is None:
        raise SelectionError(
            f"{listing(wanted)} cannot be looked up: {label} has no feature names. Open it with "
            "feature_names, or give positions."
        )
    position = {name: place for place, name in enumerate(names)}
    lacking = [name for name in wanted if name not in position]
    if lacking:
        remedy = did_you_mean(lacking[0], names) or f"Its names are {listing(names)}."
        raise SelectionError(
            f"{counted(len(lacking), 'name')} of {len(wanted)} cannot be found: {listing(lacking)}. "
            f"Names must be among the {len(names)} feature names of {label}, letter by letter. "
            f"{remedy}"
        )
    return np.fromiter((position[name] for name in wanted), np.intp, len(wanted))


def check_once(index: IndexArray, names: Callable[[], Names | None], label: str) -> None:
    """Refuse columns that would repeat a name; names are asked for only where columns repeat."""
    once, counts = np.unique(index, return_counts=True)
    held = names() if len(once) < len(index) else None
    if held is not None:
        repeated = held[once[counts > 1]]
        raise SelectionError(
            f"{counted(len(repeated), 'feature')} of {label} would be there more than once: "
            f"{listing(repeated)}. Names must be unique. Select each column once, or open the "
            "matrix with feature_names=None."
        )
