"""Columns in HDF5 files: ``obs`` of AnnData, and one-dimensional datasets beside a matrix."""

from functools import partial
from typing import Any

import h5py
import numpy as np

from skpar_select.matrices.io._anndata import encoding_of, find_frame, is_anndata
from skpar_select.matrices.io._attributes import attribute
from skpar_select.matrices.io._datasets import datasets, find_dataset, follow, members, text_of
from skpar_select.matrices.io._lines import read_line
from skpar_select.matrices.io._session import FileSession
from skpar_select.tables._column import Column
from skpar_select.tables._frames import Columns, Source


def hdf5_columns(path: str) -> Columns:
    """Return the columns of a file: those of its frame ``obs``, or its one-dimensional datasets.

    The values are read when they are asked for.
    """
    with FileSession(path) as session:
        file = session.hdf5
        if is_anndata(session):
            return _obs(path, file)
        return [
            Source(name, data.shape[0], partial(_read, path, name), data.dtype.kind == "f")
            for name, data in datasets(file)
            if data.shape is not None and len(data.shape) == 1 and data.dtype.names is None
        ]


def _obs(path: str, file: Any) -> Columns:
    group, index = find_frame(file, "obs", f"'{path}', 'obs'")
    listed = [text_of(name) for name in attribute(group, "column-order", ())]
    held = dict(members(group))
    others = sorted(set(held) - {index, "__categories", *listed})
    places = [index, *(name for name in [*listed, *others] if name != index)]
    length = _length(held.get(index), f"'{path}', 'obs/{index}'")
    return [
        Source(
            "index" if name == "_index" else name,
            length,
            partial(_read, path, f"obs/{name}"),
            isinstance(held[name], h5py.Dataset) and held[name].dtype.kind == "f",
        )
        for name in places
        if name in held
    ]


def _length(item: Any, label: str) -> int:
    """Return the number of rows of a column, which may be a group."""
    for place in ("codes", "values"):
        if isinstance(item, h5py.Group):
            item = dict(members(item)).get(place, item)
    if not isinstance(item, h5py.Dataset) or item.shape is None or len(item.shape) != 1:
        raise ValueError(
            f"{label} is no column. A column is a one-dimensional dataset, or a group of categories "
            "or of values with a mask. Write the file again with anndata."
        )
    return int(item.shape[0])


def _read(path: str, place: str) -> Column:
    with FileSession(path) as session:
        file = session.hdf5
        label = f"'{path}', '{place}'"
        item = follow(file, place, label)
        if isinstance(item, h5py.Group):
            return _read_group(file, item, place, label)
        codes = attribute(item, "categories")
        if isinstance(codes, h5py.Reference):  # as AnnData before 0.8 wrote categories
            return _categorical(_values(item, label), _values(file[codes], label), label)
        return Column.of(_values(item, label))


def _read_group(file: Any, group: Any, place: str, label: str) -> Column:
    encoding = encoding_of(group)

    def part(name: str) -> Any:
        return _values(find_dataset(file, f"{place}/{name}", label), f"{label}, '{name}'")

    if encoding == "categorical":
        return _categorical(part("codes"), part("categories"), label)
    if encoding.startswith("nullable-"):
        return Column.of(part("values"), np.asarray(part("mask"), dtype=bool))
    raise ValueError(
        f"{label} is a group of encoding-type {encoding!r}. A column is numbers, text, categories "
        "or such with a mask. Name another column."
    )


def _categorical(codes: Any, categories: Any, label: str) -> Column:
    if codes.dtype.kind not in "iu" or (codes >= len(categories)).any() or (codes < -1).any():
        raise ValueError(
            f"{label} has codes beyond its {len(categories)} categories. Each must be one of them, "
            "or -1 where there is none. The file is damaged: write it again."
        )
    null = codes < 0
    if not len(categories):
        return Column.of([None] * len(codes))
    return Column.of(categories[np.where(null, 0, codes)], null)


def _values(data: Any, label: str) -> Any:
    """Read a dataset of one dimension: numbers as they are, text as objects."""
    values = read_line(data, label)
    if h5py.check_string_dtype(data.dtype) is None:
        return values
    try:
        return np.array([text.decode("utf-8") for text in values.tolist()], dtype=object)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{label} is not UTF-8 ({error.reason}). Text of a column is in UTF-8. Store it so."
        ) from error
