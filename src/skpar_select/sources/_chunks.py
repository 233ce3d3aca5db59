"""Chunks of an HDF5 dataset, read as they are stored and decoded here.

The places of all chunks are asked of HDF5 once a process. After that neither h5py nor its lock
takes part: reading is ``preadv``, and every worker decodes for itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray
from skpar_select.sources._buffers import empty
from skpar_select.sources._codecs import Filter, compresses, decode, shuffles
from skpar_select.sources._file import StillFile, read_at
from skpar_select.sources._opening import open_file
from skpar_select.sources._runs import Run, crossing, cut, place, stretches, touched

_BYTE = np.dtype(np.uint8)

# Of a chunk in the index: its offset, its size, its mask of filters.
INDEX_BYTES = 8 + 8 + 4

# What the addresses of a chunk and of its place in a block take while it is in flight (measured).
CHUNK_BYTES = 1000


class _Index(NamedTuple):
    """Where the chunks are in the file, by row and column of chunks."""

    offsets: Array
    sizes: Array
    masks: Array


class _Chunk(NamedTuple):
    """A chunk that holds wanted values."""

    offset: int
    size: int
    mask: int
    rows: Run
    columns: Run


@dataclass(frozen=True)
class RawChunks:
    """A matrix in chunks that :func:`~skpar_select.sources._codecs.decode` knows to decode.

    Parameters
    ----------
    file : StillFile
        The file.
    dataset : str
        Its name there.
    shape : tuple of int
        (n_samples, n_features).
    dtype : numpy.dtype
        Of the values as stored.
    chunks : tuple of int
        The shape of a chunk.
    filters : tuple of Filter
        In the order in which they were applied.
    where : str
        The matrix in words, for errors.
    """

    file: StillFile
    dataset: str
    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunks: tuple[int, int]
    filters: tuple[Filter, ...]
    where: str

    def storage(
        self, rows: range | IndexArray, columns: range | IndexArray | None = None
    ) -> Storage:
        """Tell how the given rows lie; of some columns alone, where all reads are of these."""
        sizes = self._index().sizes
        bands = touched(rows, self.chunks[0])
        panels = slice(None) if columns is None else touched(columns, self.chunks[1])
        hit = sizes[crossing(bands, panels)]
        if not hit.size:
            hit = np.zeros((1, 1), dtype=np.int64)
        return Storage(
            kind="chunks",
            stored_bytes=int(hit.sum()),
            chunks=self.chunks,
            compressed=compresses(self.filters),
            n_rows=self.shape[0],
            raw_panel=int(hit.sum(axis=0).max()) + CHUNK_BYTES * hit.shape[0],
            raw_band=int(hit.sum(axis=1).max()) + CHUNK_BYTES * hit.shape[1],
            raw_chunk=int(hit.max()) + CHUNK_BYTES,
            # As stored, where a read goes from chunk to chunk.
            read_bytes=int(hit.max()),
            # What was decoded; the same in the order of bytes that it had.
            decode_bytes=self._chunk_bytes * (1 + shuffles(self.filters)),
            index_bytes=INDEX_BYTES * sizes.size,
        )

    def read(self, rows: range | IndexArray, columns: range | IndexArray) -> Array:
        """Read the values where rows and columns cross, holding one chunk at a time."""
        out = empty((len(rows), len(columns)), self.dtype)
        with self.file.opened() as descriptor:
            for chunk in self._hit(rows, columns):
                raw = empty((chunk.size,), _BYTE)
                self._fetch(descriptor, chunk, raw)
                self._place(chunk, raw, out)
        return out

    def fetch(self, rows: range | IndexArray, columns: range | IndexArray) -> Callable[[], Array]:
        """Read the chunks as they are stored; give what decodes them, to be called once."""
        hit = self._hit(rows, columns)
        held = [empty((sum(chunk.size for chunk in hit),), _BYTE)]
        with self.file.opened() as descriptor:
            for chunk, raw in _cut(held[0], hit):
                self._fetch(descriptor, chunk, raw)

        def decoded() -> Array:
            out = empty((len(rows), len(columns)), self.dtype)
            for chunk, raw in _cut(held.pop(), hit):
                self._place(chunk, raw, out)
            return out

        return decoded

    @property
    def _chunk_bytes(self) -> int:
        return self.chunks[0] * self.chunks[1] * self.dtype.itemsize

    def _index(self) -> _Index:
        return _index(
            self.file.path, self.file.stamp, self.dataset, self.shape, self.chunks, self.where
        )

    def _hit(self, rows: range | IndexArray, columns: range | IndexArray) -> list[_Chunk]:
        """Give the chunks that hold wanted values, each once, in the order of the file."""
        bands, panels = list(_by(rows, self.chunks[0])), list(_by(columns, self.chunks[1]))
        if not bands or not panels:
            return []
        crossing = np.ix_(
            [run.stretch.start // self.chunks[0] for run in bands],
            [run.stretch.start // self.chunks[1] for run in panels],
        )
        offsets, sizes, masks = (array[crossing].ravel().tolist() for array in self._index())
        runs = ((band, panel) for band in bands for panel in panels)
        hit = [
            _Chunk(offset, size, mask, *both)
            for offset, size, mask, both in zip(offsets, sizes, masks, runs, strict=True)
        ]
        return sorted(hit, key=lambda chunk: chunk.offset)

    def _fetch(self, descriptor: int, chunk: _Chunk, raw: Array) -> None:
        try:
            read_at(descriptor, chunk.offset, raw)
        except OSError as error:
            raise self._told(chunk, error) from error

    def _place(self, chunk: _Chunk, raw: Array, out: Array) -> None:
        try:
            decoded = decode(raw, self.filters, chunk.mask, self._chunk_bytes)
        except OSError as error:
            raise self._told(chunk, error) from error
        values = decoded.view(self.dtype).reshape(self.chunks)
        rows, columns = chunk.rows, chunk.columns
        at = (rows.stretch.start % self.chunks[0], columns.stretch.start % self.chunks[1])
        place(values, rows, columns, out, at=at)

    def _told(self, chunk: _Chunk, error: OSError) -> OSError:
        first = [
            run.stretch.start // length * length
            for run, length in zip((chunk.rows, chunk.columns), self.chunks, strict=True)
        ]
        last = [
            min(start + length, end) - 1
            for start, length, end in zip(first, self.chunks, self.shape, strict=True)
        ]
        return OSError(
            f"{self.where}: the chunk of rows {first[0]} to {last[0]}, columns {first[1]} to "
            f"{last[1]} cannot be read ({error}). The file must be whole. Copy it again, or write "
            "it again."
        )


def _cut(raw: Array, chunks: list[_Chunk]) -> Iterator[tuple[_Chunk, Array]]:
    start = 0
    for chunk in chunks:
        yield chunk, raw[start : start + chunk.size]
        start += chunk.size


def _by(wanted: range | IndexArray, length: int) -> Iterator[Run]:
    """Cut what is wanted at the borders of chunks."""
    if isinstance(wanted, range) and wanted.step == 1:
        yield from stretches(wanted, length)
        return
    index = np.asarray(wanted, dtype=np.intp)
    order = np.argsort(index, kind="stable")
    ordered = index[order]
    yield from cut(order, ordered, np.diff(ordered // length) > 0)


# As many files as one wide matrix, of a file for each chromosome, is made of, and a few more.
@lru_cache(maxsize=32)
def _index(
    path: str,
    stamp: tuple[int, int],
    dataset: str,
    shape: tuple[int, int],
    chunks: tuple[int, int],
    where: str,
) -> _Index:
    grid = (-(-shape[0] // chunks[0]), -(-shape[1] // chunks[1]))
    index = _Index(
        np.full(grid, -1, dtype=np.int64), np.zeros(grid, np.int64), np.zeros(grid, np.uint32)
    )

    def note(chunk: Any) -> None:
        place = chunk.chunk_offset[0] // chunks[0], chunk.chunk_offset[1] // chunks[1]
        if place[0] >= grid[0] or place[1] >= grid[1]:
            raise OSError(
                f"{where}: a chunk at row {chunk.chunk_offset[0]}, column {chunk.chunk_offset[1]} "
                "lies outside the matrix. The file must be whole. Copy it again, or write it again."
            )
        index.offsets[place] = chunk.byte_offset
        index.sizes[place] = chunk.size
        index.masks[place] = chunk.filter_mask

    with open_file(path) as handle:
        handle[dataset].id.chunk_iter(note)
    size, _ = stamp
    outside = (index.offsets < 0) | (index.sizes <= 0) | (index.sizes > size - index.offsets)
    if outside.any():
        band, panel = np.argwhere(outside)[0].tolist()
        raise OSError(
            f"{where}: {np.count_nonzero(outside)} chunks are missing or lie outside the file, "
            f"the first at row {band * chunks[0]}, column {panel * chunks[1]}. The file must be "
            "whole. Copy it again, or write it again."
        )
    return index
