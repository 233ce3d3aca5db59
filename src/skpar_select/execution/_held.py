"""What all tasks of a run share, as worker processes hold it: one function, by the key of the run.

It is pickled once and brought to each process once: in a file where processes see this host's, else as
the engine brings it, see ``_futures``. It is made of its pickle by the first task of the run there.
"""

import hashlib
import io
import pickle
import socket
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from joblib import wrap_non_picklable_objects

from skpar_select._version import __version__
from skpar_select.execution._hosts import check_version

# Nobody says when a run has ended whose function came with a task. Runs of two fits may take turns.
_MOST_PASSING = 2

_LONGEST_VERSION = 100


class Done(NamedTuple):
    """The result of a task."""

    value: Any


class Failed(NamedTuple):
    """The error of a task."""

    error: Exception


class Lacking(NamedTuple):
    """A worker does not have the function, and has not run the task."""


class _Held:
    """A function, made of its pickle when it is first called."""

    def __init__(self, content: Any, *, passing: bool) -> None:
        self.content = content
        self.passing = passing
        self.function: Any = None

    def made(self) -> Any:
        if self.content is not None:
            view = memoryview(self.content)
            version, found, _ = bytes(view[:_LONGEST_VERSION]).partition(b"\n")
            # The pickle of another version may be read as something else. Workers may come late.
            check_version(version.decode() if found else "unknown")
            self.function, self.content = pickle.loads(view[len(version) + 1 :]), None
        return self.function


_held: dict[str, _Held] = {}
# Threads of a worker must not make the same function twice.
_lock = threading.RLock()


def pickled(function: Callable[[Any], Any]) -> bytes:
    """Pickle a function by cloudpickle, as it may be defined in a notebook, after a line with the version."""
    file = io.BytesIO()
    file.write(__version__.encode() + b"\n")
    pickle.dump(wrap_non_picklable_objects(function, keep_wrapper=False), file)
    return file.getvalue()


def carried(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that goes with every task, and is made once by each worker."""
    return partial(_call_carried, uuid4().hex, pickled(function))


def _call_carried(key: str, content: bytes, task: Any) -> Any:
    return _found(key, lambda: content)(task)


def hold(key: str, content: bytes) -> None:
    """Hold the function of a run in this process until :func:`forget` is called."""
    with _lock:
        _held[key] = _Held(content, passing=False)


def forget(key: str) -> None:
    """Let the function of a run go; no task of it starts in this process any more."""
    with _lock:
        _held.pop(key, None)


def call_held(key: str, content: Any, task: Any) -> Done | Failed | Lacking:
    """Call the function of a run; `content`, bytes or an array of them, is taken where it is lacking."""
    try:
        function = _found(key, lambda: content)
    except Exception as error:
        return _failed(error)
    return Lacking() if function is None else outcome(function, task)


def outcome(function: Callable[[Any], Any], task: Any) -> Done | Failed:
    """Call a function in a worker; its error becomes a result that can be pickled."""
    try:
        return Done(function(task))
    except Exception as error:
        return _failed(error)


def _failed(error: Exception) -> Failed:
    sent = sendable(error)
    sent.add_note(f"This was on the host '{socket.gethostname()}'.")
    return Failed(sent)


def outcome_here(function: Callable[[Any], Any], task: Any) -> Done | Failed:
    """Call a function in a thread of the caller's process; its error becomes a result."""
    try:
        return Done(function(task))
    except Exception as error:
        return Failed(error)


def sendable(error: Exception) -> Exception:
    """Return an error that survives a pickle: itself, or one of the same text with its trace."""
    if _can_be_pickled(error):
        return error
    described = RuntimeError(f"{type(error).__qualname__}: {error}")
    described.add_note(traceback.format_exc())
    return described


def _can_be_pickled(error: Exception) -> bool:
    # An exception whose __init__ takes other arguments than it hands on cannot be made again
    # from its pickle; sent as it is, it would break the pool and hide what happened.
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return False
    return True


@contextmanager
def written(function: Callable[[Any], Any]) -> Iterator[Callable[[Any], Any]]:
    """Write a function to a file that each process of this host reads once."""
    with tempfile.TemporaryDirectory(prefix="skpar-select-") as folder:
        content = pickled(function)
        path = Path(folder, "function")
        path.write_bytes(content)
        yield partial(call_written, str(path), hashlib.sha256(content).hexdigest())


def call_written(path: str, digest: str, task: Any) -> Any:
    """Call the function that the parent has written, and which its task names by digest."""
    return _found(digest, lambda: _read(path, digest))(task)


def _read(path: str, digest: str) -> bytes:
    content = Path(path).read_bytes()
    if hashlib.sha256(content).hexdigest() != digest:
        raise RuntimeError(
            f"'{path}' is not what the calling process has written there. It must not change "
            "while a run lasts. Run again, with TMPDIR set to a folder of yours alone."
        )
    return content


def _found(key: str, content: Callable[[], Any]) -> Any:
    """Return the function of a run, of what is held or of `content`; None where both are lacking."""
    with _lock:
        if key not in _held:
            given = content()
            if given is None:
                return None
            passing = [other for other, held in _held.items() if held.passing]
            for other in passing[: 1 - _MOST_PASSING]:
                del _held[other]
            _held[key] = _Held(given, passing=True)
        return _held[key].made()
