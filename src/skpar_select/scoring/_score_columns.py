"""From a matrix and a scorer to results: the whole path, on one screen."""

from collections.abc import Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import NamedTuple

from skpar_select._finite import NonFiniteError
from skpar_select._typing import FloatArray, Index, Result
from skpar_select.execution import Executor
from skpar_select.matrices import Matrix, RawBlock
from skpar_select.matrices.io._scratch import scratch_available
from skpar_select.planning import Needs, Plan, Strategy, plan_reads
from skpar_select.scoring._cache import ScoreCache
from skpar_select.scoring._fingerprint import fingerprint
from skpar_select.scoring._non_finite import NonFiniteCounter
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._sinks import Assembler, Sink, open_sinks


class Task(NamedTuple):
    """A block: all that a worker is sent."""

    source: int
    """Which of the open matrices holds it."""

    columns: range
    """Its columns there."""


class Source(NamedTuple):
    """An open matrix, and the strategy that reads it."""

    matrix: Matrix
    strategy: Strategy

    columns: Index
    """Its columns as the whole matrix counts them."""


def plan_scoring(matrix: Matrix, needs: Needs, executor: Executor, *, memory_budget: int) -> Plan:
    """Plan what :func:`score_columns` does, without doing it."""
    return plan_reads(
        [part.matrix.layout for part in matrix.parts],
        needs,
        executor,
        memory_budget=memory_budget,
        scratch_bytes=scratch_available(),
    )


def score_columns(
    matrix: Matrix,
    scorer: Scorer,
    executor: Executor,
    *,
    memory_budget: int,
    sinks: Sequence[Sink] = (),
    cache: ScoreCache | None = None,
) -> dict[str, FloatArray]:
    """Score every column of a matrix: ``"score"``, and whatever else the scorer gives, by name.

    Sinks receive each result as it comes. In the cache results are looked for first, and kept, of
    scorers that have a fingerprint. Raises ValueError if no plan fits the budget or values are not
    finite, and an OSError if a file cannot be read, or has changed. The values that are not finite are
    counted in the whole matrix, which is read once more for that.
    """
    # Made, or refused, before anything that is as long as the matrix is wide: a file of 8 kB may
    # claim billions of columns.
    needs = scorer.needs(matrix.shape[0], matrix.dtype)
    plan = plan_scoring(matrix, needs, executor, memory_budget=memory_budget)
    key = None if cache is None else fingerprint(matrix, scorer)
    try:
        if cache is None or key is None:
            return _score_blocks(matrix, scorer, executor, plan, sinks)
        with cache.entry(key, plan.n_features) as entry:
            return entry.results or _score_blocks(matrix, scorer, executor, plan, (*sinks, entry))
    except NonFiniteError as error:
        counter = NonFiniteCounter(allow_nan=error.allow_nan)
        counts = _score_blocks(matrix, counter, executor, plan, ())
        # Of a value that is finite in its own type alone nothing is found again.
        whole = counter.error(counts) or error
        raise ValueError(whole.described(matrix.label, matrix.feature_names)) from None


def _score_blocks(
    matrix: Matrix, scorer: Scorer, executor: Executor, plan: Plan, sinks: Sequence[Sink]
) -> dict[str, FloatArray]:
    scorer.prepare()
    assembler = Assembler()
    parts = matrix.parts
    with open_sinks((assembler, *sinks), plan) as write:
        for stage in plan.stages():
            reads = [(parts[number], plan.strategies[number]) for number in stage]
            with ExitStack() as opened:
                sources = [
                    Source(
                        opened.enter_context(strategy.open(part.matrix, executor)),
                        strategy,
                        part.columns,
                    )
                    for part, strategy in reads
                ]
                fetch, score = partial(_fetch, sources), partial(_score, scorer)
                tasks = (
                    Task(source, columns)
                    for source, (_, strategy) in enumerate(reads)
                    for columns in strategy.blocks()
                )
                # Workers read the blocks of a file, and ahead; blocks in memory are views.
                results = (
                    executor.map_unordered(score, map(fetch, tasks))
                    if sources[0].matrix.in_memory
                    else executor.map_unordered(score, tasks, prepare=fetch)
                )
                with closing(results):
                    for columns, result in results:
                        write(columns, result)
        matrix.check_unchanged()
    return assembler.results


def _fetch(sources: list[Source], task: Task) -> tuple[Index, RawBlock]:
    matrix, strategy, every = sources[task.source]
    columns = every[task.columns.start : task.columns.stop]
    return columns, strategy.fetch(matrix, task.columns)


def _score(scorer: Scorer, block: tuple[Index, RawBlock]) -> tuple[Index, Result]:
    index, raw = block
    return index, scorer(raw.native() if scorer.takes_sparse else raw.decode(), index)
