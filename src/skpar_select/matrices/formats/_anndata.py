"""AnnData files, ``.h5ad``: observations x variables, dense or sparse, with data frames beside.

https://anndata.readthedocs.io/en/stable/fileformat-prose.html describes the format. h5py alone reads
it. Samples are the observations; their ids are the index of ``obs``, the names of features that of
``var``; another column of these frames is taken by its name.
"""

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from skpar_select._typing import Array, Names
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._labels import Axis, check_number
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.formats._hdf5 import open_dataset
from skpar_select.matrices.formats._names import names_at, read_names
from skpar_select.matrices.io._anndata import encoding_of, find_frame, is_anndata
from skpar_select.matrices.io._attributes import attribute
from skpar_select.matrices.io._datasets import find_dataset, follow, member_names
from skpar_select.matrices.io._lines import read_line
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import SparseRowsMatrix, TransposedMatrix

_SPARSE = ("csr_matrix", "csc_matrix")


class AnnDataFormat(Format):
    """A file that AnnData has written."""

    def recognises(self, session: FileSession) -> bool:
        """Return whether the file says so, or looks so and is called so."""
        return session.is_hdf5 and is_anndata(session)

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Find a matrix, dense or sparse: ``X``, or another such as ``layers/NAME``."""
        name = "X" if dataset is None else dataset.strip("/")
        return OpenedAnnData(_open(session, name), rows_are_samples=True, name=name)


@dataclass(frozen=True)
class OpenedAnnData(OpenedMatrix):
    """A matrix between the data frames ``obs`` and ``var``."""

    name: str = ""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Read the index, or the column `place`, of the data frame along an axis."""
        frame = "obs" if along == 0 else "raw/var" if self.name.startswith("raw/") else "var"
        if along == 1 and place == "auto" and self.name.rpartition("/")[0] not in _WITH_VAR:
            return None
        label = f"{axis}={place!r} in '{session.path}', '{frame}'"
        group, index = find_frame(session.hdf5, frame, label)
        # The column alone, or with the frame that it is in.
        column = index if place == "auto" else place.strip("/").removeprefix(f"{frame}/")
        # The name may lead through links, which HDF5 would follow into other files.
        if follow(session.hdf5, f"{frame}/{column}", label) is None:
            columns = (
                ", ".join([name for name in member_names(group) if name != index][:10]) or "none"
            )
            raise ValueError(
                f"{axis}={place!r} in '{session.path}': the frame '{frame}' has no column {column!r}. "
                f"Columns there are: {columns}. Name one of them, or take the index with "
                f"{axis}='auto'."
            )
        length = self.matrix.shape[along]
        return _read_column(session.hdf5, f"{frame}/{column}", label, axis, length), label


@dataclass(frozen=True)
class OpenedSparseGroup(OpenedMatrix):
    """A sparse matrix of AnnData by itself, in whatever HDF5 file, without labels."""

    @classmethod
    def open(cls, session: FileSession, name: str) -> OpenedMatrix:
        """Open the group of a name."""
        matrix = _open(session, name.strip("/"))
        return cls(matrix, rows_are_samples=True)


# The folders of a file whose matrices have the variables of a frame `var`.
_WITH_VAR = ("", "layers", "raw")


def _open(session: FileSession, name: str) -> Matrix:
    label = f"'{session.path}', '{name}'"
    found = follow(session.hdf5, name, label)
    if found is None:
        raise ValueError(
            f"{label} does not exist. An AnnData file holds a matrix as X or a layer; "
            f"{_list_matrices(session.hdf5)}"
        )
    if isinstance(found, h5py.Dataset):
        return open_dataset(session, name)
    encoding = encoding_of(found)
    if encoding not in _SPARSE:
        what = f"a group of encoding-type {encoding!r}" if encoding else "a group"
        raise ValueError(
            f"{label} is {what}. A matrix is a dataset, a csr_matrix or a csc_matrix; "
            f"{_list_matrices(session.hdf5)}"
        )
    shape = np.asarray(attribute(found, "shape", ()))
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 0:
        raise ValueError(
            f"{label} has the attribute shape={shape.tolist()}. It must be two numbers. The file "
            "is damaged: write it again."
        )
    n_samples, n_features = (int(length) for length in shape)
    opened = session.snapshot, session.hdf5, name
    if encoding == "csr_matrix":
        description = "compressed rows (csr_matrix)"
        return SparseRowsMatrix(*opened, (n_samples, n_features), label, description)
    description = "compressed columns (csc_matrix)"
    stored = SparseRowsMatrix(*opened, (n_features, n_samples), label, description)
    return TransposedMatrix(stored, description)


def _list_matrices(file: Any) -> str:
    """Say which matrices a file has, and how one is named."""
    layers = _found(file, "layers")
    names = member_names(layers) if isinstance(layers, h5py.Group) else []
    places = ["X", *(f"layers/{name}" for name in names), "raw/X"]
    held = [place for place in places if _is_matrix(file, place)]
    if not held:
        return "this one has none. Read the file with anndata and write it again."
    return f"this one has {', '.join(held[:10])}. Name one as dataset."


def _is_matrix(file: Any, place: str) -> bool:
    item = _found(file, place)
    if isinstance(item, h5py.Group):
        return encoding_of(item) in _SPARSE
    return isinstance(item, h5py.Dataset) and item.shape is not None and len(item.shape) == 2


def _found(file: Any, place: str) -> Any:
    try:
        return follow(file, place, place)
    except ValueError:
        # It lies in another file.
        return None


def _read_column(file: Any, place: str, label: str, axis: Axis, length: int) -> Names:
    item = follow(file, place, label)
    if isinstance(item, h5py.Dataset):
        return read_names(item, label, axis, length)
    kind = encoding_of(item)
    if kind == "categorical":
        categories = find_dataset(file, f"{place}/categories", label)
        codes = _read_numbers(file, f"{place}/codes", label, axis, length)
        n_categories = categories.shape[0] if categories.shape else 0
        if codes.dtype.kind not in "iu" or ((codes < 0) | (codes >= n_categories)).any():
            raise ValueError(
                f"{label} has missing values or codes beyond its {n_categories} categories. "
                "Every sample and feature needs a name. Name another column."
            )
        return names_at(categories, label, codes.astype(np.intp))
    if kind.startswith("nullable-string"):
        if _read_numbers(file, f"{place}/mask", label, axis, length).any():
            raise ValueError(
                f"{label} has missing values. Every sample and feature needs a name. Name another "
                "column."
            )
        return read_names(find_dataset(file, f"{place}/values", label), label, axis, length)
    raise ValueError(
        f"{label} is a group of encoding-type {kind!r}. Names are text, whole numbers or "
        "categories. Name another column."
    )


def _read_numbers(file: Any, place: str, label: str, axis: Axis, length: int) -> Array:
    """Read one number for every name, such as its category."""
    data = find_dataset(file, place, label)
    if data.shape is None or len(data.shape) != 1:
        raise ValueError(
            f"{label}: '{place}' has shape {data.shape}. It must have one dimension. The file is "
            "damaged: write it again."
        )
    check_number(data.shape[0], f"{label}: '{place}'", axis, length)
    return read_line(data, f"{label}: '{place}'")
