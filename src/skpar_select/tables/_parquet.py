"""Parquet files, by pyarrow where it is installed."""

from collections.abc import Mapping
from functools import partial
from os import PathLike
from typing import Any

from skpar_select.tables._column import Column
from skpar_select.tables._frames import Columns, Source

MAGIC = b"PAR1"


def parquet_columns(path: str, label: str) -> Columns:
    """Return the columns of a file; the values are read when they are asked for."""
    pa, parquet = _pyarrow(f"{label} is a Parquet file.")
    try:
        with parquet.ParquetFile(path) as file:
            schema, length = file.schema_arrow, file.metadata.num_rows
    except (pa.ArrowException, OSError) as error:
        raise OSError(
            f"{label} cannot be read as Parquet ({error}). It must be a whole file. Copy or write "
            "it again."
        ) from error
    return [
        Source(
            field.name, length, partial(_read, path, field.name), pa.types.is_floating(field.type)
        )
        for field in schema
    ]


def write_parquet(path: str | PathLike[str], columns: Mapping[str, Any]) -> None:
    """Write columns, arrays of numbers or sequences of text, to a file."""
    pa, parquet = _pyarrow(f"'{path}' is to be a Parquet file.")
    parquet.write_table(pa.table(dict(columns)), path)


def check_parquet(path: str | PathLike[str]) -> None:
    """Raise ImportError if a Parquet file cannot be written, before there is anything to write."""
    _pyarrow(f"'{path}' is to be a Parquet file.")


def _read(path: str, name: str) -> Column:
    _, parquet = _pyarrow(f"'{path}' is a Parquet file.")
    with parquet.ParquetFile(path) as file:
        return Column.of(file.read(columns=[name]).column(0).to_pylist())


def _pyarrow(what: str) -> Any:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise ImportError(
            f"{what} pyarrow reads and writes it, and is not installed. Install it with pip install "
            "pyarrow."
        ) from error
    return pa, parquet
