"""Engines of the caller's: whatever has the interface of ``concurrent.futures.Executor``.

Only ``submit`` is asked of an engine, so that pools of this host, loky's and MPI's all work. Where its
workers may be on other hosts, the function that all tasks share goes with one task for each worker, and
to a worker that lacks it still. ``_dask`` and ``_ray`` know better ways.
"""

import uuid
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from operator import itemgetter
from typing import Any

from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor

from skpar_select._stopping import new_flag, until_stopped
from skpar_select._typing import BoolArray
from skpar_select._version import __version__
from skpar_select.execution._base import (
    TASKS_AHEAD,
    Executor,
    Result,
    WorkerLostError,
    prepared,
)
from skpar_select.execution._held import (
    Done,
    Failed,
    Lacking,
    call_held,
    outcome,
    outcome_here,
    pickled,
    written,
)
from skpar_select.execution._hosts import checked

Outcome = Done | Failed | Lacking


class Sender:
    """Sends tasks of one run to an engine whose workers can read its function."""

    patience: float | None = None
    """Seconds without a result after which :meth:`stalled` is asked; None is never."""

    def __init__(self, engine: Any, call: Callable[[Any, Any], Outcome], function: Any) -> None:
        self.engine = engine
        self.call = call
        self.function = function

    def send(self, task: Any, *, lacking: bool = False) -> Future[Outcome]:
        """Send a task; `lacking` says that a worker did not have the function for it."""
        return _submitted(self.engine, self.call, self.function, task)

    def stalled(self) -> str | None:
        """Say why no result will come, if so."""
        return None

    def abandon(self, running: Iterable[Future[Outcome]]) -> None:
        """Let none of these tasks start any more, without waiting for those that run."""
        for future in running:
            future.cancel()

    def stop(self, running: Iterable[Future[Outcome]]) -> None:
        """Return when none of these tasks runs, nor will."""
        wait([future for future in running if not future.cancel()])


class ThreadSender(Sender):
    """Sends tasks to threads of this process, which end early when nobody wants their results."""

    def __init__(self, engine: Any, call: Callable[[Any, Any], Outcome], function: Any) -> None:
        self.flag = new_flag()
        super().__init__(engine, partial(_until_stopped, self.flag, call), function)

    def stop(self, running: Iterable[Future[Outcome]]) -> None:
        """Return when none of these tasks runs, nor will."""
        self.flag[0] = True
        super().stop(running)


class CarryingSender(Sender):
    """Sends the function with the first tasks, and to a worker that lacks it."""

    def __init__(self, engine: Any, content: bytes, n_workers: int) -> None:
        self.engine = engine
        self.content = content
        self.n_left = n_workers
        self.key = uuid.uuid4().hex

    def send(self, task: Any, *, lacking: bool = False) -> Future[Outcome]:
        """Send a task, with the function to as many as there are workers."""
        content = None
        if lacking or self.n_left:
            self.n_left -= not lacking
            content = self.content
        return _submitted(self.engine, call_held, self.key, content, task)


