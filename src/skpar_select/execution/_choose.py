"""The one place that reads joblib's ambient state: which executor `n_jobs` means here.

Inside a pool of another library, say of a grid search, an executor takes what that leaves: in a
process of a pool the share of cores that joblib gave the process, in a thread the cores that no
other thread of this package works on.
"""

import multiprocessing
import os
import threading
from typing import Any, Literal

from joblib import cpu_count, effective_n_jobs
from joblib.parallel import get_active_backend

from skpar_select._typing import Prefer
from skpar_select.execution._base import Executor
from skpar_select.execution._engines import executor_of
from skpar_select.execution._futures import LokyExecutor
from skpar_select.execution._joblib import JoblibExecutor
from skpar_select.execution._serial import SerialExecutor
from skpar_select.execution._threads import ThreadsExecutor
from skpar_select.execution._trial import TrialExecutor

# joblib sets these in the processes of its pools, to the cores divided by the processes.
_SHARES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")

# The threads of this process share the cores where they work inside threads of another pool.
_CORES = threading.Semaphore(cpu_count())

# joblib's name for a cluster of Dask.
_OF_DASK = "DaskDistributedBackend"

# Backends of joblib itself, whose processes run on this host. Others may be clusters.
_LOKY = "LokyBackend"
_MULTIPROCESSING = "MultiprocessingBackend"


def choose_executor(n_jobs: int | None, *, prefer: Prefer, engine: Any = None) -> Executor:
    """Return the executor that `n_jobs` means here and now, as scikit-learn means it.

    `engine` is what the user gave to work in, if anything: then `n_jobs` is how many tasks run in it
    at a time. None is 1 unless a ``joblib.parallel_config`` surrounds the call; -1 is all processors. Inside a
    process of a pool it is at most the share of that process. `prefer` is used where no surrounding
    ``joblib.parallel_config`` says otherwise; "either" is for what may free Python's lock or not.
    """
    if n_jobs == 0:
        raise ValueError(
            "n_jobs=0 leaves no worker. It must be a number of workers, -1 for all cores, or "
            "None. Set n_jobs=1 to work without a pool."
        )
    if engine is not None:
        return executor_of(engine, n_jobs)
    outer = _outer_pool()
    n_workers = int(effective_n_jobs(n_jobs))
    if outer == "process":
        n_workers = min(n_workers, _share())
    if prefer == "either" and n_workers > 1 and _is_open():
        return TrialExecutor(
            choose_executor(n_workers, prefer="threads"),
            choose_executor(n_workers, prefer="processes"),
        )
    backend, _ = _active_backend(prefer)
    if type(backend).__name__ == _OF_DASK:
        # joblib waits without end there for a task that keeps killing its worker.
        from skpar_select.execution._dask import is_in_worker

        if not is_in_worker():
            return executor_of(backend.client, n_jobs)
        # A task that waits for other tasks of its cluster could fill it with those that wait. Dask has
        # as many threads in a worker as it gives it cores.
        n_workers = 1
        if prefer != "processes":
            return ThreadsExecutor(n_workers)
    # Backends of other libraries need not say what they can do.
    uses_threads = getattr(backend, "uses_threads", False)
    if uses_threads and getattr(backend, "supports_retrieve_callback", False):
        return ThreadsExecutor(n_workers, cores=_CORES if outer == "thread" else None)
    # joblib's sequential backend, too, says that it uses threads.
    if n_workers == 1 or uses_threads:
        return SerialExecutor()
    if type(backend).__name__ == _MULTIPROCESSING:
        # It waits without end for a task whose process died.
        return LokyExecutor(n_workers)
    return JoblibExecutor(
        n_workers,
        backend=backend,
        streams=getattr(backend, "supports_return_generator", False),
        same_host=type(backend).__name__ == _LOKY,
    )


def _active_backend(prefer: Prefer) -> Any:
    return get_active_backend() if prefer == "either" else get_active_backend(prefer=prefer)


def _is_open() -> bool:
    """Return whether neither the user nor an outer pool has said whether to take processes."""
    if _outer_pool() is not None:
        return False
    # A backend that was named is the answer to all three; a preference for threads to the first.
    unsaid, threads, processes = (
        type(get_active_backend(**hint)[0])
        for hint in ({}, {"prefer": "threads"}, {"prefer": "processes"})
    )
    return threads is not processes and unsaid is processes


def _outer_pool() -> Literal["process", "thread", None]:
    """Return in whose worker this is called, where it is one of a pool."""
    backend, _ = get_active_backend()
    if not getattr(backend, "nesting_level", None):
        return None
    return "thread" if multiprocessing.parent_process() is None else "process"


def _share() -> int:
    given = (os.environ.get(name, "") for name in _SHARES)
    return max(1, min((int(count) for count in given if count.isdigit()), default=1))
