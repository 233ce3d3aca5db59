"""Objects that other libraries read matrices with, taken in the place of a path.

A holder is recognised by the name of its class and the package that it comes from, so that no
library is imported for an object that is of none. Where the object is the address of something in
a file, the matrix is opened from that file, with all that a path gets; else from the object.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import h5py

from skpar_select._origins import Origin, origins
from skpar_select._wording import quote
from skpar_select.matrices.formats import OpenedMatrix, open_file
from skpar_select.matrices.formats._anndata import OpenedSparseGroup
from skpar_select.matrices.formats._held_anndata import (
    element_of,
    name_of,
    open_in_memory,
    with_names,
)
from skpar_select.matrices.formats._zarr import ZarrFormat
from skpar_select.matrices.io._datasets import members
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.io._zarr import arrays, check_codecs, is_array
from skpar_select.matrices.readers import DaskMatrix, matrix_of_sliced


@dataclass(frozen=True)
class Holder:
    """Where a matrix is that somebody holds in another object."""

    path: str
    """The file or folder, or no text where there is none."""

    open: Callable[[FileSession], OpenedMatrix]
    """Opens the matrix, in a session on the path."""


# HDF5's drivers that read one file of the file system as it is.
_DRIVERS_OF_FILES = ("sec2", "stdio", "direct")

# Stores of Zarr that lie in the file system.
_STORES_OF_FILES = ("LocalStore", "ZipStore")

# They iterate over the names of their columns, which would be taken for paths.
_FRAMES = ("DataFrame", "LazyFrame")


def find_holder(X: Any, dataset: str | None) -> Holder | None:
    """Return where an object holds a matrix, or None for what is none of these objects.

    Parameters
    ----------
    X : object
        A dataset or group of h5py, AnnData, an array or group of Zarr, or an array of dask.
    dataset : str, default=None
        The matrix in it, where it holds several.

    Raises
    ------
    TypeError, ValueError
        If the object is known, but has no such matrix, or none that can be read.
    """
    hold = _hold_function(X)
    return None if hold is None else hold(X, dataset)


def is_holder(X: Any) -> bool:
    """Return whether an object is one of those that hold a matrix, or of those that are refused."""
    return _hold_function(X) is not None


def list_sources(paths: Any) -> list[Any]:
    """Return paths and holders as a list, or raise TypeError where anything else is among them."""
    remedy = (
        "It must be a path, an object of h5py, zarr, dask or anndata that holds a matrix, or a sequence of "
        "these. What is in memory goes to the selector as it is."
    )
    if isinstance(paths, Mapping) or any(name in _FRAMES for _, name in origins(paths)):
        raise TypeError(f"path is a {type(paths).__name__}, which names no file. {remedy}")
    if not isinstance(paths, Iterable):
        raise TypeError(f"path={quote(paths)} names no file. {remedy}")
    listed = []
    for source in paths:
        if not isinstance(source, str | os.PathLike) and not is_holder(source):
            raise TypeError(
                f"path is a {type(paths).__name__} with a {type(source).__name__} in it, which "
                f"names no file. {remedy}"
            )
        listed.append(source)
    return listed


def _hold_function(X: Any) -> Callable[[Any, str | None], Holder] | None:
    return next((_HOLDERS[origin] for origin in origins(X) if origin in _HOLDERS), None)


def _hold_dataset(data: Any, dataset: str | None) -> Holder:
    label = "the dataset of h5py"
    _check_open(data, label)
    if dataset is not None:
        raise ValueError(
            f"dataset={dataset!r} with a dataset of h5py, '{data.name}'. It is one matrix already. "
            "Leave dataset out, or give the file."
        )
    if data.name is None:
        raise ValueError(
            f"{label} has no name in its file. A matrix is read again by its name. Give it one, "
            "file['data'] = dataset."
        )
    return _hold_place(data, str(data.name))


def _hold_group(group: Any, dataset: str | None) -> Holder:
    _check_open(group, "the file or group of h5py")
    within = "" if group.name in (None, "/") else str(group.name)
    if dataset is not None:
        return _hold_place(group, f"{within}/{dataset.strip('/')}")
    if not within:
        return _hold_place(group, None)
    if "encoding-type" in group.attrs:
        return _hold_sparse_group(group)
    inside = [
        name
        for name, item in members(group)
        if isinstance(item, h5py.Dataset) and item.ndim == 2 and item.dtype.kind in "biuf"
    ]
    if len(inside) != 1:
        listed = ", ".join(sorted(inside)[:10]) or "none"
        raise ValueError(
            f"the group '{within}' of h5py holds {len(inside)} matrices ({listed}). Exactly one "
            "must be meant. Name it, open_matrix(group, 'name')."
        )
    return _hold_place(group, f"{within}/{inside[0]}")


def _hold_place(item: Any, name: str | None) -> Holder:
    return Holder(_path_of(item), partial(open_file, dataset=name))


def _hold_sparse_group(group: Any) -> Holder:
    open_group = partial(OpenedSparseGroup.open, name=str(group.name))
    return Holder(_path_of(group), open_group)


def _check_open(item: Any, label: str) -> None:
    if not item:
        raise ValueError(
            f"{label} belongs to a file that has been closed. A matrix is found through the open "
            "one. Give the path and the name, open_matrix('x.h5', 'data')."
        )


def _path_of(item: Any) -> str:
    """Return the path of an object's file, if what is there is what the object shows."""
    file = item.file
    path = os.fsdecode(file.filename)
    if file.driver not in _DRIVERS_OF_FILES:
        raise ValueError(
            f"'{path}' is open by h5py's driver {file.driver!r}. A matrix is read from one file of "
            "the file system, without h5py. Write it to a file, or give an array of it: data[:]."
        )
    if file.mode != "r":
        raise ValueError(
            f"'{path}' is open for writing (mode {file.mode!r}). What was written may not be in "
            "the file yet, so that other values would be read. Close it and open it again with "
            "h5py.File(path, 'r'), or anndata.read_h5ad(path, backed='r')."
        )
    return path


