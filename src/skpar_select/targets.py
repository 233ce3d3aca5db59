"""A column of a CSV file as the target of a matrix, joined by sample id."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        Ids of the matrix's rows. The targets are joined by them, whatever the order of the file.
        None takes the rows of the file in their order.
    id_column : str, default=None
        The column that holds the sample ids. None takes the first column, the target aside, in
        which one of ``sample_ids`` occurs.
    task : {"regression", "classification"}, default="regression"
        Whether the targets are read as finite numbers or kept as text.

    Returns
    -------
    y : ndarray of shape (n_samples,)
        float64 for regression, str for classification; in the order of ``sample_ids``.

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
        raise ValueError(f"task={task!r} is unknown: it is one of {_few(_TASKS)}; name one")
    file = fspath(path)
    table = _read_table(file)
    if column not in table:
        raise ValueError(
            f"no column {column!r} in {file}: the target must be one of its columns "
            f"({_few(list(table))}); name one of them"
        )
    y = (
        _numbers(table[column], file, column)
        if task == "regression"
        else _labels(table[column], file, column)
    )
    if sample_ids is None:
        if id_column is not None:
            raise ValueError(
                f"id column {id_column!r} was named, but the matrix has no sample ids to join it with; "
                "name the dataset that holds them (sample_ids)"
            )
        return y
    ids = table[_id_column(table, file, column, list(sample_ids), id_column)]
    return y[positions(ids, list(sample_ids), where=file)]


def positions(ids: Sequence[str], sample_ids: Sequence[str], *, where: str) -> NDArray[np.intp]:
    """Say at which position of ``ids`` each of ``sample_ids`` stands.

    Parameters
    ----------
    ids, sample_ids : sequence of str
        Each must hold the same ids, once.
    where : str
        What holds ``ids``, for error messages.

    Returns
    -------
    positions : ndarray of shape (n_samples,)
    """
    for holder, names in (("the matrix", sample_ids), (where, ids)):
        repeated = [name for name, count in Counter(names).items() if count > 1]
        if repeated:
            raise ValueError(
                f"{holder} repeats {_count(repeated, 'sample id')} ({_few(repeated)}): a join needs each id once; "
                "remove or rename the repeated rows"
            )
    place = {name: index for index, name in enumerate(ids)}
    known = set(sample_ids)
    without_target = [name for name in sample_ids if name not in place]
    without_sample = [name for name in ids if name not in known]
    faults = []
    if without_target:
        faults.append(
            f"the matrix holds {_count(without_target, 'sample')} without a target ({_few(without_target)})"
        )
    if without_sample:
        faults.append(
            f"{where} holds {_count(without_sample, 'target')} without a sample ({_few(without_sample)})"
        )
    if faults:
        raise ValueError(
            f"{' and '.join(faults)}: both must hold the same sample ids; "
            "drop the rows that have no partner, or name another id column"
        )
    return np.array([place[name] for name in sample_ids], dtype=np.intp)


def _read_table(file: str) -> dict[str, list[str]]:
    """Read every column as stripped text."""
    if not Path(file).exists():
        raise FileNotFoundError(
            f"no file {file}: the targets are read from a CSV file; check the path"
        )
    if not Path(file).is_file():
        raise OSError(
            f"{file} is a folder, a pipe or a device: the targets are read from a regular file; "
            "write the CSV to one and name it"
        )
    with open(file, "rb") as stream:
        if stream.read(len(_GZIP)) == _GZIP:
            raise ValueError(
                f"{file} is compressed by gzip: the targets are read from a CSV file in UTF-8; "
                "unpack it first (gunzip)"
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
            f"{file} cannot be read as a CSV file in UTF-8 ({error}); save it as one"
        ) from error
    if len(rows) < 2:
        raise ValueError(
            f"{file} holds no target: a CSV file needs a header and one row for each sample; check the path"
        )
    header, *body = rows
    repeated = [name for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise ValueError(
            f"column {repeated[0]!r} stands more than once in {file}: names must differ; rename one"
        )
    ragged = [number for number, row in enumerate(body, start=1) if len(row) != len(header)]
    if ragged:
        raise ValueError(
            f"{file} holds {_count(ragged, 'row')} with other than {len(header)} cells (row {_few(ragged)}): every "
            "row needs one cell for each column of the header; repair the file"
        )
    return {name: [row[index] for row in body] for index, name in enumerate(header)}


def _id_column(
    table: dict[str, list[str]], file: str, target: str, sample_ids: list[str], named: str | None
) -> str:
    if named is not None:
        if named not in table:
            raise ValueError(
                f"no column {named!r} in {file}: the sample ids must be in one of its columns "
                f"({_few(list(table))}); name one of them"
            )
        return named
    known = set(sample_ids)
    for name, cells in table.items():
        if name != target and not known.isdisjoint(cells):
            return name
    raise ValueError(
        f"no column of {file} holds a sample id of the matrix ({_few(sample_ids)}): targets are joined by id, "
        "never by position; add the ids as a column"
    )


def _numbers(cells: list[str], file: str, column: str) -> NDArray[np.float64]:
    values = np.array([_number(cell) for cell in cells], dtype=np.float64)
    bad = [f"{cells[index]!r} in row {index + 1}" for index in np.flatnonzero(~np.isfinite(values))]
    if bad:
        raise ValueError(
            f"column {column!r} of {file} holds {_count(bad, 'value')} that regression cannot use "
            f"({_few(bad, quote=False)}): "
            'it needs a finite number for each sample; drop those samples, or use task "classification" for labels'
        )
    return values


def _labels(cells: list[str], file: str, column: str) -> NDArray[np.str_]:
    empty = [index + 1 for index, cell in enumerate(cells) if not cell]
    if empty:
        raise ValueError(
            f"column {column!r} of {file} is empty in {_count(empty, 'row')} (row {_few(empty)}): every sample needs "
            "a class; drop those samples or name their class"
        )
    return np.array(cells, dtype=np.str_)


def _number(cell: str) -> float:
    if "_" in cell:  # a number in Python's grammar, not in a CSV file
        return math.nan
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _count(items: Sequence[object], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _few(items: Sequence[object], *, most: int = 3, quote: bool = True) -> str:
    shown = ", ".join(
        repr(item) if quote and isinstance(item, str) else str(item) for item in items[:most]
    )
    return shown if len(items) <= most else f"{shown}, ..."
