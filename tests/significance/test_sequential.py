"""P-values that stop early: what Besag and Clifford define, valid, and cheap where nothing is there."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skpar_select.significance import N_EXCEEDANCES, sequential_log_pvalues


def naive_pvalue(observed, draws, n_exceedances):
    """One column: count until there are enough, or no more draws."""
    if np.isnan(observed):
        return np.nan
    n_reached = 0
    for number, draw in enumerate(draws, 1):
        n_reached += bool(np.isnan(draw) or draw >= observed)
        if n_reached == n_exceedances:
            return n_exceedances / number
    return (n_reached + 1) / (len(draws) + 1)


def pvalues_of(observed, draws, **options):
    """Of draws that are there: one row for each permutation."""
    log_pvalues = sequential_log_pvalues(
        observed, lambda number, columns: draws[number - 1, columns], len(draws), **options
    )
    return np.exp(log_pvalues)


class TestSequential:
    @pytest.mark.parametrize("n_exceedances", [1, 2, 10, 1000])
    @pytest.mark.parametrize("n_permutations", [0, 1, 19, 200])
    @pytest.mark.parametrize("digits", [0, 1, 12])
    def test_pvalues__equal_those_of_one_column_after_the_other(
        self, n_exceedances, n_permutations, digits
    ):
        rng = np.random.default_rng(0)
        observed = rng.normal(loc=1, size=100).round(digits)
        observed[::11] = np.nan
        draws = rng.normal(size=(n_permutations, 100)).round(digits)
        draws[rng.random(draws.shape) < 0.02] = np.nan
        got = pvalues_of(observed, draws, n_exceedances=n_exceedances)
        expected = [
            naive_pvalue(*one, n_exceedances) for one in zip(observed, draws.T, strict=True)
        ]
        assert_allclose(got, expected, rtol=1e-12)

    @pytest.mark.parametrize("n_exceedances", [1, 3, 10])
    @pytest.mark.parametrize("n_permutations", [9, 99, 999])
    @pytest.mark.parametrize("n_values", [2, 5, None])
    def test_pvalues__of_nothing_are_at_least_uniform(
        self, n_exceedances, n_permutations, n_values
    ):
        rng = np.random.default_rng(n_permutations + n_exceedances)
        n_columns = 20_000

        def drawn(size):
            return rng.normal(size=size) if n_values is None else rng.integers(n_values, size=size)

        pvalues = np.exp(
            sequential_log_pvalues(
                drawn(n_columns).astype(float),
                lambda number, columns: drawn(len(columns)),
                n_permutations,
                n_exceedances=n_exceedances,
            )
        )
        for level in (0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 0.9):
            share = np.mean(pvalues <= level * (1 + 1e-9))
            assert share <= level + 5 * np.sqrt(level / n_columns)
        if n_values is None:
            # Nor far below: at the values that p can have, the share is the level.
            for level in (1 / (n_permutations + 1), min(1, n_exceedances / n_permutations), 0.5):
                share = np.mean(pvalues <= level * (1 + 1e-9))
                assert share >= level - 5 * np.sqrt(level / n_columns)

    @pytest.mark.parametrize("n_permutations", [99, 999, 10_000])
    def test_null_columns__take_tens_of_permutations(self, n_permutations):
        rng = np.random.default_rng(5)
        n_columns, n_scores, n_seen = 5_000, 0, []

        def score(number, columns):
            nonlocal n_scores
            n_scores += len(columns)
            n_seen.append(len(columns))
            return rng.random(len(columns))

        sequential_log_pvalues(rng.random(n_columns), score, n_permutations)
        h = N_EXCEEDANCES
        expected = h + h * np.sum(1 / np.arange(h + 1, n_permutations + 1))
        assert_allclose(n_scores / n_columns, expected, rtol=0.1)
        assert n_scores / n_columns < 90
        assert n_seen == sorted(n_seen, reverse=True)

    def test_columns__that_are_done_are_not_scored_again(self):
        seen = []

        def score(number, columns):
            seen.append(columns.tolist())
            return np.where(columns % 2 == 0, 1.0, -1.0)

        log_pvalues = sequential_log_pvalues(
            np.array([0.0, 0.0, np.nan, 0.0, 0.0]), score, 5, n_exceedances=2
        )
        assert seen == [[0, 1, 3, 4]] * 2 + [[1, 3]] * 3
        assert_allclose(np.exp(log_pvalues), [1, 1 / 6, np.nan, 1 / 6, 1])

    def test_permutations__end_with_the_last_column(self):
        numbers = []

        def score(number, columns):
            numbers.append(number)
            return np.ones(len(columns))

        assert_array_equal(sequential_log_pvalues(np.zeros(3), score, 1000), np.zeros(3))
        assert numbers == list(range(1, N_EXCEEDANCES + 1))

    def test_scores__that_differ_by_rounding_are_ties(self):
        observed = np.array([1.0, -1.0, 1e300, 1e-300, 1.0])
        draws = np.tile(observed * [1 - 1e-8, 1 + 1e-8, 1 - 1e-8, 1 - 1e-8, 0.999], (100, 1))
        assert_allclose(pvalues_of(observed, draws), [1, 1, 1, 1, 1 / 101])

    @pytest.mark.parametrize("end", [np.inf, np.finfo(float).max])
    def test_scores__may_be_the_largest_and_the_least(self, end):
        observed = np.array([end, end, -end, -end])
        draws = np.tile([end, 3.0, -end, 3.0], (20, 1))
        assert_allclose(pvalues_of(observed, draws), [1, 1 / 21, 1, 1])

    def test_pvalues__are_never_0_and_of_no_score_nan(self):
        log_pvalues = sequential_log_pvalues(
            np.array([1.0, np.nan]), lambda number, columns: np.zeros(len(columns)), 1999
        )
        assert_allclose(log_pvalues, [np.log(1 / 2000), np.nan])

    def test_stopped_earlier__is_valid_at_any_time(self):
        # h / (h + the draws that stayed below) never rises, and ends at the p of the whole.
        rng = np.random.default_rng(7)
        below = np.cumsum(rng.random(5000) < 0.97)
        reached = np.arange(1, 5001) - below
        until = int(np.argmax(reached == N_EXCEEDANCES)) + 1
        running = N_EXCEEDANCES / (N_EXCEEDANCES + below[:until])
        assert (np.diff(running) <= 0).all()
        assert running[-1] == N_EXCEEDANCES / until
