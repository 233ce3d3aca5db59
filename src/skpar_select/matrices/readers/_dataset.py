"""Datasets that HDF5 itself reads and decodes, under its one lock.

The file is opened for every read and closed after it. That costs about a millisecond a block, and
in return no handle is shared between threads, inherited by a fork, pickled or leaked, and every
read notices a file that is no longer the one that was opened first.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from skpar_select._typing import Array, Index
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._chunk_index import INDEX_BYTES
from skpar_select.matrices.io._datasets import find_dataset
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._filters import check_filters
from skpar_select.matrices.io._hdf5 import open_hdf5
from skpar_select.matrices.io._hdf5_chunks import HDF5Chunks
from skpar_select.matrices.readers._rectangles import Reader, RectangleMatrix

# What HDF5 holds of every chunk that a read touches, its selections above all (measured: 6,900).
CHUNK_BYTES = 7000


@dataclass(eq=False, repr=False)
class DatasetMatrix(RectangleMatrix):
    """A two-dimensional dataset of any type and filter, whose values take `stored_bytes`."""

    file: FileSnapshot
    dataset: str
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunks: tuple[int, int] | None = field()  # else the default of the base would be one here
    stored_bytes: int
    label: str
    description: str

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The file."""
        return (self.file,)

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie, and what HDF5 holds of each chunk."""
        layout = super().layout_of(rows, columns)
        if self.chunks is None:
            return layout
        n_high, n_wide = (
            -(-length // chunk) for length, chunk in zip(self.shape, self.chunks, strict=True)
        )
        # A chunk as stored is looked at before HDF5 reads it.
        chunk_bytes = self.chunks[0] * self.chunks[1] * self.dtype.itemsize
        return replace(
            layout,
            read_bytes=layout.read_bytes + chunk_bytes,
            index_bytes=INDEX_BYTES * n_high * n_wide,
            chunk_column_bytes=CHUNK_BYTES * n_high,
            chunk_row_bytes=CHUNK_BYTES * n_wide,
            chunk_bytes=CHUNK_BYTES,
        )

    @contextmanager
    def open_reader(self) -> Iterator[Reader]:
        """Open the file for as long as the context lasts."""
        self.check_unchanged()
        with open_hdf5(self.file.path) as file:
            data = find_dataset(file, self.dataset, self.label)
            # In a process of its own the plugins must be registered anew.
            check_filters(data, self.label)
            chunks = HDF5Chunks(self.file, self.dataset, data, self.label)

            def read(rows: slice, columns: slice, out: Array) -> None:
                try:
                    chunks.check((rows, columns))
                    data.read_direct(out, np.s_[rows, columns])
                except OSError as error:
                    raise OSError(
                        f"{self.label}: rows {rows.start} to {rows.stop - 1}, columns "
                        f"{columns.start} to {columns.stop - 1} cannot be read ({error}). The "
                        "file must be whole and its compression filter installed. Check or copy "
                        "the file again; for filters beyond gzip and lzf: pip install "
                        "hdf5plugin, and import it."
                    ) from error

            yield read
        # HDF5 gives zeros, silently, for the rest of a file that is cut short while it is open.
        self.check_unchanged()
