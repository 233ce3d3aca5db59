"""The commands: each reads, calls the library, and writes. Loaded when one runs."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_feature_names_in

from skpar_select._inspection import inspection
from skpar_select._memory import parse_memory
from skpar_select._rules import select
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._typing import IndexArray, Names
from skpar_select.cli._console import Console
from skpar_select.cli._input import STREAM, Problem, inputs_of, open_input, read_problem
from skpar_select.cli._report import best, summary
from skpar_select.execution import choose_executor
from skpar_select.matrices import LazyMatrix, open_matrix
from skpar_select.scoring import ScoreStore, kernel_needs
from skpar_select.tables import (
    MATRIX_FORMATS,
    SCORE_FORMATS,
    check_output,
    convert_csv,
    details_of,
    read_scores,
    write_matrix,
    write_scores,
)

# What has a meaning where scores are taken from a file; all else is about scoring.
_OF_SELECTION = {
    "matrix", "dataset", "layer", "orientation", "feature_names", "feature_names_file",
    "sample_ids", "sample_ids_file", "same_order", "k", "threshold", "percentile", "n_jobs",
    "memory_budget", "output", "overwrite", "from_scores", "progress", "quiet", "help",
}  # fmt: skip

_NO_COLUMNS = (
    "No features were selected, so the matrix that is written has no columns. Every rule given must "
    "hold for a feature to be kept. Loosen one."
)


def run(options: Namespace, console: Console) -> None:
    """Run the command that the options name."""
    commands = {"score": _score, "select": _select, "inspect": _inspect, "convert": _convert}
    commands[options.command](options, console)


def _score(options: Namespace, console: Console) -> None:
    to_stdout = options.output == STREAM
    if to_stdout:
        console.take_stdout()
    output = None if to_stdout else _scores_file(options.output, options)
    problem, selector = _fit(options, console)
    _report(problem, selector, options, console)
    if to_stdout:
        _write_scores(sys.stdout, problem, selector)
    elif output is not None:
        _write_scores(output, problem, selector)
        console.result(_written(selector, output))


def _select(options: Namespace, console: Console) -> None:
    output = _checked(options.output, MATRIX_FORMATS, options)
    if options.from_scores is not None:
        _select_from(options, output, console)
        return
    scores = _scores_file(options.scores, options)
    if scores is not None and scores.resolve() == output.resolve():
        raise ValueError(
            f"--output and --scores both name '{options.output}'. Each needs a file of its own. Rename one."
        )
    problem, selector = _fit(options, console)
    _report(problem, selector, options, console)
    columns = selector.get_support(indices=True)
    if options.k == 0:  # of the other rules the fit has warned
        console.warning(_NO_COLUMNS)
    _write_matrix(output, problem.X, columns, options, console)
    if scores is not None:
        _write_scores(scores, problem, selector)
        console.result(_written(selector, scores))


def _select_from(options: Namespace, output: Path, console: Console) -> None:
    """Apply the rules to the scores of a file; nothing is scored."""
    given = vars(options)
    useless = [
        option
        for option, default in options.defaults.items()
        if option not in _OF_SELECTION and given[option] != default
    ]
    if useless:
        raise ValueError(
            f"{console.option(useless[0])} is given with --from. Scores that are known need the matrix "
            "and the rules alone. Leave one of the two out."
        )
    X = open_input(options, console)
    held = read_scores(options.from_scores, _names(X))
    if (
        X.feature_names is None
        and len(held.columns) != X.shape[1]
        and options.orientation == "auto"
    ):
        # x0 is a name of every matrix, and of its transpose.
        raise ValueError(
            f"'{options.from_scores}' holds {len(held.columns)} features, the matrix {X.shape[1]} "
            "without names. They would be taken by position, and its rows may be the features. Give "
            "--orientation, or --feature-names."
        )
    mask = select(
        held.scores, k=options.k, threshold=options.threshold, percentile=options.percentile
    )
    if not mask.any():
        console.warning(_NO_COLUMNS)
    _write_matrix(output, X, held.columns[mask], options, console)


def _inspect(options: Namespace, console: Console) -> None:
    problem = read_problem(options, console)
    needs = kernel_needs(
        problem.X.shape[0],
        problem.X.dtype,
        n_targets=max(1, len(problem.columns)),
        omits_features=options.missing != "raise",
        omits_targets=problem.lacks_targets,
    )
    budget, n_jobs = options.memory_budget, options.n_jobs
    for line in inspection(problem.X, needs, memory_budget=budget, n_jobs=n_jobs):
        console.result(line)


def _convert(options: Namespace, console: Console) -> None:
    convert_csv(
        options.source,
        options.output,
        orientation=options.orientation,
        dtype=options.dtype,
        separator=options.separator,
        overwrite=options.overwrite,
    )
    X = open_matrix(options.output)
    n_samples, n_features = X.shape
    console.result(f"{n_samples:,} samples x {n_features:,} features written to {options.output}")


def _fit(options: Namespace, console: Console) -> tuple[Problem, ParallelMutualInfoSelector]:
    problem = read_problem(options, console)
    if not problem.columns:
        raise ValueError(
            "No target is named. Columns are scored against one. Name its column with "
            "--target-column, and the table that holds it with --target if that is not the matrix."
        )
    console.name_targets(problem.columns)
    if problem.lacks_targets and options.missing == "raise":
        raise ValueError(
            f"Some samples have a value for some of the targets ({', '.join(problem.columns)}) alone. "
            "Every sample needs all unless a target is scored on the samples that have it. Give "
            "--missing omit, or score one target at a time."
        )
    selector = ParallelMutualInfoSelector(
        k=options.k,
        threshold=options.threshold,
        percentile=options.percentile,
        task=options.task,
        discrete_features=problem.discrete,
        missing=options.missing,
        min_observed=options.min_observed,
        aggregate=options.aggregate,
        n_neighbors=options.n_neighbors,
        random_state=options.random_state,
        memory_budget=options.memory_budget,
        n_jobs=options.n_jobs,
        store=None if options.store is None else ScoreStore(options.store, tell=console.note),
        verbose=console.progress() or 0,
    )
    selector.fit(problem.X, problem.y)
    if np.isnan(selector.scores_).all():
        raise ValueError(
            "No column was scored: all lack too many values. At least one must be, for a best one to "
            "be named. Give --missing omit, lower --min-observed, or fill them first."
        )
    return problem, selector


def _report(
    problem: Problem, selector: ParallelMutualInfoSelector, options: Namespace, console: Console
) -> None:
    """Say what was scored, and show the best."""
    for line in summary(problem, options.task):
        console.result(line)
    for line in best(_check_feature_names_in(selector), selector, problem.columns):
        console.result(line)


def _write_scores(output: Any, problem: Problem, selector: ParallelMutualInfoSelector) -> None:
    more = details_of(selector, problem.columns)
    names = _check_feature_names_in(selector)
    write_scores(output, names, selector.scores_, selector.get_support(), more)


def _written(selector: ParallelMutualInfoSelector, path: Path) -> str:
    n_selected = np.count_nonzero(selector.get_support())
    return f"{selector.n_features_in_:,} scores written to {path}, {n_selected:,} selected"


def _write_matrix(
    output: Path, X: LazyMatrix, columns: IndexArray, options: Namespace, console: Console
) -> None:
    write_matrix(
        output,
        X,
        columns,
        _names(X)[columns],
        choose_executor(options.n_jobs, prefer="threads"),
        memory_budget=parse_memory(options.memory_budget),
        progress=console.progress(),
    )
    console.result(f"{len(columns):,} of {X.shape[1]:,} features written to {output}")


def _names(X: LazyMatrix) -> Names:
    names = X.feature_names
    if names is None:
        names = np.array([f"x{column}" for column in range(X.shape[1])], dtype=object)
    return names


def _checked(file: str, formats: Sequence[str], options: Namespace) -> Path:
    """Check that an output can be written, before any work is done for it."""
    return check_output(
        file, inputs=inputs_of(options), overwrite=options.overwrite, formats=formats
    )


def _scores_file(file: str | None, options: Namespace) -> Path | None:
    return None if file is None else _checked(file, SCORE_FORMATS, options)
