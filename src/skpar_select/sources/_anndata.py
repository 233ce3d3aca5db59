"""AnnData files, ``.h5ad``: observations x variables, dense or sparse, with data frames beside.

https://anndata.readthedocs.io/en/stable/fileformat-prose.html tells the format. Read with h5py
alone. Samples are the observations, ids of samples the index of ``obs``, names of features that
of ``var``; another column of these frames is taken by its name.
"""

from os import PathLike
from typing import Any

import h5py
import numpy as np

from skpar_select._typing import Array, Names
from skpar_select.sources._compressed import CompressedContainer
from skpar_select.sources._datasets import check_readable, find_dataset, follow
from skpar_select.sources._file import StillFile
from skpar_select.sources._hdf5 import HDF5Container
from skpar_select.sources._lazy import Container
from skpar_select.sources._names import Axis, as_names, check_number, names_at
from skpar_select.sources._opening import open_file
from skpar_select.sources._transposed import TransposedContainer

_SPARSE = ("csr_matrix", "csc_matrix")


def is_anndata(path: str) -> bool:
    """Tell whether a file is one that AnnData has written."""
    if not h5py.is_hdf5(path):
        return False
    with open_file(path) as file:
        return _encoding(file) == "anndata" or (path.endswith(".h5ad") and "obs" in file)


def open_anndata(path: str | PathLike[str], dataset: str | None) -> Container:
    """Find a matrix: ``X``, or another such as ``layers/NAME``.

    Raises
    ------
    ValueError
        If there is no such matrix, or it is neither dense nor compressed rows or columns.
    """
    name = "X" if dataset is None else dataset.strip("/")
    file = StillFile(path)
    where = f"'{file.path}', '{name}'"
    with open_file(file.path) as handle:
        found = follow(handle, name, where)
        if found is None:
            raise ValueError(
                f"{where} does not exist. An AnnData file holds a matrix as X or a layer; "
                f"{_which(handle)}"
            )
        if isinstance(found, h5py.Dataset):
            return HDF5Container(file.path, name)
        encoding = _encoding(found)
        if encoding not in _SPARSE:
            what = f"a group of encoding-type {encoding!r}" if encoding else "a group"
            raise ValueError(
                f"{where} is {what}. A matrix is a dataset, a csr_matrix or a csc_matrix; "
                f"{_which(handle)}"
            )
        shape = np.asarray(found.attrs.get("shape", ()))
    if shape.shape != (2,) or shape.dtype.kind not in "iu" or shape.min() < 0:
        raise ValueError(
            f"{where} has the attribute shape={shape.tolist()}. It must be two numbers. The file "
            "is damaged: write it again."
        )
    n_samples, n_features = (int(length) for length in shape)
    if encoding == "csr_matrix":
        return CompressedContainer(
            file, name, (n_samples, n_features), where, "compressed rows (csr_matrix)"
        )
    turned = CompressedContainer(
        file, name, (n_features, n_samples), where, "compressed columns (csc_matrix)"
    )
    container = TransposedContainer(turned)
    container.layout = turned.layout
    return container


def _which(file: Any) -> str:
    """Say which matrices a file has, and how one is named."""
    layers = _held(file, "layers")
    names = sorted(layers) if isinstance(layers, h5py.Group) else []
    places = ["X", *(f"layers/{name}" for name in names), "raw/X"]
    held = [place for place in places if _is_matrix(file, place)]
    if not held:
        return "this one has none. Read the file with anndata and write it again."
    return (
        f"this one has {', '.join(held[:10])}. Name one as dataset, or on the command line with "
        "--dataset or --layer."
    )


def _is_matrix(file: Any, place: str) -> bool:
    item = _held(file, place)
    if isinstance(item, h5py.Group):
        return _encoding(item) in _SPARSE
    return isinstance(item, h5py.Dataset) and item.shape is not None and len(item.shape) == 2


def _held(file: Any, place: str) -> Any:
    try:
        return follow(file, place, place)
    except ValueError:
        # It lies in another file.
        return None


def anndata_names(
    container: Any, place: str, axis: Axis, lengths: dict[Axis, int], along: int
) -> tuple[Names, str] | None:
    """Read the index, or the column `place`, of the data frame along an axis."""
    # Compressed columns are compressed rows, transposed.
    container = getattr(container, "stored", container)
    name = getattr(container, "group", None) or container.dataset
    with open_file(container.path) as file:
        frame = "obs" if along == 0 else "raw/var" if name.startswith("raw/") else "var"
        if name.rpartition("/")[0] not in ("", "layers", "raw") and along == 1 and place == "auto":
            return None
        where = f"{axis}={place!r} in '{container.path}', '{frame}'"
        group = follow(file, frame, where)
        if not isinstance(group, h5py.Group):
            raise ValueError(
                f"{where} is no data frame that can be read here. AnnData 0.7 and later write obs "
                "and var as groups. Read the file with anndata and write it again."
            )
        index = str(_text_of(group.attrs.get("_index", "_index")))
        column = index if place == "auto" else place
        if column not in group:
            columns = ", ".join(sorted(set(group) - {index})[:10]) or "none"
            raise ValueError(
                f"{where} does not exist. Columns there are: {columns}. Name one of them, or take "
                f"the index with {axis}='auto'."
            )
        return _column(file, f"{frame}/{column}", where, axis, lengths[axis]), where


def _column(file: Any, place: str, where: str, axis: Axis, length: int) -> Names:
    item = follow(file, place, where)
    if isinstance(item, h5py.Dataset):
        return as_names(item, where, axis, length)
    kind = _encoding(item)
    if kind == "categorical":
        categories = find_dataset(file, f"{place}/categories", where)
        codes = _numbers(file, f"{place}/codes", where, axis, length)
        n_categories = categories.shape[0] if categories.shape else 0
        if codes.dtype.kind not in "iu" or ((codes < 0) | (codes >= n_categories)).any():
            raise ValueError(
                f"{where} has missing values or codes beyond its {n_categories} categories. "
                "Every sample and feature needs a name. Name another column."
            )
        return names_at(categories, where, codes.astype(np.intp))
    if kind.startswith("nullable-string"):
        if _numbers(file, f"{place}/mask", where, axis, length).any():
            raise ValueError(
                f"{where} has missing values. Every sample and feature needs a name. Name another "
                "column."
            )
        return as_names(find_dataset(file, f"{place}/values", where), where, axis, length)
    raise ValueError(
        f"{where} is a group of encoding-type {kind!r}. Names are text, whole numbers or "
        "categories. Name another column."
    )


def _numbers(file: Any, place: str, where: str, axis: Axis, length: int) -> Array:
    """Read what tells of every name, such as its category."""
    data = find_dataset(file, place, where)
    if data.shape is None or len(data.shape) != 1:
        raise ValueError(
            f"{where}: '{place}' has shape {data.shape}. It must have one dimension. The file is "
            "damaged: write it again."
        )
    check_number(data.shape[0], f"{where}: '{place}'", axis, length)
    check_readable(data, f"{where}: '{place}'")
    values: Array = data[:]
    return values


def _encoding(item: Any) -> str:
    return str(_text_of(item.attrs.get("encoding-type", "")))


def _text_of(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
