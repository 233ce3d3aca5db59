"""Rounds: workers that die, blocks that others have, and budgets that just do."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scorings import Noting, kernel_scorer, score

from skpar_select import open_matrix
from skpar_select.execution import SerialExecutor, WorkerLostError
from skpar_select.matrices import as_matrix
from skpar_select.planning import Needs
from skpar_select.scoring import ScoreStore, score_columns
from skpar_select.scoring._rounds import Rounds


class Losing(SerialExecutor):
    """Loses its worker at chosen tasks, by their number among all that it is given."""

    def __init__(self, loses, *, n_workers=4, n_tries=1, knows=True):
        self.loses, self.n_workers, self.n_tries, self.knows = loses, n_workers, n_tries, knows
        self.n_given, self.reductions = 0, []

    def map_unordered(self, function, tasks, *, prepare=None):
        for task in tasks:
            self.n_given += 1
            if self.loses(self.n_given):
                lost = [task] if self.knows else []
                raise WorkerLostError("worker 7 was killed", lost, n_tries=self.n_tries)
            yield function(task if prepare is None else prepare(task))

    def reduced(self):
        self.n_workers = max(1, self.n_workers // 2)
        self.reductions.append(self.n_workers)
        return self


@pytest.fixture(params=["memory", "file"])
def matrix(request, problem, write_h5):
    X = np.tile(problem[0], 8)
    return X if request.param == "memory" else open_matrix(write_h5(X, chunks=(60, 4)))


@pytest.mark.parametrize("every", [2, 3, 7])
def test_blocks__whose_worker_died_are_scored_again(matrix, problem, every):
    executor = Losing(lambda number: number % every == 0)
    got, _ = score(matrix, problem[1], executor=executor)
    assert_array_equal(got, score(matrix, problem[1])[0])


def test_workers__lost_once_at_each_block_are_not_reduced(matrix, problem):
    executor = Losing(lambda number: number in (2, 5, 9))
    score(matrix, problem[1], executor=executor)
    assert executor.reductions == []


def test_block__that_kills_is_tried_with_less_and_given_up(matrix, problem, tmp_path):
    store, kept = ScoreStore(tmp_path / "kept"), Noting()
    executor = Losing(lambda number: number >= 3)
    X, y = as_matrix(matrix), problem[1]
    with pytest.raises(RuntimeError, match=r"workers died 4 times at columns \d+ to \d+ .worker 7"):
        score_columns(
            X, kernel_scorer(X, y), executor, memory_budget=10**8, store=store, sinks=[kept]
        )
    assert executor.reductions == [2, 1]
    assert len(kept.blocks) == 2
    # What was finished is kept.
    rest = Noting()
    got = score_columns(
        X, kernel_scorer(X, y), SerialExecutor(), memory_budget=10**8, store=store, sinks=[rest]
    )
    assert_array_equal(got["score"], score(matrix, y)[0])
    columns = [column for noting in (kept, rest) for block in noting.blocks for column in block]
    assert sorted(columns) == list(range(X.shape[1]))


def test_engine__that_has_tried_itself_is_not_asked_again(matrix, problem):
    executor = Losing(lambda number: number == 2, n_tries=4)
    with pytest.raises(RuntimeError, match="workers died 4 times"):
        score(matrix, problem[1], executor=executor)


def test_pool__that_does_not_know_what_it_lost_ends(matrix, problem):
    executor = Losing(lambda number: number == 2, knows=False)
    with pytest.raises(RuntimeError, match="does not say at which columns"):
        score(matrix, problem[1], executor=executor)


def test_engine__that_loses_its_workers_before_the_first_block_ends(problem, write_h5):
    class Gone(SerialExecutor):
        def check_hosts(self, check):
            raise WorkerLostError("no worker answers", [0, 1])

    with pytest.raises(RuntimeError, match=r"does not say at which columns .no worker"):
        score(open_matrix(write_h5(problem[0])), problem[1], executor=Gone())


def test_values_that_are_not_finite__are_counted_also_where_workers_die(problem):
    X = problem[0].copy()
    X[3, [0, 20]] = np.nan
    executor = Losing(lambda number: number in (2, 3), n_workers=8)
    with pytest.raises(ValueError, match="2 columns"):
        score(X, problem[1], executor=executor)


def test_budget__that_does_for_the_whole_does_for_what_is_missing(problem):
    X = as_matrix(np.asfortranarray(np.tile(problem[0], 30)))
    least = next(
        budget
        for budget in range(100_000, 2_000_000, 1_000)
        if _fits(X, problem[1], budget, range(X.shape[1]))
    )
    scattered = np.arange(0, X.shape[1], 2)
    got = score_columns(
        X, kernel_scorer(X, problem[1]), SerialExecutor(), memory_budget=least, columns=scattered
    )["score"]
    assert_array_equal(got[scattered], score(X.values, problem[1])[0][scattered])


def _fits(X, y, budget, columns):
    scorer = kernel_scorer(X, y)
    needs = scorer.needs(X.shape[0], X.dtype)
    try:
        Rounds(X, scorer, SerialExecutor(), needs=needs, memory_budget=budget).plan(columns)
    except ValueError:
        return False
    return True


def test_matrix__of_which_nothing_is_left_is_not_copied(problem, write_h5):
    X = open_matrix(write_h5(problem[0], chunks=(3, 23), compression="gzip"))
    opened = []

    class Never(SerialExecutor):
        def map_unordered(self, function, tasks, *, prepare=None):
            opened.append(None)
            return super().map_unordered(function, tasks, prepare=prepare)

    rounds = Rounds(X, kernel_scorer(X, problem[1]), Never(), needs=Needs(), memory_budget=10**8)
    assert list(rounds.score(range(23), lambda columns: False)) == []
    assert opened == []


def test_no_column__is_asked_for(problem):
    X = as_matrix(problem[0])
    results = score_columns(
        X, kernel_scorer(X, problem[1]), SerialExecutor(), memory_budget=10**8, columns=range(0)
    )
    assert results == {}
