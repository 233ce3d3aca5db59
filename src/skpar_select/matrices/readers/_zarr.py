"""Arrays of Zarr, which the library reads and decodes, one chunk at a time.

A store in a folder has a file for each chunk. Their sizes and times of change are noted when the
array is opened, once a process, and compared whenever one is read. A chunk that has no file is all
of the fill value, as Zarr writes such chunks.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from skpar_select._typing import Array, Index
from skpar_select.matrices._base import FingerprintPart
from skpar_select.matrices._layout import Layout
from skpar_select.matrices.io._checks import check_matrix_shape
from skpar_select.matrices.io._file import FileSnapshot, stamp_of
from skpar_select.matrices.io._selection import borders_of, boxes
from skpar_select.matrices.io._zarr import (
    check_codecs,
    metadata_file,
    n_decoding_threads,
    open_zarr,
)
from skpar_select.matrices.readers._rectangles import Reader, RectangleMatrix

# The size and both times of change of each file.
STAMP_BYTES = 24

# A grid of so many files takes 400 MB of stamps, and a minute to look at.
MOST_FILES = 2**24

# zarr decodes in threads of its own, and the allocator of each keeps a chunk as stored and decoded: of 2 MB in six
# threads 17 to 26 MB stayed. Larger pieces than this the C library gives back.
LARGEST_KEPT = 2**25

# While one chunk is read: as stored, decoded, and twice on the way through codecs and buffers.
CHUNKS_HELD = 4


@dataclass(eq=False, repr=False)
class ZarrMatrix(RectangleMatrix):
    """A two-dimensional array of a store, in a folder or in a zip file."""

    store: str
    name: str
    file: FileSnapshot
    """What describes the array; of a zip file, that."""

    shape: tuple[int, int]
    dtype: np.dtype[Any]
    chunks: tuple[int, int] | None = field()
    file_chunks: tuple[int, int] | None
    """The rectangle that lies in one file; None in a zip file."""

    stamp: bytes
    """A digest of the sizes and times of all files of chunks."""

    stored_bytes: int
    label: str
    description: str

    @classmethod
    def of(cls, store: str, name: str, array: Any, label: str) -> "ZarrMatrix":
        """Return an open array of a store as a matrix; ValueError if it is none."""
        shape = check_matrix_shape(array.shape, array.dtype, label)
        check_codecs(array, label)
        chunks = _within(array.chunks, shape)
        words = f"Zarr {array.metadata.zarr_format}, chunks of {chunks[0]} x {chunks[1]}"
        given = (shape, np.dtype(array.dtype), chunks)
        if not os.path.isdir(store):
            file = FileSnapshot(store)
            return cls(store, name, file, *given, None, b"", file.size, label, f"{words}, zipped")
        file = FileSnapshot(metadata_file(store, name))
        in_file = _within(array.shards or array.chunks, shape)
        n_files = _n_files(shape, in_file)
        if n_files > MOST_FILES:
            raise ValueError(
                f"{label} of shape {shape} has {n_files} files of chunks of {in_file[0]} x "
                f"{in_file[1]}. A store in a folder has at most {MOST_FILES}, which are looked at "
                "one by one. Write it in larger chunks, or in shards. If it was not meant to be so "
                "large, its metadata are damaged."
            )
        stamps = _stamps(array, store, name, shape, in_file)
        stored = int(stamps[..., 0].clip(min=0).sum()) + file.size
        return cls(store, name, file, *given, in_file, _digest(stamps), stored, label, words)

    @property
    def files(self) -> tuple[FileSnapshot, ...]:
        """The file that describes the array, or the zip file."""
        return (self.file,)

    def layout_of(self, rows: Index, columns: Index) -> Layout:
        """Describe how the given rows and columns lie."""
        assert self.chunks is not None
        layout = super().layout_of(rows, columns)
        chunk = self.chunks[0] * self.chunks[1] * self.dtype.itemsize
        held = (CHUNKS_HELD - 2) * chunk  # of which the base counts two
        n_files = 0 if self.file_chunks is None else _n_files(self.shape, self.file_chunks)
        return replace(
            layout,
            read_bytes=layout.read_bytes + held,
            kept_bytes=2 * chunk * n_decoding_threads() if chunk <= LARGEST_KEPT else 0,
            index_bytes=STAMP_BYTES * n_files,
        )

    @contextmanager
    def open_reader(self) -> Iterator[Reader]:
        """Open the store for as long as the context lasts."""
        assert self.chunks is not None
        borders = borders_of(self.shape, self.chunks)
        self.file.check_unchanged()
        with open_zarr(self.store, self.name) as array:

            def read(rows: slice, columns: slice, out: Array) -> None:
                for box, place in boxes(rows, columns, borders):
                    stamp = self._check_chunk(array, box)
                    try:
                        out[place] = array[box]
                    except Exception as error:  # codecs raise whatever they like
                        raise OSError(
                            f"{self.label}: the chunk of rows {box[0].start} to "
                            f"{box[0].stop - 1}, columns {box[1].start} to {box[1].stop - 1} "
                            f"cannot be read ({type(error).__name__}: {error}). The store must be "
                            "whole. Copy it again, or write it again."
                        ) from error
                    if self._check_chunk(array, box) != stamp:
                        raise self._changed()

            yield read
        self.file.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise OSError if the metadata or any chunk is no longer what it was."""
        super().check_unchanged()
        if self.file_chunks is not None:
            with open_zarr(self.store, self.name) as array:
                stamps = _stamps(array, self.store, self.name, self.shape, self.file_chunks)
            if _digest(stamps) != self.stamp:
                raise self._changed()

    def fingerprint_parts(self) -> Iterator[FingerprintPart]:
        """Yield what determines the values: the metadata, and the files of all chunks."""
        yield from super().fingerprint_parts()
        yield self.stamp

    def _check_chunk(self, array: Any, box: tuple[slice, slice]) -> tuple[int, int, int] | None:
        if self.file_chunks is None:
            return None
        noted = _noted(self.store, self.name, self.stamp, self.shape, self.file_chunks)
        if noted is None:
            raise self._changed()
        place = tuple(
            part.start // length for part, length in zip(box, self.file_chunks, strict=True)
        )
        stamp = _stamp_of(_path_of(array, self.store, self.name, place))
        if stamp != tuple(noted[place].tolist()):
            raise self._changed()
        return stamp

    def _changed(self) -> OSError:
        return OSError(
            f"{self.label} has changed since it was opened: a chunk of it has another size, or was "
            "written at another time. A matrix must stay as it is while it is used. Open it "
            "again with open_matrix."
        )


