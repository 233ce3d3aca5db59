"""A reduced matrix as a table, for few values: text or Parquet, with the ids in a first column."""

import csv
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._typing import Array
from skpar_select.tables._files import TEXT_FORMATS, separator_for, writing_text
from skpar_select.tables._output import Output
from skpar_select.tables._parquet import check_parquet, write_parquet

TABLE_FORMATS = (*TEXT_FORMATS, ".parquet")

# As text about a gigabyte, and half a minute.
_MOST_AS_TEXT = 50_000_000
_ID = "sample"


def check_table(path: Any, suffix: str, shape: tuple[int, int]) -> None:
    """Refuse more values than anyone wants as text, and Parquet where nothing writes it."""
    if suffix == ".parquet":
        check_parquet(path)
    n_values = shape[0] * shape[1]
    if suffix in TEXT_FORMATS and n_values > _MOST_AS_TEXT:
        raise ValueError(
            f"'{path}' would hold {n_values} values as text, {shape[0]} rows of {shape[1]} columns. "
            f"Text is for at most {_MOST_AS_TEXT}. Write .h5, .h5ad or .parquet, or select fewer "
            "columns."
        )


def write_table(
    output: Output,
    suffix: str,
    values: Array,
    sample_ids: Sequence[str] | NDArray[Any] | None,
    feature_names: Sequence[str] | NDArray[Any],
) -> None:
    """Write values as a table with named columns; the ids, if there are any, are the first.

    That is called ``sample``, with an underscore before it if a feature is called so. In text NaN
    is ``NaN``, and a number is written so that reading it gives the same number.
    """
    names = [str(name) for name in feature_names]
    label = _ID
    while label in names:
        label = f"_{label}"
    values = values.astype(values.dtype.newbyteorder("="), copy=False)
    if suffix == ".parquet":
        columns: dict[str, Any] = {} if sample_ids is None else {label: list(sample_ids)}
        write_parquet(output, columns | {name: values[:, at] for at, name in enumerate(names)})
        return
    with writing_text(output, suffix) as stream:
        writer = csv.writer(stream, lineterminator="\n", delimiter=separator_for(suffix))
        writer.writerow(names if sample_ids is None else [label, *names])
        for at, row in enumerate(values):
            cells = _cells(row)
            writer.writerow(cells if sample_ids is None else [sample_ids[at], *cells])


def _cells(row: Array) -> list[str]:
    if row.dtype.kind == "b":
        row = row.astype(np.int8)
    cells: list[str] = row.astype(np.str_).tolist()
    if row.dtype.kind == "f":
        for at in np.flatnonzero(np.isnan(row)):
            cells[at] = "NaN"  # R reads NaN in no other spelling
    return cells
