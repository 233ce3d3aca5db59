"""What the planner must know of a matrix: how its values lie where they are stored."""

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from skpar_select.matrices._cuts import Cuts

Order: TypeAlias = Literal["memory", "row-major", "column-major", "chunked"]

TILE_BYTES = 8 * 2**20
"""The most that a read or a copy holds besides its result, unless a chunk is larger."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a matrix lies, in numbers.

    For a view of some rows and columns the numbers count what these touch.
    """

    shape: tuple[int, int]
    """(n_samples, n_features)."""

    dtype: np.dtype[Any]
    """The type of the values as stored."""

    order: Order
    """In memory; row after row; column after column; or in chunks."""

    views: bool = False
    """Whether a block is a view of memory that is there already."""

    n_rows: int = 0
    """Rows of the file itself, which may be more or fewer than those of a view."""

    stored_bytes: int = 0
    """Bytes of the file that hold the values."""

    chunks: tuple[int, int] | None = None
    """The smallest rectangle that is read together, where the order is ``"chunked"``."""

    column_cuts: Cuts | None = None
    """Where the columns of a view pass from one column of chunks to the next; None where that is at
    the multiples of a chunk's width."""

    compressed: bool = False
    """Whether reading costs decoding, which is much slower than moving bytes."""

    rows_per_chunk_row: int = 0
    """The most distinct rows of a view in one row of chunks; 0 where every row of chunks is whole."""

    chunk_column_bytes: int = 0
    """The stored bytes of the largest column of chunks; 0 where a read holds no raw chunk."""

    chunk_row_bytes: int = 0
    """The same for one row of chunks."""

    chunk_bytes: int = 0
    """The same for one chunk."""

    read_bytes: int = 0
    """What one read holds besides its result and the raw chunks."""

    decode_bytes: int = 0
    """What decoding one block holds besides its result and the raw chunks."""

    value_bytes: int = 0
    """What a read holds for each value besides it, as where it converts another type."""

    kept_bytes: int = 0
    """What the threads of a library keep of its pieces, until the process ends."""

    index_bytes: int = 0
    """What the positions of all chunks take, once a process."""

    @property
    def n_bytes(self) -> int:
        """Bytes of all values in an array."""
        return self.shape[0] * self.shape[1] * self.dtype.itemsize

    @property
    def chunk_columns(self) -> Cuts:
        """The columns of chunks, each with the columns of the view that it holds."""
        if self.column_cuts is not None:
            return self.column_cuts
        n_columns = self.shape[1]
        return Cuts.even(n_columns, n_columns if self.chunks is None else self.chunks[1])

    def transposed(self, *, n_rows: int) -> "Layout":
        """Return the layout with the axes exchanged; `n_rows` are the columns as stored."""
        orders: dict[Order, Order] = {"row-major": "column-major", "column-major": "row-major"}
        return replace(
            self,
            shape=self.shape[::-1],
            order=orders.get(self.order, self.order),
            chunks=self.chunks and self.chunks[::-1],
            n_rows=n_rows,
            rows_per_chunk_row=0,
            column_cuts=None,
            chunk_column_bytes=self.chunk_row_bytes,
            chunk_row_bytes=self.chunk_column_bytes,
        )
