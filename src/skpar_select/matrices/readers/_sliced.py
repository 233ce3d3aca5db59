"""Arrays of dask, and of other libraries that read a rectangle by slicing.

A chunk of dask is computed when it is needed, by the thread that needs it. dask's own scheduler of
threads would hold as many chunks as there are cores.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skpar_select._typing import Array, Index
from skpar_select.matrices._base import FingerprintPart
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._selection import borders_of, boxes
from skpar_select.matrices.readers._rectangles import Reader, RectangleMatrix

# While a chunk is computed: its input, the chunk, and one step between.
CHUNKS_HELD = 3


class SlicedMatrix(RectangleMatrix):
    """An array that gives a rectangle of itself by ``array[rows, columns]``, in chunks.

    Nothing is known of where its values come from: a fingerprint is made of the values.
    """

    def __init__(
        self,
        array: Any,
        chunks: tuple[int, int],
        borders: tuple[Sequence[int], Sequence[int]],
        label: str,
        description: str,
    ) -> None:
        self.array = array
        self.label, self.description = label, description
        self.dtype = np.dtype(array.dtype)
        self.shape = check_matrix_shape(array.shape, self.dtype, label)
        self.chunks = chunks
        self.borders = borders
        self.stored_bytes = self.shape[0] * self.shape[1] * self.dtype.itemsize

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        assert self.chunks is not None
        layout = super().layout_of(rows, columns)
        chunk = self.chunks[0] * self.chunks[1] * self.dtype.itemsize
        # Of which the base counts two.
        return replace(layout, read_bytes=layout.read_bytes + (CHUNKS_HELD - 2) * chunk)

    @contextmanager
    def open_reader(self) -> Iterator[Reader]:
        """Read from the array as it is."""

        def read(rows: slice, columns: slice, out: Array) -> None:
            for box, place in boxes(rows, columns, self.borders):
                values = self.compute(box)
                if issparse(values):
                    values = values.toarray()
                if isinstance(values, np.ma.MaskedArray):
                    raise ValueError(
                        f"{self.label} is masked. What is masked would be read as values. Fill it, "
                        "as with dask.array.ma.filled(array, numpy.nan)."
                    )
                if values.shape != out[place].shape:
                    raise ValueError(
                        f"{self.label}: rows {box[0].start} to {box[0].stop - 1}, columns "
                        f"{box[1].start} to {box[1].stop - 1} came with the shape {values.shape}. "
                        "A chunk must have the shape that the array says. Correct the array."
                    )
                if not np.can_cast(values.dtype, self.dtype, casting="safe"):
                    raise ValueError(
                        f"{self.label} says that its values are {self.dtype}, and a chunk of it "
                        f"is {values.dtype}. Both must be the same. Convert it: array.astype(...)."
                    )
                out[place] = values

        yield read

    def compute(self, box: tuple[slice, slice]) -> Any:
        """Return the values of a rectangle that lies in one chunk."""
        return self.array[box]

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield the values, a column of chunks at a time."""
        assert self.chunks is not None
        yield f"{self.shape} {self.dtype}".encode()
        for start in range(0, self.shape[1], self.chunks[1]):
            yield self.read(range(start, min(start + self.chunks[1], self.shape[1])))


class DaskMatrix(SlicedMatrix):
    """A two-dimensional array of dask, whose chunks have sizes that are known."""

    def __init__(self, array: Any, label: str = "the dask array") -> None:
        sizes = array.chunks
        if any(np.isnan(size) for axis in sizes for size in axis):
            raise ValueError(
                f"{label} has chunks of unknown sizes. A matrix has a shape before it is read. "
                "Compute them: array.compute_chunk_sizes(); or, of a data frame, "
                "frame.to_dask_array(lengths=True)."
            )
        check_matrix_shape(array.shape, np.dtype(array.dtype), label)
        rows, columns = (np.cumsum([0, *axis]).tolist() for axis in sizes)
        largest = max(1, *sizes[0]), max(1, *sizes[1])
        words = f"dask, chunks of up to {largest[0]} x {largest[1]}"
        super().__init__(array, largest, (rows, columns), label, words)

    def compute(self, box: tuple[slice, slice]) -> Any:
        """Compute a rectangle in this thread."""
        return self.array[box].compute(scheduler="synchronous")


def matrix_of_sliced(array: Any, label: str, description: str) -> SlicedMatrix:
    """Return an array in chunks of one size, such as one of Zarr in memory, as a matrix."""
    shape = check_matrix_shape(array.shape, np.dtype(array.dtype), label)
    rows, columns = (
        max(1, min(chunk, length)) for chunk, length in zip(array.chunks, shape, strict=True)
    )
    return SlicedMatrix(
        array, (rows, columns), borders_of(shape, (rows, columns)), label, description
    )
