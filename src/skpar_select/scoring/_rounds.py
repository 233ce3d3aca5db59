"""Rounds: the columns of a matrix that one run of an executor scores, block by block."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from skpar_select._typing import Index, Result
from skpar_select.execution import Executor, WorkerLostError
from skpar_select.matrices import LazyMatrix, Matrix, RawBlock
from skpar_select.matrices.io._scratch import scratch_available
from skpar_select.matrices.io._selection import compose
from skpar_select.planning import Needs, Plan, Strategy, plan_reads
from skpar_select.scoring._scorer import Scorer

MOST_TRIES = 4
"""A block is tried once, and three times more where its workers die."""


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
    """Plan a round over all columns of a matrix, without doing it."""
    return plan_reads(
        [part.matrix.layout for part in matrix.parts],
        needs,
        executor,
        memory_budget=memory_budget,
        scratch_bytes=scratch_available(),
    )


class Rounds:
    """Scores columns of a matrix, with fewer workers and smaller blocks after some have died.

    `needs` is what the scorer needs, and whatever else is held for each column.
    """

    def __init__(
        self,
        matrix: Matrix,
        scorer: Scorer,
        executor: Executor,
        *,
        needs: Needs,
        memory_budget: int,
    ) -> None:
        self.matrix = matrix
        self.scorer = scorer
        self._needs = needs
        self._executor = executor
        self._memory_budget = memory_budget
        self._n_tries = np.zeros(0, dtype=np.int64)
        self._last: tuple[Index, Matrix, Plan] | None = None

    def plan(self, columns: Index) -> Plan:
        """Plan a round over these columns; ValueError if no plan fits the budget."""
        return self._planned(columns)[1]

    def score(
        self, columns: Index, may_score: Callable[[Index], bool]
    ) -> Iterator[tuple[Index, Result]]:
        """Yield the results of these columns, given by their index and ascending, as they come.

        `may_score` is asked of each block before a worker gets it. Where workers die, the error is
        raised, or a RuntimeError that names a block that was tried often enough.
        """
        matrix, plan = self._planned(columns)
        parts = matrix.parts
        n_asked = n_scored = 0
        for stage in plan.stages():
            reads = [(parts[number], plan.strategies[number]) for number in stage]
            with ExitStack() as opened:
                sources = [
                    Source(
                        opened.enter_context(strategy.open(part.matrix, self._executor)),
                        strategy,
                        compose(columns, part.columns),
                    )
                    for part, strategy in reads
                ]

                def tasks(sources: list[Source] = sources) -> Iterator[Task]:
                    nonlocal n_asked
                    for number, source in enumerate(sources):
                        for block in source.strategy.blocks():
                            if may_score(_index(source, block)):
                                n_asked += len(block)
                                yield Task(number, block)

                if not sources[0].matrix.in_memory:
                    self._executor.check_hosts(partial(_check_unchanged, sources))
                fetch, score = partial(_fetch, sources), partial(_score, self.scorer)
                # Workers read the blocks of a file, and ahead; blocks in memory are views.
                results = (
                    self._executor.map_unordered(score, map(fetch, tasks()))
                    if sources[0].matrix.in_memory
                    else self._executor.map_unordered(score, tasks(), prepare=fetch)
                )
                with closing(results):
                    try:
                        for index, result in results:
                            n_scored += len(index)
                            yield index, result
                    except WorkerLostError as error:
                        self._note(error, [_index_of(task, sources) for task in error.tasks])
                        raise
        matrix.check_unchanged()
        if n_scored != n_asked:
            raise RuntimeError(
                f"{abs(n_asked - n_scored)} of {n_asked} columns were not scored exactly once. The "
                "executor must give every block once. Run again with n_jobs=1, and report this."
            )

    def _planned(self, columns: Index) -> tuple[Matrix, Plan]:
        if self._last is None or self._last[0] is not columns:
            matrix = self.matrix
            if len(columns) < matrix.shape[1]:
                matrix = LazyMatrix(matrix, columns=columns)
            budget = self._memory_budget
            plan = plan_scoring(matrix, self._needs, self._executor, memory_budget=budget)
            self._last = columns, matrix, plan
        return self._last[1:]

    def _note(self, error: WorkerLostError, blocks: list[Index]) -> None:
        """Count the tries of blocks; go on with less, or give up where one was tried often enough."""
        if not self._n_tries.size:
            self._n_tries = np.zeros(self.matrix.shape[1], dtype=np.int64)
        for block in blocks:
            self._n_tries[np.asarray(block)] += error.n_tries
        given_up = [
            block for block in blocks if self._n_tries[np.asarray(block)].max() >= MOST_TRIES
        ]
        if given_up or not blocks:
            block = given_up[0] if given_up else range(self.matrix.shape[1])
            raise RuntimeError(
                f"{self.matrix.label}: workers died {MOST_TRIES} times at columns {block[0]} to "
                f"{block[-1]} ({error}). A worker must live until its block is scored. Lower "
                "memory_budget or n_jobs if the system has run out of memory; with store, what is "
                "finished is kept, and the next fit goes on from there."
            ) from error
        self._last = None
        self._executor = self._executor.reduced()
        halved = Rounds(
            self.matrix,
            self.scorer,
            self._executor,
            needs=self._needs,
            memory_budget=self._memory_budget // 2,
        )
        try:
            halved.plan(range(self.matrix.shape[1]))
        except ValueError:
            # Narrower blocks there are none.
            return
        self._memory_budget = halved._memory_budget


def _check_unchanged(sources: list[Source]) -> None:
    for source in sources:
        source.matrix.check_unchanged()


def _index(source: Source, columns: range) -> Index:
    return source.columns[columns.start : columns.stop]


def _index_of(task: Any, sources: list[Source]) -> Index:
    """Return the columns of a lost task: a block in memory has them with it."""
    if isinstance(task, Task):
        return _index(sources[task.source], task.columns)
    columns, _ = task
    return columns  # type: ignore[no-any-return]  # which _fetch has made


def _fetch(sources: list[Source], task: Task) -> tuple[Index, RawBlock]:
    source = sources[task.source]
    return _index(source, task.columns), source.strategy.fetch(source.matrix, task.columns)


def _score(scorer: Scorer, block: tuple[Index, RawBlock]) -> tuple[Index, Result]:
    index, raw = block
    return index, scorer(raw.native() if scorer.takes_sparse else raw.decode(), index)
