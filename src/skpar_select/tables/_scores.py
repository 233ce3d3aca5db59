"""Scores as a table, best first: a file of several formats, or a data frame."""

import csv
import math
from collections.abc import Mapping, Sequence
from os import PathLike
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from skpar_select._typing import Array, BoolArray, FloatArray
from skpar_select.tables._files import (
    TEXT_FORMATS,
    format_of,
    separator_for,
    writing_text,
)
from skpar_select.tables._hdf5_output import TEXT, bytes_of_names, writing_hdf5, written_hdf5
from skpar_select.tables._output import Output, output_of
from skpar_select.tables._pandas import data_frame
from skpar_select.tables._parquet import write_parquet

SCORE_FORMATS = (*TEXT_FORMATS, ".parquet", ".h5", ".hdf5")

# Of ten million rows the text of all cells took 2.8 GB.
_ROWS_AT_A_TIME = 2**16

_NONE: Mapping[str, Array] = {}


def score_table(
    feature_names: Sequence[str] | NDArray[Any],
    scores: FloatArray,
    selected: BoolArray,
    more: Mapping[str, Array] = _NONE,
) -> dict[str, Array]:
    """Return the columns of the table of scores, best first.

    These are ``feature``, ``score``, ``selected``, ``rank`` (from 1 on), ``index`` (of the column
    in the matrix, from 0 on) and those of `more`, such as ``n_observed``, ``score_NAME`` for each
    of several targets, ``pvalue`` and ``rho``. Of equal scores the selected come first, then the
    order of the columns; a score that is NaN comes last.
    """
    order = np.lexsort((~selected, -scores))
    names = np.array([str(name) for name in feature_names], dtype=object)
    return {
        "feature": names[order],
        "score": scores[order],
        "selected": selected[order],
        "rank": np.arange(1, len(order) + 1),
        "index": order,
        **{name: np.asarray(values)[order] for name, values in more.items()},
    }


def details_of(fitted: Any, target_names: Sequence[str] = ()) -> dict[str, Array]:
    """Return what a fitted selector knows besides scores, as columns: those that say something.

    Several targets are called as `target_names` says, as the selector knows them, or by number.
    """
    details: dict[str, Array] = {}
    several = fitted.scores_by_target_ is not None
    n_targets = len(fitted.scores_by_target_) if several else 0
    names = (target_names or fitted.target_names_ or range(n_targets)) if several else ()
    if fitted.missing != "raise":
        details |= _by_target("n_observed", fitted.n_observed_, names)
    if several:
        details |= _by_target("score", fitted.scores_by_target_, names)
    if fitted.log_pvalues_ is not None:
        details["pvalue"] = fitted.pvalues_
        details["qvalue"] = fitted.qvalues_
        # A p-value below 5e-324 is 0 as a float64; its logarithm still has its place.
        details["log10_pvalue"] = fitted.log_pvalues_ / math.log(10)
    if fitted.rho_ is not None:
        details |= _by_target("rho", fitted.rho_, names)
    return details


def _by_target(what: str, values: Array, names: Sequence[Any]) -> dict[str, Array]:
    """Return a column for each target, or that of the only one."""
    each = [f"{what}_{name}" for name in names] or [what]
    return dict(zip(each, np.atleast_2d(values), strict=True))


def write_scores(
    path: str | PathLike[str] | Output | TextIO,
    feature_names: Sequence[str] | NDArray[Any],
    scores: FloatArray,
    selected: BoolArray,
    more: Mapping[str, Array] = _NONE,
) -> None:
    r"""Write the table of scores, best first, in the format that the end of the name says.

    As text (``.csv``, ``.tsv``, and either packed as ``.csv.gz``, ``.tsv.gz``), as ``.parquet``, or
    as ``.h5`` or ``.hdf5`` with a dataset for each column. A text stream, such as ``sys.stdout``,
    receives CSV; an :class:`Output` is one that was made before. In text a number is written so that
    reading it gives the same float64, NaN as ``NaN``, ``selected`` as ``true`` or ``false``. Names
    stand as they are. A file is replaced when the new one is complete and was read once more; after
    an OSError a file of that name is as it was.

    Raises ValueError for another end of the name, and ImportError where Parquet needs pyarrow.

    Examples
    --------
    >>> import sys
    >>> import numpy as np
    >>> write_scores(sys.stdout, ["a", "b"], np.array([0.1, 0.5]), np.array([False, True]))
    feature,score,selected,rank,index
    b,0.5,true,1,1
    a,0.1,false,2,0
    """
    if not isinstance(path, str | PathLike | Output):
        _write_text(path, score_table(feature_names, scores, selected, more), ",")
        return
    suffix = format_of(path.path if isinstance(path, Output) else path, SCORE_FORMATS)
    columns = score_table(feature_names, scores, selected, more)
    with output_of(path) as output:
        output.reserve(bytes_of_scores(feature_names, len(more)))
        if suffix in TEXT_FORMATS:
            with writing_text(output, suffix) as stream:
                _write_text(stream, columns, separator_for(suffix))
        elif suffix == ".parquet":
            write_parquet(output, columns)
        else:
            _write_hdf5(output, columns)
        output.replace()


def bytes_of_scores(feature_names: Sequence[str] | NDArray[Any], n_more: int) -> int:
    """Return what a table of scores takes in the format that takes most, or a little more."""
    return bytes_of_names(feature_names) + (72 + 25 * n_more) * len(feature_names) + 2**16


def score_frame(
    feature_names: Sequence[str] | NDArray[Any],
    scores: FloatArray,
    selected: BoolArray,
    more: Mapping[str, Array] = _NONE,
) -> Any:
    """Return :func:`score_table` as a data frame of pandas, if that is installed."""
    return data_frame(score_table(feature_names, scores, selected, more))


def _write_hdf5(output: Output, columns: Mapping[str, Array]) -> None:
    with writing_hdf5(output) as file:
        for name, values in columns.items():
            file.create_dataset(name, data=values, dtype=TEXT if values.dtype.kind == "O" else None)
            output.check()
    with written_hdf5(output) as written:
        for name, values in columns.items():
            check = written.check_text if values.dtype.kind == "O" else written.check_values
            check(name, values)


def _write_text(stream: TextIO, columns: Mapping[str, Array], separator: str) -> None:
    writer = csv.writer(stream, lineterminator="\n", delimiter=separator)
    writer.writerow(columns)
    n_rows = len(columns["feature"])
    for start in range(0, n_rows, _ROWS_AT_A_TIME):
        some = [values[start : start + _ROWS_AT_A_TIME] for values in columns.values()]
        writer.writerows(zip(*map(_cells, some), strict=True))


def _cells(values: Array) -> list[str]:
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values]
    if values.dtype.kind == "f":
        # R reads NaN in no other spelling.
        return ["NaN" if value != value else repr(value) for value in values.astype(float).tolist()]
    return [str(value) for value in values]