def _hold_compressed(data: Any, dataset: str | None) -> Holder:
    """Hold ``adata.X`` of a backed AnnData whose matrix is sparse."""
    group = data.group
    if not isinstance(group, h5py.Group):
        raise TypeError(
            "the sparse matrix lies in a Zarr store. Sparse matrices are read from .h5ad files. "
            "Write it as one: anndata.read_zarr(path).write_h5ad('cells.h5ad')."
        )
    _check_open(group, "the sparse matrix of AnnData")
    if dataset is not None:
        raise ValueError(
            f"dataset={dataset!r} with one sparse matrix of AnnData, '{group.name}'. It is one "
            "matrix already. Leave dataset out, or give the AnnData."
        )
    _path_of(group)
    return _hold_sparse_group(group)


def _hold_anndata(adata: Any, dataset: str | None) -> Holder:
    name = name_of(dataset)
    if adata.isbacked and adata.is_view:
        raise TypeError(
            "X is a view of an AnnData that is backed by a file. A view of one names no place of "
            "its file. Load it, X.to_memory(), or open the file and take its rows: "
            "open_matrix(adata.filename)[rows]."
        )
    element = element_of(adata, name)
    held = find_holder(element, None)
    if held is None:
        return Holder("", lambda session: open_in_memory(adata, name, element))
    return Holder(held.path, lambda session: with_names(held.open(session), adata, name))


def _hold_zarr(node: Any, dataset: str | None) -> Holder:
    """Hold an array or a group of Zarr: by its place, if the store is in the file system."""
    store = node.store
    kind = type(store).__name__
    name = node.path
    if dataset is not None:
        if is_array(node):
            raise ValueError(
                f"dataset={dataset!r} with an array of Zarr, '{name}'. It is one matrix already. "
                "Leave dataset out, or give the group."
            )
        name = f"{name}/{dataset.strip('/')}".lstrip("/")
    if kind in _STORES_OF_FILES and (is_array(node) or dataset is not None or not name):
        path = os.path.abspath(store.root if kind == "LocalStore" else store.path)
        named = name if is_array(node) or dataset is not None else None
        return Holder(path, partial(ZarrFormat().open, dataset=named))
    if not is_array(node):
        found = arrays(node) if dataset is None else {dataset: node[dataset]}
        matrices = [array for array in found.values() if len(array.shape) == 2]
        if len(matrices) != 1:
            raise ValueError(
                f"the group '{name}' of Zarr holds {len(matrices)} matrices. Exactly one must be "
                "meant. Name it, open_matrix(group, 'name')."
            )
        return _hold_zarr(matrices[0], None)
    label = f"the array '{name}' of Zarr"
    check_codecs(node, label)
    matrix = matrix_of_sliced(node, label, f"Zarr, in a {kind}")
    return Holder("", lambda session: OpenedMatrix(matrix))


def _hold_dask(array: Any, dataset: str | None) -> Holder:
    if dataset is not None:
        raise ValueError(
            f"dataset={dataset!r} with an array of dask. It is one matrix already. Leave dataset out."
        )
    matrix = DaskMatrix(array)
    return Holder("", lambda session: OpenedMatrix(matrix))


def _refuse_dask_frame(frame: Any, dataset: str | None) -> Holder:
    raise TypeError(
        f"X is a {type(frame).__name__} of dask, which does not know how many rows it has. A "
        "matrix has a shape before it is read. Give its array, and the names of its columns: "
        "open_matrix(frame.to_dask_array(lengths=True), feature_names=list(frame.columns)); or "
        "write it once with frame.to_parquet and give the folder to open_matrix."
    )


_HOLDERS: dict[Origin, Callable[[Any, str | None], Holder]] = {
    ("h5py", "Dataset"): _hold_dataset,
    ("h5py", "Group"): _hold_group,
    ("anndata", "AnnData"): _hold_anndata,
    ("zarr", "Array"): _hold_zarr,
    ("zarr", "Group"): _hold_zarr,
    ("dask", "Array"): _hold_dask,
    ("dask", "DataFrame"): _refuse_dask_frame,
    ("dask", "Series"): _refuse_dask_frame,
    ("anndata", "BaseCompressedSparseDataset"): _hold_compressed,
}