class FuturesExecutor(Executor):
    """Runs tasks in an engine that the caller made, and closes.

    Parameters
    ----------
    engine : concurrent.futures.Executor
        Or what has its method ``submit``.
    n_workers : int
        Tasks that run at a time.
    shares_memory : bool, default=False
        Whether its workers are threads of this process.
    same_host : bool, default=False
        Whether they are processes of this host.
    """

    def __init__(
        self, engine: Any, n_workers: int, *, shares_memory: bool = False, same_host: bool = False
    ) -> None:
        self.engine = engine
        self.n_workers = n_workers
        self.shares_memory = shares_memory
        self.same_host = same_host or shares_memory
        self._is_broken = False

    def reduced(self) -> Executor:
        """Return this executor, or in the place of a pool of this host that is broken one of loky's.

        A pool of ``concurrent.futures`` takes no task more once one of its processes has died.
        """
        if not (self._is_broken and self.same_host):
            return self
        return LokyExecutor(max(1, self.n_workers // 2))

    def check_hosts(self, check: Callable[[], None]) -> None:
        """Run a check in as many tasks as there are workers; it may miss one of them."""
        if self.same_host:
            return
        places = range(self.n_workers)
        with closing(self.map_unordered(partial(checked, check, __version__), places)) as answers:
            try:
                for answer in answers:
                    if answer.error is not None:
                        raise answer.error
            except WorkerLostError as error:
                # No block is lost that could be scored by others.
                raise RuntimeError(
                    f"executor={self.engine!r} lost its workers before the first block: {error}. Workers "
                    "must live to be asked whether they see the files. Start them again, or make a new engine."
                ) from error

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield results as they come; each worker prepares its own tasks."""
        whole = function if prepare is None else partial(prepared, prepare, function)
        pending = iter(tasks)
        for first in islice(pending, 1):
            with self._sending(whole) as sender:
                yield from self._results(sender, first, pending)

    @contextmanager
    def _sending(self, function: Callable[[Any], Any]) -> Iterator[Sender]:
        """Bring a function to the workers, and give what sends tasks for it."""
        if self.shares_memory:
            yield ThreadSender(self.engine, outcome_here, function)
        elif self.same_host:
            with written(function) as call:
                yield Sender(self.engine, outcome, call)
        else:
            yield CarryingSender(self.engine, pickled(function), self.n_workers)

    def _results(
        self, sender: Sender, first: Any, pending: Iterator[Any]
    ) -> Generator[Any, None, None]:
        running: dict[Future[Outcome], tuple[int, Any]] = {}
        lost: list[tuple[int, Any]] = []
        reason: BaseException | None = None
        numbered = enumerate(chain([first], pending))

        def send(number: int, task: Any, *, lacking: bool = False) -> None:
            nonlocal reason
            try:
                running[sender.send(task, lacking=lacking)] = number, task
            except BrokenExecutor as error:
                self._is_broken = True
                lost.append((number, task))
                reason = error

        def fill() -> None:
            n_drawn = 1
            while n_drawn and not lost and len(running) < TASKS_AHEAD * self.n_workers:
                n_drawn = 0
                for number, task in islice(numbered, 1):
                    n_drawn = 1
                    send(number, task)

        try:
            fill()
            while running:
                done = wait(running, sender.patience, FIRST_COMPLETED).done
                why = None if done else sender.stalled()
                if why is not None:
                    lost += running.values()
                    sender.abandon(running)
                    running.clear()
                    reason = RuntimeError(why)
                # Where a worker was lost, what others have in work is waited for, as it is good.
                for future in done:
                    number, task = running.pop(future)
                    try:
                        ended = future.result()
                    except Exception as error:
                        if not self._is_loss(error):
                            raise
                        self._is_broken |= isinstance(error, BrokenExecutor)
                        lost.append((number, task))
                        reason = error
                        continue
                    if isinstance(ended, Lacking):
                        send(number, task, lacking=True)
                        continue
                    fill()
                    if isinstance(ended, Failed):
                        raise ended.error
                    yield ended.value
        except KeyboardInterrupt:
            # Whoever is in a hurry does not wait for a block on another machine.
            sender.abandon(running)
            running.clear()
            raise
        finally:
            sender.stop(running)
        if lost:
            # In the order in which they were sent: of the first it is likeliest that it was in work.
            lost.sort(key=itemgetter(0))
            raise self._loss([task for _, task in lost], reason) from reason

    def _is_loss(self, error: BaseException) -> bool:
        """Return whether an error of the engine says that a worker is gone."""
        return isinstance(error, BrokenExecutor | CancelledError)

    def _loss(self, tasks: list[Any], reason: BaseException | None) -> WorkerLostError:
        return WorkerLostError(f"Workers were lost: {reason}", tasks)


def _until_stopped(
    flag: BoolArray, call: Callable[[Any, Any], Outcome], function: Any, task: Any
) -> Outcome:
    return until_stopped(flag, partial(call, function), task)


def _submitted(engine: Any, function: Callable[..., Outcome], *arguments: Any) -> Future[Outcome]:
    try:
        future: Future[Outcome] = engine.submit(function, *arguments)
    except BrokenExecutor:
        raise
    except RuntimeError as error:
        raise RuntimeError(
            f"executor={engine!r} takes no task: {error}. An engine must take tasks until a run has "
            "ended. Give one that was not shut down."
        ) from error
    return future


class LokyExecutor(FuturesExecutor):
    """Runs tasks in processes of its own, which are there while a run lasts.

    To go on in where another pool of this host has lost a worker: after the last a new one is made.
    """

    def __init__(self, n_workers: int) -> None:
        super().__init__(None, n_workers, same_host=True)

    def reduced(self) -> Executor:
        """Return one of half the processes."""
        return LokyExecutor(max(1, self.n_workers // 2))

    @contextmanager
    def _sending(self, function: Callable[[Any], Any]) -> Iterator[Sender]:
        # As joblib does, so that not every process starts as many threads as there are cores.
        n_threads = str(max(1, cpu_count() // self.n_workers))
        threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), n_threads)
        with (
            written(function) as call,
            ProcessPoolExecutor(self.n_workers, env=threads) as pool,
        ):
            yield Sender(pool, outcome, call)
