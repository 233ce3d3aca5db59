"""What users may give to work in."""

from concurrent.futures import Executor as Engine
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from joblib.externals.loky import ProcessPoolExecutor as LokyPool

from skpar_select.execution import FuturesExecutor, ThreadsExecutor, choose_executor
from skpar_select.execution._engines import executor_of


class OfMpi(Engine):
    """A pool of mpi4py's says how many workers it has, and nothing more."""

    num_workers = 5


@pytest.mark.parametrize(
    ("pool", "n_workers", "shares_memory", "same_host"),
    [
        (ThreadPoolExecutor(3), 3, True, True),
        (ProcessPoolExecutor(2), 2, False, True),
        (LokyPool(2), 2, False, True),
        (OfMpi(), 5, False, False),
    ],
    ids=lambda given: type(given).__name__,
)
def test_pools__are_known(pool, n_workers, shares_memory, same_host):
    executor = choose_executor(None, prefer="threads", engine=pool)
    assert type(executor) is FuturesExecutor
    assert (executor.n_workers, executor.shares_memory) == (n_workers, shares_memory)
    assert executor.same_host == same_host
    # All may be on one host.
    assert executor.n_on_host is None
    assert executor_of(pool, 7).n_workers == 7
    assert executor_of(pool, -1).n_workers == n_workers


def test_executor__of_this_package_is_itself():
    executor = ThreadsExecutor(3)
    for n_jobs in (None, 3, -1):
        assert executor_of(executor, n_jobs) is executor
    with pytest.raises(
        ValueError, match=r"n_jobs=8 is given with a ThreadsExecutor of 3 workers.*n_jobs=None"
    ):
        executor_of(executor, 8)


def test_pool__that_does_not_say_how_many_workers_it_has_asks_for_them():
    with pytest.raises(
        ValueError, match=r"does not say how many workers it has.*Give it as n_jobs"
    ):
        executor_of(Engine(), None)
    assert executor_of(Engine(), 4).n_workers == 4


@pytest.mark.parametrize("engine", [4, ThreadPoolExecutor, ThreadsExecutor], ids=repr)
@pytest.mark.parametrize("n_jobs", [None, 2])
def test_object__that_is_no_engine_is_refused(engine, n_jobs):
    with pytest.raises(TypeError, match=r"executor=.* is no engine.*submit\(\)"):
        executor_of(engine, n_jobs)


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor, LokyPool])
def test_pool__that_was_shut_down_is_named(kind):
    pool = kind(2)
    pool.shutdown()
    with pytest.raises(RuntimeError, match=rf"executor=.*{kind.__name__}.* takes no task: .* Give"):
        list(executor_of(pool, None).map_unordered(abs, range(3)))
