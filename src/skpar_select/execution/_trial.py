"""Threads first, and processes for the rest where threads would wait for each other."""

import time
from collections.abc import Callable, Generator, Iterable
from functools import partial
from itertools import chain, islice
from typing import Any

from skpar_select.execution._base import Executor, Result

# To start a pool of processes that import scikit-learn takes as long.
TRIAL_SECONDS = 2.0

# Threads that share the lock of Python take turns: each of two takes twice its own processor time.
# Functions of NumPy's that free it take up to 1.2 times theirs.
MOST_WAITING = 1.5


class TrialExecutor(Executor):
    """Runs a function of which it is not known whether it frees Python's lock.

    Threads run it, a task for each at a time, until `trial_seconds` have gone; no process is
    started for less. Where their tasks then took more than ``MOST_WAITING`` times the processor time
    of their threads, compared with one task alone, `processes` take the rest, else threads do. Either
    way the results are those of the same tasks.

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

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield results as they come, first of threads, then of whichever suits."""
        pending = iter(tasks)
        began = time.monotonic()
        elapsed = processor = 0.0
        timed = partial(_timed, self.processor_time, function)
        for task in pending:
            some = chain([task], islice(pending, self.n_workers - 1))
            for seconds, own, result in self.threads.map_unordered(timed, some, prepare=prepare):
                elapsed, processor = elapsed + seconds, processor + own
                yield result
            if time.monotonic() - began > self.trial_seconds:
                break
        waits = elapsed > MOST_WAITING * processor
        if waits:
            # On a busy machine a thread waits for its processor, too: one task alone tells how long.
            for task in islice(pending, 1):
                seconds, own, result = timed(task if prepare is None else prepare(task))
                yield result
                waits = elapsed * own > MOST_WAITING * processor * seconds
        rest = self.processes if waits else self.threads
        yield from rest.map_unordered(function, pending, prepare=prepare)


def _timed(
    processor_time: Callable[[], float], function: Callable[[Any], Result], task: Any
) -> tuple[float, float, Result]:
    elapsed, processor = time.monotonic(), processor_time()
    result = function(task)
    return time.monotonic() - elapsed, processor_time() - processor, result
