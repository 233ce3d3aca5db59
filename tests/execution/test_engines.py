"""What users may give to work in."""

from concurrent.futures import Executor as Engine
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from joblib.externals.loky import ProcessPoolExecutor as LokyPool

from skpar_select.execution import FuturesExecutor, SerialExecutor, choose_executor
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
    executor = SerialExecutor()
    assert executor_of(executor, 3) is executor


def test_pool__that_does_not_say_how_many_workers_it_has_asks_for_them():
    with pytest.raises(
        ValueError, match=r"does not say how many workers it has.*Give it as n_jobs"
    ):
        executor_of(Engine(), None)
    assert executor_of(Engine(), 4).n_workers == 4


def test_object__that_is_no_engine_is_refused():
    with pytest.raises(TypeError, match=r"executor=4 is no engine.*submit\(\)"):
        executor_of(4, None)
