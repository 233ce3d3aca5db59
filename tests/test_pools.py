"""Copies of an estimator that works in a pool."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skpar_select import ParallelMutualInfoSelector


@pytest.fixture
def pool():
    with ThreadPoolExecutor(2) as pool:
        yield pool


@pytest.mark.parametrize("copied", [clone, copy.copy, copy.deepcopy])
def test_copies__work_in_the_same_pool(pool, copied):
    selector = ParallelMutualInfoSelector(k=7, executor=pool)
    other = copied(selector)
    assert other is not selector
    assert other.executor is selector.executor is pool
    assert other.k == 7
    other.k = 8
    assert selector.k == 7
    assert copied(make_pipeline(selector))[0].executor is pool


def test_clone__is_not_fitted_and_keeps_what_clones_keep(pool, problem):
    selector = ParallelMutualInfoSelector(k=2, executor=pool).set_output(transform="default")
    cloned = clone(selector.fit(*problem))
    assert not hasattr(cloned, "scores_")
    assert cloned._sklearn_output_config == {"transform": "default"}


def test_copy__of_a_fitted_one_has_its_scores_for_itself(pool, problem):
    selector = ParallelMutualInfoSelector(k=2, executor=pool).fit(*problem)
    other = copy.deepcopy(selector)
    other.scores_[:] = 0
    assert selector.scores_.any()


def test_pickle__leaves_the_pool_behind(pool, problem):
    selector = ParallelMutualInfoSelector(k=2, executor=pool).fit(*problem)
    other = pickle.loads(pickle.dumps(selector))
    assert other.executor is None
    assert selector.executor is pool
    np.testing.assert_array_equal(other.scores_, selector.scores_)


def test_executor__that_is_none_is_refused(problem):
    with pytest.raises(ValueError, match="The 'executor' parameter"):
        ParallelMutualInfoSelector(executor=4).fit(*problem)
