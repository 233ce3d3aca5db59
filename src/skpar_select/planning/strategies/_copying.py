"""What the strategies share that copy a matrix first, decoding every chunk once."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from skpar_select._typing import Array
from skpar_select.execution import Executor, ThreadsExecutor
from skpar_select.matrices import Layout, Matrix, RawBlock
from skpar_select.matrices.io._selection import Extent, rows_within
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning._tiles import Tiles, plan_tiles
from skpar_select.planning.strategies._base import Strategy
from skpar_select.planning.strategies._direct import Direct

Tile: TypeAlias = tuple[slice, slice]
Written = TypeVar("Written")


@dataclass(frozen=True, kw_only=True)
class Copying(Strategy):
    """A strategy that copies tile by tile, and reads blocks from the copy."""

    in_place = False

    tiles: Tiles

    @classmethod
    def _price(
        cls,
        layout: Layout,
        copy: Layout,
        needs: Needs,
        limits: Limits,
        budget: int,
        *,
        held_bytes: int,
        **costs: Any,
    ) -> "Copying":
        """Plan the tiles, and blocks of the copy, whose layout is given.

        In memory it holds `held_bytes`; `costs` are other fields.
        """

        def tiles_within(allowed: int) -> Tiles:
            return plan_tiles(
                layout,
                n_copies=1,
                in_flight=limits.in_flight,
                # Nothing is scored while the copy is made.
                held_bytes=held_bytes + limits.fixed_bytes - limits.in_flight * needs.worker_bytes,
                budget=allowed,
            )

        def scored_beside(kept: int) -> Direct:
            scored = Direct.price(copy, needs, limits, budget - kept)
            assert scored is not None
            return scored

        tiles = tiles_within(budget)
        kept = held_bytes + tiles.kept_bytes + layout.kept_bytes
        scored = scored_beside(kept)
        if kept + scored.peak_bytes > budget:
            # Too much may stay of the largest tiles: the smallest leave most for the scoring.
            tiles = tiles_within(0)
            kept = held_bytes + tiles.kept_bytes + layout.kept_bytes
            scored = scored_beside(kept)
        return cls(
            cuts=scored.cuts,
            peak_bytes=max(tiles.peak_bytes, kept + scored.peak_bytes),
            decoded_bytes=layout.n_bytes if layout.compressed else 0,
            tiles=tiles,
            **costs,
        )


def copy_tiles(
    matrix: Matrix,
    tiles: Tiles,
    write: Callable[[Extent, slice, Array], Written],
    executor: Executor,
) -> Iterator[tuple[Tile, Written | None]]:
    """Read tile by tile, and hand each to a function, in threads of this process.

    Tiles are of the rows of the file. `write` is called from several threads at once: with the
    positions of the rows among all samples, the columns, and the values. Each tile that is written is
    yielded, with what `write` returned; None where none of its rows is selected.
    """
    stored_rows = matrix.stored_rows

    def fetch(tile: Tile) -> tuple[Tile, Extent, RawBlock]:
        rows, columns = tile
        # A row that is selected often is held once, and goes to each of its positions.
        samples, extent = rows_within(stored_rows, rows.start, rows.stop)
        return tile, extent, matrix.fetch(range(columns.start, columns.stop), samples)

    def put(fetched: tuple[Tile, Extent, RawBlock]) -> tuple[Tile, Written | None]:
        tile, extent, raw = fetched
        return tile, write(extent, tile[1], raw.decode()) if extent.width else None

    n_threads = min(executor.n_workers, tiles.in_flight)
    threads = ThreadsExecutor(n_threads, cores=executor.cores)
    if tiles.in_flight > threads.n_workers:
        done = threads.map_unordered(put, tiles, prepare=fetch)
    else:
        done = threads.map_unordered(lambda tile: put(fetch(tile)), tiles)
    with closing(done):
        yield from done
