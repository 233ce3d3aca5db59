"""Threads, beyond what every executor owes."""

import subprocess
import sys
import threading
import time

import pytest

from skpar_select._stopping import check_stop
from skpar_select.execution import ThreadsExecutor


def test_fault_in_a_thread__ends_the_interpreter_in_order():
    # broke once: threads that were still in the kernel at the end of the interpreter aborted it
    script = """
import numpy as np
from skpar_select.execution import ThreadsExecutor
from skpar_select.kernels import mutual_information, prepare_target

y = np.random.default_rng(0).normal(size=5000)
target = prepare_target(y, discrete=False, n_neighbors=3, seed=0)

def score(index):
    if index == 1:
        raise ValueError("the second part")
    block = np.random.default_rng(index).normal(size=(5000, 400))
    return mutual_information(
        block, [target], discrete=np.zeros(400, bool), columns=np.arange(400)
    )

list(ThreadsExecutor(2).map_unordered(score, range(8)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.endswith("ValueError: the second part\n")


def test_closing__ends_tasks_that_look_at_their_flag():
    def work(task):
        if task == 0:
            return task
        while True:
            check_stop()
            time.sleep(0.001)

    for prepare in (None, abs):
        results = ThreadsExecutor(2).map_unordered(work, range(9), prepare=prepare)
        assert next(results) == 0
        results.close()


def test_error__ends_the_tasks_beside_it():
    begun = threading.Event()

    def work(task):
        if task == 0:
            assert begun.wait(60)
            raise ValueError("no")
        while True:
            begun.set()
            check_stop()
            time.sleep(0.001)

    with pytest.raises(ValueError, match="no"):
        list(ThreadsExecutor(2).map_unordered(work, range(9)))


class _TakenOnce(threading.Semaphore):
    """Cores that another run takes after the first task of this one, and keeps."""

    n_taken = 0

    def acquire(self, blocking=True, timeout=None):
        assert timeout is not None, "nothing would end this"
        self.n_taken += 1
        if self.n_taken == 1:
            return super().acquire()
        time.sleep(timeout)
        return False


def test_closing__does_not_wait_for_the_cores_of_another_run():
    results = ThreadsExecutor(2, cores=_TakenOnce(1)).map_unordered(abs, range(9))
    next(results)
    results.close()


def test_end_of_the_program__ends_tasks_that_another_pool_began():
    # broke once: a grid search in threads went on after Ctrl-C, for as long as its blocks took
    script = """
import threading, time
from skpar_select._stopping import check_stop
from skpar_select.execution import ThreadsExecutor

begun = threading.Event()

def work(task):
    while True:
        begun.set()
        check_stop()
        time.sleep(0.01)

def fit():
    try:
        list(ThreadsExecutor(2).map_unordered(work, range(9)))
    except RuntimeError:
        pass

threading.Thread(target=fit, daemon=True).start()
begun.wait()
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
