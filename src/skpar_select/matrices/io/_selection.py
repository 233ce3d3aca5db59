"""Selected rows or columns, in any order and repeated, as few extents of a file."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from skpar_select._stopping import check_stop
from skpar_select._typing import Array, BoolArray, Index, IndexArray

NEAR_BYTES = 64 * 2**10
"""Two extents this near cost less read together than apart: about what a disk reads ahead, and
the size of HDF5's sieve buffer."""

# Values that are selected from a rectangle are copied so many bytes at a time.
_COPY_BYTES = 256 * 2**10


class Extent(NamedTuple):
    """A contiguous slice of one axis of a file."""

    source: slice
    """Its position in the file."""

    destination: slice | IndexArray
    """The positions of its selected values in the result."""

    selection: IndexArray | None = None
    """The selected positions within the extent, or None where all are selected, in order."""

    @property
    def width(self) -> int:
        """Its length in the file."""
        return int(self.source.stop - self.source.start)

    @property
    def n_selected(self) -> int:
        """The number of its selected values."""
        return self.width if self.selection is None else len(self.selection)

    def within(self, first: int = 0) -> slice | IndexArray:
        """Return the selected positions in an array that holds the extent from `first` on."""
        if self.selection is None:
            return slice(first, first + self.width)
        return first + self.selection if first else self.selection


def as_slice(index: Index) -> slice | IndexArray:
    """Return a range as the slice that selects the same; an index array stays one."""
    if not isinstance(index, range):
        return index
    # A stop of -1 would count from the end.
    stop = index.stop if index.stop >= 0 else None
    return slice(index.start, stop, index.step) if index else slice(0, 0)


def as_range(index: Index) -> Index:
    """Return adjacent ascending positions as a range; any other selection stays as it is."""
    if isinstance(index, range):
        return index
    if len(index) and (np.diff(index) == 1).all():
        return range(int(index[0]), int(index[-1]) + 1)
    return index


def compose(index: Index, selected: Index) -> Index:
    """Return ``index[selected]``; a range of a range stays one."""
    positions = as_slice(selected)
    if isinstance(index, range):
        # An array of a range is made number by number.
        return (
            index[positions]
            if isinstance(positions, slice)
            else index.start + index.step * positions.astype(np.intp)
        )
    return np.asarray(index, dtype=np.intp)[positions]


def is_contiguous(index: Index) -> bool:
    """Return whether a selection is a range of step 1."""
    return isinstance(index, range) and index.step == 1


