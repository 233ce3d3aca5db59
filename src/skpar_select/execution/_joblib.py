"""Pools of processes that joblib manages, its own or of another library that is registered with it."""

import copy
import hashlib
import os
import pickle
import tempfile
import traceback
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from joblib import Parallel, delayed, wrap_non_picklable_objects

from skpar_select.execution._base import TASKS_AHEAD, Executor, Result, prepared


class JoblibExecutor(Executor):
    """Runs tasks in a pool of joblib's.

    The backend is kept, so that a ``joblib.parallel_config`` that comes or goes meanwhile changes
    nothing. `streams` says whether it gives results as they come, `same_host` whether its processes
    run on this host.
    """

    shares_memory = False

    def __init__(self, n_workers: int, *, backend: Any, streams: bool, same_host: bool) -> None:
        self.n_workers = n_workers
        self.backend = backend
        self.streams = streams
        self.same_host = same_host

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield results as they come; each worker prepares its own tasks."""
        whole = function if prepare is None else partial(prepared, prepare, function)
        with self._shared(whole) as shared:
            results = Parallel(
                n_jobs=self.n_workers,
                backend=self.backend,
                return_as="generator_unordered" if self.streams else "list",
                pre_dispatch=TASKS_AHEAD * self.n_workers,
                batch_size=1,
                # Blocks are read once: writing them to a memory-mapped file first would only cost.
                max_nbytes=None,
            )(delayed(_call)(shared, task, os.getpid()) for task in tasks)
            try:
                for result in results:  # noqa: UP028  # its closing is left to the lines below
                    yield result
            finally:
                # joblib warns of results that were not taken; whoever stops early knows that.
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UserWarning)
                    if self.streams:
                        results.close()

    @contextmanager
    def _shared(self, function: Callable[[Any], Any]) -> Iterator[Callable[[Any], Any]]:
        if not self.same_host:
            # No file of this host is seen there: the function goes with every task.
            yield function
            return
        with tempfile.TemporaryDirectory(prefix="skpar-select-") as folder:
            # By cloudpickle, as joblib's own pickles: a function may be defined in a notebook.
            content = pickle.dumps(wrap_non_picklable_objects(function, keep_wrapper=False))
            path = Path(folder, "function")
            path.write_bytes(content)
            yield partial(_call_written, str(path), hashlib.sha256(content).hexdigest())


# The function of the run that this process works for, by the digest of its pickle.
_held: dict[str, Any] = {}


def _call_written(path: str, digest: str, task: Any) -> Any:
    """Call the function that the parent has written, and which its task names by digest."""
    if digest not in _held:
        content = Path(path).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise RuntimeError(
                f"'{path}' is not what the calling process has written there. It must not change "
                "while a run lasts. Run again, with TMPDIR set to a folder of yours alone."
            )
        _held.clear()
        _held[digest] = pickle.loads(content)
    return _held[digest](task)


def _call(function: Callable[[Any], Result], task: Any, caller: int) -> Result:
    try:
        return function(task)
    except Exception as error:
        if os.getpid() == caller or _can_be_pickled(error):
            raise
        described = RuntimeError(f"{type(error).__qualname__}: {error}")
        described.add_note(traceback.format_exc())
        raise described from None


def _can_be_pickled(error: Exception) -> bool:
    # An exception whose __init__ takes other arguments than it hands on cannot be made again
    # from its pickle; sent as it is, it would break the pool and hide what happened. A copy is
    # made in the same way as a pickle is read.
    try:
        copy.copy(error)
    except Exception:
        return False
    return True
