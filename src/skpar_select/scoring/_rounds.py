"""Rounds: the columns of a matrix that one run of an executor scores, block by block."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from skpar_select._typing import BoolArray, Index, Result
from skpar_select.execution import Executor, WorkerLostError
from skpar_select.matrices import LazyMatrix, Matrix, RawBlock
from skpar_select.matrices.io._scratch import scratch_available
from skpar_select.matrices.io._selection import as_slice, compose
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
        self._last: tuple[Index, _View, Plan] | None = None

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
        view, plan = self._planned(columns)
        n_asked = n_scored = 0
        for stage in plan.stages():
            strategies = [plan.strategies[number] for number in stage]
            parts = [view.matrix.parts[number] for number in stage]
            places = [compose(view.columns, part.columns) for part in parts]

            def tasks(
                strategies: list[Strategy] = strategies, places: list[Index] = places
            ) -> Iterator[Task]:
                nonlocal n_asked
                for number, (strategy, place) in enumerate(zip(strategies, places, strict=True)):
                    for block in strategy.blocks():
                        index = place[block.start : block.stop]
                        if view.holds_wanted(index) and may_score(index):
                            n_asked += len(block)
                            yield Task(number, block)

            pending = tasks()
            first = next(pending, None)
            if first is None:
                # No copy is made for nothing.
                continue
            with ExitStack() as opened:
                sources = [
                    Source(
                        opened.enter_context(strategy.open(part.matrix, self._executor)),
                        strategy,
                        place,
                    )
                    for strategy, part, place in zip(strategies, parts, places, strict=True)
                ]
                fetch, score = partial(_fetch, sources), partial(_score, self.scorer)
                drawn = chain([first], pending)
                try:
                    # Workers read the blocks of a file, and ahead; blocks in memory are views.
                    if sources[0].matrix.in_memory:
                        results = self._executor.map_unordered(score, map(fetch, drawn))
                    else:
                        self._executor.check_hosts(partial(_check_unchanged, sources))
                        results = self._executor.map_unordered(score, drawn, prepare=fetch)
                    with closing(results):
                        for index, result in results:
                            n_scored += len(index)
                            yield index, result
                except WorkerLostError as error:
                    blocks = [_index_of(task, sources) for task in error.tasks]
                    self._note(error, [block for block in blocks if block is not None])
                    raise
        self.matrix.check_unchanged()
        if n_scored != n_asked:
            raise RuntimeError(
                f"{abs(n_asked - n_scored)} of {n_asked} columns were not scored exactly once. The "
                "executor must give every block once. Run again with n_jobs=1, and report this."
            )

    def _planned(self, columns: Index) -> tuple["_View", Plan]:
        if self._last is None or self._last[0] is not columns:
            view = _View(self.matrix, columns)
            try:
                plan = self._plan_of(view)
            except ValueError:
                if view.is_whole:
                    raise
                # Scattered columns are copied, which may be what does not fit.
                view = _View(self.matrix, range(self.matrix.shape[1]), columns)
                plan = self._plan_of(view)
            self._last = columns, view, plan
        return self._last[1:]

    def _plan_of(self, view: "_View") -> Plan:
        budget = self._memory_budget
        return plan_scoring(view.matrix, self._needs, self._executor, memory_budget=budget)

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
            died = "workers died, and the pool does not say at which columns"
            if given_up:
                block = given_up[0]
                n_tries = self._n_tries[np.asarray(block)].max()
                died = f"workers died {n_tries} times at columns {block[0]} to {block[-1]}"
            raise RuntimeError(
                f"{self.matrix.label}: {died} ({error}). A worker must live until its block is scored. "
                "Lower memory_budget or n_jobs if the system has run out of memory; with store, what "
                "is finished is kept, and the next fit goes on from there."
            ) from error
        self._last = None
        if all(self._n_tries[np.asarray(block)].max() <= error.n_tries for block in blocks):
            # Any worker may be lost once: of hundreds, many are.
            return
        self._executor = self._executor.reduced()
        budget, self._memory_budget = self._memory_budget, self._memory_budget // 2
        try:
            self._plan_of(_View(self.matrix, range(self.matrix.shape[1])))
        except ValueError:
            # There are no narrower blocks.
            self._memory_budget = budget


class _View:
    """Columns of a matrix that are planned together, of which some may not be wanted."""

    def __init__(self, matrix: Matrix, columns: Index, wanted: Index | None = None) -> None:
        self.columns = columns
        self.is_whole = len(columns) == matrix.shape[1]
        self.matrix = matrix if self.is_whole else LazyMatrix(matrix, columns=columns)
        self._wanted: BoolArray | None = None
        if wanted is not None:
            self._wanted = np.zeros(matrix.shape[1], dtype=bool)
            self._wanted[as_slice(wanted)] = True

    def holds_wanted(self, index: Index) -> bool:
        """Return whether one of these columns is wanted."""
        return self._wanted is None or bool(self._wanted[as_slice(index)].any())


def _check_unchanged(sources: list[Source]) -> None:
    for source in sources:
        source.matrix.check_unchanged()


def _index(source: Source, columns: range) -> Index:
    return source.columns[columns.start : columns.stop]


def _index_of(task: Any, sources: list[Source]) -> Index | None:
    """Return the columns of a lost task, a block in memory has them with it; None of any other."""
    match task:
        case Task():
            return _index(sources[task.source], task.columns)
        case (range() | np.ndarray() as columns, RawBlock()):
            return columns
    return None


def _fetch(sources: list[Source], task: Task) -> tuple[Index, RawBlock]:
    source = sources[task.source]
    return _index(source, task.columns), source.strategy.fetch(source.matrix, task.columns)


def _score(scorer: Scorer, block: tuple[Index, RawBlock]) -> tuple[Index, Result]:
    index, raw = block
    return index, scorer(raw.native() if scorer.takes_sparse else raw.decode(), index)
