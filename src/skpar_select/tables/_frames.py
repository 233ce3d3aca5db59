"""Data frames, Series, mappings and AnnData objects that the caller holds, as columns.

None of these libraries is imported.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from skpar_select._origins import is_default_index, origins
from skpar_select.frames import Frame, PandasFrame, as_frame
from skpar_select.tables._column import Column

_SERIES = {("pandas", "Series"), ("polars", "Series")}


class Source(NamedTuple):
    """A column of a holder that is not read yet."""

    name: str
    length: int
    read: Callable[[], Column]
    is_float: bool = False
    """Whether its type, known beforehand, is that of fractions, so that it holds no ids."""


Columns = list[Source]


def columns_of(holder: Any) -> Columns | None:
    """Return the columns of what holds them in memory, or None if this does not."""
    if isinstance(holder, Mapping):
        return [_given(str(name), values) for name, values in holder.items()]
    if ("anndata", "AnnData") in origins(holder):
        return columns_of(holder.obs)
    frame = _frame_of(holder)
    if frame is None:
        return None
    return [
        *(_index_of(frame.data) if isinstance(frame, PandasFrame) else ()),
        *(_source(str(name), frame, at) for at, name in enumerate(frame.names)),
    ]


def _frame_of(holder: Any) -> Frame | None:
    if not _SERIES.isdisjoint(origins(holder)):
        holder = holder.to_frame()
    return as_frame(holder)


def _source(name: str, frame: Frame, at: int) -> Source:
    return Source(name, len(frame.data), lambda: Column.of(frame.column(at)))


def _index_of(data: Any) -> Iterator[Source]:
    index = data.index
    if is_default_index(index):
        return
    held = {str(name) for name in data.columns}
    for level in range(index.nlevels):
        name = index.names[level]
        if name is None:
            name = "index" if index.nlevels == 1 else f"level_{level}"
        # A frame of scanpy may have a column of the same name, with the same ids.
        shown = f"{name} (index)" if str(name) in held else str(name)
        yield _given(shown, index.get_level_values(level).to_series())


def _given(name: str, values: Any) -> Source:
    frame = _frame_of(values)
    if frame is not None and len(frame.names) == 1:
        return _source(name, frame, 0)
    array = values if frame is not None or isinstance(values, np.ndarray) else list(values)
    if np.ndim(array) != 1:
        raise ValueError(
            f"Column {name!r} has shape {np.shape(array)}. A column has one value for each row. "
            "Give it as several columns."
        )
    return Source(name, len(array), lambda: Column.of(array))
