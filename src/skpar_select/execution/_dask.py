"""Clusters of Dask: any number of hosts, of which workers may go and come.

Imported where a client of Dask was given, and Dask with it.
"""

import asyncio
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from distributed import WorkerPlugin, get_worker

from skpar_select._origins import origins
from skpar_select._version import __version__
from skpar_select.execution._base import WorkerLostError
from skpar_select.execution._futures import FuturesExecutor, Outcome, Sender
from skpar_select.execution._held import call_held, forget, hold, pickled
from skpar_select.execution._hosts import Checked, checked

# So often it is looked whether there are workers, and so long without any is a loss.
_POLL_SECONDS = 10
_MOST_SECONDS_ALONE = 600


class DaskExecutor(FuturesExecutor):
    """Runs tasks on the workers of a Dask client.

    The scheduler tries the task of a worker that died again, as often as its ``allowed-failures`` say.
    Workers may be on this host or on any.

    Parameters
    ----------
    client : distributed.Client
        Its workers are asked for at once.
    n_workers : int or None, default=None
        Tasks that run at a time; None is one for each thread of all workers.
    options : dict, default=None
        For ``client.submit``, such as ``resources``.
    """

    def __init__(
        self,
        client: Any,
        n_workers: int | None = None,
        *,
        options: dict[str, Any] | None = None,
    ) -> None:
        if client.status == "closed":
            raise ValueError(
                f"{client!r} is closed. A client must be open until a run has ended. Make another."
            )
        threads = client.nthreads()
        n_threads = sum(threads.values())
        if n_workers is None and not n_threads:
            raise ValueError(
                f"{client!r} has no worker. A run is planned for a number of workers. Wait for "
                "them with client.wait_for_workers(), or give n_jobs."
            )
        super().__init__(client, n_threads if n_workers is None else n_workers)
        self.options = options or {}
        self.client = client
        on_hosts: dict[str, int] = {}
        for address, count in threads.items():
            host = host_of(address)
            on_hosts[host] = on_hosts.get(host, 0) + count
        self._most_on_host = max(on_hosts.values(), default=self.n_workers)

    @property
    def n_on_host(self) -> int:
        """Tasks that run at a time on the host with most threads."""
        return min(self.n_workers, self._most_on_host)

    def check_hosts(self, check: Callable[[], None]) -> None:
        """Run a check on every worker."""
        answers = self.client.run(checked, check, __version__, on_error="return")
        for address, answer in answers.items():
            if isinstance(answer, Checked):
                if answer.error is not None:
                    raise answer.error
            elif isinstance(answer, ImportError):
                raise RuntimeError(
                    f"The worker at {address} cannot work: {answer}. Every worker needs "
                    f"skpar-select {__version__}. Install it there."
                ) from answer
            # A worker that has just died is no matter: the scheduler knows of it.

    @contextmanager
    def _sending(self, function: Callable[[Any], Any]) -> Iterator[Sender]:
        sender = DaskSender(self.client, self.options, pickled(function))
        try:
            yield sender
        finally:
            sender.end()

    def _is_loss(self, error: BaseException) -> bool:
        return super()._is_loss(error) or _is_killed(error)

    def _loss(self, tasks: list[Any], reason: Any) -> WorkerLostError:
        n_tries = reason.allowed_failures + 1 if _is_killed(reason) else 1
        return WorkerLostError(f"Workers of Dask were lost: {reason}", tasks, n_tries=n_tries)


class _HeldByWorkers(WorkerPlugin):
    """Brings the function of a run to each worker once, before its first task: to later ones, too."""

    def __init__(self, key: str, content: bytes) -> None:
        self.key = key
        self.content = content

    def setup(self, worker: Any) -> None:
        hold(self.key, self.content)

    def teardown(self, worker: Any) -> None:
        forget(self.key)


class DaskSender(Sender):
    """Sends the function as a plugin of the workers, and looks whether there are any."""

    patience = _POLL_SECONDS

    def __init__(self, client: Any, options: dict[str, Any], content: bytes) -> None:
        self.client = client
        self.options = options
        self.plugin = _HeldByWorkers(uuid4().hex, content)
        self.alone_since: float | None = None
        self.has_ended = False
        self._register()

    def send(self, task: Any, *, lacking: bool = False) -> Future[Outcome]:
        """Send a task; where a worker lacks the function, it goes with the task."""
        content = self.plugin.content if lacking else None
        # Tasks of equal content would be one to the scheduler, and have one answer.
        options = self.options | {"pure": False}
        with warnings.catch_warnings():
            # Dask warns of a task with more than 10 MB. It is one for a worker at most.
            warnings.simplefilter("ignore", UserWarning)
            source = self.client.submit(call_held, self.plugin.key, content, task, **options)
        return _future_of(source)

    def stalled(self) -> str | None:
        """Say so where there has been no worker for long, as Dask waits for one without end."""
        now = time.monotonic()
        if self.client.nthreads():
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = now
        elif now - self.alone_since > _MOST_SECONDS_ALONE:
            return f"{self.client!r} has had no worker for {_MOST_SECONDS_ALONE} seconds"
        return None

    def stop(self, running: Iterable[Future[Outcome]]) -> None:
        """Let no task start any more, and wait for those in work as long as there is a worker."""
        running = list(running)
        if not running:
            return
        # Dask knows no future that runs: it would be cancelled here, and go on there.
        self.end()
        while wait(running, self.patience).not_done and self._has_workers():
            pass
        self.abandon(running)

    def end(self) -> None:
        """Let the workers forget the function."""
        if self.has_ended:
            return
        self.has_ended = True
        # Where the client is closed, or the cluster gone, there is none that would keep it.
        with suppress(Exception):
            self.client.unregister_worker_plugin(self.plugin.key)

    def _has_workers(self) -> bool:
        try:
            return bool(self.client.nthreads())
        except Exception:
            # The client is closed, or the scheduler gone, and all workers with it.
            return False

    def _register(self) -> None:
        for is_last in (False, False, True):
            try:
                self.client.register_plugin(self.plugin, name=self.plugin.key)
            except OSError:
                # A worker died meanwhile. The scheduler learns of it, and leaves it out then.
                if is_last:
                    raise
                time.sleep(1)
            else:
                return


def host_of(address: str) -> str:
    """Return the host in the address of a worker, such as ``tcp://10.0.0.1:1234``."""
    return urlsplit(address).hostname or address


def is_in_worker() -> bool:
    """Return whether this thread runs a task of a cluster of Dask."""
    try:
        get_worker()
    except ValueError:
        return False
    return True


def _is_killed(error: Any) -> bool:
    return ("distributed", "KilledWorker") in origins(error)


def _future_of(source: Any) -> Future[Outcome]:
    """Return a future of Python's for one of Dask's.

    Dask's own, of its ``get_executor()``, takes a result for an error where a worker died between the end
    of the task and the sending of its result.
    """
    target: Future[Outcome] = Future()

    def hand_on(ended: Any) -> None:
        try:
            result = ended.result()
        except asyncio.CancelledError as error:
            # Of the same name as Python's own, and of another kind.
            end(target.set_exception, CancelledError(str(error)))
        except Exception as error:
            end(target.set_exception, error)
        else:
            end(target.set_result, result)

    def end(settle: Callable[[Any], None], value: Any) -> None:
        if target.set_running_or_notify_cancel():
            settle(value)

    def cancel(ended: Future[Outcome]) -> None:
        if ended.cancelled():
            source.cancel()

    target.add_done_callback(cancel)
    source.add_done_callback(hand_on)
    return target
