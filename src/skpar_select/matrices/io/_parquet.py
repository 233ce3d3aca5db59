"""Columns of Parquet files, which pyarrow decodes, some of one row group at a time."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from skpar_select._exact import is_beyond_exact, not_exact
from skpar_select._typing import Array
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._parquet_footer import VirtualFile, read_footer

# Columns whose types are asked for at a time: pyarrow takes 3 kB for each.
_DESCRIBED = 500


class Column(NamedTuple):
    """What a file says of one of its columns."""

    name: str
    kind: str
    """``"number"``, ``"text"``, or what else it holds, in words."""

    dtype: np.dtype[Any] | None
    """The type of its values as they are read, of numbers."""


def describe_columns(file: FileSnapshot) -> Iterator[Column]:
    """Yield the name and the type of each column.

    A column of integers or booleans that may miss values is read as float64, where NaN is missing.
    """
    footer = read_footer(file.path, file.stamp)
    for start in range(0, footer.n_columns, _DESCRIBED):
        batch = range(start, min(start + _DESCRIBED, footer.n_columns))
        with opened_columns(file, batch, None) as parquet:
            fields = list(parquet.schema_arrow)
        kinds = [_kind_of(field.type) for field in fields]
        whole = [place for place, (_, dtype) in enumerate(kinds) if _is_whole(dtype)]
        missing = _missing(file, [batch[place] for place in whole])
        for place in range(len(batch)):
            kind, dtype = kinds[place]
            if batch[place] in missing:
                dtype = np.dtype(np.float64)
            yield Column(fields[place].name, kind, dtype)


def _is_whole(dtype: np.dtype[Any] | None) -> bool:
    return dtype is not None and dtype.kind in "biu"


def _missing(file: FileSnapshot, columns: list[int]) -> set[int]:
    """Return the columns of which some row group misses values, or does not say that none is missing."""
    found: set[int] = set()
    if columns:
        for group in range(len(read_footer(file.path, file.stamp).groups)):
            with opened_columns(file, columns, group) as parquet:
                described = parquet.metadata.row_group(0)
                for place, column in enumerate(columns):
                    statistics = described.column(place).statistics
                    known = statistics is not None and statistics.has_null_count
                    if not known or statistics.null_count:
                        found.add(column)
    return found


def read_columns(
    file: FileSnapshot, columns: Sequence[int], group: int, rows: slice, out: Array, label: str
) -> None:
    """Fill the rows of `out`, one for each column, with some rows of a row group."""
    with opened_columns(file, columns, group) as parquet:
        table = parquet.read_row_group(0, use_threads=False)
        if table.num_rows != read_footer(file.path, file.stamp).groups[group].n_rows:
            raise OSError("a row group of another length")
        for place in range(len(columns)):
            values = _numbers(table.column(place).slice(rows.start, rows.stop - rows.start))
            if not np.can_cast(values.dtype, out.dtype, casting="same_kind"):
                raise OSError(
                    f"{label}: a column misses values, and the file says that it does not"
                )
            if out.dtype.kind == "f" and is_beyond_exact(values):
                raise not_exact(label)
            out[place] = values


def read_texts(file: FileSnapshot, column: int) -> list[Any]:
    """Read a column of text or of whole numbers; None where a value is missing."""
    values: list[Any] = []
    for group in range(len(read_footer(file.path, file.stamp).groups)):
        with opened_columns(file, [column], group) as parquet:
            table = parquet.read_row_group(0, use_threads=False)
        values.extend(table.column(0).to_pylist())
    return values


def _numbers(column: Any) -> Array:
    """Return a column as an array; missing values as NaN."""
    import pyarrow as pa

    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if column.null_count:
        if pa.types.is_boolean(column.type):
            column = column.cast(pa.uint8())
        if pa.types.is_integer(column.type):
            if is_beyond_exact(column.fill_null(0).to_numpy()):
                raise not_exact("A column with missing values")
            column = column.cast(pa.float64(), safe=False)
    values: Array = column.to_numpy()
    return values


def _kind_of(kind: Any) -> tuple[str, np.dtype[Any] | None]:
    import pyarrow as pa

    if pa.types.is_boolean(kind):
        return "number", np.dtype(bool)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return "number", np.dtype(kind.to_pandas_dtype())
    if pa.types.is_null(kind):
        return "number", np.dtype(np.float64)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text", None
    return str(kind), None


@contextmanager
def opened_columns(file: FileSnapshot, columns: Sequence[int], group: int | None) -> Iterator[Any]:
    """Open some columns of a row group as a Parquet file of their own; damage is an OSError."""
    pa, pq = load_pyarrow(file.path)
    footer = read_footer(file.path, file.stamp)
    descriptor = os.open(file.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    try:
        virtual = VirtualFile(descriptor, footer.start, footer.of_columns(columns, group))
        with pa.PythonFile(virtual, mode="r") as source, pq.ParquetFile(source) as parquet:
            yield parquet
    except (pa.ArrowException, OSError) as error:
        what = f"row group {group}" if group is not None else "the schema"
        raise OSError(
            f"'{file.path}': {what}, columns {columns[0]} to {columns[-1]} cannot be read "
            f"({type(error).__name__}: {error}). It must be a whole Parquet file. Copy it again, "
            "or write it again."
        ) from error
    finally:
        os.close(descriptor)


def load_pyarrow(path: str | os.PathLike[str]) -> tuple[Any, Any]:
    """Return pyarrow and its module of Parquet, or raise ImportError for a file that needs them."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"'{os.fspath(path)}' is of Parquet, and pyarrow is not installed. It reads and "
            'writes them. Install it: pip install "skpar-select[parquet]"'
        ) from error
    return pa, parquet
