"""Whole fits in engines of the caller's: the same bits as here, with workers that die, too."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

import joblib
import numpy as np
import pytest
from clusters import dask_client, in_dask
from numpy.testing import assert_array_equal
from scorings import KnownFunction, Noting, means, score
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from workers import SeenHere, means_once_killed, means_unless_marked

from skpar_select import ParallelMutualInfoSelector, open_matrix
from skpar_select.execution._engines import executor_of


def python_pool():
    return ProcessPoolExecutor(2, mp_context=get_context("forkserver"))


@contextmanager
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.fixture(scope="module")
def client():
    with dask_client() as client:
        yield client


@pytest.fixture(params=["threads", "processes", "dask"])
def engine(request):
    if request.param == "dask":
        yield request.getfixturevalue("client").get_executor()
        return
    with {"threads": threads, "processes": python_pool}[request.param]() as pool:
        yield pool


@pytest.fixture
def wide(write_h5):
    """A file of 40 x 300 that a small budget reads in many blocks, and its target."""
    X = np.random.default_rng(3).normal(size=(40, 300))
    X[0] = np.arange(300)
    return open_matrix(write_h5(X, chunks=(40, 10), compression="gzip")), X[:, 7] + X[:, 9]


@in_dask
@pytest.mark.parametrize("in_file", [False, True])
def test_fit__in_an_engine_has_the_bits_of_a_fit_without(engine, wide, in_file):
    matrix, y = wide
    X = matrix if in_file else np.asarray(matrix)
    selector = ParallelMutualInfoSelector(k=3, random_state=0)
    expected = selector.fit(X, y).scores_
    assert_array_equal(selector.set_params(executor=engine).fit(X, y).scores_, expected)


@in_dask
def test_dask__with_a_worker_killed_in_the_middle_gives_the_same_bits(client, wide):
    matrix, y = wide
    expected = score(matrix, y)[0]
    victim = min(client.run(os.getpid).values())

    def kill():
        if len(noting.blocks) == 3:
            os.kill(victim, signal.SIGKILL)

    noting = Noting(kill)
    got, _ = score(
        matrix, y, executor=executor_of(client, None), memory_budget="300kB", sinks=[noting]
    )
    assert len(noting.blocks) > 6
    assert_array_equal(got, expected)
    client.wait_for_workers(1, timeout=60)


@in_dask
@pytest.mark.parametrize("engine", ["dask"], indirect=True)
def test_file__that_workers_do_not_see_is_named_before_a_block_is_scored(engine):
    matrix, noting = SeenHere((20, 100)), Noting()
    with pytest.raises(
        OSError, match=r"on the host '.+' does not find .* '/here/alone.h5' does not"
    ):
        score(matrix, np.arange(20.0), executor=executor_of(engine, None), sinks=[noting])
    assert noting.blocks == []
    assert score(matrix, np.arange(20.0))[0].shape == (100,)


class Knowing(ParallelMutualInfoSelector):
    """Keeps the scores of any function."""

    def _scorer(self, targets, *checked):
        return KnownFunction(self.score_func, targets)


# joblib warns that a worker stopped, where it was killed.
@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
@pytest.mark.parametrize("kind", ["python", "joblib"])
class TestKilled:
    @pytest.fixture
    def selector(self, kind, tmp_path):
        options = {"k": 3, "memory_budget": "300kB"}
        if kind == "joblib":
            with joblib.parallel_config("loky", n_jobs=2):
                yield Knowing(**options)
        else:
            with python_pool() as pool:
                yield Knowing(**options, executor=pool)

    def test_worker__that_is_killed_once_changes_no_bit(self, selector, wide, tmp_path):
        matrix, y = wide
        selector.set_params(score_func=partial(means_once_killed, tmp_path)).fit(matrix, y)
        assert (tmp_path / "killed").exists()
        assert_array_equal(selector.scores_, means(np.asarray(matrix), y))

    def test_block__that_always_kills_is_named_and_the_others_are_kept(
        self, selector, write_h5, tmp_path
    ):
        X = np.zeros((20, 40))
        X[0] = np.arange(40)
        X[1, 25] = 99
        matrix = open_matrix(write_h5(X, chunks=(20, 1)))
        y = np.arange(20.0)
        marks = tmp_path / "marks"
        marks.mkdir()
        selector.set_params(
            score_func=partial(means_unless_marked, str(marks)), store=tmp_path / "store"
        )
        with pytest.raises(RuntimeError, match=r"workers died 4 times at columns 25 to 25 "):
            selector.fit(matrix, y)
        kept = len(list(marks.iterdir()))
        (marks / "spared").touch()
        selector.fit(matrix, y)
        assert_array_equal(selector.scores_, means(X, y))
        # Of what was finished nothing is scored again.
        assert len(list(marks.iterdir())) - kept - 1 < 40


@in_dask
@pytest.mark.parametrize(
    ("engine", "backend"), [("threads", "loky"), ("dask", "threading")], indirect=["engine"]
)
def test_grid_search__scores_in_the_engine_or_where_it_is_not_to_be_had(engine, backend, problem):
    X, y = problem
    grid = {"parallelmutualinfoselector__k": [1, 3]}
    selector = ParallelMutualInfoSelector(random_state=0)
    expected = GridSearchCV(make_pipeline(selector, LinearRegression()), grid, cv=2).fit(X, y)
    selector = ParallelMutualInfoSelector(random_state=0, executor=engine)
    with joblib.parallel_config(backend, n_jobs=2):
        search = GridSearchCV(make_pipeline(selector, LinearRegression()), grid, cv=2).fit(X, y)
    assert_array_equal(
        search.cv_results_["mean_test_score"], expected.cv_results_["mean_test_score"]
    )


@in_dask
def test_joblib__over_dask_runs_the_blocks_in_the_cluster_and_grids_on_its_workers(client, problem):
    X, y = problem
    expected = ParallelMutualInfoSelector(k=2, random_state=0).fit(X, y)
    with joblib.parallel_config("dask", client=client):
        got = ParallelMutualInfoSelector(k=2, random_state=0).fit(X, y)
        search = GridSearchCV(
            ParallelMutualInfoSelector(random_state=0), {"k": [1, 2]}, cv=2, scoring=first_support
        ).fit(X, y)
    assert_array_equal(got.scores_, expected.scores_)
    assert search.best_params_["k"] in (1, 2)


def first_support(selector, X, y):
    return float(selector.get_support().sum())
