"""From the options to what is scored, and to the selector that scores it."""

from argparse import Namespace
from dataclasses import fields

from skpar_select._rules import Rules, rules_of
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select.cli._console import Console
from skpar_select.cli._input import Problem, read_problem
from skpar_select.cli._once import given_options
from skpar_select.scoring import ScoreStore

RULES = tuple(field.name for field in fields(Rules))

# What has a meaning only where there are p-values.
_OF_TESTS = ("test", "test_neighbors", "fdr_method")


def read_scored(options: Namespace, console: Console) -> Problem:
    """Read a matrix and its target, which is needed."""
    useless = [option for option in _OF_TESTS if option in given_options(options)]
    if useless and not wants_pvalues(options):
        raise ValueError(
            f"{console.option(useless[0])} {vars(options)[useless[0]]} is given, and no p-values are asked "
            "for. It says how they are made or joined. Add --pvalues, or a rule such as --fdr 0.05."
        )
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
        **vars(rules_of(options)),
        pvalues=options.pvalues,
        test=options.test,
        test_neighbors=options.test_neighbors,
        covariate_knots=options.covariate_knots,
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


def wants_pvalues(options: Namespace) -> bool:
    """Return whether p-values are asked for, by a rule or for themselves."""
    return bool(options.pvalues) or rules_of(options).need_pvalues


def check_scored(selector: ParallelMutualInfoSelector) -> None:
    """Refuse scores of which none is a number."""
    if (selector.scores_ != selector.scores_).all():
        raise ValueError(
            "No column was scored: all lack too many values. At least one must be, for a best one to "
            "be named. Give --missing omit, lower --min-observed, or fill them first."
        )
