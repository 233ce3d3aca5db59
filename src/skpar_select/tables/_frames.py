"""Data frames, Series, mappings and AnnData objects that the caller holds, as columns.

They are known by the module of their type: none of these libraries is imported.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skpar_select._alignment import is_default_index
from skpar_select.tables._column import Column


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
    library = type(holder).__module__.partition(".")[0]
    kind = type(holder).__name__
    if library == "anndata" and kind == "AnnData":
        return columns_of(holder.obs)
    if library == "pandas" and kind in ("DataFrame", "Series"):
        frame = holder.to_frame() if kind == "Series" else holder
        return [
            *_pandas_index(frame),
            *(_pandas(str(name), frame.iloc[:, at]) for at, name in enumerate(frame.columns)),
        ]
    if library == "polars" and kind in ("DataFrame", "Series"):
        frame = holder.to_frame() if kind == "Series" else holder
        return [_listed(name, frame[name], frame[name].to_list) for name in frame.columns]
    if library == "pyarrow" and kind == "Table":
        return [
            _listed(name, column, column.to_pylist)
            for name, column in zip(holder.column_names, holder.columns, strict=True)
        ]
    return None


def _pandas_index(frame: Any) -> Columns:
    index = frame.index
    if is_default_index(index):
        return []
    held = {str(name) for name in frame.columns}
    columns: Columns = []
    for level in range(index.nlevels):
        name = index.names[level]
        if name is None:
            name = "index" if index.nlevels == 1 else f"level_{level}"
        # A frame of scanpy may have a column of the same name, with the same ids.
        shown = f"{name} (index)" if str(name) in held else str(name)
        values = index.get_level_values(level)
        columns.append(Source(shown, len(index), partial(_of_pandas, values)))
    return columns


def _pandas(name: str, series: Any) -> Source:
    return Source(name, len(series), lambda: _of_pandas(series))


def _of_pandas(series: Any) -> Column:
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
        return Column.of(np.asarray(series))
    return Column(np.asarray(series.astype(object)), np.asarray(series.isna(), dtype=bool))


def _listed(name: str, column: Any, read: Callable[[], Any]) -> Source:
    return Source(name, len(column), lambda: Column.of(list(read())))


def _given(name: str, values: Any) -> Source:
    if type(values).__module__.partition(".")[0] == "pandas":
        return _pandas(name, values)
    array = values if isinstance(values, np.ndarray) else list(values)
    if isinstance(array, np.ndarray) and array.ndim != 1:
        raise ValueError(
            f"Column {name!r} has shape {array.shape}. A column has one value for each row. Give it "
            "as several columns."
        )
    return Source(name, len(array), lambda: Column.of(array))
