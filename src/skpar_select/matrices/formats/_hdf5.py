"""HDF5 files: one two-dimensional numeric dataset, with labels in datasets beside it."""

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from skpar_select._typing import Names
from skpar_select._wording import listing
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._labels import Axis
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.formats._names import is_text, is_whole, read_names
from skpar_select.matrices.io._attributes import attribute, has_scales
from skpar_select.matrices.io._checks import check_matrix_shape, is_matrix
from skpar_select.matrices.io._datasets import (
    check_readable,
    check_stored_here,
    datasets,
    find_dataset,
    follow,
    lies_as_numpy,
    list_datasets,
    members,
    text_of,
)
from skpar_select.matrices.io._filters import Filter, is_decoded_here, pipeline
from skpar_select.matrices.io._lines import read_line
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import ChunkedMatrix, ContiguousMatrix, DatasetMatrix

# The attributes by which netCDF, and R's ncdf4 and xarray with it, name such a number.
_FILL_VALUES = frozenset({"_FillValue", "missing_value"})

# What people and programs call them, tried by "auto" where more than one dataset would fit. A
# dataset of such a name is never taken for the other axis.
CONVENTIONAL: dict[Axis, tuple[str, ...]] = {
    "feature_names": ("feature_names", "features", "columns", "var_names", "probes", "genes"),
    "sample_ids": ("sample_ids", "samples", "index", "ids", "obs_names", "rows"),
}

# Tried after these.
_USUAL: dict[Axis, tuple[str, ...]] = {
    "feature_names": (
        "feature", "feature_name", "feature_id", "feature_ids", "column_names", "variables", "vars",
        "probe", "probe_id", "probe_ids", "probe_names", "gene", "gene_id", "gene_ids", "gene_name",
        "gene_names", "gene_symbols", "cpg", "cpgs", "cpg_ids", "sites", "site_ids", "markers", "snps",
        "snp_ids", "variants", "loci", "proteins", "peptides", "metabolites", "transcripts",
    ),
    "sample_ids": (
        "sample", "sample_id", "sampleid", "sample_name", "sample_names", "id", "identifiers",
        "barcode", "barcodes", "cell", "cells", "cell_ids", "cell_id", "cell_names", "obs", "observations",
        "individual", "individuals", "iid", "donor", "donors", "donor_id", "donor_ids", "patient",
        "patients", "patient_id", "patient_ids", "participants", "participant_ids", "subject",
        "subjects", "subject_id", "subject_ids", "row_ids",
    ),
}  # fmt: skip

# Such names do not say which axis is which.
_GENERAL = ("index", "ids", "id", "identifiers", "rows", "row_ids", "columns", "column_names")

# Of either axis: R names the axes of its own order, which is the reverse of HDF5's.
_OF_EITHER = ("rownames", "row_names", "colnames", "col_names", "names")


class HDF5Format(Format):
    """Any other HDF5 file: what is none has been refused before."""

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
            scale = _scale(session.hdf5, self.dataset, axis, along, length)
            if scale is not None:
                label = f"{axis}='auto' in '{session.path}', dimension scale '{scale.name}'"
                return read_names(scale, label, axis, length), label
            found = _auto(session.hdf5, self.dataset, axis, length, other_length)
            if found is None:
                return None
            place = found
        label = f"{axis}={place!r} in '{session.path}'"
        return read_names(_named(session.hdf5, place, label), label, axis, length), label

    def label_length(self, session: FileSession, place: str, axis: Axis) -> int | None:
        """Count the names of a dataset, or of the one beside the matrix that is called after an axis."""
        file = session.hdf5
        if place != "auto":
            label = f"{axis}={place!r} in '{session.path}'"
            data = follow(file, place, label)
            is_line = isinstance(data, h5py.Dataset) and data.shape and len(data.shape) == 1
            return int(data.shape[0]) if is_line else None
        beside = _beside(file, self.dataset)
        for names in (CONVENTIONAL[axis], _USUAL[axis]):
            lengths = {
                int(data.shape[0])
                for name, data in beside.items()
                if name.lower() in names
                and name.lower() not in _GENERAL
                and (is_text(data) or is_whole(data))
            }
            if lengths:
                return lengths.pop() if len(lengths) == 1 else None
        return None


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
    _check_no_fill_value(data, label)
    filters = pipeline(data)
    description = _describe(data, filters)
    if lies_as_numpy(data):
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


