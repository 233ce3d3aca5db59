"""Run one task over many parts: here, in threads, or in joblib's pools. Knows no data.

Inside a pool of somebody else, say of a grid search, it takes what that leaves: in a process of its
own the share of cores that joblib gave the process, in a thread the cores that no other thread of
this module works on.
"""

import copy
import multiprocessing
import os
import threading
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any, Literal, TypeAlias, TypeVar

from joblib import Parallel, cpu_count, delayed, effective_n_jobs
from joblib.parallel import get_active_backend

Result = TypeVar("Result")
Prefer: TypeAlias = Literal["threads", "processes"]

# One part in work and one waiting for each worker: nobody waits, and no more parts than the
# memory model counts are on their way.
PARTS_AHEAD = 2


# joblib sets these in the processes of its pools, to the cores divided by the processes.
_SHARES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def n_workers(n_jobs: int | None) -> int:
    """Give the number of workers that ``n_jobs`` means here.

    A ``parallel_config`` that surrounds the call counts, and inside a process of a pool no more
    than its share of the cores is given.
    """
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0 leaves nobody to work. It must be a number of workers, -1 for all cores, or "
            "None. Set n_jobs=1 to work without a pool."
        )
    workers = int(effective_n_jobs(n_jobs))
    return min(workers, _share()) if _within() == "process" else workers


def _within() -> Literal["process", "thread", None]:
    """Tell whose worker this is, where it is a pool's."""
    backend, _ = get_active_backend()
    if not getattr(backend, "nesting_level", None):
        return None
    return "thread" if multiprocessing.parent_process() is None else "process"


def _share() -> int:
    given = (os.environ.get(name, "") for name in _SHARES)
    return max(1, min((int(count) for count in given if count.isdigit()), default=1))


# What threads of this process share where they work inside other pools of threads.
_CORES = threading.Semaphore(cpu_count())


def in_flight(n_jobs: int | None, prefer: Prefer, *, staged: bool) -> int:
    """Give the number of parts that :func:`run` holds at a time."""
    workers = n_workers(n_jobs)
    return workers + 1 if staged and _in_threads(prefer) else workers


def in_processes(n_jobs: int | None, prefer: Prefer) -> bool:
    """Tell whether :func:`run` works outside of this process."""
    backend, _ = get_active_backend(prefer=prefer)
    return n_workers(n_jobs) > 1 and not getattr(backend, "uses_threads", False)


def run(
    task: Callable[[Any], Result],
    parts: Iterable[Any],
    *,
    n_jobs: int | None,
    prefer: Prefer = "threads",
    fetch: Callable[[Any], Any] | None = None,
    shared: bool = False,
) -> Generator[tuple[int, Result], None, None]:
    """Yield ``(index, task(part))`` for every part, in the order in which they finish.

    Parameters
    ----------
    task : callable
        Called once with each part. What it raises is raised here, unchanged; where it cannot be
        pickled in another process, as a RuntimeError of the same text.
    parts : iterable
        Drawn lazily, at most ``PARTS_AHEAD`` for each worker ahead of the results.
    n_jobs : int or None
        scikit-learn's meaning. One worker runs in this thread, without a pool, unless there is
        something to fetch.
    prefer : {"threads", "processes"}, default="threads"
        Used where no surrounding ``joblib.parallel_config`` says otherwise.
    fetch : callable, default=None
        Called with each part before `task`, which gets what it returns. In threads, one more than
        there are workers, it overlaps with tasks: never do more than `n_jobs` tasks run at a time,
        nor are more than ``n_jobs + 1`` fetched parts held.
    shared : bool, default=False
        Whether `task` writes into memory of this process: then threads, whatever surrounds.

    Yields
    ------
    index : int
        The place of the part in `parts`.
    result
        What `task` returned.
    """
    workers = n_workers(n_jobs)
    own_threads = shared or (prefer == "threads" and _in_threads(prefer))
    if own_threads and _within() == "thread":
        task = partial(_on_a_core, task)
    if fetch is not None:
        if own_threads:
            task = partial(_in_turn, fetch, task, threading.Semaphore(workers))
            workers += 1
        else:
            task = partial(_one_after_the_other, fetch, task)
    if workers == 1:
        for index, part in enumerate(parts):
            yield index, task(part)
        return
    results = (
        _run_in_threads(task, parts, workers)
        if own_threads
        else _run_in_joblib(task, parts, workers, prefer)
    )
    with closing(results):
        yield from results


def _run_in_threads(
    task: Callable[[Any], Result], parts: Iterable[Any], workers: int
) -> Generator[tuple[int, Result], None, None]:
    # Not joblib's threads: they look for results every 10 ms only, longer than a small matrix takes,
    # and go on after an error, into the end of the interpreter.
    waiting = enumerate(parts)
    running: dict[Future[Result], int] = {}
    with ThreadPoolExecutor(workers) as pool:
        try:
            for index, part in islice(waiting, PARTS_AHEAD * workers):
                running[pool.submit(task, part)] = index
            while running:
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    finished = running.pop(future)
                    for index, part in islice(waiting, 1):
                        running[pool.submit(task, part)] = index
                    yield finished, future.result()
        finally:
            for future in running:
                future.cancel()


def _run_in_joblib(
    task: Callable[[Any], Result], parts: Iterable[Any], workers: int, prefer: Prefer
) -> Generator[tuple[int, Result], None, None]:
    backend, _ = get_active_backend(prefer=prefer)
    streams = getattr(backend, "supports_return_generator", False)
    results = Parallel(
        n_jobs=workers,
        prefer=prefer,
        return_as="generator_unordered" if streams else "list",
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
            if streams:
                results.close()


def _in_threads(prefer: Prefer) -> bool:
    backend, _ = get_active_backend(prefer=prefer)
    # The sequential backend, too, says that it uses threads; it calls nobody back.
    return bool(
        getattr(backend, "uses_threads", False)
        and getattr(backend, "supports_retrieve_callback", False)
    )


def _on_a_core(task: Callable[[Any], Result], part: Any) -> Result:
    with _CORES:
        return task(part)


def _in_turn(
    fetch: Callable[[Any], Any],
    task: Callable[[Any], Result],
    slots: threading.Semaphore,
    part: Any,
) -> Result:
    fetched = fetch(part)
    with slots:
        return task(fetched)


def _one_after_the_other(
    fetch: Callable[[Any], Any], task: Callable[[Any], Result], part: Any
) -> Result:
    return task(fetch(part))


def _indexed(
    task: Callable[[Any], Result], index: int, part: Any, caller: int
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
