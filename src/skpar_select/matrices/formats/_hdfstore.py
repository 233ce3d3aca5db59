"""Data frames that pandas has written with ``to_hdf`` in its format ``fixed``.

A frame is a group: ``axis0`` holds the names of its columns, ``axis1`` its index, and
``block0_values``, ``block1_values`` ... the values, a block for each type of column;
``block0_items`` names the columns of the block. h5py alone reads it: PyTables would unpickle
attributes, and a pickle runs whatever its writer likes.
"""

from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from skpar_select._typing import IndexArray, Names
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._concatenated import ConcatenatedMatrix
from skpar_select.matrices._labels import Axis
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.formats._hdf5 import open_dataset
from skpar_select.matrices.formats._names import read_names
from skpar_select.matrices.io._attributes import attribute
from skpar_select.matrices.io._datasets import (
    find_dataset,
    follow,
    member_names,
    objects,
    text_of,
)
from skpar_select.matrices.io._session import FileSession

# A frame has one block for each of its types; NumPy has fewer.
_MOST_BLOCKS = 64


class HDFStoreFormat(Format):
    """A file that pandas has written."""

    def recognises(self, session: FileSession) -> bool:
        """Return whether the file holds a data frame."""
        if not session.is_hdf5:
            return False
        return "PYTABLES_FORMAT_VERSION" in session.hdf5.attrs and bool(_frames(session.hdf5))

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Find a frame of numbers in the format ``fixed``, by the key that ``to_hdf`` was given."""
        file = session.hdf5
        frames = _frames(file)
        if dataset is None and len(frames) == 1:
            dataset = frames[0]
        key = (dataset or "").strip("/")
        if key not in frames:
            raise ValueError(
                f"dataset={dataset!r} is no data frame of '{session.path}'. It is the key that "
                f"to_hdf was given; this file has {', '.join(frames[:10])}. Name one of them."
            )
        label = f"'{session.path}', frame '{key}'"
        return OpenedFrame(_open(session, key, label), key=key)


@dataclass(frozen=True)
class OpenedFrame(OpenedMatrix):
    """A frame, with its columns and its index."""

    key: str = ""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Read the index of the frame, or the names of its columns."""
        label = f"{axis}={place!r} in '{session.path}', frame '{self.key}'"
        if place != "auto":
            raise ValueError(
                f"{label} does not exist. A frame has one set of names for each axis. Take it with "
                f"{axis}='auto'."
            )
        name, length = f"{self.key}/axis{1 - along}", self.matrix.shape[along]
        return _read_labels(session.hdf5, name, label, axis, length), label


def _open(session: FileSession, key: str, label: str) -> Matrix:
    file = session.hdf5
    group = follow(file, key, label)
    kind = text_of(attribute(group, "pandas_type"))
    if kind != "frame":
        raise ValueError(
            f"{label} is of pandas' format {kind!r}. A frame must "
            "be of the format 'fixed': tables cannot hold more than some thousand columns. "
            "Write it again: frame.to_hdf(path, key=..., format='fixed')."
        )
    n_blocks = len([name for name in member_names(group) if name.endswith("_values")])
    if not 0 < n_blocks <= _MOST_BLOCKS:
        raise ValueError(
            f"{label} has {n_blocks} blocks. A frame has 1 to {_MOST_BLOCKS}, one for each "
            "type of column. Write it again."
        )
    for block in range(n_blocks):
        _check_numbers(file, f"{key}/block{block}_values", label)
    blocks = [open_dataset(session, f"{key}/block{block}_values") for block in range(n_blocks)]
    heights = sorted({block.shape[0] for block in blocks})
    if len(heights) > 1:
        raise ValueError(
            f"{label} has blocks of {heights[0]} to {heights[-1]} rows. All blocks of a frame have "
            "its rows. The file is damaged: write it again."
        )
    order = _column_order(file, key, [block.shape[1] for block in blocks], label)
    if n_blocks == 1 and (order == np.arange(order.size)).all():
        return blocks[0]
    return ConcatenatedMatrix(blocks, label, f"{n_blocks} blocks", order=order)


def _column_order(file: Any, key: str, widths: list[int], label: str) -> IndexArray:
    """Return the position of each column of the frame among the columns of all blocks."""
    axis: Axis = "feature_names"
    names = [
        _read_labels(file, f"{key}/block{block}_items", label, axis, width)
        for block, width in enumerate(widths)
    ]
    held = np.concatenate(names)
    columns = _read_labels(file, f"{key}/axis0", label, axis, sum(widths))
    position = {name: index for index, name in enumerate(held)}
    if len(position) != len(held) or sorted(position) != sorted(columns):
        raise ValueError(
            f"{label} names {len(columns)} columns, and its blocks {len(position)} different ones. "
            "Both must be the same, once each. Rename repeated columns and write the frame again."
        )
    return np.array([position[name] for name in columns], dtype=np.intp)


def _read_labels(file: Any, place: str, label: str, axis: Axis, length: int) -> Names:
    data = find_dataset(file, place, label)
    if _is_pickle(data):
        raise ValueError(
            f"{label}: '{place}' is a pickle, of labels of several types or levels. A pickle runs "
            "whatever its writer likes, and is never opened here. Make the labels text, "
            "frame.columns.astype(str), and write the frame again."
        )
    return read_names(data, f"{label}: '{place}'", axis, length)


def _check_numbers(file: Any, place: str, label: str) -> None:
    data = find_dataset(file, place, label)
    if _is_pickle(data):
        raise ValueError(
            f"{label} has a block of objects, a pickle. A pickle runs whatever its writer likes, "
            "and is never opened here. Drop or convert its columns of text and write the frame "
            "again."
        )
    kind = text_of(attribute(data, "value_type", ""))
    if kind:
        raise ValueError(
            f"{label} has columns of type {kind}. A matrix holds real numbers. Drop or convert "
            "them and write the frame again."
        )


def _is_pickle(data: Any) -> bool:
    return "PSEUDOATOM" in data.attrs or data.dtype.kind == "O"


def _frames(file: Any) -> list[str]:
    return sorted(
        name
        for name, item in objects(file)
        if isinstance(item, h5py.Group) and "pandas_type" in item.attrs
    )
