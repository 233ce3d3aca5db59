"""Threads first, and processes for the rest where threads would wait for each other."""

import os
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import cache, partial
from itertools import islice
from typing import Any

from threadpoolctl import ThreadpoolController

from skpar_select.execution._base import Executor, Result

# To start a pool of processes that import scikit-learn takes as long.
TRIAL_SECONDS = 2.0

# Threads that share the lock of Python take turns: each of two takes twice its own processor time.
# Functions of NumPy's that free it take up to 1.2 times theirs.
MOST_WAITING = 1.5


class TrialExecutor(Executor):
    """Runs a function of which it is not known whether it frees Python's lock.

    Threads run it until `trial_seconds` have gone; no process is started for less. Where their tasks
    then took more than ``MOST_WAITING`` times the processor time of their threads, compared with one
    task alone, `processes` take the rest, else threads do. Either way the results are those of the
    same tasks.

    The memory of a run is planned as for processes, which hold more.
    """

    shares_memory = False

    def __init__(
        self,
        threads: Executor,
        processes: Executor,
        *,
        trial_seconds: float = TRIAL_SECONDS,
        processor_time: Callable[[], float] = time.thread_time,
    ) -> None:
        self.threads = threads
        self.processes = processes
        self.trial_seconds = trial_seconds
        self.processor_time = processor_time
        self.n_workers = max(threads.n_workers, processes.n_workers)
        self.n_ahead = max(threads.n_ahead, processes.n_ahead)
        self.same_host = processes.same_host

    def reduced(self) -> Executor:
        """Return one of fewer processes, as no thread dies alone."""
        return TrialExecutor(
            self.threads,
            self.processes.reduced(),
            trial_seconds=self.trial_seconds,
            processor_time=self.processor_time,
        )

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield results as they come, first of threads, then of whichever suits."""
        # Each of two threads would start as many of BLAS's as there are cores: f_regression of a
        # file took 0.25 s so, and takes 0.17.
        n_threads = max(1, (os.cpu_count() or 1) // self.n_workers)
        with _thread_pools().limit(limits=n_threads, user_api="blas"):
            yield from self._map_unordered(function, iter(tasks), prepare)

    def _map_unordered(
        self,
        function: Callable[[Any], Result],
        pending: Iterator[Any],
        prepare: Callable[[Any], Any] | None,
    ) -> Generator[Result, None, None]:
        began = time.monotonic()
        elapsed = processor = 0.0
        timed = partial(_timed, self.processor_time, function)
        first = _drawn_before(began + self.trial_seconds, pending)
        for seconds, own, result in self.threads.map_unordered(timed, first, prepare=prepare):
            elapsed, processor = elapsed + seconds, processor + own
            yield result
        waits = elapsed > MOST_WAITING * processor
        if waits:
            # On a busy machine a thread waits for its processor, too: one task alone tells how long.
            for task in islice(pending, 1):
                seconds, own, result = timed(task if prepare is None else prepare(task))
                yield result
                waits = elapsed * own > MOST_WAITING * processor * seconds
        rest = self.processes if waits else self.threads
        yield from rest.map_unordered(function, pending, prepare=prepare)


@cache
def _thread_pools() -> ThreadpoolController:
    # To look for them takes 20 ms.
    return ThreadpoolController()


def _drawn_before(deadline: float, tasks: Iterator[Any]) -> Iterator[Any]:
    while time.monotonic() < deadline:
        try:
            yield next(tasks)
        except StopIteration:
            return


def _timed(
    processor_time: Callable[[], float], function: Callable[[Any], Result], task: Any
) -> tuple[float, float, Result]:
    elapsed, processor = time.monotonic(), processor_time()
    result = function(task)
    return time.monotonic() - elapsed, processor_time() - processor, result
