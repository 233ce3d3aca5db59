"""How work in threads ends early: Python gives signals to the main thread, and to no other.

Who starts threads hands each task a flag, and sets it when the results are no longer wanted. Whatever takes
long looks at the flag of its thread between its pieces.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from skpar_select._typing import BoolArray

Result = TypeVar("Result")


class Stopped(BaseException):
    """The flag was set, and work has ended before its end. Nobody is meant to catch it."""


class _Thread(threading.local):
    flag: BoolArray | None = None


_thread = _Thread()


def new_flag() -> BoolArray:
    """Return a flag that is not set: an array of one bool."""
    return np.zeros(1, dtype=np.bool_)


def stop_flag() -> BoolArray | None:
    """Return the flag of this thread; None in the main thread, if it has none: that gets signals.

    Where another thread has none, it is one that nobody sets.
    """
    if _thread.flag is None and threading.current_thread() is not threading.main_thread():
        return new_flag()
    return _thread.flag


def check_stop() -> None:
    """Raise :class:`Stopped` if the flag of this thread is set."""
    flag = _thread.flag
    if flag is not None and flag[0]:
        raise Stopped


def until_stopped(flag: BoolArray, function: Callable[[Any], Result], task: Any) -> Result:
    """Run a task in this thread under a flag."""
    outer = _thread.flag
    _thread.flag = flag
    try:
        check_stop()
        return function(task)
    finally:
        _thread.flag = outer
