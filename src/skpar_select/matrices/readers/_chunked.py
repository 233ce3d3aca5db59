"""Chunks of an HDF5 dataset, read as they are stored and decoded by whoever needs them.

HDF5 gives the positions of all chunks once a process. After that neither h5py nor its lock takes
part: ``preadv`` reads, and every worker decodes for itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from skpar_select._stopping import check_stop
from skpar_select._typing import Array, Index
from skpar_select.matrices._base import Matrix, RawBlock
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._buffers import empty
from skpar_select.matrices.io._chunk_index import INDEX_BYTES, ChunkIndex, read_chunk_index
from skpar_select.matrices.io._file import FileSnapshot, read_into
from skpar_select.matrices.io._filters import Filter, compresses, decode, shuffles
from skpar_select.matrices.io._selection import Extent, cross, extents, overlapping, scatter

_BYTE = np.dtype(np.uint8)

# What the allocator keeps of what HDF5 took to give them (measured: up to 370 a chunk, and 22 MB).
HDF5_INDEX_BYTES, MOST_HDF5_INDEX_BYTES = 350, 20 * 2**20

# While a chunk is in flight, its addresses in the file and in the block take so much (measured).
CHUNK_BYTES = 1000


class _Chunk(NamedTuple):
    """A chunk that holds selected values."""

    offset: int
    size: int
    mask: int
    rows: Extent
    columns: Extent


class ChunkedBlock(RawBlock):
    """Chunks as they are stored, which decode to a block."""

    def __init__(
        self, matrix: "ChunkedMatrix", shape: tuple[int, int], chunks: list[_Chunk], raw: Array
    ) -> None:
        self._matrix = matrix
        self._shape = shape
        self._chunks = chunks
        self._raw: Array | None = raw

    def decode(self) -> Array:
        """Return the values; the stored bytes are freed."""
        assert self._raw is not None
        out = empty(self._shape, self._matrix.dtype)
        for chunk, raw in _cut(self._raw, self._chunks):
            self._matrix.decode_into(chunk, raw, out)
        self._raw = None
        return out


@dataclass(eq=False, repr=False)
class ChunkedMatrix(Matrix):
    """A dataset in chunks whose filters :func:`~skpar_select.matrices.io.decode` knows."""

    file: FileSnapshot
    dataset: str
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunks: tuple[int, int]
    filters: tuple[Filter, ...]
    label: str
    description: str

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The file."""
        return (self.file,)

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        sizes = self._index().sizes
        chunk_rows, chunk_columns = (
            overlapping(index, length)
            for index, length in zip((rows, columns), self.chunks, strict=True)
        )
        overlapped = sizes[cross(chunk_rows, chunk_columns)]
        if not overlapped.size:
            overlapped = np.zeros((1, 1), dtype=np.int64)
        return Layout(
            shape=(len(rows), len(columns)),
            dtype=self.dtype,
            order="chunked",
            n_rows=self.shape[0],
            stored_bytes=int(overlapped.sum()),
            chunks=self.chunks,
            compressed=compresses(self.filters),
            chunk_column_bytes=int(overlapped.sum(axis=0).max())
            + CHUNK_BYTES * overlapped.shape[0],
            chunk_row_bytes=int(overlapped.sum(axis=1).max()) + CHUNK_BYTES * overlapped.shape[1],
            chunk_bytes=int(overlapped.max()) + CHUNK_BYTES,
            # A read holds one chunk as stored.
            read_bytes=int(overlapped.max()),
            # A decoded chunk, and the same before its bytes are put in order.
            decode_bytes=self._chunk_bytes * (1 + shuffles(self.filters)),
            index_bytes=INDEX_BYTES * sizes.size
            + min(HDF5_INDEX_BYTES * sizes.size, MOST_HDF5_INDEX_BYTES),
        )

    def read(self, columns: Index, rows: Index | None = None) -> Array:
        """Read the values where rows and columns cross, holding one chunk at a time."""
        rows = range(self.shape[0]) if rows is None else rows
        out = empty((len(rows), len(columns)), self.dtype)
        with self.file.opened() as descriptor:
            for chunk in self._overlapping(rows, columns):
                raw = empty((chunk.size,), _BYTE)
                self._read_into(descriptor, chunk, raw)
                self.decode_into(chunk, raw, out)
        return out

    def fetch(self, columns: Index, rows: Index | None = None) -> ChunkedBlock:
        """Read the chunks as they are stored."""
        rows = range(self.shape[0]) if rows is None else rows
        chunks = self._overlapping(rows, columns)
        held = empty((sum(chunk.size for chunk in chunks),), _BYTE)
        with self.file.opened() as descriptor:
            for chunk, raw in _cut(held, chunks):
                self._read_into(descriptor, chunk, raw)
        return ChunkedBlock(self, (len(rows), len(columns)), chunks, held)

    def decode_into(self, chunk: _Chunk, raw: Array, out: Array) -> None:
        """Decode one chunk, and copy its selected values to their positions."""
        check_stop()
        try:
            decoded = decode(raw, self.filters, chunk.mask, self._chunk_bytes)
        except OSError as error:
            raise self._damaged(chunk, error) from error
        values = decoded.view(self.dtype).reshape(self.chunks)
        at = (
            chunk.rows.source.start % self.chunks[0],
            chunk.columns.source.start % self.chunks[1],
        )
        scatter(values, chunk.rows, chunk.columns, out, at=at)

    @property
    def _chunk_bytes(self) -> int:
        return self.chunks[0] * self.chunks[1] * self.dtype.itemsize

    def _index(self) -> ChunkIndex:
        return read_chunk_index(
            self.file.path, self.file.stamp, self.dataset, self.shape, self.chunks, self.label
        )

    def _overlapping(self, rows: Index, columns: Index) -> list[_Chunk]:
        """Return the chunks that hold selected values, each once, in the order of the file."""
        row_extents, column_extents = (
            list(extents(index, near=length, widest=length))
            for index, length in zip((rows, columns), self.chunks, strict=True)
        )
        if not row_extents or not column_extents:
            return []
        positions = np.ix_(
            [extent.source.start // self.chunks[0] for extent in row_extents],
            [extent.source.start // self.chunks[1] for extent in column_extents],
        )
        offsets, sizes, masks = (array[positions].ravel().tolist() for array in self._index())
        crossings = ((row, column) for row in row_extents for column in column_extents)
        chunks = [
            _Chunk(offset, size, mask, *crossing)
            for offset, size, mask, crossing in zip(offsets, sizes, masks, crossings, strict=True)
        ]
        return sorted(chunks, key=lambda chunk: chunk.offset)

    def _read_into(self, descriptor: int, chunk: _Chunk, raw: Array) -> None:
        try:
            read_into(descriptor, chunk.offset, raw)
        except OSError as error:
            raise self._damaged(chunk, error) from error

    def _damaged(self, chunk: _Chunk, error: OSError) -> OSError:
        first = [
            extent.source.start // length * length
            for extent, length in zip((chunk.rows, chunk.columns), self.chunks, strict=True)
        ]
        last = [
            min(start + length, end) - 1
            for start, length, end in zip(first, self.chunks, self.shape, strict=True)
        ]
        return OSError(
            f"{self.label}: the chunk of rows {first[0]} to {last[0]}, columns {first[1]} to "
            f"{last[1]} cannot be read ({error}). The file must be whole. Copy it again, or write "
            "it again."
        )


def _cut(raw: Array, chunks: list[_Chunk]) -> Iterator[tuple[_Chunk, Array]]:
    start = 0
    for chunk in chunks:
        yield chunk, raw[start : start + chunk.size]
        start += chunk.size
