"""One thing done in a forked process, under a limit of time and of memory."""

import os
import pickle
import resource
import select
import signal
import time
import traceback
import warnings
from dataclasses import dataclass
from typing import Any

from .outcomes import Ended, Outcome

SECONDS = 10
MEMORY = 400 * 2**20
"""What a case may take beyond what the parent holds; its files are of kilobytes."""

ADDRESSES = 8 * 2**30
"""Addresses that it may take, so that the machine outlives it. Threads take many and use few."""


@dataclass
class Raised:
    """An error as the parent sees it."""

    name: str
    is_refusal: bool
    message: str
    trace: str

    @classmethod
    def of(cls, error):
        told = isinstance(error, (ValueError, OSError)) and not isinstance(error, UnicodeError)
        trace = "".join(traceback.format_exception(error)[-4:])
        return cls(type(error).__name__, told, str(error), trace)

    def names_one_of(self, names):
        """Whether it is an error for files and values, and names one of these files."""
        return self.is_refusal and any(name in self.message for name in names)

    def tells_of(self, names):
        """Whether it says of one of these files what went wrong, and a rule or a remedy."""
        return self.names_one_of(names) and ". " in self.message

    @property
    def words(self):
        return f"{self.name}: {self.message[:300]}"


@dataclass
class Returned:
    """What the function gave."""

    value: Any


@dataclass
class Died:
    """A process that did not come to its end."""

    outcome: Outcome
    words: str


def in_child(function, *arguments, seconds=SECONDS, memory=MEMORY):
    """Call a function in a forked process; return how that ended."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        _work(write, function, arguments)
    os.close(write)
    with open(read, "rb", buffering=0) as stream:
        content, in_time = _read(stream, time.monotonic() + seconds)
    if not in_time:
        os.killpg(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    beyond = usage.ru_maxrss * 1024 - _resident()
    if beyond > memory:
        return Died(Outcome.MEMORY, f"took {beyond / 2**20:.0f} MB beyond its start")
    if not in_time:
        return Died(Outcome.HANG, f"ran for more than {seconds} s")
    if os.WIFSIGNALED(status) or not content:
        return Died(Outcome.CRASH, f"ended by status {status}")
    return pickle.loads(content)


def ended_of(died, words):
    """The end of a case whose process died."""
    return Ended(died.outcome, f"{words}: {died.words}")


def _work(write, function, arguments):
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        limit = _addresses() + ADDRESSES
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        warnings.simplefilter("ignore")
        try:
            result = Returned(function(*arguments))
        except BaseException as error:
            result = Raised.of(error)
        with open(write, "wb") as stream:
            stream.write(pickle.dumps(result))
    finally:
        os._exit(0)


def _read(stream, until):
    content = b""
    while (left := until - time.monotonic()) > 0:
        if select.select([stream], [], [], left)[0]:
            some = stream.read(2**16)
            if not some:
                return content, True
            content += some
    return content, False


def _addresses():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[0]) * resource.getpagesize()


def _resident():
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * resource.getpagesize()
