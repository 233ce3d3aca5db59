"""A matrix and a table: the samples that both have, in the order of the matrix."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple

import numpy as np

from skpar_select._alignment import (
    AlignmentError,
    DroppedSamplesWarning,
    MissingIdsError,
    id_text,
)
from skpar_select._caller import warn_caller
from skpar_select._origins import has_index, is_default_index
from skpar_select._typing import Array, BoolArray, IndexArray
from skpar_select._wording import counted, listing, quote
from skpar_select.matrices import LazyMatrix, held_matrix
from skpar_select.tables._confounders import ConfounderColumns
from skpar_select.tables._join import Join, choose, join_by_id, join_by_order
from skpar_select.tables._table import Table
from skpar_select.tables._targets import check_task, refuse_missing, target_columns, values_of
from skpar_select.tables._where import conditions_of, rows_where

_CHOICES = {
    "unmatched": ("raise", "drop"),
    "missing_targets": ("raise", "drop"),
    "match": ("id", "order"),
}


def align(
    X: Any,
    table: Any,
    column: str | Sequence[str],
    *,
    id_column: str | None = None,
    unmatched: str = "raise",
    missing_targets: str = "raise",
    samples: Sequence[str] | PathLike[str] | None = None,
    exclude_samples: Sequence[str] | PathLike[str] | None = None,
    where: str | Sequence[str] | None = None,
    task: str = "regression",
    match: str = "id",
) -> tuple[Any, Array]:
    """Join a matrix and a table by sample id: the rows of the matrix that count, and their targets.

    Of a matrix in a file nothing is read. Whatever is left out is counted in one
    :class:`skpar_select.DroppedSamplesWarning`.

    Parameters
    ----------
    X : LazyMatrix, data frame of pandas, or other matrix of shape (n_samples, n_features)
        A matrix of :func:`skpar_select.open_matrix` with ``sample_ids``, an object that it takes
        in the place of a path, such as an AnnData, or a data frame whose index holds the ids.
    table : str or path, data frame, or other holder of a table
        A CSV, Parquet, AnnData or HDF5 file, or what :class:`skpar_select.tables.Table` takes.
    column : str or sequence of str
        The column that holds the target, or several of them.
    id_column : str, default=None
        The column of the table that holds the sample ids. None takes the column, the targets
        aside, in which most ids of the matrix occur; where two do so that differ, it asks.
    unmatched : {"raise", "drop"}, default="raise"
        What becomes of samples without a row, of rows without a sample, and of ids in `samples`
        and `exclude_samples` that the matrix lacks.
    missing_targets : {"raise", "drop"}, default="raise"
        What becomes of samples whose target is missing. ``"drop"`` leaves out those that lack all
        targets; where there are several, those that lack some of them stay, with NaN.
    samples, exclude_samples : sequence of str, or path, default=None
        Ids of the samples to keep, and to leave out. A path is a text file with one id a line.
    where : str or sequence of str, default=None
        Conditions on columns of the table that must all hold, such as ``"sex=F"``, ``"age>=18"``
        or ``"batch!=3"``. Numbers are compared as numbers, all else as text. A missing value
        meets none, but ``"age!=NA"`` asks for those that are there.
    task : {"regression", "classification"}, default="regression"
        Whether the targets are read as finite numbers or kept as text.
    match : {"id", "order"}, default="id"
        ``"order"`` takes the first row for the first sample and so on; both must have as many.

    Returns
    -------
    X : LazyMatrix, or as it was given, of shape (n_kept, n_features)
        Its samples that are kept, in its own order. A lazy matrix where an object holds one.
    y : ndarray of shape (n_kept,) or (n_kept, n_targets)
        float64 for regression, str for classification. Two-dimensional where `column` is a
        sequence; where a class is missing then, an array of objects with None.

    Raises
    ------
    MissingIdsError
        If the matrix has no ids (a ValueError).
    ValueError
        If samples, rows or targets lack a partner and are not to be dropped; if an id is repeated
        in the matrix, or in the table with different targets (rows that are equal in id and
        targets count once); if a column is not there, a condition cannot be compared, or nothing
        is left.
    TypeError
        If `X` is a path, or `table` is no table.

    See Also
    --------
    skpar_select.tables.aligned : The same with strata and covariates, of the same table.
    read_targets : The targets alone, where matrix and table hold the same samples.

    Examples
    --------
    >>> import pandas as pd
    >>> from skpar_select import align
    >>> X = pd.DataFrame({"cg1": [0.1, 0.7, 0.4]}, index=["a", "b", "c"])
    >>> ages = {"sample": ["c", "b", "a"], "age": [70, 61, 12], "sex": ["F", "F", "M"]}
    >>> X, y = align(X, ages, "age")
    >>> y
    array([12., 61., 70.])
    """
    joined = aligned(
        X,
        table,
        column,
        id_column=id_column,
        unmatched=unmatched,
        missing_targets=missing_targets,
        samples=samples,
        exclude_samples=exclude_samples,
        where=where,
        task=task,
        match=match,
    )
    return joined.X, joined.y


class Aligned(NamedTuple):
    """What :func:`aligned` returns: samples that all have, in the order of the matrix."""

    X: Any
    """The rows of the matrix that count."""
    y: Array
    """Their targets."""
    strata: Array | None
    """Their labels of shape (n_kept,) or (n_kept, n_strata), as text; None if no column was named."""
    covariates: Array | None
    """float64 of shape (n_kept,) or (n_kept, n_covariates); None if no column was named."""


def aligned(
    X: Any,
    table: Any,
    column: str | Sequence[str],
    *,
    strata: str | Sequence[str] | None = None,
    covariates: str | Sequence[str] | None = None,
    id_column: str | None = None,
    unmatched: str = "raise",
    missing_targets: str = "raise",
    samples: Sequence[str] | PathLike[str] | None = None,
    exclude_samples: Sequence[str] | PathLike[str] | None = None,
    where: str | Sequence[str] | None = None,
    task: str = "regression",
    match: str = "id",
) -> Aligned:
    """Join a matrix and a table, of which columns are targets, and others are confounders.

    Parameters
    ----------
    X, table, column, id_column, unmatched, samples, exclude_samples, where, task, match
        As of :func:`skpar_select.align`.
    strata : str or sequence of str, default=None
        The columns of labels that are held fixed, such as ``"batch"``.
    covariates : str or sequence of str, default=None
        The columns of numbers that are regressed out, such as ``["neutrophils", "monocytes"]``.
    missing_targets : {"raise", "drop"}, default="raise"
        What becomes of samples whose target, stratum or covariate is missing. Of several targets one
        is enough; of strata and covariates all are needed.

    Returns
    -------
    Aligned
        A named tuple: ``X``, ``y``, ``strata``, ``covariates``, as ``fit`` takes them.

    Raises
    ------
    ValueError
        As of :func:`skpar_select.align`; and if strata or covariates are no columns of the table, are
        the target's own or named twice, or if a covariate is no finite number.

    Examples
    --------
    >>> import pandas as pd
    >>> from skpar_select.tables import aligned
    >>> X = pd.DataFrame({"cg1": [0.1, 0.7, 0.4]}, index=["a", "b", "c"])
    >>> table = {"sample": ["c", "b", "a"], "age": [70, 61, 12], "sex": ["F", "F", "M"]}
    >>> X, y, strata, _ = aligned(X, table, "age", strata="sex")
    >>> y, strata
    (array([12., 61., 70.]), array(['M', 'F', 'F'], dtype='<U1'))
    """
    given = {"unmatched": unmatched, "missing_targets": missing_targets, "match": match}
    for word, value in given.items():
        if value not in _CHOICES[word]:
            raise ValueError(
                f"{word}={value!r} is unknown. It must be one of {listing(_CHOICES[word])}. Name one "
                "of them."
            )
    check_task(task)
    matrix = _held(X)
    table = Table(table)
    targets = target_columns(table, column)
    confounders = ConfounderColumns.of(table, strata, covariates, targets)
    conditions = conditions_of(where)
    drop = unmatched == "drop"
    if match == "order" and (drop or id_column is not None):
        useless = "unmatched='drop'" if drop else f"id_column={id_column!r}"
        raise ValueError(
            f"{useless} with match='order'. Rows that are joined by position all have a partner, and "
            "ids are not looked at. Leave one of the two out."
        )
    if match == "id" and matrix.ids is None:
        raise MissingIdsError(
            "X has no sample ids. A table is joined by id, never by position. Name the ids of a file "
            "with sample_ids of open_matrix, make them the index of a data frame, or, if the rows of "
            "both are in the same order, say so with match='order' (read_targets without sample_ids "
            "gives the targets in the order of the table)."
        )
    choice = choose(matrix.ids, matrix.n_samples, samples, exclude_samples, drop=drop)
    holds = rows_where(table, conditions, table.length(targets[0]))
    if match == "order" or matrix.ids is None:
        joined = join_by_order(table, targets[0], choice, holds)
    else:
        joined = join_by_id(
            matrix.ids,
            table,
            targets,
            id_column=id_column,
            choice=choice,
            where=holds,
            conditions=conditions,
            drop=drop,
            confounders=confounders.names,
        )
    y, missing = values_of(table, targets, joined.rows, task)
    if missing_targets == "raise":
        refuse_missing(table, targets, joined.rows, missing)
    lacking: BoolArray = np.all(missing, axis=1)
    joined.keep(~lacking, f"without a value in {listing(targets)}")
    y, missing = y[~lacking], missing[~lacking]
    labels, numbers, without = confounders.values(table, joined.rows)
    if missing_targets == "raise":
        refuse_missing(
            table,
            confounders.names,
            joined.rows,
            without,
            what="A stratum or covariate",
            rule="Every sample needs a value of each, as it needs a target",
        )
    unknown: BoolArray = np.any(without, axis=1)
    joined.keep(~unknown, f"without a value in {listing(confounders.names)}")
    y, missing = y[~unknown], missing[~unknown]
    if not len(joined.samples):
        raise AlignmentError(
            f"No sample of the matrix is left ({_left_out(joined)}). At least one needs a row of "
            f"{table.label} and a target.",
            "Loosen samples, exclude_samples or where, or take another column.",
        )
    if task == "classification" and not missing.any():
        y = y.astype(np.str_)
    if joined.dropped:
        warn_caller(
            f"Left out: {_left_out(joined)}. {len(joined.samples)} of "
            f"{counted(matrix.n_samples, 'sample')} are kept.",
            DroppedSamplesWarning,
        )
    whole = len(joined.samples) == matrix.n_samples
    return Aligned(
        matrix.X if whole else matrix.take(joined.samples),
        y[:, 0] if isinstance(column, str) else y,
        _kept(labels, ~unknown, strata, np.str_),
        _kept(numbers, ~unknown, covariates, np.float64),
    )


def _kept(values: Array | None, mask: BoolArray, given: Any, dtype: Any) -> Array | None:
    """Return the rows that count, one column as a vector if it was named by itself."""
    if values is None:
        return None
    kept = values[mask].astype(dtype)
    return kept[:, 0] if isinstance(given, str) else kept


@dataclass
class _Held:
    """A matrix as it is given back, its ids, and how rows of it are taken."""

    X: Any
    ids: list[str] | None
    n_samples: int
    take: Callable[[IndexArray], Any]


def _held(X: Any) -> _Held:
    lazy = X if isinstance(X, LazyMatrix) else held_matrix(X)
    if lazy is not None:
        ids = lazy.sample_ids
        return _Held(lazy, None if ids is None else list(ids), len(lazy), lazy.__getitem__)
    if has_index(X):
        index = None if is_default_index(X.index) else [id_text(one) for one in X.index]
        return _Held(X, index, len(X), X.iloc.__getitem__)
    if isinstance(X, list | tuple):
        X = np.asarray(X)
    if len(getattr(X, "shape", ())) != 2:
        raise TypeError(
            f"X={quote(X)} is no matrix, but a {type(X).__name__}. A table is joined to a matrix of samples "
            "and features. Give what open_matrix returns, an array or a data frame."
        )
    return _Held(X, None, X.shape[0], X.__getitem__)


def _left_out(joined: Join) -> str:
    return "; ".join(joined.dropped) or "nothing was left out"
