"""The flag of a thread: who sets it, and who looks at it."""

import threading

import numpy as np
import pytest

from skpar_select._stopping import Stopped, check_stop, new_flag, stop_flag, until_stopped


def test_flag__is_that_of_the_task_and_of_its_thread():
    inner, outer = new_flag(), new_flag()
    seen = []

    def look(task):
        seen.append(stop_flag())
        if task:
            until_stopped(inner, look, task - 1)
            seen.append(stop_flag())
            elsewhere = threading.Thread(target=lambda: seen.append(stop_flag()))
            elsewhere.start()
            elsewhere.join()

    until_stopped(outer, look, 1)
    assert [flag is outer for flag in seen] == [True, False, True, False]
    assert seen[1] is inner
    assert not seen[3].any()
    assert stop_flag() is None


def test_task__does_not_begin_once_the_flag_is_set():
    flag = np.ones(1, dtype=bool)
    with pytest.raises(Stopped):
        until_stopped(flag, pytest.fail, "it began")
    check_stop()


def test_task__ends_where_it_looks():
    flag = new_flag()

    def work(_):
        check_stop()
        flag[0] = True
        check_stop()
        pytest.fail("it went on")

    with pytest.raises(Stopped):
        until_stopped(flag, work, None)
    assert stop_flag() is None


def test_flag__may_be_looked_at_where_there_is_none():
    check_stop()
