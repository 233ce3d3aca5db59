"""Every executor passes the suite that is shipped for those of others."""

import threading

import pytest

from skpar_select.execution import JoblibExecutor, SerialExecutor, ThreadsExecutor
from skpar_select.testing import ExecutorConformance


class TestSerial(ExecutorConformance):
    @pytest.fixture
    def executor(self):
        return SerialExecutor()


class TestThreads(ExecutorConformance):
    @pytest.fixture(params=[1, 3])
    def executor(self, request):
        return ThreadsExecutor(request.param)


class TestNestedThreads(ExecutorConformance):
    @pytest.fixture(params=[1, 3])
    def executor(self, request):
        return ThreadsExecutor(request.param, cores=threading.Semaphore(request.param))


# A thread of loky itself stumbled once over tasks that were taken away when a run was closed.
in_loky = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


@in_loky
class TestLoky(ExecutorConformance):
    @pytest.fixture
    def executor(self):
        return JoblibExecutor(2, backend="loky", streams=True, same_host=True)


@in_loky
class TestLokyAsIfElsewhere(ExecutorConformance):
    """No file of this host is used: the function goes with every task."""

    @pytest.fixture
    def executor(self):
        return JoblibExecutor(2, backend="loky", streams=True, same_host=False)


class TestMultiprocessing(ExecutorConformance):
    """A backend of joblib that gives all results at the end, as a list."""

    streams = False

    @pytest.fixture
    def executor(self):
        return JoblibExecutor(2, backend="multiprocessing", streams=False, same_host=True)
