"""Threads of this process, which share its memory."""

import threading
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import partial
from itertools import islice
from typing import Any

from skpar_select._stopping import check_stop, new_flag, until_stopped
from skpar_select.execution._base import TASKS_AHEAD, Executor, Result

# How often whoever waits for what is not his own looks whether to go on, in seconds.
_LOOK = 0.2


class ThreadsExecutor(Executor):
    """Runs tasks in threads; one thread more than there are workers prepares ahead.

    joblib's threads look for results only every 10 ms, longer than a small matrix takes, and go on
    after an error, into the end of the interpreter. `cores` is shared by all executors of this
    process that work inside another pool of threads: each task takes one of it while it runs.

    Whatever ends the run, an error, Ctrl-C or the closing of the generator, raises the flag of its threads, so that
    tasks that look at it (:mod:`skpar_select._stopping`) end early.
    """

    n_ahead = 1

    def __init__(self, n_workers: int, *, cores: threading.Semaphore | None = None) -> None:
        self.n_workers = n_workers
        self.cores = cores

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield results as they come; a single worker without preparation is the calling thread."""
        n_threads = self.n_workers
        call = function if self.cores is None else partial(_holding, self.cores, function)
        if prepare is not None:
            call = partial(_in_turn, prepare, call, threading.Semaphore(self.n_workers))
            n_threads += self.n_ahead
        if n_threads == 1:
            for task in tasks:
                yield call(task)
            return
        pending = iter(tasks)
        running: set[Future[Result]] = set()
        stop = new_flag()
        # A thread of another pool may outlive the main thread, and Python waits for the threads of this one.
        look = None if threading.current_thread() is threading.main_thread() else _LOOK
        call = partial(until_stopped, stop, call)
        with ThreadPoolExecutor(n_threads) as pool:
            try:
                for task in islice(pending, TASKS_AHEAD * n_threads):
                    running.add(pool.submit(call, task))
                while running:
                    done = wait(running, timeout=look, return_when=FIRST_COMPLETED).done
                    if not done:
                        pool.submit(int)  # a RuntimeError once the program ends
                    for future in done:
                        running.remove(future)
                        for task in islice(pending, 1):
                            running.add(pool.submit(call, task))
                        yield future.result()
            finally:
                stop[0] = True
                for future in running:
                    future.cancel()


def _holding(
    semaphore: threading.Semaphore, function: Callable[[Any], Result], task: Any
) -> Result:
    # Another run may hold it for long, and this one may have been stopped meanwhile.
    while not semaphore.acquire(timeout=_LOOK):
        check_stop()
    try:
        check_stop()
        return function(task)
    finally:
        semaphore.release()


def _in_turn(
    prepare: Callable[[Any], Any],
    function: Callable[[Any], Result],
    workers: threading.Semaphore,
    task: Any,
) -> Result:
    return _holding(workers, function, prepare(task))
