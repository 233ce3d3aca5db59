import os
import subprocess
import sys
import threading
import time

import joblib
import pytest

from skpar_select import _execution
from skpar_select._execution import PARTS_AHEAD, n_workers, run


def square(x):
    return x * x


class Unhappy(Exception):
    def __init__(self, part, reason):
        super().__init__(part, reason)
        self.part = part


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
@pytest.mark.parametrize("prefer", ["threads", "processes"])
def test_run__gives_every_part_once_with_its_index(n_jobs, prefer):
    got = list(
        run(
            square,
            range(5),
            n_jobs=min(n_jobs, 2) if prefer == "processes" else n_jobs,
            prefer=prefer,
        )
    )
    assert sorted(got) == [(i, i * i) for i in range(5)]


def test_run__gives_results_as_they_finish():
    first_may_end = threading.Event()

    def task(part):
        if part == 0:
            assert first_may_end.wait(10)
        return part

    results = run(task, range(4), n_jobs=2, prefer="threads")
    assert next(results)[0] != 0
    first_may_end.set()
    assert len(list(results)) == 3


@pytest.mark.parametrize("prefer", ["threads", "processes"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_run__raises_what_the_task_raised(n_jobs, prefer):
    def task(part):
        if part == 2:
            raise Unhappy(part, "no")
        return part

    with pytest.raises(Unhappy, match="no") as error:
        list(run(task, range(50), n_jobs=n_jobs, prefer=prefer))
    assert error.value.part == 2


class Unpicklable(Exception):
    def __init__(self, part, reason):
        super().__init__(f"part {part}: {reason}")


@pytest.mark.parametrize("prefer", ["threads", "processes"])
def test_run__tells_an_error_that_does_not_pickle(prefer):
    def task(part):
        raise Unpicklable(part, "no")

    expected = Unpicklable if prefer == "threads" else RuntimeError
    with pytest.raises(expected, match="part 0: no") as error:
        list(run(task, [0, 0], n_jobs=2, prefer=prefer))
    if prefer == "processes":
        assert "Unpicklable: part 0" in str(error.value)
        assert "in task" in error.value.__notes__[0]


def test_run__goes_on_after_an_error():
    with pytest.raises(ZeroDivisionError):
        list(run(lambda part: 1 // part, range(9), n_jobs=2, prefer="threads"))
    assert len(list(run(square, range(9), n_jobs=2, prefer="threads"))) == 9


def test_run__with_one_job_stays_in_this_thread():
    here = threading.get_ident()
    got = list(run(lambda part: threading.get_ident(), range(3), n_jobs=1, prefer="threads"))
    assert {thread for _, thread in got} == {here}


def test_run__draws_parts_only_a_little_ahead():
    drawn = []
    hold = threading.Event()

    def parts():
        for part in range(100):
            drawn.append(part)
            yield part

    def task(part):
        hold.wait(10)
        return part

    results = run(task, parts(), n_jobs=2, prefer="threads")
    starter = threading.Thread(target=lambda: next(results))
    starter.start()
    time.sleep(0.3)
    assert 0 < len(drawn) <= 2 * PARTS_AHEAD + 1
    hold.set()
    starter.join()
    assert len(list(results)) == 99


def test_run__stops_when_its_generator_is_closed():
    seen = []
    results = run(
        lambda part: seen.append(part) or time.sleep(0.01), range(1000), n_jobs=2, prefer="threads"
    )
    next(results)
    results.close()
    time.sleep(0.1)
    n_seen = len(seen)
    time.sleep(0.1)
    assert len(seen) == n_seen < 1000


def test_run__obeys_a_surrounding_parallel_config():
    with joblib.parallel_config(backend="threading", n_jobs=2):
        assert n_workers(None) == 2
        got = list(run(lambda part: os.getpid(), range(4), n_jobs=None, prefer="processes"))
    assert {process for _, process in got} == {os.getpid()}


def test_run__uses_processes_where_they_are_preferred():
    got = list(run(lambda part: os.getpid(), range(4), n_jobs=2, prefer="processes"))
    assert os.getpid() not in {process for _, process in got}


def test_n_workers__has_the_meaning_of_scikit_learn():
    assert n_workers(None) == 1
    assert n_workers(3) == 3
    assert n_workers(-1) == joblib.cpu_count()


def test_fault_in_a_thread__ends_the_interpreter_in_order():
    # broke once: threads that were still in the kernel at the end of the interpreter aborted it
    script = """
import numpy as np
from skpar_select._execution import run
from skpar_select.kernels import mutual_information, prepare_target

y = np.random.default_rng(0).normal(size=5000)
target = prepare_target(y, discrete=False, n_neighbors=3, seed=0)

def score(index):
    if index == 1:
        raise ValueError("the second part")
    block = np.random.default_rng(index).normal(size=(5000, 400))
    return mutual_information(block, target, discrete=np.zeros(400, bool), first_column=0)

list(run(score, range(8), n_jobs=2))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr.endswith("ValueError: the second part\n")


def test_backend_without_generators__gives_all_the_same():
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        assert sorted(run(abs, [-1, 2, -3], n_jobs=2, prefer="processes")) == [
            (0, 1),
            (1, 2),
            (2, 3),
        ]


def workers_within(n_jobs):
    return n_workers(n_jobs)


class TestNested:
    """Inside another pool no more work is done at a time than there are cores."""

    @pytest.mark.parametrize("n_jobs", [-1, 2, 64])
    @pytest.mark.parametrize("outer", [1, 2])
    def test_processes__share_the_cores(self, n_jobs, outer, monkeypatch):
        for name in _execution._SHARES:
            monkeypatch.delenv(name, raising=False)
        with joblib.parallel_config("loky", n_jobs=outer):
            got = joblib.Parallel()(joblib.delayed(workers_within)(n_jobs) for _ in range(outer))
        expected = joblib.effective_n_jobs(n_jobs)
        if outer > 1:
            expected = min(expected, max(1, joblib.cpu_count() // outer))
        assert got == [expected] * outer

    def test_processes__that_tell_no_share_get_one_core(self, monkeypatch):
        for name in _execution._SHARES:
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(_execution, "_within", lambda: "process")
        assert n_workers(8) == 1
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
        assert n_workers(8) == 3
        assert n_workers(2) == 2

    @pytest.mark.parametrize("fetch", [None, square])
    def test_threads__share_the_cores(self, fetch, monkeypatch):
        monkeypatch.setattr(_execution, "_CORES", threading.Semaphore(2))
        busy, most, lock = [], [], threading.Lock()

        def task(part):
            with lock:
                busy.append(part)
                most.append(len(busy))
            time.sleep(0.005)
            with lock:
                busy.pop()
            return part

        def outer(_):
            return sorted(run(task, range(6), n_jobs=4, fetch=fetch))

        got = joblib.Parallel(4, backend="threading")(joblib.delayed(outer)(i) for i in range(4))
        assert got == [[(i, i if fetch is None else i * i) for i in range(6)]] * 4
        assert max(most) == 2
