"""Pools of processes that joblib manages, its own or of another library that is registered with it."""

import os
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

from joblib import Parallel, delayed

from skpar_select.execution._base import (
    TASKS_AHEAD,
    Executor,
    Result,
    WorkerLostError,
    prepared,
)
from skpar_select.execution._futures import LokyExecutor
from skpar_select.execution._held import carried, sendable, written


class JoblibExecutor(Executor):
    """Runs tasks in a pool of joblib's.

    The backend is kept, so that a ``joblib.parallel_config`` that comes or goes meanwhile changes
    nothing. `streams` says whether it gives results as they come, `same_host` whether its processes
    run on this host.
    """

    shares_memory = False

    def __init__(self, n_workers: int, *, backend: Any, streams: bool, same_host: bool) -> None:
        self.n_workers = n_workers
        self.backend = backend
        self.streams = streams
        self.same_host = same_host

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield results as they come; each worker prepares its own tasks."""
        whole = function if prepare is None else partial(prepared, prepare, function)
        in_flight: dict[int, Any] = {}

        def calls(shared: Callable[[Any], Result]) -> Iterator[Any]:
            for number, task in enumerate(tasks):
                in_flight[number] = task
                yield delayed(_call)(shared, number, task, os.getpid())

        with self._shared(whole) as shared:
            results = Parallel(
                n_jobs=self.n_workers,
                backend=self.backend,
                return_as="generator_unordered" if self.streams else "list",
                pre_dispatch=TASKS_AHEAD * self.n_workers,
                batch_size=1,
                # Blocks are read once: writing them to a memory-mapped file first would only cost.
                max_nbytes=None,
            )(calls(shared))
            try:
                for number, result in results:
                    del in_flight[number]
                    yield result
            except BrokenExecutor as error:
                raise WorkerLostError(
                    f"Workers of joblib's pool were lost: {error}", list(in_flight.values())
                ) from error
            finally:
                # joblib warns of results that were not taken; whoever stops early knows that.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    if self.streams:
                        results.close()

    def reduced(self) -> Executor:
        """Return a pool of half the processes, or this executor where they are of another library."""
        # joblib itself takes one process to be the calling one, which a task would kill.
        return LokyExecutor(max(1, self.n_workers // 2)) if self.same_host else self

    def _shared(
        self, function: Callable[[Any], Any]
    ) -> AbstractContextManager[Callable[[Any], Any]]:
        # No file of this host is seen elsewhere: there the function goes with every task.
        return written(function) if self.same_host else nullcontext(carried(function))


def _call(
    function: Callable[[Any], Result], number: int, task: Any, caller: int
) -> tuple[int, Result]:
    try:
        return number, function(task)
    except Exception as error:
        if os.getpid() == caller:
            raise
        raise sendable(error) from None