def n_spanned(index: Index, *, near: int, length: int = 1) -> int:
    """Count the chunks of a length that are read where positions at most `near` apart are joined.

    `near` is at least `length`.
    """
    if len(index) and isinstance(index, range):
        first, last = sorted((index[0], index[-1]))
        return last // length - first // length + 1 if abs(index.step) <= near else len(index)
    once = np.unique(index)
    chunks = np.diff(once // length)
    return int(np.where(np.diff(once) <= near, chunks, 1).sum()) + bool(len(once))


def extents(index: Index, *, near: int, widest: int) -> Iterator[Extent]:
    """Join the selected positions that are at most `near` apart, in the order of the file.

    No extent crosses a multiple of `widest`.
    """
    if isinstance(index, range) and index.step == 1:
        start = index.start
        while start < index.stop:
            stop = min(index.stop, start // widest * widest + widest)
            first = start - index.start
            yield Extent(slice(start, stop), slice(first, first + stop - start))
            start = stop
        return
    order, ordered = ascending(index)
    apart = (np.diff(ordered) > near) | (np.diff(ordered // widest) > 0)
    yield from cut(order, ordered, apart)


def ascending(index: Index) -> tuple[IndexArray, IndexArray]:
    """Return the stable order that sorts a selection, and the sorted positions."""
    positions = np.asarray(index, dtype=np.intp)
    order = np.argsort(positions, kind="stable")
    return order, positions[order]


def cut(order: IndexArray, ordered: IndexArray, apart: BoolArray) -> Iterator[Extent]:
    """Cut sorted positions into extents, wherever the next one is `apart`.

    `order` is the position of each in the result.
    """
    for first, last in pairwise([0, *(np.flatnonzero(apart) + 1), len(order)]):
        destination, values = order[first:last], ordered[first:last]
        if not len(values):
            continue
        start, stop = int(values[0]), int(values[-1]) + 1
        if (np.diff(values) == 1).all() and (np.diff(destination) == 1).all():
            begin = int(destination[0])
            yield Extent(slice(start, stop), slice(begin, begin + stop - start))
        else:
            yield Extent(slice(start, stop), destination, values - start)


def rows_within(rows: Index, start: int, stop: int) -> tuple[Index, Extent]:
    """Find the samples whose stored rows, `rows`, lie from `start` to `stop` of the file.

    Returns one sample for each of these rows, in the order of the file, however often a row is
    there; and the extent of where they go among all samples.
    """
    if isinstance(rows, range) and rows.step == 1:
        first = max(rows.start, start) - rows.start
        last = max(first, min(rows.stop, stop) - rows.start)
        return range(first, last), Extent(slice(0, last - first), slice(first, last))
    stored = np.asarray(rows, dtype=np.intp)
    here = np.flatnonzero((stored >= start) & (stored < stop))
    destination = here[np.argsort(stored[here], kind="stable")]
    _, first_of, selection = np.unique(stored[destination], return_index=True, return_inverse=True)
    samples = destination[first_of]
    whole = slice(0, len(samples))
    if len(samples) < len(destination):
        return samples, Extent(whole, destination, selection)
    if len(samples) and (np.diff(samples) == 1).all():
        begin = int(samples[0])
        return samples, Extent(whole, slice(begin, begin + len(samples)))
    return samples, Extent(whole, destination)


def overlapping(index: Index, length: int) -> slice | IndexArray:
    """Return the numbers of the chunks of a length that overlap a selection."""
    if isinstance(index, range) and abs(index.step) <= length:
        # No chunk between is left out, and the range may be longer than memory.
        if not index:
            return slice(0, 0)
        first, last = sorted((index[0], index[-1]))
        return slice(first // length, last // length + 1)
    return np.unique(np.asarray(index, dtype=np.intp) // length)


def boxes(
    rows: slice, columns: slice, borders: tuple[Sequence[int], Sequence[int]]
) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Cut a rectangle where chunks end: yield each piece, and its place in the rectangle.

    `borders` are where the chunks of each axis begin and end, from 0 to its length or beyond.
    """
    for row in _pieces(rows, borders[0]):
        for column in _pieces(columns, borders[1]):
            check_stop()
            yield (row, column), (_from(row, rows), _from(column, columns))


def borders_of(shape: tuple[int, int], chunks: tuple[int, int]) -> tuple[range, range]:
    """Return where chunks of one size begin and end along both axes."""
    rows, columns = (
        range(0, length + chunk, chunk) for length, chunk in zip(shape, chunks, strict=True)
    )
    return rows, columns


def _pieces(part: slice, borders: Sequence[int]) -> Iterator[slice]:
    first = bisect_right(borders, part.start)
    start = part.start
    while start < part.stop:
        stop = min(part.stop, borders[first])
        yield slice(start, stop)
        start, first = stop, first + 1


def _from(piece: slice, whole: slice) -> slice:
    return slice(piece.start - whole.start, piece.stop - whole.start)


def max_per_chunk(index: Index, length: int) -> int:
    """Count the different positions that lie in one chunk of a length, at most."""
    if isinstance(index, range):
        return min(len(index), -(-length // abs(index.step)))
    once = np.unique(index)
    return int(np.unique(once // length, return_counts=True)[1].max(initial=0))


def scatter(
    values: Array, rows: Extent, columns: Extent, out: Array, *, at: tuple[int, int] = (0, 0)
) -> None:
    """Copy the selected values of a rectangle to their positions in the whole result.

    The two extents begin at the row and column `at` of `values`. A row may be selected a thousand
    times: selected values are copied 256 KiB at a time.
    """
    from_rows, from_columns = rows.within(at[0]), columns.within(at[1])
    if rows.selection is None and columns.selection is None:
        out[cross(rows.destination, columns.destination)] = values[from_rows, from_columns]
        return
    wide = _COPY_BYTES // values.dtype.itemsize
    tall = max(1, wide // columns.n_selected)
    for row in range(0, rows.n_selected, tall):
        from_row, to_row = _some(from_rows, row, tall), _some(rows.destination, row, tall)
        for column in range(0, columns.n_selected, wide):
            to_column = _some(columns.destination, column, wide)
            out[cross(to_row, to_column)] = values[
                cross(from_row, _some(from_columns, column, wide))
            ]


def _some(index: slice | IndexArray, first: int, most: int) -> slice | IndexArray:
    if isinstance(index, slice):
        start = index.start + first
        return slice(start, min(start + most, index.stop))
    return index[first : first + most]


def cross(rows: slice | IndexArray, columns: slice | IndexArray) -> Any:
    """Return the index of where rows and columns cross in an array."""
    if isinstance(rows, slice) or isinstance(columns, slice):
        return rows, columns
    return np.ix_(rows, columns)
