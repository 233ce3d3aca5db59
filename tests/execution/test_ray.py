"""Ray, where it is installed: it is too large for every run of the tests."""

import os
import sys
import time
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from workers import kill_always, kill_once

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.execution import RayExecutor, WorkerLostError
from skpar_select.testing import ExecutorConformance

ray = pytest.importorskip("ray")

pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own are many


@pytest.fixture(scope="module", autouse=True)
def cluster():
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
        yield
        ray.shutdown()


class TestRay(ExecutorConformance):
    @pytest.fixture
    def executor(self):
        executor = RayExecutor()
        # It is on this host, so that the suite sees what it does.
        executor.same_host = True
        return executor


def test_executor__has_the_processors_of_the_cluster():
    executor = RayExecutor()
    assert (executor.n_workers, executor.n_on_host) == (2, 2)
    executor = RayExecutor(1)
    assert (executor.n_workers, executor.n_on_host) == (1, 1)


def test_worker__that_is_killed_is_survived(tmp_path):
    got = list(RayExecutor().map_unordered(partial(kill_once, tmp_path), range(12)))
    assert sorted(got) == [*range(12)]
    assert (tmp_path / "killed").exists()


def test_task__that_always_kills_is_the_one_in_the_error(tmp_path):
    got = []
    with pytest.raises(WorkerLostError) as raised:
        got.extend(RayExecutor().map_unordered(partial(kill_always, tmp_path), range(12)))
    assert raised.value.tasks == [3]
    assert raised.value.n_tries == 4
    assert len(got) >= 3


class NotesCancelled:
    """Ray, and how many tasks it was told to cancel."""

    n_cancelled = 0

    def __getattr__(self, name):
        return getattr(ray, name)

    def cancel(self, result):
        self.n_cancelled += 1
        ray.cancel(result)


def test_tasks__are_cancelled_when_the_run_is_interrupted():
    def slow(task):
        time.sleep(0.2)
        return task

    executor = RayExecutor(6)
    executor.ray = NotesCancelled()
    results = executor.map_unordered(slow, range(40))
    next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt)
    # Twelve are on their way, of which some may have ended meanwhile.
    assert executor.ray.n_cancelled >= 6


def test_fit__of_a_file_has_the_same_bits(write_h5):
    X = np.random.default_rng(0).normal(size=(50, 300))
    matrix = open_matrix(write_h5(X, chunks=(50, 10)))
    selector = ParallelMutualInfoSelector(k=3, random_state=0, memory_budget="300kB")
    expected = selector.fit(matrix, X[:, 0]).scores_
    selector.set_params(executor=RayExecutor()).fit(matrix, X[:, 0])
    assert_array_equal(selector.scores_, expected)


def test_host__that_does_not_see_a_file_is_named(tmp_path):
    def check():
        raise FileNotFoundError("'/here/alone.h5' does not exist.")

    with pytest.raises(
        OSError, match=r"on the host '.+' does not find .* '/here/alone.h5' does not"
    ):
        RayExecutor().check_hosts(check)
