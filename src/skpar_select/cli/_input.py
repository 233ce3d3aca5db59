"""From the options to a matrix and its target: opened, joined, and cut to what is asked for."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skpar_select._wording import counted, listing
from skpar_select.cli._console import Console
from skpar_select.cli._features import DISCRETE_WORDS, choose_features, discrete_features
from skpar_select.matrices import LazyMatrix, UnclearOrientationError, open_matrix
from skpar_select.tables import Table, aligned

STREAM = "-"
_ORIENTATIONS = ("samples_by_features", "features_by_samples")

_NO_IDS = (
    "No sample ids are known for {label}. Rows are joined to the table by id, and by position only "
    "on request. Name the ids with --sample-ids or --sample-ids-file, and their column with "
    "--id-column; or give --same-order if all rows are in the order of the table."
)


# What has a meaning only where there is a target.
_OF_SAMPLES = ("samples", "exclude_samples", "unmatched", "missing_targets")


@dataclass(frozen=True)
class Problem:
    """A matrix and its target."""

    X: LazyMatrix
    discrete: str | bool | list[str]
    """Which of its columns are discrete, as the selector takes it."""

    y: Any = None
    """float64 or text of shape (n_samples,) or (n_samples, n_targets); None without a target."""

    columns: Sequence[str] = ()
    """The names of the targets."""

    table: str = ""
    """What holds them, and what is held fixed or regressed out."""

    strata: Any = None
    """Labels of each sample, as the selector takes them, or None."""

    covariates: Any = None
    """Numbers of each sample, or None."""

    @property
    def lacks_targets(self) -> bool:
        """Whether a sample has a value for some of the targets alone."""
        if self.y is None or self.y.dtype.kind not in "fO":
            return False
        return bool((self.y != self.y).any() or (self.y == None).any())  # noqa: E711  # of an array


def inputs_of(options: Namespace) -> tuple[str, ...]:
    """Return all files that are read."""
    if options.command == "merge":
        return tuple(options.parts)
    named = (
        options.target,
        options.feature_names_file,
        options.sample_ids_file,
        options.samples,
        options.exclude_samples,
        options.features,
        options.exclude_features,
        None if options.discrete_features in DISCRETE_WORDS else options.discrete_features,
        options.from_scores if options.command == "select" else None,
    )
    return (*options.matrix, *(name for name in named if name not in (None, STREAM)))


def read_problem(options: Namespace, console: Console) -> Problem:
    """Open the matrix and join the target to it; both without what is to be left out."""
    if not options.target_column:
        of_table = options.target, options.id_column, options.where, *_confounders_of(options)
        if any(of_table):
            raise ValueError(
                f"No column of '{options.target or options.matrix[0]}' is named. The target is one "
                "of them, or several. Name it with --target-column."
            )
        useless = [option for option in _OF_SAMPLES if vars(options)[option] not in (None, "raise")]
        if useless:
            raise ValueError(
                f"{console.option(useless[0])} is given without a target. Samples are chosen where a "
                "matrix is joined to a table. Name a column with --target-column, or leave it out."
            )
        return _cut(open_input(options, console), options)
    if options.covariate_knots and not options.covariates:
        raise ValueError(
            f"--covariate-knots {options.covariate_knots} is given without --covariates. Splines are of "
            "covariates. Name their columns, or leave it out."
        )
    table = Table(sys.stdin if options.target == STREAM else options.target or options.matrix[0])
    columns = [table.find(name, "The target") for name in options.target_column]
    X = open_input(options, console, table, columns[0])
    by_position = options.same_order or options.sample_ids is None
    if by_position and options.id_column is not None:
        raise ValueError(
            f"--id-column {options.id_column} is given, and rows are joined by position. Ids are not "
            "used then. Leave it out, or else --same-order and --sample-ids none."
        )
    if by_position and options.unmatched == "drop":
        raise ValueError(
            "--unmatched drop is given, and rows are joined by position, so that each has a partner. "
            "Leave it out, or join by id, without --same-order and --sample-ids none."
        )
    if X.sample_ids is None and not by_position and options.target is not None:
        raise ValueError(_NO_IDS.format(label=X.label))
    joined = aligned(
        X,
        table,
        columns if len(columns) > 1 else columns[0],
        strata=options.strata,
        covariates=options.covariates,
        id_column=options.id_column,
        match="order" if by_position or X.sample_ids is None else "id",
        unmatched=options.unmatched,
        missing_targets=options.missing_targets,
        samples=_path(options.samples),
        exclude_samples=_path(options.exclude_samples),
        where=options.where,
        task=options.task,
    )
    X = joined.X
    if options.target is None:
        X = _without(X, columns, "a target", "A column tells all about itself", console)
        X = _without(
            X,
            [table.find(name) for name in _confounders_of(options)],
            "a stratum or covariate",
            "Nothing is left of a column that is held fixed or regressed out",
            console,
        )
    return _cut(
        X,
        options,
        y=joined.y,
        columns=columns,
        table=_described(table, options),
        strata=joined.strata,
        covariates=joined.covariates,
    )


def _confounders_of(options: Namespace) -> list[str]:
    return [*(options.strata or ()), *(options.covariates or ())]


def _described(table: Table, options: Namespace) -> str:
    """Name a table, and which of its columns are held fixed or regressed out."""
    parts = [table.label]
    if options.strata:
        parts.append(f"within strata of {listing(options.strata)}")
    if options.covariates:
        parts.append(f"covariates {listing(options.covariates)} regressed out")
    return ", ".join(parts)


def _without(
    X: LazyMatrix, columns: Sequence[str], what: str, why: str, console: Console
) -> LazyMatrix:
    """Leave out features of these names, as of a Parquet file that holds the table, too."""
    names = X.feature_names
    if names is None:
        return X
    others = [place for place, name in enumerate(names) if name not in columns]
    if len(others) == len(names):
        return X
    console.note(
        f"Left out: {counted(len(names) - len(others), 'feature')} of the name of {what}, "
        f"{listing(columns)}. {why}."
    )
    kept: LazyMatrix = X[:, others]
    return kept


def _cut(X: LazyMatrix, options: Namespace, **target: Any) -> Problem:
    chosen = choose_features(X, options)
    return Problem(chosen, discrete_features(options.discrete_features, X, chosen), **target)


def open_input(
    options: Namespace, console: Console, table: Table | None = None, column: str = ""
) -> LazyMatrix:
    """Open the matrix.

    Where neither its names nor its ids tell how it is stored, the table does: by the ids that it
    holds, too, or by the length of the target's column.
    """
    ids = _path(options.sample_ids_file) or options.sample_ids

    def opened(files: Any = options.matrix, **orientation: Any) -> LazyMatrix:
        return open_matrix(
            files,
            options.dataset if options.layer is None else f"layers/{options.layer}",
            feature_names=_path(options.feature_names_file) or options.feature_names,
            # Where rows are joined by position, only what is asked for.
            sample_ids=None if options.same_order and ids == "auto" else ids,
            align="order" if options.same_order or ids is None else "id",
            **orientation,
        )

    try:
        return opened(orientation=options.orientation)
    except UnclearOrientationError:
        if table is None:
            console.note(
                "Nothing tells how the matrix is stored. Its rows are taken for the samples. "
                "--orientation says otherwise."
            )
            return opened(orientation="samples_by_features")
        if options.target is not None and not options.same_order and ids is not None:
            told = [
                which
                for which in _ORIENTATIONS
                if _shares_ids(opened(options.matrix[0], orientation=which), table)
            ]
            if len(told) == 1:
                return opened(orientation=told[0])
        return opened(orientation="auto", n_samples=table.length(column))


def _shares_ids(X: LazyMatrix, table: Table) -> bool:
    """Return whether a column of the table holds an id of the matrix."""
    ids = X.sample_ids
    return ids is not None and any(
        not set(ids).isdisjoint(table.glance(name).text().tolist()) for name in table.names
    )


def _path(file: str | None) -> Path | None:
    return None if file is None else Path(file)
