"""From a source and a target to scores: the whole path, as one function."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skpar_select._blocks import Demand, plan_blocks
from skpar_select._cache import ScoreCache
from skpar_select._copies import copied, scratch_available
from skpar_select._discrete import discrete_mask
from skpar_select._execution import Prefer, in_flight, in_processes, n_workers, run
from skpar_select._fingerprint import fingerprint
from skpar_select._memory import parse_memory
from skpar_select._plan import Plan
from skpar_select._progress import Progress
from skpar_select._typing import Array, BoolArray, FloatArray, ScoreFunc, Task
from skpar_select._validation import (
    check_finite,
    check_n_neighbors,
    check_n_samples,
    check_target,
)
from skpar_select.kernels import mutual_information, prepare_target
from skpar_select.sources import Source, SparseSource


@dataclass(frozen=True)
class _Block:
    """What a worker is sent: the address of a block, and its place in the matrix."""

    source: Source
    columns: slice


def score_columns(
    source: Source,
    y: Any,
    *,
    task: Task,
    score_func: ScoreFunc | None,
    discrete_features: Any,
    n_neighbors: int,
    random_state: Any,
    memory_budget: int | str,
    n_jobs: int | None,
    progress: Progress | None = None,
    cache: ScoreCache | None = None,
) -> tuple[FloatArray, FloatArray | None]:
    """Score every column of a source against a target.

    Parameters
    ----------
    source : Source
        The matrix, of shape (n_samples, n_features).
    y : array-like of shape (n_samples,)
        The target.
    task : {"regression", "classification"}
        What `y` is.
    score_func : callable or None
        A function ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``; None for the
        package's own mutual information.
    discrete_features : {"auto"}, bool or array-like
        Which columns are discrete. Of the own kernel, as are the two that follow.
    n_neighbors : int
        The number of neighbours.
    random_state : int, RandomState instance or None
        Keys the noise that breaks ties.
    memory_budget : int or str
        The most that all workers may hold at a time.
    n_jobs : int or None
        The number of workers.
    progress : Progress, default=None
        Told here of every finished block.
    cache : ScoreCache, default=None
        Where scores of the own kernel are looked for first, and kept.

    Returns
    -------
    scores : ndarray of shape (n_features,)
        In nats, by the own kernel.
    pvalues : ndarray of shape (n_features,) or None
        Where `score_func` gives them.
    """
    n_samples, n_features = source.shape
    budget = parse_memory(memory_budget)
    target = check_target(y, n_samples, task=task, score_func=score_func)
    planned = partial(
        plan_scoring,
        source,
        score_func=score_func is not None,
        memory_budget=budget,
        n_jobs=n_jobs,
    )
    # Made, or refused, before anything that is as long as the matrix is wide: a file of 8 kB may
    # claim billions of columns. What is in the cache needs none.
    plan = planned() if cache is None else None
    options: dict[str, Any] = {"n_jobs": n_jobs, "progress": progress}
    if score_func is not None:
        scorer = partial(_score_by_function, score_func, target)
        return _score(source, scorer, plan or planned(), score_func=True, **options)
    mask = discrete_mask(discrete_features, n_features, sparse=isinstance(source, SparseSource))
    discrete_target = task == "classification"
    if discrete_target and mask.all():
        # Of discrete pairs no distance is taken, so that any number of neighbours will do.
        check_n_samples(n_samples)
    else:
        check_n_neighbors(n_neighbors, n_samples)
    values = (
        np.unique(target, return_inverse=True)[1] if discrete_target else target.astype(np.float64)
    )
    # None asks for any noise: that of scores in the cache will do.
    seed = None if random_state is None and cache is not None else _seed(random_state)

    def score() -> FloatArray:
        prepared = prepare_target(
            values,
            discrete=discrete_target,
            n_neighbors=max(1, min(n_neighbors, n_samples - 1)),
            seed=_seed(None) if seed is None else seed,
        )
        scorer = partial(_score_by_kernel, prepared, mask)
        return _score(source, scorer, plan or planned(), score_func=False, **options)[0]

    if cache is None:
        return score(), None
    key = fingerprint(source.content(), values, task, mask, n_neighbors, seed)
    return cache.get(key, n_features, score), None


def _seed(random_state: Any) -> int:
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _score(
    source: Source,
    scorer: Any,
    plan: Plan,
    *,
    score_func: bool,
    n_jobs: int | None,
    progress: Progress | None,
) -> tuple[FloatArray, FloatArray | None]:
    n_features = source.shape[1]
    if progress is not None:
        progress.begin(plan.n_blocks, n_features)
    fetch = partial(_fetch, plan.route == "chunks")
    with copied(source, plan) as ready:
        if ready.in_memory:
            check_finite(ready.native(), names=source.feature_names, where=source.where)
        finished = run(
            scorer,
            (_Block(ready.part(columns), columns) for columns in plan.blocks),
            n_jobs=n_jobs,
            prefer=_prefer(score_func),
            fetch=None if score_func or ready.in_memory else fetch,
        )
        with closing(finished):
            scores = _assemble(finished, plan.blocks, n_features, progress)
    source.check_unchanged()
    return scores


def plan_scoring(
    source: Source, *, score_func: bool, memory_budget: int, n_jobs: int | None
) -> Plan:
    """Plan what :func:`score_columns` does, without doing it.

    Parameters
    ----------
    source : Source
        The matrix.
    score_func : bool
        Whether a function other than the own kernel scores.
    memory_budget : int
        Bytes that all workers together may take.
    n_jobs : int or None
        The number of workers.

    Returns
    -------
    Plan
    """
    prefer = _prefer(score_func)
    demand = Demand(
        storage=source.storage,
        n_samples=source.shape[0],
        n_features=source.shape[1],
        itemsize=source.dtype.itemsize,
        native=source.dtype.isnative,
        score_func=score_func,
        n_workers=n_workers(n_jobs),
        in_flight=in_flight(n_jobs, prefer, staged=not (score_func or source.in_memory)),
        separate=in_processes(n_jobs, prefer),
        scratch_available=scratch_available(),
    )
    return plan_blocks(demand, memory_budget=memory_budget)


def _prefer(score_func: bool) -> Prefer:
    return "processes" if score_func else "threads"


def _fetch(apart: bool, block: _Block) -> tuple[_Block, Callable[[], Array]]:
    """Do the input of a block; its decoding too, unless that is done apart."""
    if apart:
        return block, block.source.fetch()
    values = block.source.read(slice(None))
    return block, lambda: values


def _assemble(
    finished: Iterator[tuple[int, tuple[FloatArray, FloatArray | None]]],
    blocks: tuple[slice, ...],
    n_features: int,
    progress: Progress | None,
) -> tuple[FloatArray, FloatArray | None]:
    scores, pvalues = np.full(n_features, np.nan), np.full(n_features, np.nan)
    n_filled, n_pvalues = np.zeros(n_features, dtype=np.uint8), 0
    for index, (block_scores, block_pvalues) in finished:
        columns = blocks[index]
        scores[columns] = block_scores
        n_filled[columns] += 1
        if block_pvalues is not None:
            pvalues[columns] = block_pvalues
            n_pvalues += len(block_pvalues)
        if progress is not None:
            progress.end(index, columns.stop - columns.start)
    if not (n_filled == 1).all():
        raise RuntimeError(
            f"{np.count_nonzero(n_filled != 1)} of {n_features} columns were not scored exactly "
            "once. The pool must give every block once. Run again with n_jobs=1, and report this."
        )
    if n_pvalues not in (0, n_features):
        raise ValueError(
            f"score_func gave p-values for {n_pvalues} of {n_features} columns. It must give them "
            "for all or for none. Return (scores, pvalues) for every block."
        )
    return scores, pvalues if n_pvalues else None


def _score_by_kernel(target: Any, mask: BoolArray, part: Any) -> tuple[FloatArray, None]:
    if isinstance(part, _Block):
        block, values = part, part.source.read(slice(None))
    else:
        block, decoded = part
        values = decoded()
        del decoded, part  # and with them the bytes as stored
    columns = block.columns
    _check_block(values, block)
    scores = mutual_information(values, target, discrete=mask[columns], first_column=columns.start)
    return scores, None


def _score_by_function(
    score_func: ScoreFunc, y: Array, block: _Block
) -> tuple[FloatArray, FloatArray | None]:
    values = block.source.native()
    _check_block(values, block)
    result = score_func(_portable(values), y)
    pvalues: Any = None
    if isinstance(result, tuple) or (isinstance(result, list) and np.ndim(result[:1]) > 1):
        if len(result) != 2:
            raise ValueError(
                f"score_func={_name(score_func)} returned {len(result)} things. It must return "
                "scores or (scores, pvalues). Wrap it in a function that does."
            )
        result, pvalues = result
    width = block.columns.stop - block.columns.start
    scores = _checked(result, width, score_func, "scores")
    return scores, None if pvalues is None else _checked(pvalues, width, score_func, "pvalues")


def _checked(values: Any, width: int, score_func: ScoreFunc, what: str) -> FloatArray:
    array = np.asarray(values)
    if array.shape != (width,) or array.dtype.kind not in "biuf":
        raise ValueError(
            f"score_func={_name(score_func)} returned {what} of shape {array.shape} and type "
            f"{array.dtype} for a block of {width} columns, expected shape ({width},) and "
            "numbers. It must return one number for each column. Correct the function."
        )
    return array.astype(np.float64)


def _check_block(values: Any, block: _Block) -> None:
    # What is in memory was checked before the work began.
    if not block.source.in_memory:
        source, first = block.source, block.columns.start
        check_finite(values, names=source.feature_names, first_column=first, where=source.where)


def _portable(values: Any) -> Any:
    """Give the block in a type that scikit-learn's functions take: native, at least float32."""
    dtype = values.dtype
    if dtype.kind == "f":
        dtype = np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _name(score_func: ScoreFunc) -> str:
    function = getattr(score_func, "func", score_func)
    return str(getattr(function, "__qualname__", repr(function)))
