"""Spill: one pass into a temporary file, from which blocks are read as extents of every row."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from skpar_select._typing import Array, Index
from skpar_select.execution import Executor
from skpar_select.matrices import Layout, Matrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._scratch import ScratchFile
from skpar_select.matrices.io._selection import Extent
from skpar_select.matrices.readers import ContiguousMatrix
from skpar_select.planning._needs import Limits, Needs
from skpar_select.planning.strategies._copying import Copying, copy_tiles


class Spill(Copying):
    """Copies a chunked matrix into a temporary file of this host."""

    name = "spill"

    @classmethod
    def price(cls, layout: Layout, needs: Needs, limits: Limits, budget: int) -> "Copying | None":
        """Plan the copy, where the disk has room and the workers see it."""
        n_bytes = layout.n_bytes
        if layout.order != "chunked" or not limits.same_host or n_bytes > limits.scratch_bytes:
            return None
        copy = Layout(
            shape=layout.shape, dtype=layout.dtype, order="row-major", stored_bytes=n_bytes
        )
        return cls._price(
            layout,
            copy,
            needs,
            limits,
            budget,
            held_bytes=0,
            description="one pass into a temporary file, then extents of every row of that",
            bytes_read=layout.stored_bytes + n_bytes,
            scratch_bytes=n_bytes,
        )

    @contextmanager
    def open(self, matrix: Matrix, executor: Executor) -> Iterator[Matrix]:
        """Give the copy for as long as the context lasts."""
        n_features, dtype = matrix.shape[1], matrix.dtype
        with ScratchFile.of_size(self.scratch_bytes) as file:

            def write(rows: Extent, columns: slice, tile: Array) -> None:
                destination = rows.destination
                if isinstance(destination, slice):
                    if tile.shape[1] == n_features and tile.flags.c_contiguous:
                        file.write(destination.start * n_features * dtype.itemsize, tile)
                        return
                    destination = np.arange(destination.start, destination.stop)
                selection: Index = range(rows.width) if rows.selection is None else rows.selection
                # Row by row: a transposed tile would be copied whole, and a row that is selected
                # often would be repeated in memory.
                for at, row in zip(destination.tolist(), selection, strict=True):
                    file.write((at * n_features + columns.start) * dtype.itemsize, tile[row])

            for _ in copy_tiles(matrix, self.tiles, write, executor):
                pass
            label = f"the temporary copy of {matrix.label}"
            yield ContiguousMatrix(FileSnapshot(file.path), 0, matrix.shape, dtype, label)
