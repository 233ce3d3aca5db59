"""Files of results: a table of the scores, and the reduced matrix. None is ever seen half-written."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from skpar_select._memory import parse_memory
from skpar_select._typing import BoolArray, FloatArray, IndexArray

# A panel of columns, and the copy in row order that HDF5 is handed.
_PANEL_COPIES = 2


def check_output(
    path: str | PathLike[str], *, inputs: tuple[str | PathLike[str], ...] = ()
) -> Path:
    """Refuse a place that cannot be written to, before any work is done for it.

    Parameters
    ----------
    path : str or path
        The file to be written; a file of that name is replaced.
    inputs : tuple of paths
        Files that must not be replaced.

    Returns
    -------
    path : Path
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"no folder {path.parent} for {path.name}: results are written into a folder that exists; make it first"
        )
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"the folder {path.parent} cannot be written to: {path.name} needs a place; choose another folder"
        )
    if path.exists() and not path.is_file():
        raise ValueError(
            f"{path} is not a regular file: results replace only files; choose another name"
        )
    if path.exists() and any(Path(file).exists() and path.samefile(file) for file in inputs):
        raise ValueError(f"{path} is an input: results must not replace it; choose another name")
    return path


def write_scores(
    path: str | PathLike[str], feature_names: Any, scores: FloatArray, selected: BoolArray
) -> None:
    """Write ``feature,score,selected`` as CSV, best first.

    Of equal scores the selected come first, then the order of the columns; a score that is not a
    number comes last. A score is written so that reading it gives the same float64, ``selected``
    as ``true`` or ``false``.

    Parameters
    ----------
    path : str or path
        The file to write or to replace.
    feature_names : array-like of str of shape (n_features,)
        Names of the features.
    scores : ndarray of shape (n_features,)
        Score of each feature.
    selected : ndarray of bool of shape (n_features,)
        Whether each feature was selected.
    """
    with _replacing(Path(path)) as part, open(part, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["feature", "score", "selected"])
        for index in _best_first(scores, selected):
            row = [feature_names[index], repr(float(scores[index]))]
            writer.writerow([*row, "true" if selected[index] else "false"])
        _flush(stream)


def score_frame(
    feature_names: Any, scores: FloatArray, selected: BoolArray, pvalues: FloatArray | None
) -> Any:
    """Give the table that :func:`write_scores` writes as a data frame of pandas.

    Parameters
    ----------
    feature_names, scores, selected
        As there.
    pvalues : ndarray of shape (n_features,) or None
        Another column, where there are any.

    Returns
    -------
    pandas.DataFrame
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError(
            "a table of scores is a data frame of pandas, which is not installed. pip install "
            "pandas, or take scores_ and get_support() as they are."
        ) from error
    columns = {"feature": feature_names, "score": scores}
    if pvalues is not None:
        columns["pvalue"] = pvalues
    columns["selected"] = selected
    return pd.DataFrame(columns).iloc[_best_first(scores, selected)].reset_index(drop=True)


def _best_first(scores: FloatArray, selected: BoolArray) -> IndexArray:
    return np.lexsort((~selected, -scores))


def write_matrix(
    path: str | PathLike[str],
    source: Any,
    columns: Any,
    feature_names: Any,
    *,
    memory_budget: int | str = "auto",
) -> None:
    """Write some columns of a matrix to HDF5, panel by panel.

    Where rows are what lies together, panels are of whole rows, so that every byte is read once.

    The file holds ``data`` (n_samples, n_columns) in the type of the source, ``features`` and,
    where the source has ids, ``samples``: the names that :func:`skpar_select.open_matrix` looks for.

    Parameters
    ----------
    path : str or path
        The file to write or to replace.
    source : LazyMatrix
        What :func:`skpar_select.open_matrix` gives.
    columns : ndarray of int of shape (n_columns,)
        The columns to write, in the order in which they will stand.
    feature_names : array-like of str of shape (n_columns,)
        Their names.
    memory_budget : int or str, default="auto"
        The most bytes to hold at a time.
    """
    n_samples, n_columns = source.shape[0], len(columns)
    budget = parse_memory(memory_budget)
    text = h5py.string_dtype("utf-8")
    with _replacing(Path(path)) as part:
        with h5py.File(part, "w") as file:
            data = file.create_dataset("data", (n_samples, n_columns), dtype=source.dtype)
            for rows, panel in _panels(source, n_columns, budget):
                data[rows, panel] = source[rows].read(columns[panel])
            file.create_dataset(
                "features", data=np.asarray(feature_names, dtype=object), dtype=text
            )
            if source.sample_ids is not None:
                ids = np.asarray(source.sample_ids, dtype=object)
                file.create_dataset("samples", data=ids, dtype=text)
        with open(part, "rb+") as stream:
            _flush(stream)


def _panels(source: Any, n_columns: int, budget: int) -> Iterator[tuple[slice, slice]]:
    storage, n_samples = source.storage, source.shape[0]
    value = _PANEL_COPIES * source.dtype.itemsize
    left = max(1, budget - storage.read_bytes - storage.decode_bytes)
    chunk_rows, _ = storage.chunks or (1, 1)
    tall = left // max(1, value * n_columns) // chunk_rows * chunk_rows
    height, width = n_samples, n_columns
    if storage.kind != "columns" and tall:
        height = tall
    else:
        width = max(1, left // max(1, value * n_samples))
    for row in range(0, n_samples, max(1, height)):
        for column in range(0, n_columns, max(1, width)):
            yield (
                slice(row, min(row + height, n_samples)),
                slice(column, min(column + width, n_columns)),
            )


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a name beside ``path`` to write to, and put it in place of ``path`` once all is well."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _flush(stream: Any) -> None:
    stream.flush()
    os.fsync(stream.fileno())
