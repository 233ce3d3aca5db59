"""A table of scores, read back: columns are chosen anew without scoring."""

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


def read_scores(
    path: str | PathLike[str] | Any, feature_names: Sequence[str] | NDArray[Any]
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

    Raises
    ------
    ValueError
        If the table has no such columns, holds a feature that the matrix lacks, one twice, or a
        score that is no number.

    Examples
    --------
    >>> read_scores({"feature": ["b", "a"], "score": [0.5, 0.1]}, ["a", "b", "c"])
    ReadScores(columns=array([0, 1]), scores=array([0.1, 0.5]))
    """
    table = Table(path)
    features = table.column(table.find("feature", "In a table of scores the name")).text().tolist()
    score = table.column(table.find("score", "In a table of scores the score"))
    scores = score.numbers()
    bad = np.flatnonzero(np.isnan(scores) & ~score.missing() | np.isinf(scores))
    if len(bad):
        cells = score.text()
        shown = [f"{quote(cells[row])} in row {row + 1}" for row in bad]
        raise ValueError(
            f"Column 'score' of {table.label} holds {counted(len(bad), 'value')} that are no scores "
            f"({listing(shown, quoted=False)}). A score is a number, or NaN. Repair the table, or "
            "score again."
        )
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
    return ReadScores(places[order], scores[order])


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
