"""Matrices in HDF5 files: one two-dimensional numeric dataset of a file.

The file is opened for every read and closed after it. That costs about a millisecond a block,
and in return no handle is shared between threads, inherited by a fork, pickled or leaked, and
every read notices a file that is no longer the one that was opened first.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h5py
import numpy as np

from skpar_select._typing import Array
from skpar_select.sources._chunks import RawChunks
from skpar_select.sources._codecs import Filter, decoded_here, pipeline
from skpar_select.sources._contiguous import Contiguous
from skpar_select.sources._datasets import check_readable, datasets, find_dataset, listing
from skpar_select.sources._file import StillFile, can_read_at
from skpar_select.sources._filters import check_filters
from skpar_select.sources._opening import open_file
from skpar_select.sources._rectangles import Reader
from skpar_select.sources._shape import checked_shape


class HDF5Container:
    """The address of a dataset, and how it lies in its file.

    Parameters
    ----------
    path : str or path-like
        The file.
    dataset : str or None
        The name of the dataset in the file; None for the only one that can be a matrix.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is no HDF5 file or cannot be opened.
    ValueError
        If there is no such dataset, it is no matrix of real numbers, or its values do not lie
        in the file itself.
    """

    def __init__(self, path: str | os.PathLike[str], dataset: str | None) -> None:
        self.file = StillFile(path)
        self.path = self.file.path
        with open_file(self.path) as file:
            self.dataset = _only_matrix(file, self.path) if dataset is None else dataset
            self.where = f"'{self.path}', dataset '{self.dataset}'"
            data = find_dataset(file, self.dataset, self.where)
            _check_matrix(data, self.where)
            self.dtype: np.dtype[Any] = data.dtype
            self.shape = checked_shape(data.shape, self.dtype, self.where)
            check_readable(data, self.where)
            self.chunks: tuple[int, int] | None = data.chunks
            filters = pipeline(data)
            self.layout = _layout(data, filters)
            self.stored_bytes: int = data.id.get_storage_size()
            self.direct: Contiguous | RawChunks | None = self._direct(file, data, filters)

    def _direct(
        self, file: Any, data: Any, filters: tuple[Filter, ...]
    ) -> Contiguous | RawChunks | None:
        # HDF5 tells the places of chunks without the user block in some versions.
        if not can_read_at() or file.userblock_size or 0 in self.shape:
            return None
        # Of other types than NumPy's, and of what is no truth value, HDF5 makes something.
        stored = data.id.get_type()
        if self.dtype.kind == "b" or not stored.equal(h5py.h5t.py_create(self.dtype)):
            return None
        if self.chunks is None:
            offset = data.id.get_offset()
            # None for a compact dataset, which lies in its own header.
            if offset is None:
                return None
            return Contiguous(self.file, offset, self.shape, self.dtype, self.where)
        if not decoded_here(filters, self.dtype.itemsize):
            return None
        return RawChunks(
            self.file, self.dataset, self.shape, self.dtype, self.chunks, filters, self.where
        )

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer the one that was opened first."""
        self.file.check_unchanged()

    @contextmanager
    def open(self) -> Iterator[Reader]:
        """Open the file for as long as the context lasts."""
        self.check_unchanged()
        with open_file(self.path) as file:
            data = file[self.dataset]
            # In a process of its own the plugins must be registered anew.
            check_filters(data, self.where)

            def read(rows: slice, columns: slice, out: Array) -> None:
                try:
                    data.read_direct(out, np.s_[rows, columns])
                except OSError as error:
                    raise OSError(
                        f"{self.where}: rows {rows.start} to {rows.stop - 1}, columns "
                        f"{columns.start} to {columns.stop - 1} cannot be read ({error}). The "
                        "file must be whole and its compression filter installed. Check or copy "
                        "the file again; for filters beyond gzip and lzf: pip install "
                        "hdf5plugin, and import it."
                    ) from error

            yield read
        # HDF5 gives zeros, silently, for what is cut off a file while it is open.
        self.check_unchanged()


def _only_matrix(file: Any, path: str) -> str:
    found = [name for name, data in datasets(file) if _is_matrix(data)]
    if len(found) == 1:
        return found[0]
    held = f"{len(found)} of them: {', '.join(found[:10])}" if found else "none"
    raise ValueError(
        f"'{path}': dataset=None means the only two-dimensional numeric dataset of a file; this "
        f"one holds {held}. "
        + (
            f"Name one, as in dataset={found[0]!r}."
            if found
            else f"It holds {listing(file)}; write the matrix as one two-dimensional dataset."
        )
    )


def _is_matrix(data: Any) -> bool:
    return data.shape is not None and len(data.shape) == 2 and data.dtype.kind in "biuf"


def _check_matrix(data: Any, where: str) -> None:
    if data.shape is None or len(data.shape) != 2:
        raise ValueError(
            f"{where} has shape {data.shape}. A matrix has two dimensions, samples x features. "
            "Name a two-dimensional dataset."
        )
    if data.dtype.kind not in "biuf":
        what = {"O": "text or objects", "S": "text", "V": "compound values", "c": "complex numbers"}
        raise ValueError(
            f"{where} holds {what.get(data.dtype.kind, 'no numbers')} ({data.dtype}). A matrix "
            "holds real numbers. Name a numeric dataset, or store its numeric columns as one."
        )


def _layout(data: Any, filters: tuple[Filter, ...]) -> str:
    if not data.chunks:
        return "contiguous"
    chunks = " x ".join(str(length) for length in data.chunks)
    return ", ".join([f"chunks of {chunks}", *(filter_.name for filter_ in filters)])
