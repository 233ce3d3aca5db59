"""Scores as a table, best first: a CSV file or a data frame."""

import csv
from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._typing import BoolArray, FloatArray, IndexArray
from skpar_select.tables._files import replacing


def write_scores(
    path: str | PathLike[str],
    feature_names: Sequence[str] | NDArray[Any],
    scores: FloatArray,
    selected: BoolArray,
) -> None:
    r"""Write ``feature,score,selected`` as CSV, best first.

    Of equal scores the selected come first, then the order of the columns; a score that is not a
    number comes last. A score is written so that reading it gives the same float64, ``selected``
    as ``true`` or ``false``. The file is replaced when it is complete; after an OSError a file of
    that name is as it was.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "scores.csv")
    ...     write_scores(file, ["a", "b"], np.array([0.1, 0.5]), np.array([False, True]))
    ...     file.read_text()
    'feature,score,selected\nb,0.5,true\na,0.1,false\n'
    """
    with replacing(path) as part, open(part, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["feature", "score", "selected"])
        for index in _best_first(scores, selected):
            row = [feature_names[index], repr(float(scores[index]))]
            writer.writerow([*row, "true" if selected[index] else "false"])


def score_frame(
    feature_names: Sequence[str] | NDArray[Any],
    scores: FloatArray,
    selected: BoolArray,
    pvalues: FloatArray | None,
) -> Any:
    """Return the table that :func:`write_scores` writes as a data frame of pandas, if installed.

    Where there are p-values, ``pvalue`` is a column too, before ``selected``.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "The table of scores needs pandas, which is not installed. It is a data frame of "
            "pandas. Install it with pip install pandas, or take scores_ and get_support() as "
            "they are."
        ) from error
    columns: dict[str, Any] = {"feature": feature_names, "score": scores}
    if pvalues is not None:
        columns["pvalue"] = pvalues
    columns["selected"] = selected
    return pd.DataFrame(columns).iloc[_best_first(scores, selected)].reset_index(drop=True)


def _best_first(scores: FloatArray, selected: BoolArray) -> IndexArray:
    return np.lexsort((~selected, -scores))
