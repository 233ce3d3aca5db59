"""Every executor passes the suite that is shipped for those of others."""

import threading

import pytest

from skpar_select.execution import (
    JoblibExecutor,
    SerialExecutor,
    ThreadsExecutor,
    TrialExecutor,
)
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

    # joblib may run the tasks of this backend in the process that called, where an error stays as it is.
    test_error__that_cannot_be_pickled_keeps_its_text = None


@in_loky
class TestTrial(ExecutorConformance):
    """The trial is as long as the run, or its first tasks alone."""

    @pytest.fixture(params=[0.0, 600.0])
    def executor(self, request):
        processes = JoblibExecutor(2, backend="loky", streams=True, same_host=True)
        return TrialExecutor(ThreadsExecutor(2), processes, trial_seconds=request.param)

    # It promises no more than its processes do, and its threads share memory and errors all the same.
    test_memory__is_shared_where_it_says_so = None
    test_function__reaches_each_worker_once = None
    test_error__that_cannot_be_pickled_keeps_its_text = None
