"""The files that a command writes: made before the work, their space asked for, the scores first."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
from sklearn.utils.validation import _check_feature_names_in

from skpar_select._memory import parse_memory
from skpar_select._rules import rules_of
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._typing import IndexArray
from skpar_select.cli._console import Console
from skpar_select.cli._features import shown_names
from skpar_select.cli._input import Problem, inputs_of
from skpar_select.cli._scoring import wants_pvalues
from skpar_select.execution import choose_executor
from skpar_select.matrices import LazyMatrix
from skpar_select.scoring import gives_rho
from skpar_select.tables import (
    MATRIX_FORMATS,
    SCORE_FORMATS,
    Output,
    bytes_of_matrix,
    bytes_of_scores,
    check_output,
    details_of,
    write_matrix,
    write_scores,
)

# p-value, q-value, and the logarithm of the first.
_N_OF_TESTS = 3

# What is packed takes less than can be told.
_PLANNED = (".h5", ".hdf5", ".h5ad")


@contextmanager
def making_outputs(
    options: Namespace, *, scores: str | None = None, matrix: str | None = None
) -> Iterator[Outputs]:
    """Check and make the files of a command; those that are not written are taken away at the end."""
    files = [
        (scores, SCORE_FORMATS),
        (matrix, MATRIX_FORMATS),
    ]
    checked = [
        file
        and check_output(
            file, inputs=inputs_of(options), overwrite=options.overwrite, formats=formats
        )
        for file, formats in files
    ]
    if all(checked) and len({path.resolve() for path in checked if path}) == 1:
        raise ValueError(
            f"--output and --scores both name '{matrix}'. Each needs a file of its own. Rename one."
        )
    with ExitStack() as stack:
        made = [
            path and stack.enter_context(Output(path, overwrite=options.overwrite))
            for path in checked
        ]
        yield Outputs(*(output or None for output in made))


class Outputs:
    """The files of scores and of a matrix that are being written, those that are asked for."""

    def __init__(self, scores: Output | None, matrix: Output | None) -> None:
        self.scores, self.matrix = scores, matrix

    def reserve(self, problem: Problem, options: Namespace) -> None:
        """Ask for the space of both, as far as it is known before there are scores."""
        X, names = problem.X, shown_names(problem.X)
        if self.scores is not None:
            n_targets = len(problem.columns)
            by_target = (
                n_targets > 1,
                options.missing != "raise",
                gives_rho(options.task, options.marginals, tested=wants_pvalues(options)),
            )
            n_more = n_targets * sum(by_target) + _N_OF_TESTS * wants_pvalues(options)
            self.scores.reserve(bytes_of_scores(names, n_more))
        n_selected = _most_selected(options, X.shape[1])
        if self.matrix is None or n_selected is None or self.matrix.path.suffix not in _PLANNED:
            return
        # Which names these are is not known yet.
        some = names[: 10 * n_selected : 10] if len(names) > 10 * n_selected else names[:n_selected]
        shape = X.shape[0], n_selected
        self.matrix.reserve(bytes_of_matrix(shape, X.dtype, some, X.sample_ids))

    def write_scores(
        self, columns: Sequence[str], selector: ParallelMutualInfoSelector, console: Console
    ) -> None:
        """Write the scores for the targets of these names where they are asked for, and say so."""
        if self.scores is None:
            return
        put_scores(self.scores, columns, selector)
        n_selected = np.count_nonzero(selector.get_support())
        console.result(
            f"{selector.n_features_in_:,} scores written to {self.scores.path}, {n_selected:,} selected"
        )

    def write_matrix(
        self, X: LazyMatrix, columns: IndexArray, options: Namespace, console: Console
    ) -> None:
        """Write columns of a matrix, and say so."""
        assert self.matrix is not None
        write_matrix(
            self.matrix,
            X,
            columns,
            shown_names(X)[columns],
            choose_executor(options.n_jobs, prefer="threads"),
            memory_budget=parse_memory(options.memory_budget),
            progress=console.progress(),
        )
        console.result(f"{len(columns):,} of {X.shape[1]:,} features written to {self.matrix.path}")


def put_scores(output: Any, columns: Sequence[str], selector: ParallelMutualInfoSelector) -> None:
    """Write the scores for the targets of these names to an output or a stream."""
    more = details_of(selector, columns)
    names = _check_feature_names_in(selector)
    write_scores(output, names, selector.scores_, selector.get_support(), more)


def _most_selected(options: Namespace, n_features: int) -> int | None:
    """Return how many features the rules keep at most, where they say so."""
    rules = rules_of(options)
    if rules.k == "auto" and rules.percentile is None and rules.limits:
        return None
    most = min(n_features, rules.number_of_features(n_features))
    percentile = rules.percentile
    return most if percentile is None else min(most, round(n_features * percentile / 100) + 1)
