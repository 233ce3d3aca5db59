"""From the options to a matrix and its target: opened, joined, and cut to what is asked for."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skpar_select._alignment import (
    MissingIdsError,
    MissingTargetsError,
    UnmatchedSamplesError,
)
from skpar_select.matrices import LazyMatrix, UnreadFileError, open_matrix
from skpar_select.tables import Table, align

STREAM = "-"

_NO_IDS = (
    "No sample ids are known for {label}. Rows are joined to the table by id, and by position only "
    "on request. Name the ids with --sample-ids, and their column with "
    "--id-column; or give --same-order if all rows are in the order of the table."
)


@dataclass(frozen=True)
class Problem:
    """A matrix and its target."""

    X: LazyMatrix
    y: Any
    """float64 or text of shape (n_samples,), or a frame of several; None where no target is given."""

    columns: list[str]
    """The names of the targets."""

    table: str
    """What holds them."""


def inputs_of(options: Namespace) -> tuple[str, ...]:
    """Return all files that are read."""
    named = (
        options.target,
        options.samples,
        options.exclude_samples,
    )
    return (*options.matrix, *(name for name in named if name not in (None, STREAM)))


def read_problem(options: Namespace) -> Problem:
    """Open the matrix and join the target to it; both without what is to be left out."""
    if not options.target_column:
        if options.target is not None or options.id_column is not None or options.where:
            raise ValueError(
                f"No column of '{options.target or options.matrix[0]}' is named. The target is one "
                "of them, or several. Name it with --target-column."
            )
        X = open_input(options, None)
        return Problem(X, None, [], "")
    table = Table(sys.stdin if options.target == STREAM else options.target or options.matrix[0])
    columns = [table.find(options.target_column, "The target")]
    X = open_input(options, table.length(columns[0]))
    by_position = options.same_order or options.sample_ids is None
    if X.sample_ids is None and not by_position and options.target is not None:
        raise MissingIdsError(_NO_IDS.format(label=X.label))
    with _remedies():
        X, y = align(
            X,
            table,
            columns[0],
            id_column=options.id_column,
            match="order" if by_position or X.sample_ids is None else "id",
            unmatched=options.unmatched,
            missing_targets=options.missing_targets,
            samples=_path(options.samples),
            exclude_samples=_path(options.exclude_samples),
            where=options.where,
            task=options.task,
        )
    return Problem(X, y, columns, table.label)


def open_input(options: Namespace, n_rows: int | None) -> LazyMatrix:
    """Open the matrix; `n_rows` of the target tell its orientation."""
    dataset = options.dataset if options.layer is None else f"layers/{options.layer}"
    orientation, n_samples = options.orientation, None
    if orientation == "auto":
        with _remedies():
            shape = open_matrix(options.matrix[0], dataset).shape
        if n_rows is None or n_rows not in shape:
            orientation = "samples_by_features"
        else:
            n_samples = n_rows
    with _remedies():
        return open_matrix(
            options.matrix,
            dataset,
            feature_names=options.feature_names,
            sample_ids=None if options.same_order else options.sample_ids,
            orientation=orientation,
            n_samples=n_samples,
            align="order" if options.same_order or options.sample_ids is None else "id",
        )


def _path(file: str | None) -> Path | None:
    return None if file is None else Path(file)


@contextmanager
def _remedies() -> Iterator[None]:
    """Replace the remedies of the library, which are in Python, by those of the command line."""
    try:
        yield
    except UnmatchedSamplesError as error:
        raise ValueError(
            f"{error.finding} --unmatched drop leaves out what has no partner."
        ) from error
    except MissingTargetsError as error:
        raise ValueError(
            f"{error.finding} --missing-targets drop leaves these samples out."
        ) from error
    except UnreadFileError as error:
        raise ValueError(
            f"{error.finding} Convert it once; docs/containers.md has a line for each kind."
        ) from error
    except MissingIdsError as error:
        error.add_note(
            "--sample-ids names the dataset of ids, --same-order takes all files in one order."
        )
        raise
