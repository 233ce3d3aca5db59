"""What n_jobs means: which executor, of how many workers, inside and outside of other pools."""

import os
import threading
import time
from functools import partial

import joblib
import pytest
from workers import kill_always, process_of, square, workers_of_shares, workers_within

from skpar_select.execution import (
    JoblibExecutor,
    SerialExecutor,
    ThreadsExecutor,
    WorkerLostError,
    choose_executor,
)
from skpar_select.execution._choose import _SHARES


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
@pytest.mark.parametrize("prefer", ["threads", "processes"])
def test_choose__gives_an_executor_that_runs_every_task_once(n_jobs, prefer):
    n_jobs = min(n_jobs, 2) if prefer == "processes" else n_jobs
    executor = choose_executor(n_jobs, prefer=prefer)
    assert sorted(executor.map_unordered(square, range(5))) == [i * i for i in range(5)]


@pytest.mark.parametrize(
    ("n_jobs", "prefer", "expected"),
    [
        (1, "threads", ThreadsExecutor),
        (2, "threads", ThreadsExecutor),
        (1, "processes", SerialExecutor),
        (2, "processes", JoblibExecutor),
    ],
)
def test_choose__gives_what_the_scorer_prefers(n_jobs, prefer, expected):
    executor = choose_executor(n_jobs, prefer=prefer)
    assert type(executor) is expected
    assert executor.n_workers == n_jobs
    assert executor.shares_memory == (expected is not JoblibExecutor)
    assert executor.same_host
    assert executor.cores is None


def test_choose__with_one_job_stays_in_this_thread():
    here = threading.get_ident()
    executor = choose_executor(1, prefer="threads")
    got = list(executor.map_unordered(lambda task: threading.get_ident(), range(3)))
    assert set(got) == {here}


def test_choose__obeys_a_surrounding_parallel_config():
    with joblib.parallel_config(backend="threading", n_jobs=2):
        executor = choose_executor(None, prefer="processes")
        assert executor.n_workers == 2
        assert set(executor.map_unordered(process_of, range(4))) == {os.getpid()}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_choose__of_either_obeys_a_surrounding_parallel_config(n_jobs):
    with joblib.parallel_config(backend="threading"):
        expected = ThreadsExecutor
        assert type(choose_executor(n_jobs, prefer="either")) is expected
    with joblib.parallel_config(backend="loky"):
        expected = SerialExecutor if n_jobs == 1 else JoblibExecutor
        assert type(choose_executor(n_jobs, prefer="either")) is expected
    with joblib.parallel_config(prefer="threads"):
        assert type(choose_executor(n_jobs, prefer="either")) is ThreadsExecutor


def test_choose__uses_processes_where_they_are_preferred():
    executor = choose_executor(2, prefer="processes")
    assert os.getpid() not in set(executor.map_unordered(process_of, range(4)))


def test_choose__n_jobs_has_the_meaning_of_scikit_learn():
    assert choose_executor(None, prefer="threads").n_workers == 1
    assert choose_executor(3, prefer="threads").n_workers == 3
    assert choose_executor(-1, prefer="threads").n_workers == joblib.cpu_count()
    with pytest.raises(ValueError, match=r"n_jobs=0 leaves no worker.*Set n_jobs=1"):
        choose_executor(0, prefer="threads")


def test_choose__in_multiprocessing_is_a_pool_that_notices_a_dead_worker(tmp_path):
    with joblib.parallel_config("multiprocessing", n_jobs=2):
        executor = choose_executor(None, prefer="threads")
    assert (executor.n_workers, executor.same_host, executor.shares_memory) == (2, True, False)
    with pytest.raises(WorkerLostError) as raised:
        list(executor.map_unordered(partial(kill_always, tmp_path), range(6)))
    assert 3 in raised.value.tasks


@pytest.mark.parametrize(("chosen_in", "run_in"), [("loky", "threading"), ("threading", "loky")])
def test_executor__is_what_was_chosen_whatever_config_surrounds_its_run(chosen_in, run_in):
    with joblib.parallel_config(chosen_in, n_jobs=2):
        executor = choose_executor(None, prefer="threads")
    with joblib.parallel_config(run_in, n_jobs=5):
        processes = set(executor.map_unordered(process_of, range(6)))
    assert executor.n_workers == 2
    assert (os.getpid() in processes) == executor.shares_memory == (chosen_in == "threading")


class TestNested:
    """Inside another pool no more work is done at a time than there are cores."""

    @pytest.mark.parametrize("n_jobs", [-1, 2, 64])
    @pytest.mark.parametrize("outer", [1, 2])
    def test_processes__share_the_cores(self, n_jobs, outer, monkeypatch):
        for name in _SHARES:
            monkeypatch.delenv(name, raising=False)
        with joblib.parallel_config("loky", n_jobs=outer):
            got = joblib.Parallel()(joblib.delayed(workers_within)(n_jobs) for _ in range(outer))
        expected = joblib.effective_n_jobs(n_jobs)
        if outer > 1:
            expected = min(expected, max(1, joblib.cpu_count() // outer))
        assert got == [expected] * outer

    @pytest.mark.parametrize(
        ("shares", "expected"),
        [({}, (1, 1)), ({"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "5"}, (3, 2))],
    )
    def test_processes__that_tell_no_share_get_one_core(self, shares, expected):
        # A pool of its own: its processes do not keep what the task sets.
        with joblib.parallel_config("multiprocessing", n_jobs=2):
            got = joblib.Parallel()(joblib.delayed(workers_of_shares)(shares) for _ in range(2))
        assert got == [expected] * 2

    @pytest.mark.parametrize("prepare", [None, square])
    def test_threads__share_the_cores(self, prepare):
        n_cores = joblib.cpu_count()
        busy, most, lock = [], [], threading.Lock()

        def work(task):
            with lock:
                busy.append(task)
                most.append(len(busy))
            time.sleep(0.005)
            with lock:
                busy.pop()
            return task

        def outer(_):
            executor = choose_executor(2 * n_cores, prefer="threads")
            assert executor.cores is not None
            return sorted(executor.map_unordered(work, range(3 * n_cores), prepare=prepare))

        got = joblib.Parallel(4, backend="threading")(joblib.delayed(outer)(i) for i in range(4))
        assert got == [[i if prepare is None else i * i for i in range(3 * n_cores)]] * 4
        assert max(most) == n_cores
