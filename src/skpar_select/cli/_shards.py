"""``score --shard`` and ``merge``: a run in shards, each on a machine of its own."""

from argparse import Namespace

from sklearn.utils.validation import _check_feature_names_in

from skpar_select._memory import format_bytes
from skpar_select.cli._console import Console
from skpar_select.cli._input import STREAM, inputs_of
from skpar_select.cli._once import given_options
from skpar_select.cli._outputs import making_outputs, put_scores
from skpar_select.cli._report import best, error_rates, summary
from skpar_select.cli._scoring import RULES, check_scored, read_scored, selector_for, wants_pvalues
from skpar_select.matrices import LazyMatrix
from skpar_select.planning import Shard
from skpar_select.sharding import cost_of, score_shard, selector_of
from skpar_select.tables import SCORE_FORMATS, Output, check_output, join_parts

_OF_MERGE = (*RULES, "aggregate")


def score_one_shard(options: Namespace, console: Console) -> None:
    """Score one shard, and write its part."""
    shard = Shard(*options.shard)
    for rule in _OF_MERGE:
        if rule in given_options(options):
            raise ValueError(
                f"{console.option(rule)} is given with --shard {shard}. Rules choose among the scores of "
                f"all shards. Give it to merge{', and --pvalues here' if wants_pvalues(options) else ''}."
            )
    if options.output in (None, STREAM) or options.output.lower().endswith(SCORE_FORMATS):
        raise ValueError(
            f"--shard {shard} is given {'without' if options.output is None else 'with'} --output"
            f"{'' if options.output is None else f' {options.output}'}. A shard is written as a part, which "
            f"is no table: merge makes that. Name its file, such as part{shard.number}."
        )
    output = check_output(options.output, inputs=inputs_of(options), overwrite=options.overwrite)
    with Output(output, overwrite=options.overwrite) as part:
        problem = read_scored(options, console)
        n_columns = score_shard(
            selector_for(problem, options, console),
            problem.X,
            problem.y,
            part,
            shard=shard,
            strata=problem.strata,
            covariates=problem.covariates,
            target_names=problem.columns,
            source=problem.table,
        )
    for line in summary(problem.columns, problem.table, options.task, *problem.X.shape):
        console.result(line)
    console.result(f"shard {shard}, {n_columns:,} features, written to {output}")


def shard_line(X: LazyMatrix, shard: Shard) -> str:
    """Say what a shard of a matrix reads, in a line as those of inspect."""
    cost = cost_of(X, shard)
    n_columns = round(cost.share * X.shape[1])
    return (
        f"{f'shard {shard}':<14} {n_columns:,} features, reads {format_bytes(cost.read_bytes)} of "
        f"{format_bytes(cost.whole_bytes)}"
    )


def merge(options: Namespace, console: Console) -> None:
    """Join the parts of all shards, and do with the scores what score does."""
    to_stdout = options.output == STREAM
    if to_stdout:
        console.take_stdout()
    with making_outputs(options, scores=None if to_stdout else options.output) as outputs:
        joined = join_parts(options.parts)
        of_run, parameters = joined.manifest, joined.manifest.parameters
        columns = of_run.targets.names or ["y"]
        console.name_targets(columns)
        selector = selector_of(joined, **{rule: vars(options)[rule] for rule in _OF_MERGE})
        check_scored(selector)
        shape = of_run.targets.n_samples, of_run.n_features
        for line in summary(columns, of_run.source, str(parameters.get("task")), *shape):
            console.result(line)
        for line in error_rates(selector):
            console.result(line)
        for line in best(_check_feature_names_in(selector), selector, columns):
            console.result(line)
        if to_stdout:
            put_scores(console.table(), columns, selector)
        outputs.write_scores(columns, selector, console)
