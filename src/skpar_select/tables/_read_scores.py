"""A table of scores, read back: columns are chosen anew without scoring."""

import math
from collections.abc import Sequence
from os import PathLike
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skpar_select._alignment import near_match, repeated
from skpar_select._typing import FloatArray, IndexArray
from skpar_select._wording import counted, listing, quote, sentence
from skpar_select.tables._table import Table


class ReadScores(NamedTuple):
    """The features of a table of scores that are in a matrix, in the order of the matrix."""

    columns: IndexArray
    """The column of the matrix that each feature is, rising."""
    scores: FloatArray
    """Its score."""
    log_pvalues: FloatArray | None = None
    """The natural logarithm of its p-value, where p-values were asked for."""


def read_scores(
    path: str | PathLike[str] | Any,
    feature_names: Sequence[str] | NDArray[Any],
    *,
    pvalues: bool = False,
) -> ReadScores:
    """Read the scores of a matrix' columns from a table of :func:`write_scores`.

    Rules that choose among ``scores`` choose among ``columns`` as they did, ties too. The table may lack
    columns of the matrix, as after ``head``: those are not chosen.

    Parameters
    ----------
    path : str or path, or other holder of a table
        A table with the columns ``feature`` and ``score``, whatever wrote it; ``index`` is used
        where its features are those of the matrix at that place.
    feature_names : sequence of str of shape (n_features,)
        The names of the matrix' columns.
    pvalues : bool, default=False
        Whether p-values are read: those of the column ``log10_pvalue``, or else of ``pvalue``. A
        missing one, or NaN, is of a column that was not tested.

    Raises
    ------
    ValueError
        If the table has no such columns, holds a feature that the matrix lacks, one twice, a
        score that is no number, or a p-value that is none.

    Examples
    --------
    >>> read_scores({"feature": ["b", "a"], "score": [0.5, 0.1]}, ["a", "b", "c"])
    ReadScores(columns=array([0, 1]), scores=array([0.1, 0.5]), log_pvalues=None)
    """
    table = Table(path)
    features = table.column(table.find("feature", "In a table of scores the name")).text().tolist()
    scores = _numbers(
        table,
        table.find("score", "In a table of scores the score"),
        "are no scores",
        "A score is a number, or NaN",
    )
    log_pvalues = _log_pvalues(table) if pvalues else None
    twice = repeated(features)
    names = [str(name) for name in feature_names]
    places = _by_index(table, features, names)
    if places is None:
        if twice:
            raise ValueError(
                f"{sentence(table.label)} repeats {counted(len(twice), 'feature')} ({listing(twice)}). "
                "Each is one column of the matrix. Remove the repeated rows, or score again."
            )
        places = _by_name(table, features, names)
    order = np.argsort(places)
    return ReadScores(
        places[order], scores[order], None if log_pvalues is None else log_pvalues[order]
    )


def _log_pvalues(table: Table) -> FloatArray:
    """Return the natural logarithms of the p-values."""
    if "log10_pvalue" in table.names:
        # Of p-values that underflow it alone keeps the order.
        tens = _numbers(
            table,
            "log10_pvalue",
            "are no logarithms of p-values",
            "A p-value is from 0 to 1, its logarithm at most 0",
            most=0.0,
        )
        return tens * math.log(10)
    if "pvalue" not in table.names:
        raise ValueError(
            f"{sentence(table.label)} has no column 'log10_pvalue' or 'pvalue'. Rules of error rates need "
            "the p-value of every column that was tested. Score again with pvalues=True, or leave fdr, "
            "fwer and fpr out."
        )
    values = _numbers(
        table, "pvalue", "are no p-values", "A p-value is from 0 to 1, or NaN", least=0.0, most=1.0
    )
    # One that has underflowed stays the least that there is.
    return np.log(np.maximum(values, np.finfo(np.float64).smallest_subnormal))


def _numbers(
    table: Table,
    name: str,
    fault: str,
    rule: str,
    *,
    least: float = -math.inf,
    most: float = math.inf,
) -> FloatArray:
    """Return the numbers of a column, NaN where there is none; refuse what is no finite number."""
    column = table.column(name)
    if len(column) != table.length("feature"):
        raise ValueError(
            f"Column {name!r} of {table.label} has {counted(len(column), 'row')}, and 'feature' "
            f"{table.length('feature')}. Each row is of one feature. Repair the table, or score again."
        )
    numbers = column.numbers()
    bad = np.flatnonzero(
        np.isnan(numbers) & ~column.missing()
        | np.isinf(numbers)
        | (numbers < least)
        | (numbers > most)
    )
    if len(bad):
        cells = column.text()
        shown = [f"{quote(cells[row])} in row {row + 1}" for row in bad]
        raise ValueError(
            f"Column {name!r} of {table.label} holds {counted(len(bad), 'value')} that {fault} "
            f"({listing(shown, quoted=False)}). {rule}. Repair the table, or score again."
        )
    return numbers


def _by_index(table: Table, features: list[str], names: list[str]) -> IndexArray | None:
    """Return the column ``index`` if every feature is at that place, and none is there twice."""
    if "index" not in table.names:
        return None
    index = table.column("index").numbers()
    if not ((index >= 0) & (index < len(names)) & (index == np.floor(index))).all():
        return None
    places = index.astype(np.intp)
    if len(np.unique(places)) < len(places):
        return None
    # Text files lose blanks around names.
    alike = (
        name.strip() == names[place].strip() for name, place in zip(features, places, strict=True)
    )
    return places if all(alike) else None


def _by_name(table: Table, features: list[str], names: list[str]) -> IndexArray:
    position = {name: place for place, name in enumerate(names)}
    lacking = [name for name in features if name not in position]
    if lacking:
        raise ValueError(
            f"{sentence(table.label)} holds {counted(len(lacking), 'feature')} ({listing(lacking)}) "
            f"that the matrix lacks ({listing(names)}). Scores are of the columns of this matrix. "
            f"{near_match(lacking, set(names).difference(features))}Take the scores of this matrix, "
            "or name its features as they were."
        )
    return np.fromiter((position[name] for name in features), np.intp, len(features))
