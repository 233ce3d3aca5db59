"""Wanted rows or columns, in any order and repeated, as few stretches of the file."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from skpar_select._typing import BoolArray, IndexArray

PIECE_BYTES = 8 * 2**20
"""The most that a read holds besides its result, unless a chunk is larger."""


class Run(NamedTuple):
    """A stretch of the file along one axis."""

    stretch: slice
    into: slice | IndexArray
    """Where it goes in what is asked for."""
    picked: slice | IndexArray | None
    """What of it goes there, or None for all of it in order."""

    @property
    def width(self) -> int:
        """Its length in the file."""
        return int(self.stretch.stop - self.stretch.start)


def bands(rows: range | IndexArray, length: int) -> tuple[range | IndexArray, int]:
    """Tell which stretches of `length` rows hold any of these, and how many one holds at the most.

    Parameters
    ----------
    rows : range or ndarray of int
        In any order and repeated.
    length : int
        Of a stretch: the rows of a chunk.

    Returns
    -------
    hit : range or ndarray of int
        The numbers of the stretches, ascending, each once.
    most : int
        Of a range with a step, or of one that begins or ends within a stretch, up to what fits.
    """
    if not isinstance(rows, range):
        held = np.bincount(np.asarray(rows, dtype=np.intp) // length)
        return np.flatnonzero(held), int(held.max(initial=0))
    # By arithmetic: there may be more rows than an array of their numbers has room for.
    if not rows:
        return rows, 0
    rows = rows if rows.step > 0 else rows[::-1]
    most = min(len(rows), -(-length // rows.step))
    if rows.step <= length:
        return range(rows[0] // length, rows[-1] // length + 1), most
    return np.asarray(rows, dtype=np.intp) // length, most


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
