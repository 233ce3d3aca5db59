"""Chunks that HDF5 decodes: what it finds is held against the index before it decodes anything."""

from itertools import product
from typing import Any
from uuid import uuid4

import h5py
import numpy as np

from skpar_select._typing import Array
from skpar_select.matrices.io._chunk_heads import check_head
from skpar_select.matrices.io._chunk_index import ChunkIndex, read_chunk_index
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._filters import Filter, pipeline
from skpar_select.matrices.io._heap import REFERENCE_BYTES

_BITSHUFFLE = 32008


class HDF5Chunks:
    """The chunks of an open dataset; nothing is looked at where it has none."""

    def __init__(self, file: FileSnapshot, dataset: str, data: Any, label: str) -> None:
        self._data = data
        self._filters = pipeline(data)
        self._index: ChunkIndex | None = None
        if data.chunks and 0 not in data.shape:
            self._index = read_chunk_index(
                file.path, file.stamp, dataset, data.shape, data.chunks, label
            )
            n_values = int(np.prod(data.chunks, dtype=object))
            self._n_bytes = n_values * data.id.get_type().get_size()
            # One for all of them: to touch new memory takes longer than to read into it.
            self._raw = np.empty(int(self._index.sizes.max()), np.uint8)

    def check(self, part: tuple[slice, ...]) -> None:
        """Refuse chunks of a rectangle that HDF5 does not find, or that decode to too much.

        The words of the OSError follow "cannot be read".
        """
        if self._index is None:
            return
        chunks = self._data.chunks
        numbers = (
            range(some.start // length, -(-some.stop // length))
            for some, length in zip(part, chunks, strict=True)
        )
        for place in product(*numbers):
            corner = tuple(number * length for number, length in zip(place, chunks, strict=True))
            # Found as HDF5 finds it when it reads; else it would give fill values.
            try:
                mask, raw = self._data.id.read_direct_chunk(corner, out=self._raw)
            except (RuntimeError, ValueError) as error:
                raise OSError(f"HDF5 finds no chunk at {corner}: {error}") from error
            if (mask, len(raw)) != (self._index.masks[place], self._index.sizes[place]):
                raise OSError(f"HDF5 finds another chunk at {corner} than its index has")
            check_head(np.asarray(raw), self._filters, mask, self._n_bytes)


def decode_references(raw: Array, applied: tuple[Filter, ...], n_bytes: int) -> Array:
    """Undo filters that HDF5 alone has, of a chunk of references, in a file in memory.

    In its own file HDF5 would follow them. The words of the OSError follow "cannot be read".
    """
    check_head(raw, applied, 0, n_bytes)
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    kind, n_references = (
        h5py.h5t.create(h5py.h5t.OPAQUE, REFERENCE_BYTES),
        n_bytes // REFERENCE_BYTES,
    )
    properties.set_chunk((n_references,))
    for filter_ in applied:
        # bitshuffle puts three values of its own before those that it is given.
        options = filter_.options[3 if filter_.code == _BITSHUFFLE else 0 :]
        properties.set_filter(filter_.code, h5py.h5z.FLAG_MANDATORY, options)
    # HDF5 knows a file by its name, in memory too.
    with h5py.File(str(uuid4()), "w", driver="core", backing_store=False) as file:
        space = h5py.h5s.create_simple((n_references,))
        data = h5py.h5d.create(file.id, b"x", kind, space, properties)
        data.write_direct_chunk((0,), raw.tobytes())
        out = np.empty(n_references, np.dtype((np.void, REFERENCE_BYTES)))
        data.read(h5py.h5s.ALL, h5py.h5s.ALL, out, kind)
    return out.view(np.uint8)
