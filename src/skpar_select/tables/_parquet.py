"""Parquet files, by pyarrow where it is installed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from os import PathLike
from typing import Any

from skpar_select.matrices.io._parquet import load_pyarrow
from skpar_select.tables._column import Column
from skpar_select.tables._frames import Columns, Source
from skpar_select.tables._output import Output
from skpar_select.tables._streams import writing_forwards

MAGIC = b"PAR1"


def parquet_columns(path: str, label: str) -> Columns:
    """Return the columns of a file; the values are read when they are asked for."""
    pa, _ = load_pyarrow(path)
    with _opened(path, label) as file:
        schema, length = file.schema_arrow, file.metadata.num_rows
    return [
        Source(
            field.name,
            length,
            partial(_read, path, field.name, label),
            pa.types.is_floating(field.type),
        )
        for field in schema
    ]


def write_parquet(output: Output, columns: Mapping[str, Any]) -> None:
    """Write columns, arrays of numbers or sequences of text, to an output."""
    pa, parquet = load_pyarrow(output.path)
    with writing_forwards(output) as stream:
        parquet.write_table(pa.table(dict(columns)), stream)


def check_parquet(path: str | PathLike[str]) -> None:
    """Raise ImportError if a Parquet file cannot be written, before there is anything to write."""
    load_pyarrow(path)


def _read(path: str, name: str, label: str) -> Column:
    with _opened(path, label) as file:
        values = file.read(columns=[name]).column(0).to_pylist()
    return Column.of(values)


@contextmanager
def _opened(path: str, label: str) -> Iterator[Any]:
    """Open a file, for as long as the context lasts; damage is an OSError."""
    pa, parquet = load_pyarrow(path)
    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError) as error:
        reason = " ".join(str(error).split())  # Arrow's words end in a line each
        raise OSError(
            f"{label} cannot be read as Parquet ({reason}). It must be a whole file. Copy or write "
            "it again."
        ) from error
