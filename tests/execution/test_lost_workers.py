"""Workers that are killed: what comes back, what is raised, and who goes on."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context

import pytest
from clusters import dask_client, in_dask
from joblib.externals.loky import ProcessPoolExecutor as LokyPool
from workers import kill_always, kill_once, square

from skpar_select.execution import (
    JoblibExecutor,
    SerialExecutor,
    ThreadsExecutor,
    TrialExecutor,
    WorkerLostError,
)
from skpar_select.execution._dask import DaskExecutor
from skpar_select.execution._engines import executor_of

TASKS = range(12)


def python_pool():
    return ProcessPoolExecutor(2, mp_context=get_context("forkserver"))


@pytest.fixture(params=["joblib", "python", "loky"])
def executor(request):
    if request.param == "joblib":
        yield JoblibExecutor(2, backend="loky", streams=True, same_host=True)
        return
    with {"python": python_pool, "loky": partial(LokyPool, 2)}[request.param]() as pool:
        yield executor_of(pool, None)


def run(executor, function, tasks=TASKS):
    """Give the results that came, and the error that ended the run."""
    got = []
    try:
        for result in executor.map_unordered(function, tasks):
            got.append(result)
    except WorkerLostError as error:
        return got, error
    return got, None


# joblib's loky warns that a worker stopped, where it was killed.
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
class TestPools:
    def test_tasks__that_were_on_their_way_are_in_the_error(self, executor, tmp_path):
        got, error = run(executor, partial(kill_once, tmp_path))
        assert error.n_tries == 1
        assert 3 in error.tasks
        assert len(error.tasks) <= 6
        assert not set(error.tasks) & set(got)
        assert len(set(got)) == len(got)

    def test_run__is_ended_by_the_executor_that_is_reduced_to(self, executor, tmp_path):
        got, error = run(executor, partial(kill_once, tmp_path))
        rest = executor.reduced()
        assert rest.n_workers == 1
        assert not rest.shares_memory
        more, error = run(rest, partial(kill_once, tmp_path), sorted(set(TASKS) - set(got)))
        assert error is None
        assert sorted(got + more) == [*TASKS]
        runs = Counter(int(path.name.partition("-")[0]) for path in tmp_path.glob("*-*"))
        # What was in work when the pool broke may be run twice.
        assert sum(runs.values()) <= len(TASKS) + 6

    def test_task__that_always_kills_is_always_in_the_error(self, executor, tmp_path):
        missing = list(TASKS)
        for _ in range(3):
            got, error = run(executor, partial(kill_always, tmp_path), missing)
            assert 3 in error.tasks
            missing = [task for task in missing if task not in got]
            executor = executor.reduced()
        assert executor.n_workers == 1


def test_pool__that_was_broken_before_loses_its_first_task(tmp_path):
    with python_pool() as pool:
        run(executor_of(pool, None), partial(kill_always, tmp_path))
        executor = executor_of(pool, None)
        assert run(executor, square)[1].tasks == [0]
        assert sorted(executor.reduced().map_unordered(square, range(3))) == [0, 1, 4]


@pytest.fixture
def client():
    # Of three workers one is left where two have died, however long Dask takes to start others.
    with dask_client(3, **{"distributed.scheduler.allowed-failures": 1}) as client:
        yield client


@in_dask
def test_dask__survives_a_worker_and_names_the_task_that_always_kills(client, tmp_path):
    executor = DaskExecutor(client)
    got, error = run(executor, partial(kill_once, tmp_path))
    assert error is None
    assert sorted(got) == [*TASKS]
    assert (tmp_path / "killed").exists()
    client.wait_for_workers(2, timeout=60)
    got, error = run(executor, partial(kill_always, tmp_path))
    assert 3 in error.tasks
    assert error.n_tries == 2
    # All others that were on their way came back, but those that were with it.
    assert len(got) >= 3
    assert not set(got) & set(error.tasks)
    assert executor.reduced() is executor


def test_reduced__is_the_same_where_no_worker_can_die():
    with ThreadPoolExecutor(2) as pool:
        for executor in (SerialExecutor(), ThreadsExecutor(4), executor_of(pool, None)):
            assert executor.reduced() is executor


def test_reduced__of_joblib_has_half_of_the_workers_and_one_at_least():
    elsewhere = JoblibExecutor(5, backend="loky", streams=True, same_host=False)
    assert elsewhere.reduced() is elsewhere
    executor = JoblibExecutor(5, backend="loky", streams=True, same_host=True)
    sizes = []
    for _ in range(3):
        executor = executor.reduced()
        sizes.append(executor.n_workers)
    assert sizes == [2, 1, 1]
    assert executor.same_host
    trial = TrialExecutor(
        ThreadsExecutor(4), JoblibExecutor(4, backend="loky", streams=True, same_host=True)
    )
    reduced = trial.reduced()
    assert (reduced.threads.n_workers, reduced.processes.n_workers) == (4, 2)
