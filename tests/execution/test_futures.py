"""Engines of the caller's: pools of Python's and loky's, a cluster of Dask, and pools that say little."""

import os
from concurrent.futures import Executor as Engine
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from clusters import dask_client, in_dask
from joblib.externals.loky.backend.reduction import dumps
from workers import n_held, square

from skpar_select.execution._dask import DaskExecutor
from skpar_select.execution._engines import executor_of
from skpar_select.testing import ExecutorConformance


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(3) as pool:
        yield pool


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=get_context("forkserver")) as pool:
        yield pool


@pytest.fixture(scope="module")
def client():
    with dask_client() as client:
        yield client


class Unknown(Engine):
    """A pool that says nothing of itself, as one of other hosts; it weighs what it is given."""

    def __init__(self, pool):
        self.pool = pool
        self.n_bytes = []

    def submit(self, function, *arguments):
        self.n_bytes.append(len(dumps((function, arguments))))
        return self.pool.submit(function, *arguments)


class TestThreadPool(ExecutorConformance):
    @pytest.fixture
    def executor(self, threads):
        return executor_of(threads, None)


class TestProcessPool(ExecutorConformance):
    @pytest.fixture
    def executor(self, processes):
        return executor_of(processes, None)


class TestUnknownPool(ExecutorConformance):
    """What can be seen of workers that may be on other hosts."""

    @pytest.fixture
    def executor(self, processes):
        return executor_of(Unknown(processes), 2)


class SeenFromHere(DaskExecutor):
    """Its workers are on this host, which the suite uses to watch them."""

    def __init__(self, client):
        super().__init__(client)
        self.same_host = True

    def _sending(self, function):
        return DaskExecutor._sending(self, function)


@in_dask
class TestDask(ExecutorConformance):
    @pytest.fixture
    def executor(self, client):
        return SeenFromHere(client)


def test_big_function__goes_with_as_many_tasks_as_there_are_workers(processes):
    ballast = os.urandom(1_000_000)
    engine = Unknown(processes)
    got = executor_of(engine, 2).map_unordered(lambda task: task + len(ballast), range(30))
    assert sorted(got) == [1_000_000 + task for task in range(30)]
    big = [size for size in engine.n_bytes if size > 5_000]
    # With the first two tasks, and again for a process that had none of them.
    assert 2 <= len(big) <= 5
    assert len(engine.n_bytes) - len(big) >= 28


def test_small_tasks__are_all_that_a_pool_of_this_host_gets(processes):
    class Weighing(ProcessPoolExecutor):
        n_bytes = ()

        def submit(self, function, *arguments):
            self.n_bytes += (len(dumps((function, arguments))),)
            return super().submit(function, *arguments)

    ballast = os.urandom(1_000_000)
    with Weighing(1, mp_context=get_context("forkserver")) as pool:
        got = executor_of(pool, None).map_unordered(lambda task: task + len(ballast), range(5))
        assert sorted(got) == [1_000_000 + task for task in range(5)]
        assert max(pool.n_bytes) < 5_000


@in_dask
def test_dask__counts_the_threads_of_its_workers_and_refuses_to_guess_where_it_has_none(client):
    executor = executor_of(client, None)
    assert (executor.n_workers, executor.n_on_host) == (2, 2)
    assert executor_of(client.get_executor(), 1).n_on_host == 1

    class NoWorkers:
        status = "running"
        nthreads = staticmethod(dict)

    with pytest.raises(ValueError, match=r"has no worker.*give n_jobs"):
        DaskExecutor(NoWorkers())
    assert DaskExecutor(NoWorkers(), 6).n_on_host == 6


def test_dask__counts_workers_by_the_hosts_in_their_addresses():
    class OnTwoHosts:
        status = "running"

        def nthreads(self):
            return {"tcp://10.0.0.1:1": 4, "tcp://10.0.0.1:2": 4, "tcp://10.0.0.2:1": 6}

    executor = DaskExecutor(OnTwoHosts())
    assert (executor.n_workers, executor.n_on_host) == (14, 8)


@in_dask
def test_dask__lets_its_workers_forget_the_function(client):
    list(executor_of(client, None).map_unordered(square, range(5)))
    assert set(client.run(n_held).values()) == {0}
