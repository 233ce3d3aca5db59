"""Copying columns of a matrix tile by tile: what is planned, and how it runs."""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from skpar_select._memory import format_bytes
from skpar_select._typing import Array, Index, IndexArray
from skpar_select.execution import Executor
from skpar_select.matrices import LazyMatrix, Matrix
from skpar_select.matrices.io._selection import Extent, as_range, as_slice
from skpar_select.planning import (
    Tiles,
    bytes_of_arrays,
    copy_tiles,
    plan_tiles,
    with_overhead,
)
from skpar_select.scoring import Progress

Written = TypeVar("Written")


class Copy(NamedTuple):
    """The selected columns of one part of a matrix, and how they are copied."""

    columns: LazyMatrix
    """The columns, in the order of their file."""
    positions: Index
    """Their positions in the result."""
    tiles: Tiles


class Done(NamedTuple):
    """A tile that is done."""

    part: int
    row: int
    """The first of its rows in the file."""
    column: int


def plan_copies(
    matrix: Matrix,
    columns: IndexArray,
    in_flight: int,
    n_copies: int,
    *,
    held_bytes: int,
    memory_budget: int,
    grids: Sequence[tuple[int, int] | None] | None = None,
) -> list[Copy]:
    """Plan how columns are copied, part by part; ValueError if the budget is too small.

    `grids` are those of the tiles of another plan, part by part.
    """
    selected = [
        (LazyMatrix(part.matrix, columns=held), positions)
        for part, held, positions in ((part, *part.select(columns)) for part in matrix.parts)
        if len(held)
    ]
    layouts = [held.layout for held, _ in selected]
    index_bytes = sum(layout.index_bytes for layout in layouts)
    copies = [
        Copy(
            held,
            positions,
            plan_tiles(
                layout,
                n_copies=n_copies,
                in_flight=in_flight,
                held_bytes=held_bytes + index_bytes,
                budget=bytes_of_arrays(memory_budget),
                grid=grid,
            ),
        )
        for (held, positions), layout, grid in zip(
            selected, layouts, grids or [None] * len(layouts), strict=True
        )
    ]
    needed = with_overhead(max((copy.tiles.peak_bytes for copy in copies), default=0))
    if needed > memory_budget:
        result = f", of which the result is {format_bytes(held_bytes)}" if held_bytes else ""
        raise ValueError(
            f"memory_budget={memory_budget} bytes is too small: {len(columns)} columns of "
            f"{matrix.label} need {needed} bytes{result}. All that is held at a "
            f"time must fit. Set memory_budget to at least {format_bytes(needed)}, "
            "or select fewer columns."
        )
    return copies


def run_copies(
    copies: Sequence[Copy],
    write: Callable[[Extent, slice | IndexArray, Array], Written],
    executor: Executor,
    progress: Progress | None,
) -> Generator[tuple[Done, Written | None], None, None]:
    """Hand each tile to a function, in threads, with the positions of its columns in the result.

    Yields each tile that is done, and what the function returned of it.
    """
    if progress is not None:
        progress.start(sum(len(copy.tiles) for copy in copies), "tiles")
    for number, copy in enumerate(copies):

        def write_part(rows: Extent, columns: slice, tile: Array, copy: Copy = copy) -> Written:
            return write(rows, as_slice(as_range(copy.positions[columns])), tile)

        for tile, written in copy_tiles(copy.columns, copy.tiles, write_part, executor):
            yield Done(number, tile[0].start, tile[1].start), written
            if progress is not None:
                progress.advance(1)


def ascending_runs(rows: Extent) -> Iterator[Extent]:
    """Cut positions of rows into runs that follow one another, as HDF5 writes them."""
    if isinstance(rows.destination, slice):
        yield Extent(slice(0, rows.width), rows.destination, rows.selection)
        return
    selection = np.arange(rows.width) if rows.selection is None else rows.selection
    order = np.argsort(rows.destination)
    ordered = rows.destination[order]
    for run in np.split(order, np.flatnonzero(np.diff(ordered) != 1) + 1):
        first = int(rows.destination[run[0]])
        yield Extent(slice(0, rows.width), slice(first, first + len(run)), selection[run])
