"""Where the chunks of a dataset lie in an HDF5 file, checked before any is read.

HDF5's older index of chunks has no checksum. Where a number of it is wrong, HDF5 finds no chunk at a
place, and gives fill values, or takes other bytes for the chunk. So the index is read as a list and
held against the grid: one chunk at each place of it, and no two in the same bytes.
"""

from array import array
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import uuid4

import h5py
import numpy as np

from skpar_select._typing import Array
from skpar_select.matrices.io._datasets import find_dataset
from skpar_select.matrices.io._file import Stamp
from skpar_select.matrices.io._filters import Filter, pipeline, shuffles
from skpar_select.matrices.io._hdf5 import open_hdf5

# No superblock is shorter.
_SUPERBLOCK = 48

_USER_BLOCK = 512


INDEX_BYTES = 8 + 8 + 4
"""What is held of each chunk: its offset, its size and its mask of filters."""


class ChunkIndex(NamedTuple):
    """Where the chunks lie in the file, by their place in the grid."""

    offsets: Array
    sizes: Array
    masks: Array


# A wide matrix may have a file for each chromosome, and a sparse one has three datasets.
@lru_cache(maxsize=64)
def read_chunk_index(
    path: str,
    stamp: Stamp,
    dataset: str,
    shape: tuple[int, ...],
    chunks: tuple[int, ...],
    label: str,
) -> ChunkIndex:
    """Return the places of all chunks, read once a process; OSError where they contradict each other."""
    grid = tuple(-(-length // chunk) for length, chunk in zip(shape, chunks, strict=True))
    n_chunks = int(np.prod(grid, dtype=object))
    width = len(shape) + 3
    found = array("Q")

    def note(chunk: Any) -> bool | None:
        found.extend((*chunk.chunk_offset, chunk.byte_offset, chunk.size, chunk.filter_mask))
        # An index that leads back to itself would go on for ever.
        return True if len(found) > width * n_chunks else None

    with open_hdf5(path) as handle:
        data = find_dataset(handle, dataset, label)
        filters = pipeline(data)
        # Text of variable length is never shuffled, whatever its filters.
        is_text = data.dtype.kind == "O"
        data.id.chunk_iter(note)
        head = handle.userblock_size
    if len(found) != width * n_chunks:
        counted = "more" if len(found) > width * n_chunks else len(found) // width
        raise _damaged(label, f"its index names {counted} of {n_chunks} chunks")
    table = np.frombuffer(found, dtype=np.uint64).reshape(n_chunks, width)
    corners = table[:, : len(shape)]
    places = corners // np.array(chunks, dtype=np.uint64)
    off_grid = np.any(corners % np.array(chunks, np.uint64), axis=1, keepdims=True)
    _check(corners, off_grid, "off its grid", label)
    outside = np.any(places >= np.array(grid, np.uint64), axis=1, keepdims=True)
    _check(corners, outside, "outside the matrix", label)
    flat = np.ravel_multi_index(tuple(places.astype(np.intp).T), grid)
    order = np.argsort(flat, kind="stable")
    twice = np.zeros(n_chunks, dtype=bool)
    twice[order[1:]] = np.diff(flat[order]) == 0
    _check(corners, twice, "at the place of another", label)
    offsets, sizes, masks = table[order, len(shape) :].T
    if not is_text:
        _check(corners[order], _odd_masks(masks, filters), "without some of their filters", label)
    size = np.uint64(stamp.size)
    first = np.uint64(_SUPERBLOCK + (head if _counts_user_block() else 0))
    outside = (offsets < first) | (offsets > size) | (sizes == 0)
    outside |= sizes > size - np.minimum(offsets, size)
    _check(corners[order], outside, "missing, or outside the file", label)
    by_offset = np.argsort(offsets, kind="stable")
    overlapping = np.zeros(n_chunks, dtype=bool)
    overlapping[by_offset[1:]] = offsets[by_offset[1:]] < (offsets + sizes)[by_offset[:-1]]
    _check(corners[order], overlapping, "in the bytes of another", label)
    shift = 0 if _counts_user_block() else head
    return ChunkIndex(
        offsets.astype(np.int64).reshape(grid) + shift,
        sizes.astype(np.int64).reshape(grid),
        masks.astype(np.uint32).reshape(grid),
    )


def _odd_masks(masks: Array, filters: tuple[Filter, ...]) -> Array:
    """Return where filters were left out that none leaves out alone."""
    # A compressor is left out where it makes a chunk no smaller. What is written as it is has none.
    every = (1 << len(filters)) - 1
    shuffling = sum(1 << place for place, filter_ in enumerate(filters) if shuffles((filter_,)))
    odd: Array = (masks & np.uint64(shuffling) != 0) & (masks != every)
    return odd | (masks > every)


def _check(corners: Array, wrong: Array, what: str, label: str) -> None:
    if wrong.any():
        at = ", ".join(str(number) for number in corners[int(np.argmax(wrong))])
        raise _damaged(label, f"{np.count_nonzero(wrong)} chunks are {what}, the first at ({at})")


def _damaged(label: str, what: str) -> OSError:
    return OSError(
        f"{label}: {what}. A file has every chunk once, at a place of its own. Copy it again, or "
        "write it again."
    )


@lru_cache(maxsize=1)
def _counts_user_block() -> bool:
    """Return whether this HDF5 counts the places of chunks from the begin of the file.

    Some versions count them from the end of the user block.
    """
    options: dict[str, Any] = {"driver": "core", "backing_store": False}
    # HDF5 knows a file by its name, in memory too.
    with h5py.File(str(uuid4()), "w", userblock_size=_USER_BLOCK, **options) as file:
        data = file.create_dataset("x", data=np.frombuffer(b"one chunk", np.uint8), chunks=(9,))
        file.flush()
        place = file.id.get_file_image().find(b"one chunk")
        return bool(data.id.get_chunk_info(0).byte_offset != place)
