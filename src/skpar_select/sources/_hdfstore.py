"""Data frames that pandas has written with ``to_hdf`` in its format ``fixed``.

A frame is a group: ``axis0`` holds the names of its columns, ``axis1`` its index, and
``block0_values``, ``block1_values`` ... the values, a block for each type of column;
``block0_items`` names the columns of the block. Read with h5py alone: PyTables would unpickle
attributes, and a pickle runs what its writer wants.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from os import PathLike
from typing import Any

import h5py
import numpy as np

from skpar_select._storage import Storage
from skpar_select._typing import Array, IndexArray, Names
from skpar_select.sources._datasets import find_dataset
from skpar_select.sources._file import StillFile
from skpar_select.sources._hdf5 import HDF5Container
from skpar_select.sources._lazy import Container, LazyMatrix
from skpar_select.sources._names import Axis, as_names
from skpar_select.sources._opening import open_file
from skpar_select.sources._wide import WideContainer

# A frame has one block for each of its types; NumPy has fewer.
_MOST_BLOCKS = 64


def is_hdfstore(path: str) -> bool:
    """Tell whether a file holds a data frame that pandas has written."""
    if not h5py.is_hdf5(path):
        return False
    with open_file(path) as file:
        return "PYTABLES_FORMAT_VERSION" in file.attrs and bool(_frames(file))


def open_hdfstore(path: str | PathLike[str], dataset: str | None) -> Container:
    """Find a frame, by the key that ``to_hdf`` was given.

    Raises
    ------
    ValueError
        If there is no such frame, it is not of the format ``fixed``, or has columns that are no
        numbers.
    """
    still = StillFile(path)
    with open_file(still.path) as file:
        frames = _frames(file)
        if dataset is None and len(frames) == 1:
            dataset = frames[0]
        key = (dataset or "").strip("/")
        if key not in frames:
            raise ValueError(
                f"dataset={dataset!r} is no data frame of '{still.path}'. It is the key that "
                f"to_hdf was given; this file has {', '.join(frames[:10])}. Name one of them."
            )
        where = f"'{still.path}', frame '{key}'"
        group = file[key]
        if _text(group.attrs["pandas_type"]) != "frame":
            raise ValueError(
                f"{where} is of pandas' format {_text(group.attrs['pandas_type'])!r}. A frame must "
                "be of the format 'fixed': tables cannot hold more than some thousand columns. "
                "Write it again: frame.to_hdf(path, key=..., format='fixed')."
            )
        n_blocks = len([name for name in group if name.endswith("_values")])
        if not 0 < n_blocks <= _MOST_BLOCKS:
            raise ValueError(
                f"{where} has {n_blocks} blocks. A frame has 1 to {_MOST_BLOCKS}, one for each "
                "type of column. Write it again."
            )
        for block in range(n_blocks):
            _check_numbers(file, f"{key}/block{block}_values", where)
    blocks = [HDF5Container(still.path, f"{key}/block{block}_values") for block in range(n_blocks)]
    heights = sorted({block.shape[0] for block in blocks})
    if len(heights) > 1:
        raise ValueError(
            f"{where} has blocks of {heights[0]} to {heights[-1]} rows. All blocks of a frame have "
            "its rows. The file is damaged: write it again."
        )
    widths = tuple(block.shape[1] for block in blocks)
    order = _order(still.path, still.stamp, key, widths, where)
    if n_blocks == 1 and (order == np.arange(order.size)).all():
        return blocks[0]
    return FrameContainer(still, key, blocks, where)


class FrameContainer:
    """The address of a frame whose columns lie in several blocks.

    Parameters
    ----------
    file : StillFile
        The file.
    key : str
        The frame.
    blocks : list of HDF5Container
        Its blocks.
    where : str
        The frame in words, for errors.
    """

    chunks: tuple[int, int] | None = None

    def __init__(self, file: StillFile, key: str, blocks: list[HDF5Container], where: str) -> None:
        self.file = file
        self.path = file.path
        self.dataset = f"{key}/block0_values"
        self.where = where
        self.layout = f"{len(blocks)} blocks"
        wide = WideContainer([LazyMatrix(block) for block in blocks], where, self.layout)
        self.shape, self.dtype = wide.shape, wide.dtype
        self.direct = _Reordered(
            wide, file.path, file.stamp, key, tuple(block.shape[1] for block in blocks)
        )

    def check_unchanged(self) -> None:
        """Refuse a file that is no longer the one that was opened first."""
        self.file.check_unchanged()


@dataclass(frozen=True)
class _Reordered:
    """Reads the columns of a frame from where its blocks have them."""

    wide: WideContainer
    path: str
    stamp: tuple[int, int]
    key: str
    widths: tuple[int, ...]

    def storage(self, rows: range | IndexArray) -> Storage:
        lies = self.wide.direct.storage(rows)
        # Blocks may alternate in any way: a frame has no borders of its own, and is decoded as it
        # is read.
        read_bytes = lies.read_bytes + lies.decode_bytes
        return replace(lies, starts=(0,), read_bytes=read_bytes, decode_bytes=0)

    def read(self, rows: range | IndexArray, columns: range | IndexArray) -> Array:
        order = _order(self.path, self.stamp, self.key, self.widths, self.wide.where)
        places = (
            np.arange(columns.start, columns.stop, columns.step)
            if isinstance(columns, range)
            else columns
        )
        return self.wide.direct.read(rows, order[places])


def hdfstore_names(
    container: Any, place: str, axis: Axis, lengths: dict[Axis, int], along: int
) -> tuple[Names, str] | None:
    """Read the index of a frame, or the names of its columns."""
    key = container.dataset.rpartition("/")[0]
    where = f"{axis}={place!r} in '{container.path}', frame '{key}'"
    if place != "auto":
        raise ValueError(
            f"{where} does not exist. A frame has one set of names for each axis. Take it with "
            f"{axis}='auto'."
        )
    with open_file(container.path) as file:
        return _labels(file, f"{key}/axis{1 - along}", where, axis, lengths[axis]), where


# Asked for by every block of columns that a process reads, of as many frames as one wide matrix is
# made of, and a few more; the frame stays as it is meanwhile.
@lru_cache(maxsize=32)
def _order(
    path: str, stamp: tuple[int, int], key: str, widths: tuple[int, ...], where: str
) -> IndexArray:
    """Where each column of the frame is among the columns of all blocks."""
    axis: Axis = "feature_names"
    with open_file(path) as file:
        names = [
            _labels(file, f"{key}/block{block}_items", where, axis, width)
            for block, width in enumerate(widths)
        ]
        wanted = _labels(file, f"{key}/axis0", where, axis, sum(widths))
    held = np.concatenate(names)
    place = {name: index for index, name in enumerate(held)}
    if len(place) != len(held) or sorted(place) != sorted(wanted):
        raise ValueError(
            f"{where} names {len(wanted)} columns, and its blocks {len(place)} different ones. "
            "Both must be the same, once each. Rename repeated columns and write the frame again."
        )
    return np.array([place[name] for name in wanted], dtype=np.intp)


def _labels(file: Any, place: str, where: str, axis: Axis, length: int) -> Names:
    data = find_dataset(file, place, where)
    if "PSEUDOATOM" in data.attrs or data.dtype.kind == "O":
        raise ValueError(
            f"{where}: '{place}' is a pickle, of labels of several types or levels. A pickle runs "
            "what its writer wants, and is never opened here. Make the labels text, "
            "frame.columns.astype(str), and write the frame again."
        )
    return as_names(data, f"{where}: '{place}'", axis, length)


def _check_numbers(file: Any, place: str, where: str) -> None:
    data = find_dataset(file, place, where)
    if "PSEUDOATOM" in data.attrs or data.dtype.kind == "O":
        raise ValueError(
            f"{where} has a block of objects, a pickle. A pickle runs what its writer wants, and is "
            "never opened here. Drop or convert its columns of text and write the frame again."
        )
    kind = _text(data.attrs.get("value_type", ""))
    if kind:
        raise ValueError(
            f"{where} has columns of type {kind}. A matrix holds real numbers. Drop or convert "
            "them and write the frame again."
        )


def _frames(file: Any) -> list[str]:
    found = []

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Group) and "pandas_type" in item.attrs:
            found.append(name)

    file.visititems(note)
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
