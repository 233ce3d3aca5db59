"""The contract of a read strategy: a way to read one part of a matrix by blocks of columns.

A strategy prices itself and opens itself, in one file. It owes

- ``price(layout, needs, limits, budget)``: the strategy with the widest blocks that are of use
  within the budget, or with the narrowest where none fit, so that the planner can say what would;
  None where the strategy does not apply. Pricing is arithmetic;
- ``open(matrix, executor)``: the matrix that the blocks are read from, for as long as the context
  lasts. The default is the matrix itself;
- ``fetch(matrix, columns)``: the input of one block. The default is the matrix' own.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from skpar_select.execution import Executor
from skpar_select.matrices import Cuts, Layout, Matrix, RawBlock
from skpar_select.planning._needs import Limits, Needs

# So that the last worker ends at most a sixteenth of its time after the first.
BLOCKS_PER_WORKER = 16

# A block in memory goes to another process as a pickle: one on its way for each of the two
# tasks that are dispatched ahead, and the array made of it.
PICKLED_COPIES = 3


@dataclass(frozen=True, kw_only=True)
class Strategy(ABC):
    """A priced way to read one part of a matrix."""

    name: ClassVar[str]

    reads_once: ClassVar[bool] = False
    """Whether every byte is read and decoded once and nothing is copied: nothing costs less."""

    in_place: ClassVar[bool] = True
    """Whether blocks are read where the values lie, so that nothing is made first."""

    cuts: Cuts
    """The blocks of columns of the part."""

    description: str
    """How blocks are read, in words."""

    peak_bytes: int
    """The most that is held at a time, without the overhead of small objects."""

    bytes_read: int
    """From the file, and from a temporary file."""

    decoded_bytes: int = 0
    """Bytes that are decoded, counted as often as they are."""

    scratch_bytes: int = 0
    """The size of a temporary file."""

    n_passes: int = 1
    """How often the whole is read and decoded."""

    @classmethod
    @abstractmethod
    def price(cls, layout: Layout, needs: Needs, limits: Limits, budget: int) -> "Strategy | None":
        """Plan the widest blocks that are of use within a budget of bytes."""

    def open(self, matrix: Matrix, executor: Executor) -> AbstractContextManager[Matrix]:
        """Give the matrix that blocks are read from."""
        return nullcontext(matrix)

    def fetch(self, matrix: Matrix, columns: range) -> RawBlock:
        """Do the input of one block."""
        return matrix.fetch(columns)

    @property
    def n_features(self) -> int:
        """Columns of the part."""
        return self.cuts.length

    @property
    def n_blocks(self) -> int:
        """Blocks that there are."""
        return len(self.cuts)

    @property
    def width(self) -> int:
        """Columns of the widest block."""
        return self.cuts.widest

    def blocks(self) -> Iterator[range]:
        """Every column of the part exactly once, in order."""
        return iter(self.cuts)


class BlockMemory(NamedTuple):
    """Bytes that are held: throughout, for each block in flight, for each of its columns."""

    fixed: int
    block: int
    column: int
    in_flight: int

    @classmethod
    def of(cls, layout: Layout, needs: Needs, limits: Limits) -> "BlockMemory":
        """Count what blocks of a layout take."""
        n_samples, itemsize = layout.shape[0], layout.dtype.itemsize
        in_memory = layout.order == "memory"
        copies = 0 if layout.views else 1
        if in_memory and not limits.shares_memory:
            copies = PICKLED_COPIES
        return cls(
            fixed=limits.fixed_bytes,
            block=layout.read_bytes + layout.decode_bytes,
            column=n_samples * (copies * itemsize + layout.value_bytes + needs.value_bytes),
            in_flight=limits.n_workers if in_memory else limits.in_flight,
        )

    def peak(self, width: int, n_blocks: int, limits: Limits) -> int:
        """Return what blocks of a width take at a time."""
        # Parts share one run: blocks of another part may be in flight beside the few of this one.
        in_flight = min(self.in_flight, n_blocks) if limits.n_parts == 1 else self.in_flight
        return self.fixed + in_flight * (self.block + width * self.column)

    def widest(self, budget: int) -> int:
        """Return the widest blocks that fit, or 0."""
        left = max(0, budget - self.fixed - self.in_flight * self.block)
        return left // (self.in_flight * self.column) if self.column else left and 2**62
