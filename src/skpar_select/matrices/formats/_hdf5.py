"""HDF5 files: one two-dimensional numeric dataset, with labels in datasets beside it."""

from dataclasses import dataclass
from typing import Any

import h5py

from skpar_select._typing import Names
from skpar_select._wording import listing
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._labels import Axis
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.formats._names import is_text, read_names
from skpar_select.matrices.io._checks import check_matrix_shape, is_matrix
from skpar_select.matrices.io._datasets import (
    check_readable,
    check_stored_here,
    datasets,
    find_dataset,
    follow,
    list_datasets,
)
from skpar_select.matrices.io._file import can_read_into
from skpar_select.matrices.io._filters import Filter, is_decoded_here, pipeline
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import ChunkedMatrix, ContiguousMatrix, DatasetMatrix

# What people and programs call them, tried by "auto" where more than one dataset would fit.
CONVENTIONAL: dict[Axis, tuple[str, ...]] = {
    "feature_names": ("feature_names", "features", "columns", "var_names", "probes", "genes"),
    "sample_ids": ("sample_ids", "samples", "index", "ids", "obs_names", "rows"),
}


class HDF5Format(Format):
    """Any other file: it is opened as HDF5, or refused by that."""

    def recognises(self, session: FileSession) -> bool:
        """Take every file."""
        return True

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Find a dataset, by default the only one that can be a matrix."""
        name = _only_matrix(session) if dataset is None else dataset
        return OpenedDataset(open_dataset(session, name), dataset=name)


@dataclass(frozen=True)
class OpenedDataset(OpenedMatrix):
    """A dataset, whose labels lie in other datasets of the file."""

    dataset: str = ""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Read the dataset of a name, or the one beside the matrix that fits."""
        # Where a dataset lies says nothing of its axis; its length and its name do.
        length, other_length = self.matrix.shape[along], self.matrix.shape[1 - along]
        if place == "auto":
            found = _auto(session.hdf5, self.dataset, axis, length, other_length)
            if found is None:
                return None
            place = found
        label = f"{axis}={place!r} in '{session.path}'"
        return read_names(_named(session.hdf5, place, label), label, axis, length), label


def open_dataset(session: FileSession, dataset: str) -> Matrix:
    """Return a dataset as the matrix that reads it best.

    Raises ValueError if there is no such dataset, it is no matrix of real numbers, or its values
    do not lie in the file itself.
    """
    file = session.snapshot
    label = f"'{file.path}', dataset '{dataset}'"
    data = find_dataset(session.hdf5, dataset, label)
    shape = check_matrix_shape(data.shape, data.dtype, label)
    check_readable(data, label)
    filters = pipeline(data)
    description = _describe(data, filters)
    if _lies_as_numpy(session.hdf5, data):
        if data.chunks is None:
            offset = data.id.get_offset()
            # None for a compact dataset, which lies in its own header.
            if offset is not None:
                return ContiguousMatrix(file, offset, shape, data.dtype, label, description)
        elif is_decoded_here(filters, data.dtype.itemsize):
            return ChunkedMatrix(
                file, dataset, shape, data.dtype, data.chunks, filters, label, description
            )
    stored_bytes = data.id.get_storage_size()
    return DatasetMatrix(
        file, dataset, shape, data.dtype, data.chunks, stored_bytes, label, description
    )


def _lies_as_numpy(handle: Any, data: Any) -> bool:
    """Return whether the bytes in the file are the values in a type of NumPy."""
    # Some versions of HDF5 count the offsets of chunks without the user block.
    if not can_read_into() or handle.userblock_size or 0 in data.shape:
        return False
    # HDF5 converts types that NumPy has not, and stored numbers that are no truth values.
    stored = data.id.get_type()
    return data.dtype.kind != "b" and bool(stored.equal(h5py.h5t.py_create(data.dtype)))


def _only_matrix(session: FileSession) -> str:
    file = session.hdf5
    found = [name for name, data in datasets(file) if is_matrix(data.shape, data.dtype)]
    if len(found) == 1:
        return found[0]
    held = f"{len(found)} of them: {', '.join(found[:10])}" if found else "none"
    raise ValueError(
        f"'{session.path}': dataset=None means the only two-dimensional numeric dataset of a file; "
        f"this one holds {held}. "
        + (
            f"Name one, as in dataset={found[0]!r}."
            if found
            else f"It holds {list_datasets(file)}; write the matrix as one two-dimensional dataset."
        )
    )


def _describe(data: Any, filters: tuple[Filter, ...]) -> str:
    if not data.chunks:
        return "contiguous"
    chunks = " x ".join(str(length) for length in data.chunks)
    return ", ".join([f"chunks of {chunks}", *(filter_.name for filter_ in filters)])


def _named(handle: Any, place: str, label: str) -> Any:
    data = follow(handle, place, label)
    if not isinstance(data, h5py.Dataset):
        texts = [name for name, other in datasets(handle) if is_text(other)]
        raise ValueError(
            f"{label} does not exist. One-dimensional text datasets of this file are: "
            f"{', '.join(texts[:10]) or 'none'}. Name one of them, or give the names themselves."
        )
    return data


def _auto(handle: Any, dataset: str, axis: Axis, length: int, other_length: int) -> str | None:
    group = handle[dataset].parent
    fitting = [
        name
        for name in sorted(group)
        if isinstance(group.get(name, getlink=True), h5py.HardLink)
        and isinstance(group[name], h5py.Dataset)
        and is_text(group[name])
        and group[name].shape[0] == length
    ]
    known = [name for name in fitting if name.lower() in CONVENTIONAL[axis]]
    other: Axis = "sample_ids" if axis == "feature_names" else "feature_names"
    # A dataset that is called after the other axis is never taken for this one, and one that
    # repeats itself, such as a group or a sex, is no set of names.
    candidates = known or [
        name
        for name in fitting
        if name.lower() not in CONVENTIONAL[other] and _all_differ(group[name], length)
    ]
    if not candidates:
        return None
    if len(candidates) > 1 or (not known and length == other_length):
        raise ValueError(
            f"{axis}='auto' fits {listing(candidates, quoted=False)} in '{handle.filename}'. It must "
            f"fit one dataset without doubt. Name it, as in {axis}={candidates[0]!r}, or leave "
            f"the names out with {axis}=None."
        )
    return str(group[candidates[0]].name)


def _all_differ(data: Any, length: int) -> bool:
    try:
        check_stored_here(data, data.name)
    except ValueError:
        # Values in another file are skipped, as links to another file are.
        return False
    return len(set(data[:])) == length