def _check_no_fill_value(data: Any, label: str) -> None:
    """Refuse a number that stands for a missing value, as netCDF has it: it would be scored."""
    for name in _FILL_VALUES.intersection(data.attrs):
        value = np.ravel(attribute(data, name))
        if value.size == 1 and value.dtype.kind in "iuf" and not np.isnan(value[0]):
            raise ValueError(
                f"{label} holds {value[0]} for missing values, as its attribute {name!r} says. Numbers "
                "are scored; missing is NaN alone. Write it with NaN in their place, or remove the "
                "attribute if no value is missing."
            )


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


def _scale(handle: Any, dataset: str, axis: Axis, along: int, length: int) -> Any:
    """Return the names that are attached to an axis as a dimension scale, or None.

    HDF5Array attaches its dimnames so, netCDF and xarray their coordinates. The axis to which they
    are attached counts, not what they are called.
    """
    data = find_dataset(handle, dataset, f"'{handle.filename}', dataset '{dataset}'")
    if not has_scales(data):
        return None
    attached = [
        scale
        for scale in data.dims[along].values()
        # What has no name was deleted, and its place may be written over.
        if scale.name and scale.shape == (length,) and _all_differ(scale, length)
    ]
    texts = [scale for scale in attached if is_text(scale)]
    fitting = texts or [scale for scale in attached if is_whole(scale)]
    if len(fitting) > 1:
        listed = listing([scale.name for scale in fitting], quoted=False)
        raise _in_doubt(handle, axis, listed, str(fitting[0].name))
    return fitting[0] if fitting else None


def _beside(handle: Any, dataset: str) -> dict[str, Any]:
    """Return the datasets beside the matrix that lie there themselves, by name."""
    data = find_dataset(handle, dataset, f"'{handle.filename}', dataset '{dataset}'")
    return {name: item for name, item in members(data.parent) if isinstance(item, h5py.Dataset)}


def _auto(handle: Any, dataset: str, axis: Axis, length: int, other_length: int) -> str | None:
    beside = _beside(handle, dataset)

    def differ(name: str) -> bool:
        return _all_differ(beside[name], length)

    texts = [name for name, data in beside.items() if is_text(data) and data.shape[0] == length]
    # Floats never: they are values.
    numbers = [name for name, data in beside.items() if is_whole(data) and data.shape[0] == length]
    usual = _USUAL[axis] if length == other_length else (*_USUAL[axis], *_OF_EITHER)
    known = [name for name in texts if name.lower() in CONVENTIONAL[axis]]
    known = known or [name for name in texts if name.lower() in usual and differ(name)]
    # Numbers beside the matrix may be anything: where several could be names, none are.
    by_number = [name for name in numbers if name.lower() in (*CONVENTIONAL[axis], *usual)]
    if not known and len(by_number) == 1 and differ(by_number[0]):
        known = by_number
    other: Axis = "sample_ids" if axis == "feature_names" else "feature_names"
    # A dataset that is called after the other axis is never taken for this one, and one that
    # repeats itself, such as a group or a sex, is no set of names.
    candidates = known or [
        name for name in texts if name.lower() not in CONVENTIONAL[other] and differ(name)
    ]
    if not candidates:
        return None
    if len(candidates) > 1 or (not known and length == other_length):
        raise _in_doubt(handle, axis, listing(candidates, quoted=False), candidates[0])
    return str(beside[candidates[0]].name)


def _in_doubt(handle: Any, axis: Axis, listed: str, first: str) -> ValueError:
    return ValueError(
        f"{axis}='auto' fits {listed} in '{handle.filename}'. It must fit one dataset without doubt. "
        f"Name it, as in {axis}={first!r}, or leave the names out with {axis}=None."
    )


def _all_differ(data: Any, length: int) -> bool:
    label = f"'{data.file.filename}', dataset '{text_of(data.name)}'"
    try:
        check_stored_here(data, label)
    except ValueError:
        # Values in another file are skipped, as links to another file are.
        return False
    return len(set(read_line(data, label).tolist())) == length
