"""What a user may give to work in, and the executor that it is."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

from skpar_select._origins import origins
from skpar_select.execution._base import Executor
from skpar_select.execution._futures import FuturesExecutor

_OF_DASK = {("distributed", "Client"), ("distributed", "ClientExecutor")}

# loky's pools, on their own and as joblib brings them, are of processes of this host.
_OF_LOKY = {("loky", "ProcessPoolExecutor"), ("joblib", "ProcessPoolExecutor")}


def executor_of(engine: Any, n_jobs: int | None) -> Executor:
    """Return the executor that runs tasks in an engine: `n_jobs` at a time, or as many as it has workers.

    An :class:`Executor` is that executor itself. Raises ValueError where nobody says how many workers
    there are, or two say different numbers, and TypeError for what is no engine.
    """
    if n_jobs is not None and n_jobs < 1:
        # As everywhere, a negative number counts from all: -1 is as many as there are.
        n_jobs = None
    if isinstance(engine, Executor):
        if n_jobs not in (None, engine.n_workers):
            kind = type(engine).__name__
            raise ValueError(
                f"n_jobs={n_jobs} is given with a {kind} of {engine.n_workers} workers. An executor of "
                f"this package has a number of its own. Give it to the {kind}, and n_jobs=None."
            )
        return engine
    known = origins(engine)
    if not _OF_DASK.isdisjoint(known):
        return _of_dask(engine, n_jobs)
    if isinstance(engine, type) or not callable(getattr(engine, "submit", None)):
        raise TypeError(
            f"executor={engine!r} is no engine. It must be an object, not a class, with the method submit() "
            "of concurrent.futures.Executor. Pass for example ThreadPoolExecutor(4)."
        )
    n_workers = _n_workers(engine) if n_jobs is None else n_jobs
    return FuturesExecutor(
        engine,
        n_workers,
        shares_memory=isinstance(engine, ThreadPoolExecutor),
        same_host=isinstance(engine, ProcessPoolExecutor) or not _OF_LOKY.isdisjoint(known),
    )


def _of_dask(engine: Any, n_jobs: int | None) -> Executor:
    # Whoever has such an object has the library.
    from skpar_select.execution._dask import DaskExecutor

    if ("distributed", "Client") in origins(engine):
        return DaskExecutor(engine, n_jobs)
    # It names its client, and the options that it was given, nowhere else.
    return DaskExecutor(engine._client, n_jobs, options=engine._kwargs)


def _n_workers(engine: Any) -> int:
    # MPI's pool has the first. Python's pools, and those made after them, have but the second.
    for name in ("num_workers", "_max_workers"):
        found = getattr(engine, name, None)
        if isinstance(found, int) and found > 0:
            return found
    raise ValueError(
        f"executor={engine!r} does not say how many workers it has. A run is planned for a number of "
        "workers. Give it as n_jobs."
    )
