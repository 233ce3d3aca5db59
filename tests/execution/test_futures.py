"""Engines of the caller's: pools of Python's and loky's, a cluster of Dask, and pools that say little."""

from concurrent.futures import Executor as Engine
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from clusters import dask_client, in_dask
from joblib.externals.loky.backend.reduction import dumps

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
