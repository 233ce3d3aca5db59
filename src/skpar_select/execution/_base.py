"""The contract of an executor: it maps a function over tasks, and knows nothing of them.

An executor owes

- ``n_workers``: how many tasks run at a time;
- ``shares_memory``: whether workers see the memory of this process, so that a task may hold views
  of it and a function may write into it;
- ``same_host``: whether workers see the temporary files of this host;
- ``n_on_host``: how many tasks run at a time on one host, at most, where there are several;
- ``map_unordered(function, tasks, prepare=...)``: the results, as they come;
- ``check_hosts(check)``: whether something holds on every host, where there are several.

What all tasks share belongs to the function, which reaches each worker once; a task should pickle
small. `tasks` is drawn lazily, at most ``TASKS_AHEAD`` for each worker ahead of the results, so that
the memory model counts all tasks that exist. An error of a task ends the run and is raised here; no
task runs when the generator has been closed: threads get a flag that long tasks look at
(:mod:`skpar_select._stopping`). Where workers died and their tasks did not come back, it
raises a :class:`WorkerLostError`; results that came before are good. ``reduced()`` is the executor to go
on with.

:class:`skpar_select.testing.ExecutorConformance` is the suite that every implementation passes.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable
from threading import Semaphore
from typing import Any, TypeVar

Result = TypeVar("Result")

# One task in work and one waiting for each worker: no worker waits, and no more tasks than the
# memory model counts are on their way.
TASKS_AHEAD = 2


class WorkerLostError(RuntimeError):
    """Workers died, killed by a signal or by a system without memory.

    Attributes
    ----------
    tasks : list
        Those that were on their way and gave no result.
    n_tries : int
        How often each of them was tried.
    """

    def __init__(self, message: str, tasks: list[Any], *, n_tries: int = 1) -> None:
        super().__init__(message)
        self.tasks = tasks
        self.n_tries = n_tries


class Executor(ABC):
    """Runs one function over many tasks.

    Attributes
    ----------
    n_workers : int
        Tasks that run at a time.
    n_ahead : int
        Tasks that are prepared while all workers are busy.
    shares_memory : bool
        Whether the workers see the memory of this process.
    same_host : bool
        Whether the workers see the files of this host.
    cores : threading.Semaphore or None
        The cores that the threads of this process share, where they work inside another pool.
    """

    n_workers: int = 1
    n_ahead: int = 0
    shares_memory: bool = True
    same_host: bool = True
    cores: Semaphore | None = None

    @property
    def in_flight(self) -> int:
        """Tasks that are prepared or run at a time."""
        return self.n_workers + self.n_ahead

    @property
    def n_on_host(self) -> int | None:
        """Tasks that run at a time on one host, at most, as a budget is for each; None is all."""
        return None

    def check_hosts(self, check: Callable[[], None]) -> None:  # noqa: B027  # nothing is the default
        """Run a check on every host where a worker is, and raise its error with the host's name.

        Nothing is to do where all workers are on this host.
        """

    def reduced(self) -> "Executor":
        """Return the executor to go on with where workers have died, with fewer of them if it can."""
        return self

    @abstractmethod
    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield ``function(task)`` for every task, in the order in which they finish.

        Parameters
        ----------
        function : callable
            Called once with each task. Its error is raised here, unchanged; where it cannot be
            pickled in another process, as a RuntimeError of the same text.
        tasks : iterable
            Drawn lazily.
        prepare : callable, default=None
            Called with each task first; `function` gets what it returns. Where ``n_ahead`` is
            positive it overlaps with `function`: never do more than ``n_workers`` calls of
            `function` run at a time, nor are more than ``in_flight`` prepared tasks held.
        """


def prepared(prepare: Callable[[Any], Any], function: Callable[[Any], Result], task: Any) -> Result:
    """Prepare one task and run the function on it."""
    return function(prepare(task))