def _within(chunks: tuple[int, ...], shape: tuple[int, int]) -> tuple[int, int]:
    rows, columns = (
        max(1, min(chunk, length)) for chunk, length in zip(chunks, shape, strict=True)
    )
    return rows, columns


def _n_files(shape: tuple[int, int], chunks: tuple[int, int]) -> int:
    return -(-shape[0] // chunks[0]) * -(-shape[1] // chunks[1])


def _path_of(array: Any, store: str, name: str, place: tuple[int, ...]) -> str:
    return os.path.join(store, name, array.metadata.encode_chunk_key(place))


def _stamp_of(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return -1, -1, -1
    return stamp_of(status)[:3]


def _stamps(
    array: Any, store: str, name: str, shape: tuple[int, int], chunks: tuple[int, int]
) -> Array:
    grid = tuple(-(-length // chunk) for length, chunk in zip(shape, chunks, strict=True))
    stamps = np.empty((*grid, 3), dtype=np.int64)
    for place in np.ndindex(*grid):
        stamps[place] = _stamp_of(_path_of(array, store, name, place))
    return stamps


def _digest(stamps: Array) -> bytes:
    return hashlib.blake2b(stamps.tobytes(), digest_size=16).digest()


# A wide matrix may have an array for each chromosome; and a few more.
@lru_cache(maxsize=32)
def _noted(
    store: str,
    name: str,
    stamp: bytes,
    shape: tuple[int, int],
    chunks: tuple[int, int],
) -> Array | None:
    """Return the stamps of all chunks if their digest is the one given."""
    with open_zarr(store, name) as array:
        stamps = _stamps(array, store, name, shape, chunks)
    return stamps if _digest(stamps) == stamp else None
