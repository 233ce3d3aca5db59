"""Threads first, and processes where threads would wait for each other."""

import threading
import time

import pytest

from skpar_select.execution import SerialExecutor, ThreadsExecutor, TrialExecutor, choose_executor


class Noting(SerialExecutor):
    """Says which tasks it got."""

    def __init__(self):
        self.got = []

    def map_unordered(self, function, tasks, *, prepare=None):
        tasks = list(tasks)
        self.got += tasks
        return super().map_unordered(function, tasks, prepare=prepare)


def waits(task):
    time.sleep(0.02)
    return task


def a_third():
    """The processor time of a thread that waits for two thirds of its time."""
    return time.monotonic() / 3


def a_third_in_threads():
    """The same, but alone in the thread that called it has its processor to itself."""
    alone = threading.current_thread() is threading.main_thread()
    return time.monotonic() if alone else a_third()


def test_processes__take_the_rest_where_threads_wait():
    others = Noting()
    executor = TrialExecutor(
        ThreadsExecutor(2), others, trial_seconds=0.03, processor_time=a_third_in_threads
    )
    assert sorted(executor.map_unordered(waits, range(20))) == [*range(20)]
    # A few tasks fill the trial, as many are drawn ahead, and one is run alone.
    assert others.got == [*range(20 - len(others.got), 20)]
    assert 8 <= len(others.got) <= 17


def test_threads__go_on_where_a_task_alone_waits_as_long():
    others = Noting()
    executor = TrialExecutor(ThreadsExecutor(2), others, trial_seconds=0.03, processor_time=a_third)
    assert sorted(executor.map_unordered(waits, range(9))) == [*range(9)]
    assert others.got == []


def test_threads__go_on_where_each_has_its_own_time():
    others = Noting()
    # No machine that runs tests is free for sure: time that goes by counts as time of its own.
    executor = TrialExecutor(
        ThreadsExecutor(2), others, trial_seconds=0.03, processor_time=time.monotonic
    )
    assert sorted(executor.map_unordered(waits, range(9))) == [*range(9)]
    assert others.got == []


def test_processes__are_not_started_for_less_than_the_trial():
    others = Noting()
    executor = TrialExecutor(ThreadsExecutor(2), others, trial_seconds=60.0)
    assert sorted(executor.map_unordered(waits, range(5))) == [*range(5)]
    assert others.got == []


def test_executor__is_planned_as_the_processes_that_may_come():
    executor = choose_executor(2, prefer="either")
    assert type(executor) is TrialExecutor
    assert (executor.n_workers, executor.n_ahead) == (2, 1)
    assert not executor.shares_memory
    assert executor.same_host


def test_error__of_the_function_ends_the_trial():
    def fails(task):
        raise KeyError(task)

    executor = TrialExecutor(ThreadsExecutor(2), Noting())
    with pytest.raises(KeyError):
        list(executor.map_unordered(fails, range(9)))
