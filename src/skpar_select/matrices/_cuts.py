"""A row of columns cut into pieces that follow one another: blocks, and columns of chunks."""

from collections.abc import Iterator
from itertools import chain
from math import gcd

import numpy as np

from skpar_select._typing import Index

# No more pieces than this are noted one by one, in 8 MiB.
MOST_DIVIDED = 2**20


class Cuts:
    """Where `length` columns are cut.

    Parameters
    ----------
    length : int
        The number of columns. There may be more of them than memory holds.
    starts : range or ndarray of int
        The first column of each piece, ascending, all below `length`. The first is 0, or below it
        where the piece began before the first column.
    """

    def __init__(self, length: int, starts: Index) -> None:
        self.length = length
        self.starts = starts

    @classmethod
    def even(cls, length: int, width: int, *, before: int = 0) -> "Cuts":
        """Cut into pieces of a width, of which the first lacks the columns `before` its own."""
        return cls(length, range(-before, length, max(1, width)) if length else range(0))

    @classmethod
    def at_multiples(cls, columns: Index, width: int) -> "Cuts":
        """Cut ascending columns of a file wherever a multiple of a width lies between two."""
        if not isinstance(columns, range):
            return cls(len(columns), np.flatnonzero(np.diff(columns // width, prepend=-1)))
        if not columns or columns.step >= width:
            return cls.even(len(columns), 1)
        if columns.step == 1:
            return cls.even(len(columns), width, before=columns.start % width)
        multiples = np.arange(columns[0] // width + 1, columns[-1] // width + 1) * width
        starts = -((columns.start - multiples) // columns.step)
        return cls(len(columns), np.concatenate([[0], starts]))

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[range]:
        """Give the columns of each piece."""
        start = 0
        for stop in chain(map(int, self.starts[1:]), [self.length] if self.length else []):
            yield range(start, stop)
            start = stop

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Cuts):
            return NotImplemented
        return self.length == other.length and bool(np.array_equal(self.starts, other.starts))

    __hash__ = None  # type: ignore[assignment]  # it may hold an array

    @property
    def widest(self) -> int:
        """The columns of the widest piece."""
        if isinstance(self.starts, range):
            # A piece between the first and the last is whole; two are seen at once.
            return self.starts.step if len(self) > 2 else max(map(len, self), default=0)
        return int(np.diff(self.starts, append=self.length).max(initial=0))

    def joined(self, n_pieces: int) -> "Cuts":
        """Join so many pieces to each new one."""
        return Cuts(self.length, self.starts[::n_pieces])

    def divided(self, width: int) -> "Cuts":
        """Cut each piece into the fewest of at most a width, which are about as wide as each other."""
        n_most = len(self) * -(-self.widest // width)
        if len(self) == 1 and self.starts[0] == 0:
            return Cuts.even(self.length, -(-self.length // n_most))
        if width == 1 or not 0 < n_most <= MOST_DIVIDED:
            return Cuts.even(self.length, width)
        begins = np.maximum(self.starts, 0)
        sizes = np.diff(begins, append=self.length)
        numbers = -(-sizes // width)
        places = np.arange(numbers.sum()) - np.repeat(np.cumsum(numbers) - numbers, numbers)
        starts = np.repeat(begins, numbers) + places * np.repeat(-(-sizes // numbers), numbers)
        return Cuts(self.length, starts)

    def n_shared(self, other: "Cuts") -> int:
        """Count the columns at which both begin a piece, of the same row of columns."""
        mine, others = self.starts, other.starts
        if not isinstance(mine, range) or not isinstance(others, range):
            return len(np.intersect1d(np.maximum(mine, 0), np.maximum(others, 0)))
        if not self.length:
            return 0
        # The steps meet every `period` columns, if they meet; and both begin with the first column.
        common = gcd(mine.step, others.step)
        apart, period = others.start - mine.start, mine.step // common * others.step
        if apart % common:
            return 1
        turns = apart // common * pow(mine.step // common, -1, others.step // common)
        meeting = (mine.start + turns * mine.step) % period
        return 1 + len(range(meeting or period, self.length, period))
