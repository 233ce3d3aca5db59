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
from skpar_select.sources._file import StillFile, can_read_at
from skpar_select.sources._filters import check_filters
from skpar_select.sources._opening import open_file as open_file  # other containers open by it
from skpar_select.sources._rectangles import Reader


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
            data = _find(file, self.dataset, self.where)
            _check_matrix(data, self.where)
            _check_stored_here(data, self.where)
            self.shape: tuple[int, int] = data.shape
            self.dtype: np.dtype[Any] = data.dtype
            self.chunks: tuple[int, int] | None = data.chunks
            filters = pipeline(data)
            check_filters(data, self.where)
            self.layout = _layout(data, filters)
            self.direct: Contiguous | RawChunks | None = self._direct(file, data, filters)

    def _direct(
        self, file: Any, data: Any, filters: tuple[Filter, ...]
    ) -> Contiguous | RawChunks | None:
        # HDF5 tells the places of chunks without the user block in some versions.
        if not can_read_at() or file.userblock_size or not data.size:
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
        if not decoded_here(filters):
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


def datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """All datasets that lie in this file itself, with their names."""
    pending = [("", file)]
    while pending:
        prefix, group = pending.pop()
        for name in sorted(group):
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                # Soft links name a dataset twice, external ones another file's.
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                yield prefix + name, item
            elif isinstance(item, h5py.Group) and prefix.count("/") < _DEEPEST:
                pending.append((f"{prefix}{name}/", item))


# A group may contain itself by a hard link.
_DEEPEST = 16


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
            else f"It holds {_listing(file)}; write the matrix as one two-dimensional dataset."
        )
    )


def _find(file: Any, dataset: str, where: str) -> Any:
    place, group = "", file
    for name in dataset.strip("/").split("/"):
        place = f"{place}/{name}"
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise ValueError(
                f"{where} does not exist. The file holds {_listing(file)}. Name one of them."
            )
        if isinstance(link, h5py.ExternalLink):
            raise ValueError(
                f"{where}: '{place}' is a link to another file, '{link.filename}'. Values must "
                "lie in the file itself. Open that file instead."
            )
        if group.get(name) is None:
            raise ValueError(
                f"{where}: '{place}' is a link to nothing. The file holds {_listing(file)}. "
                "Name one of them."
            )
        group = group[name]
    if group.file.filename != file.filename:
        # A soft link may lead over an external one.
        raise ValueError(
            f"{where} is a link to another file, '{group.file.filename}'. Values must lie in the "
            "file itself. Open that file instead."
        )
    if not isinstance(group, h5py.Dataset):
        raise ValueError(
            f"{where} is a group, not a dataset. The file holds {_listing(file)}. Name one of them."
        )
    return group


def _listing(file: Any) -> str:
    found = [f"'{name}' {data.shape}" for name, data in datasets(file)]
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return (", ".join(found[:10]) + more) if found else "no dataset"


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


def _check_stored_here(data: Any, where: str) -> None:
    # HDF5 answers reads of all these with other files' bytes or with fill values, silently.
    if data.external:
        raise ValueError(
            f"{where} keeps its values in another file, '{data.external[0][0]}'. Values must lie "
            "in the HDF5 file itself. Copy it with h5repack first."
        )
    if data.is_virtual:
        raise ValueError(
            f"{where} is a virtual dataset, put together from {len(data.virtual_sources())} "
            "sources. Values must lie in the file itself. Copy it to an ordinary dataset first."
        )
    if not data.size:
        return
    if data.chunks:
        expected = int(np.prod([-(-n // c) for n, c in zip(data.shape, data.chunks, strict=True)]))
        written = data.id.get_num_chunks()
    else:
        expected, written = 1, int(data.id.get_storage_size() > 0)
    if written < expected:
        raise ValueError(
            f"{where}: {expected - written} of {expected} chunks were never written, and HDF5 "
            "would give fill values for them. All values must be there. Finish writing the file."
        )


def _layout(data: Any, filters: tuple[Filter, ...]) -> str:
    if not data.chunks:
        return "contiguous"
    chunks = " x ".join(str(length) for length in data.chunks)
    return ", ".join([f"chunks of {chunks}", *(filter_.name for filter_ in filters)])
