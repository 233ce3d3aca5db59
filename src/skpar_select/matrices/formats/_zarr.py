"""Zarr stores, versions 2 and 3: a folder, or the same in one zip file.

The zarr library reads them. Labels are one-dimensional arrays of text beside the matrix: the
coordinates that its dimensions are named after, as xarray writes them; arrays that are called after
what they are; or, where AnnData has written the store, the index of ``obs`` and ``var``.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpar_select._memory import format_bytes
from skpar_select._typing import Names
from skpar_select._wording import listing
from skpar_select.matrices._labels import Axis, as_text, check_number
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.formats._hdf5 import CONVENTIONAL
from skpar_select.matrices.io._checks import is_matrix
from skpar_select.matrices.io._heap import MOST_BYTES
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.io._zarr import METADATA, arrays, check_codecs, open_zarr
from skpar_select.matrices.io._zip import names_in_zip
from skpar_select.matrices.readers import ZarrMatrix


class ZarrFormat(Format):
    """A store in a folder or in a zip file."""

    def recognises(self, session: FileSession) -> bool:
        """Return whether the folder, or the zip file, has the metadata of a store."""
        if session.is_folder:
            return any(os.path.exists(os.path.join(session.path, name)) for name in METADATA)
        if not session.begins_with(b"PK\x03\x04"):
            return False
        return any(name in METADATA for name in names_in_zip(session.path))

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Find an array, by default the only one that can be a matrix, or AnnData's ``X``."""
        with open_zarr(session.path) as root:
            held = arrays(root)
            by_anndata = root.attrs.get("encoding-type") == "anndata"
            name = _name_of(held, dataset, by_anndata, session.path)
            label = f"'{session.path}', array '{name}'" if name else f"'{session.path}'"
            if name not in held:
                raise _no_array(root, held, name, label)
            matrix = ZarrMatrix.of(session.path, name, held[name], label)
            dimensions = _dimensions(held[name])
        return OpenedZarr(matrix, rows_are_samples=by_anndata, name=name, dimensions=dimensions)


@dataclass(frozen=True)
class OpenedZarr(OpenedMatrix):
    """An array, whose labels lie in other arrays of the store."""

    name: str = ""

    dimensions: tuple[str, ...] = ()
    """What its axes are called, where they are."""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Read the array of a name, or the one beside the matrix that fits."""
        length = self.matrix.shape[along]
        with open_zarr(session.path) as root:
            held = arrays(root)
            if self.rows_are_samples:
                found = self._in_frame(root, place, along)
            elif place == "auto":
                found = self._auto(held, axis, along, length)
            else:
                found = place.strip("/")
            if found is None:
                return None
            label = f"{axis}={place!r} in '{session.path}', array '{found}'"
            if found not in held:
                lines = [name for name, array in held.items() if len(array.shape) == 1]
                raise ValueError(
                    f"{label} does not exist. One-dimensional arrays of this store are: "
                    f"{', '.join(lines[:10]) or 'none'}. Name one of them, or give the names "
                    "themselves."
                )
            return _read_names(held[found], label, axis, length), label

    def _in_frame(self, root: Any, place: str, along: int) -> str | None:
        frame = "obs" if along == 0 else "var"
        if along == 1 and self.name != "X" and not self.name.startswith("layers/"):
            return None
        if frame not in root:
            return None
        index = str(root[frame].attrs.get("_index", "_index"))
        return f"{frame}/{index if place == 'auto' else place}"

    def _auto(self, held: dict[str, Any], axis: Axis, along: int, length: int) -> str | None:
        folder = self.name.rpartition("/")[0]
        beside = {
            name.rpartition("/")[2]: name
            for name, array in held.items()
            if name.rpartition("/")[0] == folder and array.shape == (length,)
        }
        if self.dimensions and self.dimensions[along] in beside:
            return beside[self.dimensions[along]]
        known = [beside[name] for name in sorted(beside) if name.lower() in CONVENTIONAL[axis]]
        if len(known) > 1:
            raise ValueError(
                f"{axis}='auto' fits {listing(known, quoted=False)} in {self.matrix.label}. It "
                f"must fit one array without doubt. Name it, as in {axis}={known[0]!r}, or leave "
                f"the names out with {axis}=None."
            )
        return known[0] if known else None


def _name_of(held: dict[str, Any], dataset: str | None, by_anndata: bool, path: str) -> str:
    if dataset is not None:
        return dataset.strip("/")
    if by_anndata:
        return "X"
    matrices = [
        name for name, array in held.items() if is_matrix(array.shape, np.dtype(array.dtype))
    ]
    if len(matrices) == 1:
        return matrices[0]
    listed = [f"'{name}' {array.shape}" for name, array in held.items()]
    raise ValueError(
        f"dataset=None means the only two-dimensional numeric array of '{path}', which has "
        f"{len(matrices)}. The store holds {listing(listed, most=10, quoted=False) or 'no array'}. "
        "Name one, as dataset."
    )


def _no_array(root: Any, held: dict[str, Any], name: str, label: str) -> ValueError:
    if name in root and str(root[name].attrs.get("encoding-type", "")).startswith("cs"):
        return ValueError(
            f"{label} is a sparse matrix of AnnData. Sparse matrices are read from .h5ad files. "
            "Write it as one: anndata.read_zarr(path).write_h5ad('cells.h5ad')."
        )
    listed = [f"'{other}' {array.shape}" for other, array in held.items()]
    return ValueError(
        f"{label} does not exist. The store holds "
        f"{listing(listed, most=10, quoted=False) or 'no array'}. Name one of them."
    )


def _dimensions(array: Any) -> tuple[str, ...]:
    """Return the names of the axes: in the metadata, or in xarray's attribute of version 2."""
    metadata = array.metadata.to_dict()
    names = metadata.get("dimension_names") or array.attrs.get("_ARRAY_DIMENSIONS") or ()
    return tuple(str(name) for name in names) if len(names) == len(array.shape) else ()


def _read_names(array: Any, label: str, axis: Axis, length: int) -> Names:
    if len(array.shape) != 1:
        raise ValueError(
            f"{label} has shape {array.shape}. Names are one-dimensional text. Name another array, "
            "or give the names themselves."
        )
    check_number(array.shape[0], label, axis, length)
    check_codecs(array, label)
    # A text is an object, which takes a reference at least. Chunks without a file take nothing in a store.
    n_bytes = array.shape[0] * max(8, np.dtype(array.dtype).itemsize)
    if n_bytes > MOST_BYTES:
        raise ValueError(
            f"{label} takes {format_bytes(n_bytes)} in memory. Names that are read at once take at "
            f"most {format_bytes(MOST_BYTES)}. Give them in a text file, as a pathlib.Path, or leave "
            "them out. If there were not meant to be so many, the store is damaged."
        )
    try:
        values = array[:]
    except Exception as error:  # codecs raise whatever they like
        raise OSError(
            f"{label} cannot be read ({type(error).__name__}: {error}). The store must be whole. "
            "Copy it again, or write it again."
        ) from error
    if values.dtype.kind in "iu":
        values = values.astype(str)
    return np.asarray([as_text(name, label) for name in values.tolist()], dtype=object)
