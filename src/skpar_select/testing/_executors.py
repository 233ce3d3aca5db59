"""The conformance suite of executors.

Everything that the suite watches is a file or a clock of this host, so that it watches threads and
processes by the same means. An executor whose workers run elsewhere (``same_host`` is False) is
held to what can be seen from here.
"""

import os
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import pytest

from skpar_select.execution import TASKS_AHEAD, Executor

_PATIENCE = 30.0
"""Seconds after which a worker no longer waits, so that a broken executor fails and never hangs."""

_QUIET = 0.3
"""Seconds without a change after which nothing more is expected to happen."""


class ExecutorConformance:
    """What every executor owes: subclass it, and give the executor as a fixture.

    Attributes
    ----------
    streams : bool, default=True
        Whether results come before the last task has ended. Set it to False for a pool that gives
        all results together.

    Examples
    --------
    In a test file, with pytest installed::

        import pytest

        from skpar_select.testing import ExecutorConformance


        class TestMyExecutor(ExecutorConformance):
            @pytest.fixture
            def executor(self):
                return MyExecutor(n_workers=2)
    """

    streams: ClassVar[bool] = True

    @pytest.fixture
    def executor(self) -> Executor:
        """Return the executor; overridden by the subclass."""
        raise NotImplementedError("Override the fixture `executor` to return an executor.")

    @pytest.fixture
    def here(self, executor: Executor, tmp_path: Path) -> Path:
        """Return a folder that the workers see, or skip where they see none of this host."""
        if not executor.same_host:
            pytest.skip("the workers see no file of this host")
        return tmp_path

    def test_limits__are_numbers_that_a_plan_can_count_with(self, executor: Executor) -> None:
        """At least one worker, and none fewer in flight than work."""
        assert executor.n_workers >= 1
        assert executor.n_ahead >= 0
        assert executor.in_flight == executor.n_workers + executor.n_ahead
        assert isinstance(executor.shares_memory, bool)
        assert isinstance(executor.same_host, bool)
        assert executor.same_host or not executor.shares_memory

    @pytest.mark.parametrize("n_tasks", [0, 1, 2, 50])
    @pytest.mark.parametrize("prepare", [None, abs])
    def test_results__are_of_every_task_once(
        self, executor: Executor, n_tasks: int, prepare: Callable[[Any], Any] | None
    ) -> None:
        """With and without a preparation, of fewer and of more tasks than workers."""
        sign = 1 if prepare is None else -1
        tasks = (sign * task for task in range(n_tasks))
        results = executor.map_unordered(_square_root_of_square, tasks, prepare=prepare)
        assert sorted(results) == list(range(n_tasks))

    def test_results__come_as_they_finish(self, executor: Executor, here: Path) -> None:
        """A task that takes long does not hold up those that are done."""
        if executor.n_workers == 1 or not self.streams:
            pytest.skip("the results come in the order of the tasks")
        done = here / "done"
        with closing(executor.map_unordered(partial(_wait_if_first, done), range(4))) as results:
            first = next(results)
            done.touch()
            assert first != 0
            assert sorted([first, *results]) == [0, 1, 2, 3]

    def test_tasks__are_drawn_a_little_ahead_of_the_results(
        self, executor: Executor, here: Path
    ) -> None:
        """While no task ends, no more are drawn than the memory model counts."""
        drawn: list[int] = []
        gate = here / "gate"
        results = executor.map_unordered(partial(_wait, gate), _noted(range(100), drawn))
        got: list[int] = []
        consumer = threading.Thread(target=got.extend, args=(results,))
        consumer.start()
        try:
            n_drawn = _settled(lambda: len(drawn))
        finally:
            gate.touch()
            consumer.join()
        assert 0 < n_drawn <= TASKS_AHEAD * executor.in_flight
        assert sorted(got) == list(range(100))

    def test_error__of_a_task_is_raised_as_it_is(self, executor: Executor) -> None:
        """Its type and its attributes come through."""
        with pytest.raises(_PicklableError, match="no") as raised:
            list(executor.map_unordered(_refuse_the_third, range(50)))
        assert raised.value.task == 2

    def test_error__of_a_preparation_is_raised_as_it_is(self, executor: Executor) -> None:
        """Like that of a task."""
        with pytest.raises(_PicklableError, match="no") as raised:
            list(executor.map_unordered(abs, range(50), prepare=_refuse_the_third))
        assert raised.value.task == 2

    def test_error__that_cannot_be_pickled_keeps_its_text(self, executor: Executor) -> None:
        """It is raised as it is, or in another process as a RuntimeError of the same text."""
        expected = _UnpicklableError if executor.shares_memory else RuntimeError
        with pytest.raises(expected, match="task 0: no") as raised:
            list(executor.map_unordered(_refuse_unpicklably, [0, 0]))
        if not executor.shares_memory:
            assert "_UnpicklableError" in str(raised.value)
            assert any("_refuse_unpicklably" in note for note in raised.value.__notes__)

    def test_error__leaves_the_executor_working(self, executor: Executor) -> None:
        """The next run gives all results."""
        with pytest.raises(_PicklableError):
            list(executor.map_unordered(_refuse_the_third, range(9)))
        assert sorted(executor.map_unordered(abs, range(9))) == list(range(9))

    @pytest.mark.parametrize("prepare", [None, abs])
    def test_no_task__starts_after_an_error(
        self, executor: Executor, here: Path, prepare: Callable[[Any], Any] | None
    ) -> None:
        """Nor goes on."""
        function = partial(_mark_and_refuse_all_but_two, here)
        with pytest.raises(_PicklableError):
            list(executor.map_unordered(function, range(300), prepare=prepare))
        self._nothing_runs(here, 300)

    @pytest.mark.parametrize("prepare", [None, abs])
    def test_closing__stops_the_work(
        self, executor: Executor, here: Path, prepare: Callable[[Any], Any] | None
    ) -> None:
        """No task runs when the generator has been closed."""
        results = executor.map_unordered(partial(_mark, here), range(300), prepare=prepare)
        next(results)
        results.close()
        self._nothing_runs(here, 300)

    def test_closing__before_the_first_result_runs_nothing(self, executor: Executor) -> None:
        """A generator that was never asked has done nothing."""
        drawn: list[int] = []
        executor.map_unordered(abs, _noted(range(9), drawn)).close()
        assert not drawn

    def _nothing_runs(self, folder: Path, n_tasks: int) -> None:
        n_started = len(list(folder.iterdir()))
        time.sleep(_QUIET)
        assert len(list(folder.iterdir())) == n_started
        assert n_started < n_tasks or not self.streams

    @pytest.mark.parametrize("prepares", [False, True])
    def test_workers__are_as_many_as_it_says(
        self, executor: Executor, here: Path, prepares: bool
    ) -> None:
        """Never do more functions run, nor are more prepared tasks held; and all workers work."""
        n_tasks = 12 * executor.in_flight
        prepare = _prepared_now if prepares else None
        working, deadline = 0, time.monotonic() + _PATIENCE
        # A pool of processes may start so slowly that one of them does all of a first run.
        while working < executor.n_workers and time.monotonic() < deadline:
            times = list(executor.map_unordered(_timed, range(n_tasks), prepare=prepare))
            assert len(times) == n_tasks
            working = _most_at_a_time((each.started, each.ended) for each in times)
            assert working <= executor.n_workers
            if prepares:
                held = _most_at_a_time((each.prepared, each.ended) for each in times)
                assert held <= executor.in_flight
            if executor.cores is not None:
                return
        assert working == executor.n_workers

    def test_memory__is_shared_where_it_says_so(self, executor: Executor) -> None:
        """A function may then write into what the caller holds, and into nothing otherwise."""
        seen: list[int] = []
        processes = set(executor.map_unordered(partial(_note_here, seen), range(9)))
        assert sorted(seen) == (list(range(9)) if executor.shares_memory else [])
        assert (os.getpid() in processes) == executor.shares_memory

    def test_files__are_seen_where_it_says_so(self, executor: Executor, here: Path) -> None:
        """What this process writes, workers read."""
        (here / "file").write_text("seen")
        assert set(executor.map_unordered(Path.read_text, [here / "file"] * 3)) == {"seen"}

    def test_function__reaches_each_worker_once(self, executor: Executor, here: Path) -> None:
        """What all tasks share does not travel with every task, however large it is."""
        function = _Shared(bytes(4_000_000))
        n_made = Counter[int]()
        for process, n_times in executor.map_unordered(function, range(40)):
            n_made[process] = max(n_made[process], n_times)
        assert max(n_made.values()) == (0 if executor.shares_memory else 1)

    def test_two_functions__are_not_mixed_up(self, executor: Executor) -> None:
        """A worker that has the function of one run gets that of the next."""
        for addend in (1, 2, 1):
            results = executor.map_unordered(partial(_add, addend), range(5))
            assert sorted(results) == [addend + task for task in range(5)]


