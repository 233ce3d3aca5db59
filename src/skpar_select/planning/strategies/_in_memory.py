"""In memory: the whole is read and decoded once into an array, by all workers."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skpar_select._typing import Array
from skpar_select.execution import Executor
from skpar_select.matrices import ArrayMatrix, Layout, Matrix
from skpar_select.matrices.io._selection import Extent, scatter
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning.strategies._copying import Copying, copy_tiles


class InMemory(Copying):
    """Copies a chunked matrix into memory."""

    name = "in memory"

    @classmethod
    def price(cls, layout: Layout, needs: Needs, limits: Limits, budget: int) -> "Copying | None":
        """Plan the copy, where the workers share this memory."""
        if layout.order != "chunked" or not limits.shares_memory:
            return None
        copy = Layout(shape=layout.shape, dtype=layout.dtype, order="memory", views=True)
        return cls._price(
            layout,
            copy,
            needs,
            limits,
            budget,
            held_bytes=layout.n_bytes,
            description="the whole, read and decoded once into memory",
            bytes_read=layout.stored_bytes,
        )

    @contextmanager
    def open(self, matrix: Matrix, executor: Executor) -> Iterator[Matrix]:
        """Give the copy for as long as the context lasts."""
        values = np.empty(matrix.shape, dtype=matrix.dtype)

        def write(rows: Extent, columns: slice, tile: Array) -> None:
            scatter(tile, rows, Extent(slice(0, tile.shape[1]), columns), values)

        for _ in copy_tiles(matrix, self.tiles, write, executor):
            pass
        yield ArrayMatrix(values, label=matrix.label)
