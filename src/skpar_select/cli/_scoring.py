"""From the options to what is scored, and to the selector that scores it."""

from argparse import Namespace

from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select.cli._console import Console
from skpar_select.cli._input import Problem, read_problem
from skpar_select.scoring import ScoreStore


def read_scored(options: Namespace, console: Console) -> Problem:
    """Read a matrix and its target, which is needed."""
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
    return problem


def selector_for(
    problem: Problem, options: Namespace, console: Console
) -> ParallelMutualInfoSelector:
    """Return the selector that the options describe, not yet fitted."""
    return ParallelMutualInfoSelector(
        k=options.k,
        threshold=options.threshold,
        percentile=options.percentile,
        task=options.task,
        discrete_features=problem.discrete,
        missing=options.missing,
        min_observed=options.min_observed,
        aggregate=options.aggregate,
        n_neighbors=options.n_neighbors,
        marginals=options.marginals,
        random_state=options.random_state,
        memory_budget=options.memory_budget,
        n_jobs=options.n_jobs,
        store=None if options.store is None else ScoreStore(options.store, tell=console.note),
        verbose=console.progress() or 0,
    )


def check_scored(selector: ParallelMutualInfoSelector) -> None:
    """Refuse scores of which none is a number."""
    if (selector.scores_ != selector.scores_).all():
        raise ValueError(
            "No column was scored: all lack too many values. At least one must be, for a best one to "
            "be named. Give --missing omit, lower --min-observed, or fill them first."
        )
