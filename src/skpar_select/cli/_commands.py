"""The commands: each reads, calls the library, and writes. Loaded when one runs."""

from __future__ import annotations

from argparse import Namespace

from sklearn.utils.validation import _check_feature_names_in

from skpar_select._inspection import inspection
from skpar_select._rules import rules_of
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select.cli._console import Console
from skpar_select.cli._features import shown_names
from skpar_select.cli._input import STREAM, Problem, open_input, read_problem
from skpar_select.cli._once import given_options
from skpar_select.cli._outputs import Outputs, making_outputs, put_scores
from skpar_select.cli._report import best, error_rates, summary
from skpar_select.cli._scoring import check_scored, read_scored, selector_for
from skpar_select.cli._shards import merge, score_one_shard, shard_line
from skpar_select.matrices import open_matrix
from skpar_select.planning import Shard
from skpar_select.scoring import Confounders, gives_rho, kernel_needs
from skpar_select.tables import (
    convert_csv,
    read_scores,
    repack_matrix,
)

# What has a meaning where scores are taken from a file; all else is about scoring.
_OF_SELECTION = {
    "matrix", "dataset", "layer", "orientation", "feature_names", "feature_names_file",
    "sample_ids", "sample_ids_file", "same_order", "k", "threshold", "percentile", "fdr", "fwer",
    "fpr", "fdr_method", "n_jobs",
    "memory_budget", "output", "overwrite", "from_scores", "progress", "quiet", "help",
}  # fmt: skip

_NO_COLUMNS = (
    "No features were selected, so the matrix that is written has no columns. Every rule given must "
    "hold for a feature to be kept. Loosen one."
)


def run(options: Namespace, console: Console) -> None:
    """Run the command that the options name."""
    commands = {
        "score": _score,
        "select": _select,
        "merge": merge,
        "inspect": _inspect,
        "convert": _convert,
        "repack": _repack,
    }
    commands[options.command](options, console)


def _score(options: Namespace, console: Console) -> None:
    if options.shard is not None:
        score_one_shard(options, console)
        return
    to_stdout = options.output == STREAM
    if to_stdout:
        console.take_stdout()
    with making_outputs(options, scores=None if to_stdout else options.output) as outputs:
        problem = read_scored(options, console)
        outputs.reserve(problem, options)
        selector = _fit(problem, options, console)
        _report(problem, selector, options, console)
        if to_stdout:
            put_scores(console.table(), problem.columns, selector)
        outputs.write_scores(problem.columns, selector, console)


def _select(options: Namespace, console: Console) -> None:
    if options.from_scores is not None:
        with making_outputs(options, matrix=options.output) as outputs:
            _select_from(options, outputs, console)
        return
    with making_outputs(options, matrix=options.output, scores=options.scores) as outputs:
        problem = read_scored(options, console)
        outputs.reserve(problem, options)
        selector = _fit(problem, options, console)
        _report(problem, selector, options, console)
        # First, as they took the time, and the matrix can be made of them.
        outputs.write_scores(problem.columns, selector, console)
        columns = selector.get_support(indices=True)
        if options.k == 0:  # of the other rules the fit has warned
            console.warning(_NO_COLUMNS)
        outputs.write_matrix(problem.X, columns, options, console)


def _select_from(options: Namespace, outputs: Outputs, console: Console) -> None:
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
    rules = rules_of(options)
    if "fdr_method" in given_options(options) and options.fdr is None:
        raise ValueError(
            f"--fdr-method {options.fdr_method} is given without --fdr. It says how that is kept. Leave it "
            "out, or add --fdr."
        )
    held = read_scores(options.from_scores, shown_names(X), pvalues=rules.need_pvalues)
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
    n_lacking = X.shape[1] - len(held.columns)
    if n_lacking and (options.fdr is not None or options.fwer is not None):
        console.warning(
            f"'{options.from_scores}' lacks {n_lacking:,} of the {X.shape[1]:,} features of the matrix. --fdr "
            "and --fwer count the tests, and take those of the file for all. If the file holds the best of "
            "more, as after head, they promise too much: take the whole file."
        )
    mask = rules.select(held.scores, held.log_pvalues)
    if not mask.any():
        console.warning(_NO_COLUMNS)
    outputs.write_matrix(X, held.columns[mask], options, console)


def _inspect(options: Namespace, console: Console) -> None:
    problem = read_problem(options, console)
    confounders = Confounders(
        problem.strata,
        problem.covariates,
        problem.X.shape[0],
        n_knots=options.covariate_knots,
    )
    needs = kernel_needs(
        problem.X.shape[0],
        problem.X.dtype,
        n_targets=max(1, len(problem.columns)),
        omits_features=options.missing != "raise",
        omits_targets=problem.lacks_targets,
        correlated=gives_rho(options.task, options.marginals, tested=options.pvalues),
        tested=options.pvalues,
        n_strata=confounders.n_strata,
        n_terms=confounders.n_terms,
    )
    budget, n_jobs = options.memory_budget, options.n_jobs
    for line in inspection(problem.X, needs, memory_budget=budget, n_jobs=n_jobs):
        console.result(line)
    if options.shard is not None:
        console.result(shard_line(problem.X, Shard(*options.shard)))


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


def _repack(options: Namespace, console: Console) -> None:
    X = open_input(options, console)
    repack_matrix(
        X,
        options.output,
        memory_budget=options.memory_budget,
        n_jobs=options.n_jobs,
        overwrite=options.overwrite,
        progress=console.progress(),
        tell=console.note,
    )
    n_samples, n_features = X.shape
    console.result(f"{n_samples:,} samples x {n_features:,} features written to {options.output}")


def _fit(problem: Problem, options: Namespace, console: Console) -> ParallelMutualInfoSelector:
    selector = selector_for(problem, options, console)
    selector.fit(problem.X, problem.y, strata=problem.strata, covariates=problem.covariates)
    check_scored(selector)
    return selector


def _report(
    problem: Problem, selector: ParallelMutualInfoSelector, options: Namespace, console: Console
) -> None:
    """Say what was scored, and show the best."""
    for line in summary(problem.columns, problem.table, options.task, *problem.X.shape):
        console.result(line)
    for line in error_rates(selector):
        console.result(line)
    for line in best(_check_feature_names_in(selector), selector, problem.columns):
        console.result(line)
