"""Shards: which columns each of several machines scores, from the layout and their number alone.

The columns are cut into shards of the same length, whatever budgets and workers are. Where columns
of chunks are no wider than a shard, a cut moves to the nearest border of them, so that no
chunk is read by two machines; where they are wider, each chunk is read by several.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from skpar_select.matrices import Layout
from skpar_select.planning.strategies._direct import EXTENT_BYTES

# What is read in a second, or less, is worth no warning.
_WORTH_BYTES = 2**26

# Shards of a layout that suits them read what they score, and round that up.
_WORTH_FACTOR = 1.5


class Shard(NamedTuple):
    """One of `of` shards, by its number from 1 on."""

    number: int
    of: int

    @classmethod
    def of_text(cls, text: str) -> "Shard":
        """Read 3/16; ValueError where it is none."""
        number, _, count = text.partition("/")
        if not (number.isdecimal() and count.isdecimal()):
            raise ValueError(
                f"shard={text!r} is none: it is a number and how many there are, as in 1/16 to 16/16. "
                "Give one of them."
            )
        return cls(int(number), int(count))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def check(self) -> None:
        """Raise ValueError unless it is one of them."""
        if not 1 <= self.number <= self.of:
            raise ValueError(
                f"shard='{self}' is none: shards are counted from 1 to how many there are, as in "
                "1/16 to 16/16. Give one of them."
            )


class ShardCost(NamedTuple):
    """What a shard reads, in bytes."""

    read_bytes: int
    whole_bytes: int
    """Those of the whole matrix."""

    share: float
    """Of its columns."""

    @property
    def is_high(self) -> bool:
        """Whether shards together read much more than the matrix once."""
        fair = self.share * self.whole_bytes
        return self.whole_bytes >= _WORTH_BYTES and self.read_bytes > _WORTH_FACTOR * fair


def columns_of_shard(layouts: Sequence[Layout], shard: Shard) -> list[range]:
    """Return for each part of a matrix its columns that belong to a shard; they may be none."""
    shard.check()
    n_columns = sum(layout.shape[1] for layout in layouts)
    first, stop = (
        _border(layouts, n_columns * number // shard.of, shard.of)
        for number in (shard.number - 1, shard.number)
    )
    columns, start = [], 0
    for layout in layouts:
        width = layout.shape[1]
        begin, end = (min(max(0, border - start), width) for border in (first, stop))
        columns.append(range(begin, end))
        start += width
    return columns


def cost_of_shard(whole: Iterable[Layout], shard: Iterable[Layout]) -> ShardCost:
    """Count what the parts of a shard read, of those of the whole matrix."""
    of_whole, of_shard = list(whole), list(shard)
    whole_bytes = sum(layout.stored_bytes for layout in of_whole)
    n_columns, n_mine = (
        sum(layout.shape[1] for layout in layouts) for layouts in (of_whole, of_shard)
    )
    read = sum(_read_bytes(layout) for layout in of_shard if layout.shape[1])
    return ShardCost(min(read, whole_bytes), whole_bytes, n_mine / max(1, n_columns))


def _border(layouts: Sequence[Layout], position: int, n_shards: int) -> int:
    """Return the border of columns of chunks that is nearest to a position, where these are narrow."""
    n_columns, start = sum(layout.shape[1] for layout in layouts), 0
    for layout in layouts:
        width = layout.shape[1]
        if start < position < start + width and layout.order == "chunked":
            cuts = layout.chunk_columns
            if cuts.widest * n_shards > n_columns:
                return position
            place = bisect_right(cuts.starts, position - start)
            before = max(0, int(cuts.starts[place - 1]))
            after = int(cuts.starts[place]) if place < len(cuts) else width
            here = position - start
            return start + (before if here - before <= after - here else after)
        start += width
    return position


def _read_bytes(layout: Layout) -> int:
    """Return what a shard reads of a file: a disk gives no less than an extent of every row."""
    extents = layout.shape[0] * EXTENT_BYTES if layout.order == "row-major" else 0
    return max(layout.stored_bytes, extents)
