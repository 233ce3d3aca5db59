"""Tiles: rectangles of rows of a file and of columns that are copied one after another."""

from collections.abc import Iterator
from dataclasses import dataclass

from skpar_select.matrices import TILE_BYTES, Cuts, Layout
from skpar_select.matrices.io._buffers import kept_bytes


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """A matrix cut into tiles, in the order of its file."""

    n_rows: int
    """Rows of the file."""

    height: int
    """Rows of a tile."""

    cuts: Cuts
    """The columns of each tile."""

    grid: tuple[int, int]
    """Chunks of a tile, in height and width."""

    in_flight: int
    """Tiles that are held at a time."""

    peak_bytes: int
    """The most that is held at a time, with `held_bytes`."""

    kept_bytes: int
    """What stays of the tiles when all are copied."""

    done: frozenset[tuple[int, int]] = frozenset()
    """Tiles that are left out, by their first rows and columns."""

    def __len__(self) -> int:
        return -(-self.n_rows // self.height) * len(self.cuts) - len(self.done)

    def __iter__(self) -> Iterator[tuple[slice, slice]]:
        for row in range(0, self.n_rows, self.height):
            rows = slice(row, min(row + self.height, self.n_rows))
            for columns in self.cuts:
                if (row, columns.start) not in self.done:
                    yield rows, slice(columns.start, columns.stop)


def plan_tiles(
    layout: Layout,
    *,
    n_copies: int,
    in_flight: int,
    held_bytes: int,
    budget: int,
    grid: tuple[int, int] | None = None,
) -> Tiles:
    """Cut a matrix into the largest tiles of use, so that every chunk is read and decoded once.

    Parameters
    ----------
    layout : Layout
        How the selected rows and columns lie.
    n_copies : int
        How often a tile is held, besides its raw chunks.
    in_flight : int
        Tiles to hold at a time, if the budget allows.
    held_bytes : int
        What is held besides the tiles.
    budget : int
        Bytes that are allowed. Where the smallest tiles take more, these are planned: the caller
        compares ``peak_bytes``.
    grid : tuple of int, default=None
        The chunks of a tile in height and width, where another plan has chosen them.
    """
    n_samples, n_columns = layout.shape
    by_columns = layout.order == "column-major"
    unit_rows, _ = layout.chunks or (1, 1)
    units = layout.chunk_columns
    # The distinct rows of a view that lie in one row of chunks.
    unit_height = layout.rows_per_chunk_row or unit_rows
    if by_columns:
        unit_rows, unit_height = max(1, layout.n_rows), n_samples
        units = Cuts.even(n_columns, 1)
    n_units, widest = max(1, len(units)), units.widest
    value_bytes = n_copies * layout.dtype.itemsize + layout.value_bytes
    once = layout.read_bytes + layout.decode_bytes

    def tile_bytes(n_high: int, n_wide: int) -> int:
        columns = min(n_columns, n_wide * widest)
        raw = layout.chunk_row_bytes if n_wide == n_units else n_wide * layout.chunk_bytes
        return n_high * (unit_height * columns * value_bytes + raw)

    def peak(n_high: int, n_wide: int, n_held: int) -> int:
        return held_bytes + n_held * (tile_bytes(n_high, n_wide) + once)

    def kept(n_high: int, n_wide: int) -> int:
        n_values = n_high * unit_height * min(n_columns, n_wide * widest)
        raw = tile_bytes(n_high, n_wide) - n_values * value_bytes
        pieces = (n_values * layout.dtype.itemsize, n_values * layout.value_bytes, raw)
        return sum(map(kept_bytes, (*pieces, layout.read_bytes, layout.decode_bytes)))

    n_high, n_wide = 1, n_units
    if by_columns:
        n_wide = min(n_units, max(1, TILE_BYTES // max(1, tile_bytes(1, 1))))
    if grid is not None:
        n_high, n_wide = grid
    while in_flight > 1 and peak(n_high, n_wide, in_flight) > budget:
        in_flight -= 1
    while grid is None and n_wide > 1 and peak(1, n_wide, 1) > budget:
        n_wide = -(-n_wide // 2)
    if grid is None and n_wide == n_units:
        size = max(1, tile_bytes(1, n_wide))
        spare = max(0, budget - peak(1, n_wide, in_flight)) // (in_flight * size)
        n_high = min(1 + spare, -(-TILE_BYTES // size), max(1, -(-layout.n_rows // unit_rows)))
    return Tiles(
        n_rows=layout.n_rows,
        height=n_high * unit_rows,
        cuts=units.joined(n_wide),
        grid=(n_high, n_wide),
        in_flight=in_flight,
        peak_bytes=peak(n_high, n_wide, in_flight),
        kept_bytes=in_flight * kept(n_high, n_wide),
    )