class _PicklableError(Exception):
    def __init__(self, task: int, reason: str) -> None:
        super().__init__(task, reason)
        self.task = task


class _UnpicklableError(Exception):
    def __init__(self, task: int, reason: str) -> None:
        super().__init__(f"task {task}: {reason}")


class _Times(NamedTuple):
    prepared: float
    started: float
    ended: float


class _Shared:
    """A function that knows how often this process has made it from a pickle."""

    n_made: ClassVar[Counter[str]] = Counter()

    def __init__(self, ballast: bytes) -> None:
        self.name = uuid.uuid4().hex
        self.ballast = ballast

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.n_made[self.name] += 1

    def __call__(self, task: int) -> tuple[int, int]:
        return os.getpid(), self.n_made[self.name]


def _square_root_of_square(task: int) -> int:
    assert task >= 0
    return int((task * task) ** 0.5)


def _add(addend: int, task: int) -> int:
    return addend + task


def _refuse_the_third(task: int) -> int:
    if task == 2:
        raise _PicklableError(task, "no")
    return task


def _refuse_unpicklably(task: int) -> int:
    raise _UnpicklableError(task, "no")


def _mark(folder: Path, task: int) -> int:
    (folder / str(task)).touch()
    time.sleep(0.005)
    return task


def _mark_and_refuse_all_but_two(folder: Path, task: int) -> int:
    return _refuse_the_third(min(2, _mark(folder, task)))


