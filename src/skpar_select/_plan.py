"""What the planner gives: blocks, the way to read them, and what that takes; also in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from skpar_select._memory import format_bytes

Route: TypeAlias = Literal["memory", "rows", "columns", "chunks", "again", "load", "scratch"]

_ROUTES: dict[Route, str] = {
    "memory": "views of a matrix in memory",
    "rows": "runs of every row, read to their place",
    "columns": "adjacent columns, read as they lie",
    "chunks": "whole columns of chunks: every chunk is read and decoded once",
    "again": "every chunk again for each block that has a part of it",
    "load": "the whole, read and decoded once into memory",
    "scratch": "one pass into a temporary file, then runs of every row of that",
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a matrix is read and scored."""

    route: Route
    """The way to read."""

    n_workers: int
    """Blocks that are scored at a time."""

    block_columns: tuple[range, ...] = ()
    """The columns at which a block begins, a range for each stretch that is cut evenly."""

    piece_rows: tuple[int, int] = (0, 0)
    """Rows of the file that are copied before, by routes that copy, and how many of them at once."""

    piece_columns: tuple[range, ...] = ()
    """The columns at which a piece begins, in the same way."""

    pieces_in_flight: int = 0
    """Pieces that are held at a time."""

    peak_bytes: int = 0
    """The most that is held at a time."""

    bytes_read: int = 0
    """From the file, and from the temporary file."""

    scratch_bytes: int = 0
    """Size of the temporary file."""

    n_passes: int = 1
    """How often the whole is read and decoded."""

    @cached_property
    def blocks(self) -> tuple[slice, ...]:
        """Every column exactly once, in order. Made of the plan that is followed alone."""
        return tuple(_cut(self.block_columns))

    @property
    def n_blocks(self) -> int:
        """Blocks that there are."""
        return sum(len(columns) for columns in self.block_columns)

    @property
    def width(self) -> int:
        """Columns of the widest block."""
        return max(
            (min(part.step, part.stop - part.start) for part in self.block_columns), default=0
        )

    @property
    def pieces(self) -> Iterator[tuple[slice, slice]]:
        """Rows and columns of the file that are copied together, in the order of the file."""
        n_rows, step = self.piece_rows
        for start in range(0, n_rows, step or 1):
            for columns in _cut(self.piece_columns):
                yield slice(start, min(start + step, n_rows)), columns

    def describe(self) -> dict[str, str]:
        """Tell the plan in words, line by line."""
        workers = f"{self.n_workers} worker{'s' if self.n_workers > 1 else ''}"
        lines = {
            "route": _ROUTES[self.route],
            "blocks": f"{self.n_blocks:,} of up to {self.width:,} columns, for {workers}",
            "peak memory": format_bytes(self.peak_bytes),
            "bytes read": format_bytes(self.bytes_read)
            + (f", in {self.n_passes} passes" if self.n_passes > 1 else ""),
        }
        lines["scratch disk"] = format_bytes(self.scratch_bytes) if self.scratch_bytes else "none"
        return lines


def _cut(columns: tuple[range, ...]) -> Iterator[slice]:
    for part in columns:
        for start in part:
            yield slice(start, min(start + part.step, part.stop))
