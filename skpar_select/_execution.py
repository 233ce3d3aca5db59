"""Run one task over many parts, in this process or in joblib's pools. Knows no data."""

import copy
import os
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

from joblib import Parallel, delayed, effective_n_jobs

Part = TypeVar("Part")
Result = TypeVar("Result")

# One part in work and one waiting for each worker: nobody waits, and no more parts than the
# memory model counts are on their way.
PARTS_AHEAD = 2


def n_workers(n_jobs: int | None) -> int:
    """Give the number of workers that ``n_jobs`` means here, inside a ``parallel_config`` too."""
    return int(effective_n_jobs(n_jobs))


def run(
    task: Callable[[Part], Result],
    parts: Iterable[Part],
    *,
    n_jobs: int | None,
    prefer: Literal["threads", "processes"],
) -> Iterator[tuple[int, Result]]:
    """Yield ``(index, task(part))`` for every part, in the order in which they finish.

    Parameters
    ----------
    task : callable
        Called once with each part. What it raises is raised here, unchanged; where it cannot be
        pickled in another process, as a RuntimeError of the same text.
    parts : iterable
        Drawn lazily, at most ``PARTS_AHEAD`` for each worker ahead of the results.
    n_jobs : int or None
        scikit-learn's meaning. One worker runs in this thread, without a pool.
    prefer : {"threads", "processes"}
        Used where no surrounding ``joblib.parallel_config`` says otherwise.

    Yields
    ------
    index : int
        The place of the part in `parts`.
    result
        What `task` returned.
    """
    workers = n_workers(n_jobs)
    if workers == 1:
        for index, part in enumerate(parts):
            yield index, task(part)
        return
    results = Parallel(
        n_jobs=workers,
        prefer=prefer,
        return_as="generator_unordered",
        pre_dispatch=PARTS_AHEAD * workers,
        batch_size=1,
        # Blocks are read once: writing them to a memory-mapped file first would only cost.
        max_nbytes=None,
    )(delayed(_indexed)(task, index, part, os.getpid()) for index, part in enumerate(parts))
    try:
        for result in results:  # noqa: UP028  # its closing is left to the lines below
            yield result
    finally:
        # joblib warns of results that nobody took; whoever stops early knows that.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            results.close()


def _indexed(
    task: Callable[[Part], Result], index: int, part: Part, caller: int
) -> tuple[int, Result]:
    try:
        return index, task(part)
    except Exception as error:
        if os.getpid() == caller or _travels(error):
            raise
        told = RuntimeError(f"{type(error).__qualname__}: {error}")
        told.add_note(traceback.format_exc())
        raise told from None


def _travels(error: Exception) -> bool:
    # An exception whose __init__ takes other arguments than it hands on cannot be made again
    # from its pickle; sent as it is, it would break the pool and hide what happened. A copy is
    # made by the same way as a pickle is read.
    try:
        copy.copy(error)
    except Exception:
        return False
    return True
