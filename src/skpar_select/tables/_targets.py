"""Columns of a table as the targets of a matrix, matched by sample id."""

import warnings
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._alignment import DroppedSamplesWarning, MissingIdsError, MissingTargetsError
from skpar_select._given import check_several
from skpar_select._typing import Array, BoolArray, FloatArray, IndexArray
from skpar_select._wording import counted, listing, quote, sentence
from skpar_select.tables._column import has_decimal_comma
from skpar_select.tables._join import Choice, join_by_id
from skpar_select.tables._table import Table

_TASKS = ("regression", "classification")


def read_targets(
    path: str | PathLike[str] | Any,
    column: str | Sequence[str],
    *,
    sample_ids: Sequence[str] | NDArray[Any] | None = None,
    id_column: str | None = None,
    task: str = "regression",
) -> Array:
    r"""Read the target of each sample from a table.

    Every sample needs a target and every row a sample. :func:`skpar_select.align` chooses those
    that have both.

    Parameters
    ----------
    path : str or path, data frame, or other holder of a table
        A CSV, Parquet, AnnData or HDF5 file, or what :class:`skpar_select.tables.Table` takes.
    column : str or sequence of str
        The column that holds the target, or several of them.
    sample_ids : sequence of str of shape (n_samples,), default=None
        Ids of the matrix's rows. The targets are matched by them, whatever the order of the table.
        None takes the rows of the table in their order.
    id_column : str, default=None
        The column that holds the sample ids. None takes the column, the targets aside, in which
        most of `sample_ids` occur.
    task : {"regression", "classification"}, default="regression"
        Whether the targets are read as finite numbers or kept as text.

    Returns
    -------
    y : ndarray of shape (n_samples,) or (n_samples, n_targets)
        float64 for regression, str for classification; in the order of `sample_ids`, or of the
        table without them. Two-dimensional where `column` is a sequence.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is a folder, a pipe or a device.
    TypeError
        If it is no table.
    ValueError
        If the task is unknown; if the file is no table, has no rows, rows of unequal length or two
        columns of one name; if it lacks a column; if a target is missing or not a finite number;
        or if table and matrix do not hold the same sample ids, once each. Rows that are equal in
        id and targets count once, with a :class:`skpar_select.DroppedSamplesWarning`.

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
    check_task(task)
    table = Table(path)
    targets = target_columns(table, column)
    length = table.length(targets[0])
    if sample_ids is not None:
        each = {"text": sample_ids} if isinstance(sample_ids, str) else sample_ids
        check_several(each, "sample_ids", "a sequence of the ids of all samples")
        ids = list(sample_ids)
        joined = join_by_id(
            ids,
            table,
            targets,
            id_column=id_column,
            choice=Choice(np.ones(len(ids), dtype=bool)),
            where=np.ones(length, dtype=bool),
            conditions=(),
            drop=False,
        )
        rows = joined.rows
        if joined.dropped:
            warnings.warn(
                f"Left out: {'; '.join(joined.dropped)}.", DroppedSamplesWarning, stacklevel=2
            )
    elif id_column is None:
        rows = np.arange(length)
    else:
        raise MissingIdsError(
            f"id_column={id_column!r} was given without sample_ids. Targets are matched by the "
            "ids of the matrix, and there are none. Name the dataset of ids when the matrix is "
            "opened and give its sample_ids, or leave id_column out."
        )
    y, missing = values_of(table, targets, rows, task)
    refuse_missing(table, targets, rows, missing)
    return y[:, 0] if isinstance(column, str) else y


def check_task(task: str) -> None:
    """Refuse an unknown task."""
    if task not in _TASKS:
        raise ValueError(
            f"task={task!r} is unknown. It must be one of {listing(_TASKS)}. Name one of them."
        )


def target_columns(table: Table, column: str | Sequence[str]) -> list[str]:
    """Return the columns of the targets, or refuse those that are not there."""
    check_several(column, "column", "the name of a column, or several of them")
    wanted = [column] if isinstance(column, str) else list(column)
    names = [table.find(name, "The target") for name in wanted]
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"column={wanted!r} names {'no target' if not names else 'a target twice'}. Each is "
            "named once. Name the columns that hold the targets."
        )
    lengths = {name: table.length(name) for name in names}
    if len(set(lengths.values())) > 1:
        raise ValueError(
            f"The targets have {listing(list(lengths.values()), quoted=False)} rows. All must be of "
            "the same samples. Name columns of one length."
        )
    return names


def values_of(
    table: Table, targets: Sequence[str], rows: IndexArray, task: str
) -> tuple[Array, BoolArray]:
    """Return some rows of the targets, and which of their values are missing.

    Both have the shape (n_rows, n_targets). Of numbers a missing value is NaN; of classes it is
    None, in an array of objects. Raises ValueError for what is there and no finite number.
    """
    if task == "classification":
        return labels_of(table, targets, rows)
    return numbers_of(
        table,
        targets,
        rows,
        use="regression",
        otherwise="use the task 'classification' for labels",
    )


def labels_of(table: Table, names: Sequence[str], rows: IndexArray) -> tuple[Array, BoolArray]:
    """Return some rows of columns as text, None where a value is missing, and which of them are."""
    columns = [table.column(name).take(rows) for name in names]
    missing = np.column_stack([column.missing() for column in columns])
    labels = np.column_stack([column.text() for column in columns])
    labels[missing] = None
    return (labels if missing.any() else labels.astype(np.str_)), missing


def numbers_of(
    table: Table, names: Sequence[str], rows: IndexArray, *, use: str, otherwise: str
) -> tuple[FloatArray, BoolArray]:
    """Return some rows of columns as float64, NaN where a value is missing, and which of them are.

    ValueError for what is there and no finite number says what it was for, and what else to do.
    """
    columns = [table.column(name).take(rows) for name in names]
    missing = np.column_stack([column.missing() for column in columns])
    numbers = np.column_stack([column.numbers() for column in columns])
    missing |= np.isnan(numbers) & np.column_stack([_says_nan(column.text()) for column in columns])
    for place, name in enumerate(names):
        bad = np.flatnonzero(~missing[:, place] & ~np.isfinite(numbers[:, place]))
        if len(bad):
            cells = columns[place].text()
            shown = [f"{quote(cells[at])} in row {rows[at] + 1}" for at in bad]
            n_missing = int(missing[:, place].sum())
            hint = ""
            comma = not columns[place].decimal_comma and has_decimal_comma(cells[bad[0]])
            if len({cells[at] for at in bad}) == 1:
                hint = f", such as where={f'{name}!={cells[bad[0]]}'!r}"
            raise ValueError(
                f"Column {name!r} of {table.label} holds {counted(len(bad), 'value')} that {use} "
                f"cannot use ({listing(shown, quoted=False)})"
                + (f", and {counted(n_missing, 'missing value')}" if n_missing else "")
                + f". {sentence(use)} needs a finite number for each sample"
                + (", with a point unless semicolons separate the cells" if comma else "")
                + ". Leave these rows out with where "
                f"of skpar_select.align{hint}, or {otherwise}."
            )
    return numbers, missing


def refuse_missing(
    table: Table,
    names: Sequence[str],
    rows: IndexArray,
    missing: BoolArray,
    *,
    what: str = "The target",
    rule: str = "Every sample needs a target",
) -> None:
    """Raise MissingTargetsError if any value is missing, with all columns that have such."""
    faults = []
    for place, name in enumerate(names):
        at = rows[missing[:, place]]
        if len(at):
            cells = table.column(name).text()
            shown = [f"{quote(cells[row])} in row {row + 1}" for row in at[:3]]
            more = f" and {len(at) - 3} more" if len(at) > 3 else ""
            faults.append(
                f"column {name!r} in {counted(len(at), 'row')} ({', '.join(shown)}{more})"
            )
    if faults:
        raise MissingTargetsError(
            f"{what} is missing in {table.label}: {'; '.join(faults)}. {rule}.",
            "missing_targets='drop' of skpar_select.align leaves these samples out.",
        )


def _says_nan(text: Array) -> BoolArray:
    return np.fromiter(
        (one.strip().casefold().lstrip("+-") == "nan" for one in text), bool, len(text)
    )
