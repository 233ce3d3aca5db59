"""From a matrix and a scorer to results: the whole path, on one screen."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from skpar_select._caller import warn_caller
from skpar_select._finite import NonFiniteError
from skpar_select._typing import FloatArray, Index
from skpar_select.execution import Executor, WorkerLostError
from skpar_select.matrices import Matrix
from skpar_select.matrices.io._selection import compose
from skpar_select.scoring._entry import Keeper, NothingKept
from skpar_select.scoring._fingerprint import fingerprint
from skpar_select.scoring._non_finite import NonFiniteCounter
from skpar_select.scoring._rounds import Rounds
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._sinks import Assembler, Sink, open_sinks
from skpar_select.scoring._store import ScoreStore


def score_columns(
    matrix: Matrix,
    scorer: Scorer,
    executor: Executor,
    *,
    memory_budget: int,
    sinks: Sequence[Sink] = (),
    store: ScoreStore | None = None,
    columns: Index | None = None,
) -> dict[str, FloatArray]:
    """Score columns of a matrix: ``"score"``, and whatever else the scorer gives, by name.

    `columns` are those to score, by their index, ascending; None means all. Of the others the results
    are NaN. What the store holds is not scored again, and a block is kept there before the next
    is taken, if the scorer has a fingerprint. A block whose worker dies is tried again, three times.

    Raises ValueError if no plan fits the budget or values are not finite, an OSError if a file
    cannot be read, or has changed, and a RuntimeError if workers die again and again. The values
    that are not finite are counted in all of these columns, which are read once more for that.
    """
    needs = scorer.needs(matrix.shape[0], matrix.dtype)
    if store is not None:
        # What is found is held as it was read, too.
        needs = replace(needs, result_bytes=2 * needs.result_bytes)
    rounds = Rounds(matrix, scorer, executor, needs=needs, memory_budget=memory_budget)
    every = range(matrix.shape[1])
    # Made, or refused, before anything that is as long as the matrix is wide: a file of 8 kB may
    # claim billions of columns.
    rounds.plan(every)
    wanted: Index = every if columns is None else columns
    assembler = Assembler(matrix.shape[1])
    with _entry_of(store, matrix, scorer) as entry:
        try:
            _score_missing(rounds, entry, assembler, sinks, wanted)
        except NonFiniteError as error:
            counter = NonFiniteCounter(allow_nan=error.allow_nan)
            rounds.scorer, counted = counter, Assembler(matrix.shape[1])
            _score_missing(rounds, NothingKept(), counted, (), wanted)
            # Of a value that is finite in its own type alone nothing is found again.
            whole = counter.error(counted.results) or error
            raise ValueError(whole.described(matrix.label, matrix.feature_names)) from None
        assembler.check(wanted)
        if columns is None:
            entry.join(assembler.results)
    return assembler.results


def _score_missing(
    rounds: Rounds, entry: Keeper, assembler: Assembler, sinks: Sequence[Sink], wanted: Index
) -> None:
    """Score what the entry does not hold, in rounds."""
    _take_found(entry, assembler, ())
    missing = assembler.missing(wanted)
    if not len(missing):
        return
    rounds.scorer.prepare()
    with open_sinks((assembler, entry, *sinks), rounds.plan(missing)) as write:
        # What another process has claimed, and not finished meanwhile, is scored last.
        for may_score in (entry.is_free, entry.is_missing):
            ended = False
            while len(missing) and not ended:
                try:
                    for block, result in rounds.score(missing, may_score):
                        write(block, result)
                        _take_found(entry, assembler, sinks)
                    ended = True
                except WorkerLostError:
                    # The next round has fewer workers and smaller blocks.
                    pass
                _take_found(entry, assembler, sinks)
                missing = assembler.missing(missing)


def _take_found(entry: Keeper, assembler: Assembler, sinks: Sequence[Sink]) -> None:
    """Take over what other processes have finished."""
    for columns, result in entry.found():
        is_new = assembler.lacks(columns)
        assembler.fill(columns, result)
        new = {name: values[is_new] for name, values in result.items()}
        for sink in sinks if is_new.any() else ():
            sink.write(compose(columns, np.flatnonzero(is_new)), new)


def _entry_of(
    store: ScoreStore | None, matrix: Matrix, scorer: Scorer
) -> AbstractContextManager[Keeper]:
    if store is None:
        return nullcontext(NothingKept())
    found = fingerprint(matrix, scorer, digests=store.digests)
    if found is None:
        warn_caller(
            f"store='{store.folder}' keeps nothing of this fit. Results are kept where it is known what "
            "they follow from, which is not so of this function. Take one of an installed package, "
            "or set store=None."
        )
        return nullcontext(NothingKept())
    return store.entry(found, matrix.shape[1])
