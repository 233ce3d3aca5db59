"""The commands: each reads, calls the library, and writes. Loaded when one runs."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
from sklearn.utils.validation import _check_feature_names_in

from skpar_select._inspection import inspection
from skpar_select._memory import parse_memory
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select.cli._console import Console
from skpar_select.cli._input import (
    Problem,
    inputs_of,
    read_problem,
)
from skpar_select.cli._report import best, summary
from skpar_select.execution import choose_executor
from skpar_select.scoring import kernel_needs
from skpar_select.tables import (
    check_output,
    write_matrix,
    write_scores,
)


def run(options: Namespace, console: Console) -> None:
    """Run the command that the options name."""
    commands = {"score": _score, "select": _select, "inspect": _inspect}
    commands[options.command](options, console)


def _score(options: Namespace, console: Console) -> None:
    output = _checked(options.output, options)
    problem, selector = _fit(options, console)
    _report(problem, selector, options, console)
    if output is not None:
        _write_scores(output, selector, console)


def _select(options: Namespace, console: Console) -> None:
    output = _checked(options.output, options)
    assert output is not None
    scores = _checked(options.scores, options)
    if scores is not None and scores.resolve() == output.resolve():
        raise ValueError(
            f"--output and --scores both name '{scores}'. Each needs a file of its own. Rename one."
        )
    problem, selector = _fit(options, console)
    _report(problem, selector, options, console)
    columns = selector.get_support(indices=True)
    write_matrix(
        output,
        problem.X,
        columns,
        selector.get_feature_names_out(),
        choose_executor(options.n_jobs, prefer="threads"),
        memory_budget=parse_memory(options.memory_budget),
    )
    console.result(f"{len(columns):,} of {selector.n_features_in_:,} features written to {output}")
    if scores is not None:
        _write_scores(scores, selector, console)


def _inspect(options: Namespace, console: Console) -> None:
    problem = read_problem(options)
    needs = kernel_needs(problem.X.shape[0], problem.X.dtype)
    budget, n_jobs = options.memory_budget, options.n_jobs
    for line in inspection(problem.X, needs, memory_budget=budget, n_jobs=n_jobs):
        console.result(line)


def _fit(options: Namespace, console: Console) -> tuple[Problem, ParallelMutualInfoSelector]:
    problem = read_problem(options)
    if not problem.columns:
        raise ValueError(
            "No target is named. Columns are scored against one. Name its column with "
            "--target-column, and the table that holds it with --target if that is not the matrix."
        )
    selector = ParallelMutualInfoSelector(
        k=options.k,
        threshold=options.threshold,
        percentile=options.percentile,
        task=options.task,
        n_neighbors=options.n_neighbors,
        random_state=options.random_state,
        memory_budget=options.memory_budget,
        n_jobs=options.n_jobs,
        score_cache=options.score_cache,
        verbose=console.progress(),
    )
    return problem, selector.fit(problem.X, problem.y)


def _report(
    problem: Problem, selector: ParallelMutualInfoSelector, options: Namespace, console: Console
) -> None:
    """Say what was scored, and show the best."""
    for line in summary(problem, options.task):
        console.result(line)
    for line in best(_check_feature_names_in(selector), selector, problem.columns):
        console.result(line)


def _write_scores(path: Path, selector: ParallelMutualInfoSelector, console: Console) -> None:
    names, mask = _check_feature_names_in(selector), selector.get_support()
    write_scores(path, names, selector.scores_, mask)
    console.result(f"{len(names):,} scores written to {path}, {np.count_nonzero(mask):,} selected")


def _checked(file: str | None, options: Namespace) -> Path | None:
    """Check that an output can be written, before any work is done for it."""
    if file is None:
        return None
    path = check_output(file, inputs=inputs_of(options), overwrite=True)
    if path.exists() and not options.overwrite:
        raise FileExistsError(
            f"'{path}' exists. A file is replaced only on request. Name another, or give --overwrite."
        )
    return path
