"""Datasets of one dimension: names, and the parts of sparse matrices.

They are read as matrices are: where their bytes lie is checked, a read that falls short is an error,
and gzip is decoded here. HDF5 reads what it alone can convert or decode, after its chunks were
looked at. Text of variable length never goes through HDF5.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from skpar_select._memory import format_bytes
from skpar_select._typing import Array
from skpar_select.matrices.io._chunk_index import ChunkIndex, read_chunk_index
from skpar_select.matrices.io._datasets import check_readable, lies_as_numpy
from skpar_select.matrices.io._file import FileSnapshot, read_into
from skpar_select.matrices.io._filters import decode, is_decoded_here, pipeline
from skpar_select.matrices.io._hdf5_chunks import HDF5Chunks, decode_references
from skpar_select.matrices.io._heap import MOST_BYTES, REFERENCE_BYTES, HeapFile, read_texts

# No name is longer.
_LONGEST = 2**16

_MOST_CHUNK_BYTES = 2**28

# HDF5's offsets and lengths, in all files but those whose writer asked for other ones.
_SIZES = (8, 8)


class Line:
    """A dataset of one dimension, of an open file.

    Raises ValueError if it has not one dimension, its values lie elsewhere, or they are neither
    numbers nor text.
    """

    def __init__(self, file: FileSnapshot, descriptor: int, data: Any, label: str) -> None:
        check_readable(data, label)
        if data.shape is None or len(data.shape) != 1:
            raise ValueError(
                f"{label} has shape {data.shape}. It must have one dimension. Name another dataset."
            )
        text = h5py.check_string_dtype(data.dtype)
        if data.dtype.kind in "OV" and text is None:
            raise ValueError(
                f"{label} holds {data.dtype}. It must be numbers or text. Name another dataset."
            )
        self.label = label
        self.length = int(data.shape[0])
        self.chunk = int(data.chunks[0]) if data.chunks else 0
        self._file = file
        self._descriptor = descriptor
        self._data = data
        self._filters = pipeline(data)
        self._is_heap = text is not None and text.length is None
        self._base = int(data.file.userblock_size)
        self.dtype: np.dtype[Any] = (
            np.dtype((np.void, REFERENCE_BYTES)) if self._is_heap else data.dtype
        )
        in_place = self._is_heap or lies_as_numpy(data)
        # Whether chunks are decoded here; where values lie that are in none.
        self._here = self._is_heap or (
            in_place and is_decoded_here(self._filters, self.dtype.itemsize)
        )
        self._offset = data.id.get_offset() if in_place and not self.chunk else None
        self._index: ChunkIndex | None = None
        self._by_hdf5: HDF5Chunks | None = None
        if self._is_heap and data.file.id.get_create_plist().get_sizes() != _SIZES:
            raise ValueError(
                f"{label} is of a file with unusual sizes of offsets. Text is read where they have 8 "
                "bytes. Write it again: h5repack x.h5 y.h5."
            )
        if self._is_heap and not self.chunk and self.length and self._offset is None:
            raise ValueError(
                f"{label} lies in its own header, as text of variable length. Such text is read from "
                "a contiguous or chunked dataset. Write it as one."
            )

    def check_size(self) -> None:
        """Refuse a dataset that takes too much memory at once.

        A few bytes of gzip may claim to be gigabytes, and names are read whole.
        """
        itemsize = self.dtype.itemsize
        if itemsize > _LONGEST:
            raise ValueError(
                f"{self.label} holds text of {itemsize} bytes each. A name has at most {_LONGEST}. "
                "Write it with its own length, or give the names themselves."
            )
        if self.length * itemsize > MOST_BYTES or self.chunk * itemsize > _MOST_CHUNK_BYTES:
            raise ValueError(
                f"{self.label} takes {format_bytes(self.length * itemsize)} in memory, in chunks of "
                f"{format_bytes(self.chunk * itemsize)}. What is read at once takes at most "
                f"{format_bytes(MOST_BYTES)}, in chunks of at most {format_bytes(_MOST_CHUNK_BYTES)}. "
                "Write it with shorter text, or in smaller chunks. If it was not meant to be so "
                "large, the file is damaged."
            )

    def read(self, start: int = 0, stop: int | None = None) -> Array:
        """Read some values; text as objects of bytes."""
        stop = self.length if stop is None else stop
        if stop <= start:
            return np.empty(0, object if self._is_heap else self.dtype)
        self._prepare()
        try:
            raw = self._read(start, stop)
        except OSError as error:
            raise OSError(
                f"{self.label}: values {start} to {stop - 1} cannot be read ({error}). The file "
                "must be whole. Copy it again, or write it again."
            ) from error
        if not self._is_heap:
            return raw
        heap = HeapFile(self._descriptor, self._file.size, self._base, self.label)
        return read_texts(heap, raw.view(np.uint8).reshape(-1, REFERENCE_BYTES))

    def _prepare(self) -> None:
        """Find the chunks, once."""
        if self._index is not None or self._by_hdf5 is not None or self._offset is not None:
            return
        data = self._data
        if self.chunk and self._here:
            self._index = read_chunk_index(
                self._file.path, self._file.stamp, data.name, data.shape, data.chunks, self.label
            )
        else:
            self._by_hdf5 = HDF5Chunks(self._file, data.name, data, self.label)

    def _read(self, start: int, stop: int) -> Array:
        if self._index is not None:
            return self._read_chunks(self._index, start, stop)
        if self._by_hdf5 is not None:
            self._by_hdf5.check((slice(start, stop),))
            values: Array = self._data[start:stop]
            return values
        assert self._offset is not None
        out = np.empty(stop - start, self.dtype)
        read_into(self._descriptor, self._offset + start * self.dtype.itemsize, out)
        return out

    def _read_chunks(self, index: ChunkIndex, start: int, stop: int) -> Array:
        out = np.empty(stop - start, self.dtype)
        n_bytes = self.chunk * self.dtype.itemsize
        for number in range(start // self.chunk, -(-stop // self.chunk)):
            raw = np.empty(int(index.sizes[number]), np.uint8)
            read_into(self._descriptor, int(index.offsets[number]), raw)
            values = self._decode(raw, int(index.masks[number]), n_bytes)
            first = number * self.chunk
            begin, end = max(start, first), min(stop, first + self.chunk)
            held = np.ascontiguousarray(values).view(self.dtype)
            out[begin - start : end - start] = held[begin - first : end - first]
        return out

    def _decode(self, raw: Array, mask: int, n_bytes: int) -> Array:
        # Filters that cannot be applied to text are left out of each chunk.
        applied = tuple(
            filter_ for place, filter_ in enumerate(self._filters) if not mask >> place & 1
        )
        if is_decoded_here(applied, self.dtype.itemsize):
            return decode(raw, applied, 0, n_bytes)
        return decode_references(raw, applied, n_bytes)


@contextmanager
def open_line(data: Any, label: str) -> Iterator[Line]:
    """Give a dataset of an open file, for as long as the context lasts."""
    file = FileSnapshot(os.fsdecode(data.file.filename))
    with file.opened() as descriptor:
        yield Line(file, descriptor, data, label)


def read_line(data: Any, label: str) -> Array:
    """Read a dataset of one dimension whole; text as objects of bytes."""
    with open_line(data, label) as line:
        line.check_size()
        return line.read()
