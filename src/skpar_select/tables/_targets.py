"""A column of a CSV file as the target of a matrix, matched by sample id."""

import csv
import math
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._alignment import MissingIdsError, align_ids, repeated
from skpar_select._wording import counted, listing, quote

_TASKS = ("regression", "classification")
_GZIP = b"\x1f\x8b"


def read_targets(
    path: str | PathLike[str],
    column: str,
    *,
    sample_ids: Sequence[str] | NDArray[Any] | None = None,
    id_column: str | None = None,
    task: str = "regression",
) -> NDArray[np.float64] | NDArray[np.str_]:
    r"""Read the target of each sample from a CSV file.

    Parameters
    ----------
    path : str or path
        A CSV file with a header, in UTF-8, separated by commas, or by tabs where its header has
        tabs and no comma.
    column : str
        The column that holds the target.
    sample_ids : sequence of str of shape (n_samples,), default=None
        Ids of the matrix's rows. The targets are matched by them, whatever the order of the file.
        None takes the rows of the file in their order.
    id_column : str, default=None
        The column that holds the sample ids. None takes the first column, the target aside, in
        which one of ``sample_ids`` occurs.
    task : {"regression", "classification"}, default="regression"
        Whether the targets are read as finite numbers or kept as text.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        float64 for regression, str for classification; in the order of ``sample_ids``, or of the
        file without them.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is a folder, a pipe or a device.
    ValueError
        If the task is unknown; if the file is compressed or not a CSV file in UTF-8, has no rows,
        rows of unequal length or two columns of one name; if it lacks a column; if a target is
        not a finite number, or a class is empty; or if file and matrix do not hold the same
        sample ids, once each.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "ages.csv")
    ...     _ = file.write_text("sample,age\nb,61\na,34.5\n")
    ...     read_targets(file, "age", sample_ids=["a", "b"])
    array([34.5, 61. ])
    """
    if task not in _TASKS:
        raise ValueError(
            f"task={task!r} is unknown. It must be one of {listing(_TASKS)}. Name one of them."
        )
    file = fspath(path)
    table = _read_table(file)
    if column not in table:
        raise ValueError(
            f"'{file}' has no column {column!r}. The target must be one of its columns "
            f"({listing(list(table))}). Name one of them."
        )
    y = (
        _numbers(table[column], file, column)
        if task == "regression"
        else _labels(table[column], file, column)
    )
    if sample_ids is None:
        if id_column is not None:
            raise MissingIdsError(
                f"id_column={id_column!r} was given without sample_ids. Targets are matched by the "
                "ids of the matrix, and there are none. Name the dataset of ids when the matrix is "
                "opened and give its sample_ids, or leave id_column out."
            )
        return y
    matrix_ids = list(sample_ids)
    ids = table[_id_column(table, file, column, matrix_ids, id_column)]
    return y[align_ids(ids, matrix_ids, held_by=f"'{file}'", reference_by="the matrix")]


def _read_table(file: str) -> dict[str, list[str]]:
    """Read every column as stripped text."""
    if not Path(file).exists():
        raise FileNotFoundError(
            f"There is no file '{file}'. Targets are read from a CSV file. Check the path."
        )
    if not Path(file).is_file():
        raise OSError(
            f"'{file}' is a folder, a pipe or a device. Targets are read from a regular file. "
            "Write the CSV to one and name it."
        )
    with open(file, "rb") as stream:
        if stream.read(len(_GZIP)) == _GZIP:
            raise ValueError(
                f"'{file}' is compressed by gzip. Targets are read from a CSV file in UTF-8. "
                "Unpack it first, with gunzip for example."
            )
    try:
        with open(file, newline="", encoding="utf-8-sig") as text:
            first = text.readline()
            text.seek(0)
            delimiter = "\t" if "\t" in first and "," not in first else ","
            rows = [
                [cell.strip() for cell in row]
                for row in csv.reader(text, delimiter=delimiter)
                if row
            ]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(
            f"'{file}' cannot be read ({error}). Targets are read from a CSV file in UTF-8. Save "
            "it as one."
        ) from error
    if len(rows) < 2:
        raise ValueError(
            f"'{file}' holds no target. A CSV file needs a header and one row for each sample. "
            "Check the path."
        )
    header, *body = rows
    twice = repeated(header)
    if twice:
        raise ValueError(
            f"'{file}' repeats {counted(len(twice), 'column')} ({listing(twice)}). Names of "
            "columns must differ. Rename or remove those that repeat."
        )
    ragged = [number for number, row in enumerate(body, start=1) if len(row) != len(header)]
    if ragged:
        raise ValueError(
            f"'{file}' holds {counted(len(ragged), 'row')} with other than {len(header)} cells "
            f"(row {listing(ragged)}). Every row needs one cell for each column of the header. "
            "Repair the file."
        )
    return {name: [row[index] for row in body] for index, name in enumerate(header)}


def _id_column(
    table: dict[str, list[str]],
    file: str,
    target: str,
    sample_ids: list[str],
    named: str | None,
) -> str:
    if named is not None:
        if named not in table:
            raise ValueError(
                f"'{file}' has no column {named!r}. The sample ids must be in one of its columns "
                f"({listing(list(table))}). Name one of them."
            )
        return named
    known = set(sample_ids)
    for name, cells in table.items():
        if name != target and not known.isdisjoint(cells):
            return name
    raise ValueError(
        f"No column of '{file}' holds a sample id of the matrix ({listing(sample_ids)}). Targets "
        "are matched by id, never by position. Add the ids as a column."
    )


def _numbers(cells: list[str], file: str, column: str) -> NDArray[np.float64]:
    values = np.array([_number(cell) for cell in cells], dtype=np.float64)
    bad = [
        f"{quote(cells[index])} in row {index + 1}"
        for index in np.flatnonzero(~np.isfinite(values))
    ]
    if bad:
        raise ValueError(
            f"Column {column!r} of '{file}' holds {counted(len(bad), 'value')} that regression "
            f"cannot use ({listing(bad, quoted=False)}). Regression needs a finite number for each "
            "sample. Drop those samples, or use the task 'classification' for labels."
        )
    return values


def _labels(cells: list[str], file: str, column: str) -> NDArray[np.str_]:
    empty = [index + 1 for index, cell in enumerate(cells) if not cell]
    if empty:
        raise ValueError(
            f"Column {column!r} of '{file}' is empty in {counted(len(empty), 'row')} (row "
            f"{listing(empty)}). Every sample needs a class. Drop those samples, or name their "
            "class."
        )
    return np.array(cells, dtype=np.str_)


def _number(cell: str) -> float:
    if "_" in cell:  # a number in Python's grammar, not in a CSV file
        return math.nan
    try:
        return float(cell)
    except ValueError:
        return math.nan
