import threading

import numpy as np
import pytest
from scorings import Noting, score

from skpar_select.execution import SerialExecutor
from skpar_select.scoring import Sink


class Losing(SerialExecutor):
    def map_unordered(self, function, tasks, *, prepare=None):
        results = super().map_unordered(function, tasks, prepare=prepare)
        next(results)
        yield from results


class Doubling(SerialExecutor):
    def map_unordered(self, function, tasks, *, prepare=None):
        for result in super().map_unordered(function, tasks, prepare=prepare):
            yield result
            yield result


@pytest.mark.parametrize("executor", [Losing(), Doubling()])
def test_assembler__refuses_columns_lost_or_scored_twice(problem, executor):
    noting = Noting()
    with pytest.raises(RuntimeError, match="not scored exactly once"):
        score(*problem, executor=executor, sinks=[noting])


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_sink__receives_every_column_once(problem, n_jobs):
    noting, (X, y) = Noting(), problem
    score(np.tile(X, 5), y, n_jobs=n_jobs, sinks=[noting])
    assert noting.plan.n_features == 115
    assert len(noting.blocks) == noting.plan.n_blocks > 1
    assert sorted(column for block in noting.blocks for column in block) == list(range(115))
    assert noting.closed == [True]


def test_sink__may_stop_the_work(problem):
    def stop():
        raise KeyboardInterrupt

    noting, other = Noting(stop), Noting()
    with pytest.raises(KeyboardInterrupt):
        score(*problem, n_jobs=2, sinks=[other, noting])
    assert noting.closed == other.closed == [False]
    assert len(noting.blocks) == 1


def test_sinks__all_receive_the_same_in_the_calling_thread(problem):
    threads = set()

    class Where(Sink):
        def write(self, columns, result):
            threads.add(threading.get_ident())

    first, second = Noting(), Noting()
    score(*problem, n_jobs=2, sinks=[first, Where(), second])
    assert first.blocks == second.blocks
    assert threads == {threading.get_ident()}
