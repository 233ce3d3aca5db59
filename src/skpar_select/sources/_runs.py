"""Wanted rows or columns, in any order and repeated, as few stretches of the file."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from skpar_select._storage import PIECE_BYTES
from skpar_select._typing import Array, BoolArray, IndexArray

__all__ = [
    "NEAR_BYTES",
    "PIECE_BYTES",
    "Run",
    "crossing",
    "cut",
    "most_together",
    "place",
    "runs",
    "stretches",
    "touched",
]

NEAR_BYTES = 64 * 2**10
"""Two wanted stretches this near cost less read together than in two accesses: about what a disk
reads ahead, and the size of HDF5's sieve buffer."""

# What is picked of a rectangle is copied so much at a time.
_COPIED_BYTES = 256 * 2**10


class Run(NamedTuple):
    """A stretch of the file along one axis."""

    stretch: slice
    into: slice | IndexArray
    """Where it goes in what is asked for."""
    picked: IndexArray | None
    """What of it goes there, or None for all of it in order."""

    @property
    def width(self) -> int:
        """Its length in the file."""
        return int(self.stretch.stop - self.stretch.start)


def runs(wanted: IndexArray, *, near: int, widest: int) -> list[Run]:
    """Join what lies at most `near` apart, in stretches that begin and end within `widest`."""
    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    apart = (np.diff(ordered) > near) | (np.diff(ordered // widest) > 0)
    return cut(order, ordered, apart)


def cut(order: IndexArray, ordered: IndexArray, apart: BoolArray) -> list[Run]:
    """Cut what is wanted, in the order of the file, where `apart` says so.

    Parameters
    ----------
    order : ndarray of int of shape (n_wanted,)
        The place of each in what is asked for.
    ordered : ndarray of int of shape (n_wanted,)
        What is wanted, ascending.
    apart : ndarray of bool of shape (n_wanted - 1,)
        Whether the next belongs to another run.
    """
    made = []
    borders = [0, *(np.flatnonzero(apart) + 1), len(order)]
    for first, last in pairwise(borders):
        into, values = order[first:last], ordered[first:last]
        if not len(values):
            continue
        start, stop = int(values[0]), int(values[-1]) + 1
        if (np.diff(values) == 1).all() and (np.diff(into) == 1).all():
            begin = int(into[0])
            made.append(Run(slice(start, stop), slice(begin, begin + stop - start), None))
        else:
            made.append(Run(slice(start, stop), into, values - start))
    return made


def touched(wanted: range | IndexArray, length: int) -> slice | IndexArray:
    """Give the stretches between multiples of a length in which something wanted lies."""
    if isinstance(wanted, range) and abs(wanted.step) <= length:
        # None between is left out; and a range may be longer than memory.
        if not wanted:
            return slice(0, 0)
        first, last = sorted((wanted[0], wanted[-1]))
        return slice(first // length, last // length + 1)
    return np.unique(np.asarray(wanted, dtype=np.intp) // length)


def most_together(wanted: range | IndexArray, length: int) -> int:
    """Count the different ones that lie in one stretch between multiples of a length, at most."""
    if isinstance(wanted, range):
        return min(len(wanted), -(-length // abs(wanted.step)))
    once = np.unique(wanted)
    return int(np.unique(once // length, return_counts=True)[1].max(initial=0))


def stretches(wanted: range, length: int) -> Iterator[Run]:
    """Cut a range of step 1 at the multiples of a length."""
    start = wanted.start
    while start < wanted.stop:
        stop = min(wanted.stop, start // length * length + length)
        first = start - wanted.start
        yield Run(slice(start, stop), slice(first, first + stop - start), None)
        start = stop


def place(values: Array, rows: Run, columns: Run, out: Array, *, at: tuple[int, int]) -> None:
    """Copy what is wanted of a rectangle to where it goes.

    A row may be wanted a thousand times: what is picked is copied 256 KiB at a time.

    Parameters
    ----------
    values : ndarray
        The rectangle.
    rows, columns : Run
        What of the file is wanted, and where it goes.
    out : ndarray
        All that is asked for.
    at : tuple of int
        The row and the column of `values` where the two stretches begin.
    """
    of_rows, of_columns = _of(rows, at[0]), _of(columns, at[1])
    if rows.picked is None and columns.picked is None:
        out[crossing(rows.into, columns.into)] = values[of_rows, of_columns]
        return
    n_rows, n_columns = (
        run.width if run.picked is None else len(run.picked) for run in (rows, columns)
    )
    wide = _COPIED_BYTES // values.dtype.itemsize
    tall = max(1, wide // n_columns)
    for row in range(0, n_rows, tall):
        of_row, into_row = _some(of_rows, row, tall), _some(rows.into, row, tall)
        for column in range(0, n_columns, wide):
            of = crossing(of_row, _some(of_columns, column, wide))
            into = crossing(into_row, _some(columns.into, column, wide))
            out[into] = values[of]


def _of(run: Run, first: int) -> slice | IndexArray:
    return slice(first, first + run.width) if run.picked is None else first + run.picked


def _some(wanted: slice | IndexArray, first: int, most: int) -> slice | IndexArray:
    if isinstance(wanted, slice):
        start = wanted.start + first
        return slice(start, min(start + most, wanted.stop))
    return wanted[first : first + most]


def crossing(rows: slice | IndexArray, columns: slice | IndexArray) -> Any:
    """Give the index of where rows and columns cross in an array."""
    if isinstance(rows, slice) or isinstance(columns, slice):
        return rows, columns
    return np.ix_(rows, columns)
