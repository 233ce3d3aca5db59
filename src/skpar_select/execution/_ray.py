"""Clusters of Ray."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import numpy as np

from skpar_select._origins import origins
from skpar_select._version import __version__
from skpar_select.execution._base import WorkerLostError
from skpar_select.execution._futures import FuturesExecutor, Outcome, Sender
from skpar_select.execution._held import call_held, pickled
from skpar_select.execution._hosts import checked

# Ray itself tries a task again so often whose worker died.
_MAX_RETRIES = 3

# What Ray raises for a task whose worker, host or result is gone; others derive from these.
_LOSSES = {
    ("ray", name)
    for name in ("WorkerCrashedError", "NodeDiedError", "OutOfMemoryError", "ObjectLostError")
}


class RayExecutor(FuturesExecutor):
    """Runs blocks as tasks of Ray: ``executor=RayExecutor()``, after ``ray.init()``.

    What all blocks share goes once to each host, into Ray's object store. Ray runs a task again whose
    worker died, up to three times, on any host.

    Parameters
    ----------
    n_workers : int or None, default=None
        Blocks that are scored at a time. None is one for each processor of the cluster.
    """

    def __init__(self, n_workers: int | None = None) -> None:
        try:
            import ray
        except ImportError as error:
            raise ImportError(
                "RayExecutor needs Ray, which is not installed here. Install it with: pip install ray"
            ) from error
        if not ray.is_initialized():
            raise RuntimeError(
                "There is no connection to Ray. Its workers are counted when the executor is made. "
                "Call ray.init() first."
            )
        self.ray: Any = ray
        # A node without processors runs no task.
        self.processors: dict[str, int] = {
            node["NodeID"]: int(node["Resources"]["CPU"])
            for node in self.ray.nodes()
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
        }
        if n_workers is None:
            n_workers = max(1, sum(self.processors.values()))
        super().__init__(ray, n_workers)

    @property
    def n_on_host(self) -> int:
        """Tasks that run at a time on the host with most processors."""
        return min(self.n_workers, max(self.processors.values(), default=self.n_workers))

    def check_hosts(self, check: Callable[[], None]) -> None:
        """Run a check on every host."""
        affinity = self.ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        run = self.ray.remote(checked)
        answers = [
            run.options(scheduling_strategy=affinity(node, soft=False)).remote(check, __version__)
            for node in self.processors
        ]
        for answer in self.ray.get(answers):
            if answer.error is not None:
                raise answer.error

    @contextmanager
    def _sending(self, function: Callable[[Any], Any]) -> Iterator[Sender]:
        yield RaySender(self.ray, pickled(function))

    def _is_loss(self, error: BaseException) -> bool:
        return super()._is_loss(error) or not _LOSSES.isdisjoint(origins(error))

    def _loss(self, tasks: list[Any], reason: BaseException | None) -> WorkerLostError:
        message = f"Workers of Ray were lost: {reason}"
        return WorkerLostError(message, tasks, n_tries=_MAX_RETRIES + 1)


class RaySender(Sender):
    """Puts the function into the object store, of which each host has one."""

    def __init__(self, ray: Any, content: bytes) -> None:
        self.ray = ray
        self.key = uuid4().hex
        # An array of the store is read in place, where bytes would be copied for every task.
        self.content = ray.put(np.frombuffer(content, dtype="u1"))
        self.run = ray.remote(call_held).options(max_retries=_MAX_RETRIES)
        self.results: dict[Future[Outcome], Any] = {}

    def send(self, task: Any, *, lacking: bool = False) -> Future[Outcome]:
        """Send a task, and where the function is."""
        result = self.run.remote(self.key, self.content, task)
        future: Future[Outcome] = result.future()
        self.results[future] = result
        future.add_done_callback(self.results.pop)
        return future

    def abandon(self, running: Iterable[Future[Outcome]]) -> None:
        """Cancel these tasks."""
        for future in running:
            # A future of Python's that is cancelled leaves the task to run.
            result = self.results.get(future)
            if result is not None:
                self.ray.cancel(result)

    def stop(self, running: Iterable[Future[Outcome]]) -> None:
        """Cancel these tasks, and wait until they have ended."""
        running = list(running)
        self.abandon(running)
        wait(running)