def _wait(path: Path, task: int) -> int:
    deadline = time.monotonic() + _PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)
    return task


def _wait_if_first(path: Path, task: int) -> int:
    return task if task else _wait(path, task)


def _note_here(seen: list[int], task: int) -> int:
    seen.append(task)
    return os.getpid()


def _prepared_now(task: int) -> float:
    return time.monotonic()


def _timed(prepared: float) -> _Times:
    started = time.monotonic()
    time.sleep(0.02)
    return _Times(prepared, started, time.monotonic())


def _noted(tasks: Iterable[int], drawn: list[int]) -> Iterator[int]:
    for task in tasks:
        drawn.append(task)
        yield task


def _settled(count: Callable[[], int]) -> int:
    """Wait until a count, once above 0, no longer changes, and return it."""
    deadline = time.monotonic() + _PATIENCE
    before, since = 0, time.monotonic()
    while time.monotonic() < deadline:
        now = count()
        if now != before:
            before, since = now, time.monotonic()
        elif now and time.monotonic() - since > _QUIET:
            break
        time.sleep(0.01)
    return before


def _most_at_a_time(spans: Iterable[tuple[float, float]]) -> int:
    """Return how many of the spans overlap, at most."""
    events = sorted(event for start, end in spans for event in ((start, 1), (end, -1)))
    most = now = 0
    for _, change in events:
        now += change
        most = max(most, now)
    return most
