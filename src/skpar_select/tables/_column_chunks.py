"""A matrix of HDF5 in chunks of whole columns, written at the places of the chunks."""

import os
import threading
from typing import Any

import h5py
import numpy as np

from skpar_select._typing import Array
from skpar_select.tables._output import Output

# A chunk is what is read at once: small enough for any budget, unless there are very many.
_CHUNK_BYTES = 2**20
_LARGEST_BYTES = 2**24
_MOST_CHUNKS = 2**16
_FEWEST_CHUNKS = 64
_SMALLEST_BYTES = 2**16

# Rows of a chunk that are written at a time.
_PIECE_BYTES = 2**18


def chunks_for(shape: tuple[int, int], itemsize: int) -> tuple[int, int] | None:
    """Return the chunks that blocks of columns are read well from: all rows, where that is possible."""
    n_samples, n_features = shape
    if not n_samples or not n_features:
        return None
    column_bytes = n_samples * itemsize
    chunk_bytes = min(_LARGEST_BYTES, max(_CHUNK_BYTES, column_bytes * n_features // _MOST_CHUNKS))
    wide = min(n_features, max(1, chunk_bytes // column_bytes))
    # Of a small matrix, too, workers and shards each read a part.
    wide = min(wide, max(1, n_features // _FEWEST_CHUNKS, _SMALLEST_BYTES // column_bytes))
    return min(n_samples, max(1, chunk_bytes // itemsize)), wide


def create_column_chunks(file: Any, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """Create the dataset ``data``, with a place for every chunk and nothing in it."""
    chunks = chunks_for(shape, dtype.itemsize)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    file.create_dataset("data", shape, dtype, chunks=chunks, dcpl=plist)


class ColumnChunks:
    """The chunks of a dataset of :func:`create_column_chunks`, to be written by several threads.

    Parameters
    ----------
    output : Output
        The file.
    data : h5py.Dataset
        The dataset; it need not stay open.
    """

    def __init__(self, output: Output, data: Any) -> None:
        self._output = output
        self.shape, self.dtype, self._chunks = data.shape, data.dtype, data.chunks or (1, 1)
        tall, wide = self._chunks
        self._places = np.zeros((-(-self.shape[0] // tall), -(-self.shape[1] // wide)), np.int64)
        self._lock = threading.Lock()

        def note(chunk: Any) -> None:
            row, column = chunk.chunk_offset
            self._places[row // tall, column // wide] = chunk.byte_offset

        if data.chunks is not None:
            data.id.chunk_iter(note)

    @property
    def is_whole(self) -> bool:
        """Whether every chunk has a place in the file."""
        return bool((self._places > 0).all())

    def write(self, rows: slice, columns: slice, values: Array) -> None:
        """Write a rectangle; OSError in the words of the output."""
        tall, wide = self._chunks
        most = max(1, _PIECE_BYTES // (wide * self.dtype.itemsize))
        row = rows.start
        while row < rows.stop:
            stop = min(row + most, rows.stop, row // tall * tall + tall)
            for first in range(columns.start // wide * wide, columns.stop, wide):
                held = slice(max(first, columns.start), min(first + wide, columns.stop))
                part = values[
                    row - rows.start : stop - rows.start,
                    held.start - columns.start : held.stop - columns.start,
                ]
                self._write(row, first, held, part)
            row = stop

    def _write(self, row: int, first: int, held: slice, values: Array) -> None:
        """Write rows of one chunk, of which these columns may be a part."""
        tall, wide = self._chunks
        line_bytes = wide * self.dtype.itemsize
        place = int(self._places[row // tall, first // wide]) + row % tall * line_bytes
        if values.shape[1] == wide:
            self._put(place, np.ascontiguousarray(values))
            return
        piece = np.zeros((len(values), wide), dtype=self.dtype)
        within = slice(held.start - first, held.stop - first)
        if held.start == first and held.stop == self.shape[1]:
            piece[:, within] = values
            self._put(place, piece)
            return
        # Another tile has the other columns of the chunk.
        with self._lock:
            there = os.pread(self._output.descriptor, piece.nbytes, place)
            piece.reshape(-1).view(np.uint8)[: len(there)] = np.frombuffer(there, np.uint8)
            piece[:, within] = values
            self._put(place, piece)

    def _put(self, place: int, piece: Array) -> None:
        flat: Any = piece.reshape(-1).view(np.uint8)
        rest = memoryview(flat)
        try:
            while rest:
                done = os.pwrite(self._output.descriptor, rest, place)
                place, rest = place + done, rest[done:]
        except OSError as error:
            raise self._output.described(error) from error
