"""Rank space: the estimators on ranks, of ties broken at random, and rank correlations.

``python tests/kernels/test_ranks.py 50000`` holds so many small random cases to the naive twins.
"""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import KINDS, adjacent, block_of_kinds, continuous_target, discrete_target
from naive import (
    hashes,
    kraskov,
    kraskov_of_counts,
    kraskov_ranks,
    plugin,
    ross,
    spearman,
)
from naive import ranks as naive_ranks
from scipy.stats import rankdata, spearmanr

from skpar_select.kernels import (
    NonFiniteColumnError,
    mutual_information,
    prepare_target,
    ranks,
)

EXTREMES = [
    *(
        sign * size
        for sign in (-1, 1)
        for size in (0.0, 5e-324, 1e-310, 1e-200, 1e12, 1e300, 1.7e308)
    ),
    *(1.0, 1 + 2**-52, 1 - 2**-53, 1e12 + 2**-12),
]
TARGET_COLUMN = 2**63  # a column index that no matrix reaches
SIZES = [2, 3, 4, 5, 8, 9, 16, 17, 64, 65, 200]
PREPARE = {"continuous": continuous_target, "discrete": discrete_target}
both_targets = pytest.mark.parametrize("prepare", PREPARE.values(), ids=PREPARE)


@pytest.fixture
def rng():
    return np.random.default_rng(20240)


def ranked(prepare, y, n_neighbors=3, seed=0):
    """Prepare a target in rank space."""
    return prepare(y, n_neighbors, seed, "rank")


def score(block, targets, *, discrete=False, first_column=0, min_observed=None):
    """Score a block of adjacent columns against targets; give all that is told of them."""
    width = block.shape[1]
    return mutual_information(
        block,
        targets,
        columns=adjacent(first_column, width),
        discrete=np.broadcast_to(discrete, width),
        min_observed=min_observed,
    )


def assert_same_bits(one, other):
    np.testing.assert_array_equal(one.scores, other.scores)
    np.testing.assert_array_equal(one.n_observed, other.n_observed)
    assert (one.rho is None) == (other.rho is None)
    if one.rho is not None:
        np.testing.assert_array_equal(one.rho, other.rho)


def twin(x, y, target, *, discrete, column):
    """The score and the rank correlation of one pair, on the samples where both are there."""
    if (x == x[0]).all() or (y == y[0]).all():
        return 0.0, np.nan
    if discrete and target.discrete:
        return plugin(x, y), np.nan
    if target.discrete:
        x_ranks = naive_ranks(x, seed=target.seed, column=column).astype(float)
        return ross(x_ranks, y, target.n_neighbors), np.nan
    y_ranks = naive_ranks(y, seed=target.seed, column=TARGET_COLUMN)
    if discrete:
        return ross(y_ranks.astype(float), x, target.n_neighbors), np.nan
    x_ranks = naive_ranks(x, seed=target.seed, column=column)
    in_ranks = kraskov_ranks(x_ranks, y_ranks, target.n_neighbors, target.digamma)
    return in_ranks, spearman(x_ranks, y_ranks)


def difference(block, y, target, *, discrete, first_column=0, min_observed=None):
    """Say how the kernel differs from the twins in a block, or None."""
    got = score(
        block, [target], discrete=discrete, first_column=first_column, min_observed=min_observed
    )
    if (got.rho is None) != target.discrete:
        return f"rho {got.rho}"
    for j, column_is_discrete in enumerate(np.broadcast_to(discrete, block.shape[1])):
        keep = ~np.isnan(block[:, j])
        n, plain = int(keep.sum()), bool(column_is_discrete and target.discrete)
        least = max(2 if plain else target.n_neighbors + 1, min_observed or 0, 2)
        expected = np.nan, np.nan
        if n >= least:
            expected = twin(
                block[keep, j],
                y[keep],
                target,
                discrete=column_is_discrete,
                column=first_column + j,
            )
        bits = not column_is_discrete and not target.discrete
        near = {"rtol": 0, "atol": 0 if bits else 1e-12, "equal_nan": True}
        rho = np.nan if got.rho is None else got.rho[0, j]
        if (
            got.n_observed[j] != n
            or not np.isclose(got.scores[0, j], expected[0], **near)
            or not np.isclose(rho, expected[1], rtol=0, atol=1e-12, equal_nan=True)
        ):
            return f"column {j}: {got.scores[0, j]!r}, {rho!r} of {n}, expected {expected}"
    return None


def neighbors_of(n_samples):
    # The kernel looks for more than ten in another way.
    some = (1, 2, 3, 8, 9, 10, 11, 12, 64, n_samples - 1)
    return sorted({k for k in some if 1 <= k < n_samples})


class TestRanks:
    @pytest.mark.parametrize("n_samples", [*SIZES, 1_500])
    def test_ranks__are_the_naive_twin(self, n_samples):
        rng = np.random.default_rng(n_samples)
        X = block_of_kinds(rng, n_samples)
        for seed, first in ((0, 0), (2**64 - 1, 7), (5, TARGET_COLUMN)):
            got = ranks(X, seed=seed, columns=adjacent(first, X.shape[1]))
            assert got.dtype == np.int32
            assert got.flags.f_contiguous
            for j in range(X.shape[1]):
                expected = naive_ranks(X[:, j], seed=seed, column=first + j)
                np.testing.assert_array_equal(got[:, j], expected)

    @pytest.mark.parametrize("n_samples", [2, 17, 300, 5_000])
    @pytest.mark.parametrize("outlier", [1.0, 1e3, 1e9, 1e15, 1e300])
    def test_values_that_an_outlier_squeezes__keep_their_order(self, rng, n_samples, outlier):
        # 32 bits do not tell them apart
        X = rng.normal(size=(n_samples, 3))
        X[:, 2] = X[:, 2].round(2)
        X[n_samples // 2, 1:] = outlier, -outlier
        for j, column in enumerate(ranks(X, seed=1, columns=range(3)).T):
            np.testing.assert_array_equal(column, naive_ranks(X[:, j], seed=1, column=j))

    @pytest.mark.parametrize("n_samples", [2, 5, 40, 1_000])
    def test_values_of_any_size__keep_their_order(self, rng, n_samples):
        for number in range(60):
            x = rng.choice(rng.choice(EXTREMES, 5), n_samples)
            (got,) = ranks(x[:, np.newaxis], seed=2, columns=[number]).T
            np.testing.assert_array_equal(got, naive_ranks(x, seed=2, column=number))

    def test_ties_of_one_hash__are_in_the_order_of_the_samples(self):
        n = 200_000  # of which some pairs have 32 bits in common: n**2 / 2**33
        halves = np.array(hashes(n, seed=3, column=1), dtype=np.uint64) >> np.uint64(32)
        assert len(np.unique(halves)) < n
        (got,) = ranks(np.zeros((n, 1)), seed=3, columns=[1]).T
        expected = np.empty(n, dtype=int)
        expected[np.argsort(halves, kind="stable")] = np.arange(n)
        np.testing.assert_array_equal(got, expected)

    def test_ranks__are_those_of_the_values(self, rng):
        X = rng.normal(size=(500, 4)).astype(np.float32)
        expected = rankdata(X, axis=0).astype(int) - 1
        np.testing.assert_array_equal(ranks(X, seed=3, columns=range(4)), expected)

    def test_ties__are_broken_at_random_by_seed_and_column(self):
        zeros = np.zeros((400, 3))
        first, other = (ranks(zeros, seed=seed, columns=[0, 1, 1]) for seed in (0, 1))
        np.testing.assert_array_equal(first[:, 1], first[:, 2])
        for one, two in ((first[:, 0], first[:, 1]), (first[:, 0], other[:, 0])):
            # Two random orders of 400 have a correlation of deviation 0.05.
            assert abs(spearman(one, two)) < 0.2
        assert abs(spearman(first[:, 0], np.arange(400))) < 0.2

    def test_zeros_of_both_signs__are_tied(self):
        signed = np.where(np.arange(50) % 2, 0.0, -0.0)[:, np.newaxis]
        np.testing.assert_array_equal(
            ranks(signed, seed=0, columns=[4]), ranks(np.abs(signed), seed=0, columns=[4])
        )

    @pytest.mark.parametrize("dtype", ["f2", "f4", ">f4", "g", "O", "i1", "u1", "i8", ">i8", "?"])
    def test_type_order_and_steps__do_not_matter(self, rng, dtype):
        X = rng.integers(0, 2, (37, 5)).astype(dtype)
        expected = ranks(X.astype(float), seed=1, columns=range(5))
        views = X, np.asfortranarray(X), np.repeat(X, 2, axis=0)[::2], X[::-1].copy()[::-1]
        for view in views:
            np.testing.assert_array_equal(ranks(view, seed=1, columns=range(5)), expected)

    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_values_that_are_not_finite__are_told_by_column(self, rng, bad):
        block = rng.normal(size=(20, 6))
        block[3, [4, 2]] = bad
        with pytest.raises(NonFiniteColumnError) as caught:
            ranks(block, seed=0, columns=range(10, 16))
        assert (caught.value.position, caught.value.column) == (2, 12)

    @pytest.mark.parametrize(
        ("columns", "error", "message"),
        [
            ([0, -1], ValueError, r"columns=-1 is no index\. Count from 0"),
            ([0, 1, 2], ValueError, "one index a column"),
            ([0.0, 1.0], TypeError, r"columns of dtype float64 are no indices\. Give integers"),
        ],
        ids=str,
    )
    def test_indices_that_are_none__raise(self, columns, error, message):
        with pytest.raises(error, match=message):
            ranks(np.zeros((5, 2)), seed=0, columns=columns)


class TestTarget:
    @both_targets
    def test_marginals__are_told_and_kept(self, prepare):
        y = np.arange(9) % 4
        assert prepare(y).marginals == "raw"
        assert ranked(prepare, y).marginals == "rank"

    @pytest.mark.parametrize("marginals", ["ranks", "", None, True])
    def test_marginals_that_are_none__raise(self, marginals):
        with pytest.raises(ValueError, match=r"marginals=.* Give \"raw\" or \"rank\""):
            prepare_target(np.arange(9), discrete=False, n_neighbors=1, seed=0, marginals=marginals)

    @both_targets
    def test_raw_marginals__are_the_default_and_give_no_correlation(self, rng, prepare):
        X, y = block_of_kinds(rng, 60), rng.integers(0, 9, 60)
        got = score(X, [prepare(y)])
        assert got.rho is None
        assert_same_bits(got, score(X, [prepare(y, marginals="raw")]))


class TestTwins:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("n_samples", SIZES)
    def test_all_kinds__are_the_naive_twins(self, kind, n_samples):
        rng = np.random.default_rng([n_samples, list(KINDS).index(kind)])
        y = KINDS[kind](rng, n_samples)
        labels = rng.integers(0, 1 + n_samples // 2, (n_samples, 2)).astype(float)
        X = np.column_stack([block_of_kinds(rng, n_samples), y, -y, labels])
        for k in neighbors_of(n_samples):
            for prepare in PREPARE.values():
                target = ranked(prepare, y, k, 5)
                for discrete in (False, True):
                    said = difference(X, y, target, discrete=discrete, first_column=3)
                    assert said is None, (k, prepare, discrete, said)

    @pytest.mark.parametrize("n_neighbors", range(1, 20))
    def test_every_number_of_neighbors__is_the_naive_twin(self, rng, n_neighbors):
        X, y = block_of_kinds(rng, 90), rng.normal(size=90)
        for values, prepare in ((y, continuous_target), (y.round(), discrete_target)):
            target = ranked(prepare, values, n_neighbors)
            assert difference(X, values, target, discrete=False) is None
            assert difference(X.round(), values, target, discrete=True) is None

    @pytest.mark.parametrize("seed", range(6))
    def test_random_cases__are_the_naive_twins(self, seed):
        for number in range(60):
            said = random_difference(np.random.default_rng([seed, number]))
            assert said is None, (seed, number, said)

    @given(st.permutations(range(9)), st.integers(1, 8))
    def test_permutations__are_the_naive_twin(self, order, n_neighbors):
        x, y = np.array(order, float)[:, np.newaxis], np.arange(9.0)
        assert difference(x, y, ranked(continuous_target, y, n_neighbors), discrete=False) is None

    def test_twin__is_the_estimator(self, rng):
        # the twin itself: the sum in its own order is that of the twin of raw values
        x, y = (rng.permutation(80) for _ in range(2))
        table = continuous_target(np.arange(80.0)).digamma
        for k in (1, 3, 79):
            assert abs(kraskov_ranks(x, y, k, table) - kraskov(1.0 * x, 1.0 * y, k)) < 1e-12

    def test_target_itself__counts_to_a_closed_form(self):
        # Away from both ends the k-th neighbour of a rank is ceil(k / 2) off, so that 2 ceil(k / 2) - 1
        # ranks are nearer, the sample included; nearer than i to an end, it is farther off.
        n, k = 400, 3
        target = ranked(continuous_target, np.arange(n), k)
        places = np.arange(n)
        to_end = np.minimum(places, places[::-1])
        radius = np.where(to_end >= 2, 2, k - to_end)
        counts = np.minimum(radius - 1, to_end) + radius
        expected = kraskov_of_counts(counts, counts, k, target.digamma)
        got = score(np.column_stack([places, -places]) * 1.0, [target])
        np.testing.assert_array_equal(got.scores, [[expected, expected]])
        np.testing.assert_allclose(got.rho, [[1.0, -1.0]], rtol=0, atol=1e-15)


class TestInvariance:
    RISING = (
        lambda x: np.exp(x),
        lambda x: x**3,
        lambda x: np.arctan(x) * 1e-200,
        lambda x: 1e12 + 7.5 * x,
        lambda x: rankdata(x, method="dense", axis=0),
    )

    @both_targets
    @pytest.mark.parametrize("rising", RISING)
    def test_rising_maps_of_a_column__change_no_bit(self, rng, prepare, rising):
        X = np.column_stack([rng.normal(size=(150, 3)), rng.normal(size=(150, 3)).round(1)])
        target = ranked(prepare, rng.integers(0, 9, 150))
        for discrete in (False, True):
            assert_same_bits(
                score(rising(X), [target], discrete=discrete),
                score(X, [target], discrete=discrete),
            )

    @pytest.mark.parametrize("rising", RISING)
    def test_rising_maps_of_a_target__change_no_bit(self, rng, rising):
        X, y = block_of_kinds(rng, 150), rng.normal(size=150).round(1)
        for discrete in (False, True):
            before, after = (
                score(X, [ranked(continuous_target, values)], discrete=discrete)
                for values in (y, rising(y))
            )
            assert_same_bits(after, before)

    def test_column_that_falls__has_the_opposite_correlation(self, rng):
        x, y = rng.normal(size=(2, 300))
        got = score(np.column_stack([x, -x]), [ranked(continuous_target, x + y)])
        assert got.rho[0, 0] > 0.5
        assert abs(got.rho[0, 0] + got.rho[0, 1]) < 1e-12
        assert got.scores[0, 0] == got.scores[0, 1]

    def test_integers_beyond_float64__keep_their_order(self, rng):
        # less their least, the small ones would be one value
        y = rng.integers(0, 1000, 300)
        x = y + rng.integers(0, 100, 300)
        ends = np.iinfo(np.int64)
        large = x.copy()
        large[[x.argmin(), x.argmax()]] = ends.min, ends.max
        small = x.copy()
        small[[x.argmin(), x.argmax()]] = x.min() - 1, x.max() + 1
        far = y.copy()
        far[[y.argmin(), y.argmax()]] = ends.min, ends.max
        near = y.copy()
        near[[y.argmin(), y.argmax()]] = y.min() - 1, y.max() + 1
        got = score(np.column_stack([large]), [ranked(continuous_target, far)])
        expected = score(np.column_stack([small]), [ranked(continuous_target, near)])
        assert got.scores == expected.scores
        assert got.rho == expected.rho
        np.testing.assert_array_equal(
            ranks(large[:, np.newaxis], seed=0, columns=[0]),
            ranks(small[:, np.newaxis], seed=0, columns=[0]),
        )

    def test_outlier__squeezes_nothing(self, rng):
        x, y = rng.normal(size=(2, 400))
        far = np.where(x == x.max(), 1e9, x)
        (_, raw), (plain, in_ranks) = (
            score(
                np.column_stack([x, far]), [continuous_target(x + 0.3 * y, marginals=space)]
            ).scores[0]
            for space in ("raw", "rank")
        )
        assert plain == in_ranks
        assert raw < in_ranks / 2

    def test_block__is_cut_anywhere_without_a_change(self, rng):
        X, y = block_of_kinds(rng, 90), rng.normal(size=90).round(1)
        p = X.shape[1]
        mask = np.arange(p) % 3 == 0
        for target in (ranked(continuous_target, y), ranked(discrete_target, y > 0.5)):
            whole = score(X, [target], discrete=mask, first_column=1000)
            for width in (1, 2, 5, 7, 8, 9):
                for i in range(0, p, width):
                    some = slice(i, i + width)
                    part = score(X[:, some], [target], discrete=mask[some], first_column=1000 + i)
                    np.testing.assert_array_equal(part.scores, whole.scores[:, some])
                    if whole.rho is not None:
                        np.testing.assert_array_equal(part.rho, whole.rho[:, some])

    @both_targets
    @pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "i1", "u2", "i8", "?", "O"])
    def test_type_order_and_steps__change_no_bit(self, rng, prepare, dtype):
        X = rng.integers(0, 2 if dtype == "?" else 60, (70, 9)).astype(dtype)
        target = ranked(prepare, rng.integers(0, 9, 70))
        spread = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
        views = np.asfortranarray(X), spread, X[::-1, ::-1].copy()[::-1, ::-1]
        for discrete in (False, True):
            expected = score(X.astype(float), [target], discrete=discrete)
            for view in (X, *views):
                assert_same_bits(score(view, [target], discrete=discrete), expected)

    def test_spread_below_rounding__is_a_spread(self):
        # Raw it is constant, but no rank is rounded.
        x = np.where(np.arange(100) % 4 > 1, 1.0, 1.0 + 2**-52)[:, np.newaxis]
        y = np.arange(100.0)
        assert score(x, [continuous_target(x[:, 0] + y)]).scores == 0.0
        for target in (x[:, 0], x[:, 0] * 1e9):
            assert score(x, [ranked(continuous_target, target)]).scores > 0.3
        assert score(x, [ranked(discrete_target, x[:, 0])]).scores > 0.3

    def test_discrete_pairs__have_the_raw_bits(self, rng):
        X, y = rng.integers(0, 4, (80, 6)), rng.integers(0, 3, 80)
        assert_same_bits(
            score(X, [ranked(discrete_target, y)], discrete=True),
            score(X, [discrete_target(y)], discrete=True),
        )


class TestCorrelation:
    @pytest.mark.parametrize("n_samples", [3, 10, 500, 20_000])
    def test_rho__is_that_of_scipy_without_ties(self, rng, n_samples):
        # 20,000 ** 3 is beyond 32 bits, and so is the sum of squared differences
        y = rng.normal(size=n_samples)
        noise = rng.normal(size=n_samples)
        X = np.column_stack([y, -y, noise, y + noise, -(y**3) + noise])
        got = score(X, [ranked(continuous_target, y, 1)])
        expected = [spearmanr(X[:, j], y).statistic for j in range(X.shape[1])]
        np.testing.assert_allclose(got.rho[0], expected, rtol=0, atol=1e-12)

    def test_rho__of_ties_is_near_that_of_scipy(self, rng):
        y = rng.normal(size=2_000)
        x = (y + rng.normal(size=2_000)).round()
        got = score(x[:, np.newaxis], [ranked(continuous_target, y)])
        assert abs(got.rho[0, 0] - spearmanr(x, y).statistic) < 0.05

    def test_rho__is_nan_where_there_is_none(self, rng):
        n = 40
        X = rng.normal(size=(n, 5))
        X[:, 1] = 3.0
        X[5:, 2] = np.nan
        X[:36, 3] = 7.0
        X[36:, 3] = np.nan
        y = rng.normal(size=n)
        got = score(
            X,
            [ranked(continuous_target, y, 5), ranked(continuous_target, np.ones(n), 5)],
            discrete=np.arange(5) == 4,
            min_observed=3,
        )
        np.testing.assert_array_equal(np.isnan(got.rho), [[0, 1, 1, 1, 1], [1] * 5])
        np.testing.assert_array_equal(got.scores[:, [1, 3]], 0.0)
        assert np.isnan(got.scores[:, 2]).all()
        np.testing.assert_array_equal(got.scores[1, [0, 4]], 0.0)

    def test_classes__have_no_correlation(self, rng):
        got = score(rng.normal(size=(40, 2)), [ranked(discrete_target, np.arange(40) % 2)])
        assert got.rho is None


class TestGaps:
    @both_targets
    @pytest.mark.parametrize("kind", ["normal", "ages", "zero_inflated", "lattice", "constant"])
    @pytest.mark.parametrize("n_samples", [2, 3, 5, 9, 17, 64, 200, 1_000])
    def test_columns_with_gaps__are_their_complete_cases(self, prepare, kind, n_samples):
        rng = np.random.default_rng([n_samples, list(KINDS).index(kind)])
        y = KINDS[kind](rng, n_samples)
        of_kinds = np.column_stack([block_of_kinds(rng, n_samples), y])
        shares = rng.choice([0.0, 0.02, 0.3, 0.8], of_kinds.shape[1])
        X = np.where(rng.random(of_kinds.shape) < shares, np.nan, of_kinds)
        for k in {1, min(3, n_samples - 1)}:
            for discrete in (False, True):
                whole = score(X, [ranked(prepare, y, k, 7)], discrete=discrete, min_observed=0)
                for j in range(X.shape[1]):
                    keep = ~np.isnan(X[:, j])
                    assert whole.n_observed[j] == keep.sum()
                    if np.isnan(whole.scores[0, j]):
                        assert keep.sum() < (
                            2 if discrete and prepare is discrete_target else k + 1
                        )
                        continue
                    alone = score(
                        X[keep][:, [j]],
                        [ranked(prepare, y[keep], min(k, keep.sum() - 1), 7)],
                        discrete=discrete,
                        first_column=j,
                    )
                    np.testing.assert_array_equal(alone.scores[0, 0], whole.scores[0, j])
                    if alone.rho is not None:
                        np.testing.assert_array_equal(alone.rho[0, 0], whole.rho[0, j])

    @both_targets
    def test_columns_without_a_gap__have_the_bits_of_a_call_without_gaps(self, rng, prepare):
        X, target = block_of_kinds(rng, 200), ranked(prepare, rng.integers(0, 9, 200))
        assert_same_bits(score(X, [target], min_observed=0), score(X, [target]))


class TestSeveralTargets:
    @both_targets
    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("n_samples", [2, 9, 64, 300, 1_500])
    def test_each_target__has_the_bits_of_a_call_of_its_own(self, prepare, order, n_samples):
        rng = np.random.default_rng(n_samples)
        targets = [
            ranked(prepare, make(rng, n_samples), 1 + i % min(12, n_samples - 1), 7)
            for i, make in enumerate(KINDS.values())
        ]
        X = np.asarray(block_of_kinds(rng, n_samples), order=order)
        p = X.shape[1]
        gaps = X.copy(order="K")
        gaps[:, ::3] = np.where(rng.random(gaps[:, ::3].shape) < 0.1, np.nan, gaps[:, ::3])
        for block, least in ((X, None), (gaps, n_samples // 2)):
            for discrete in (False, True, np.arange(p) % 2 == 0):
                together = score(block, targets, discrete=discrete, min_observed=least)
                for t, target in enumerate(targets):
                    alone = score(block, [target], discrete=discrete, min_observed=least)
                    np.testing.assert_array_equal(together.scores[t], alone.scores[0])
                    np.testing.assert_array_equal(together.n_observed, alone.n_observed)
                    if alone.rho is not None:
                        np.testing.assert_array_equal(together.rho[t], alone.rho[0])

    @both_targets
    def test_targets_of_other_marginals__raise(self, rng, prepare):
        y = np.arange(30) % 4
        for pair in ((prepare(y), ranked(prepare, y)), (ranked(prepare, y), prepare(y))):
            with pytest.raises(ValueError, match="targets: of the same"):
                score(rng.normal(size=(30, 2)), pair)


class TestManySamples:
    """About the 16,384 samples up to which ranks lie in 16 bits, and beyond."""

    BORDERS = (16_383, 16_384, 16_385, 32_767, 32_768, 32_769, 65_536)

    @pytest.mark.parametrize("n_neighbors", [3, 11])
    @pytest.mark.parametrize("n_samples", BORDERS)
    def test_pairs__are_the_twin_of_near_ranks(self, n_samples, n_neighbors):
        rng = np.random.default_rng(n_samples)
        y = rng.normal(size=n_samples)
        X = np.column_stack([rng.normal(size=n_samples), 50 + (10 * y).round(), -y])
        X[:, 1] += rng.integers(-9, 10, n_samples)
        target = ranked(continuous_target, y, n_neighbors, 4)
        seen = (
            ranks(X, seed=4, columns=range(3)),
            ranks(y[:, np.newaxis], seed=4, columns=adjacent(TARGET_COLUMN, 1)),
        )
        got = score(X, [target])
        for j in range(3):
            x_ranks, y_ranks = seen[0][:, j], seen[1][:, 0]
            expected = kraskov_of_near(x_ranks, y_ranks, n_neighbors, target.digamma)
            assert got.scores[0, j] == expected
            assert abs(got.rho[0, j] - spearman(x_ranks, y_ranks)) < 1e-12

    @pytest.mark.parametrize("n_samples", [2_000, 16_384, 16_385])
    def test_all_others_for_neighbours__are_a_closed_form(self, n_samples):
        # The farthest sample is at an end of one of the axes.
        rng = np.random.default_rng(n_samples)
        x, y = (rng.permutation(n_samples) for _ in range(2))
        target = ranked(continuous_target, y, n_samples - 1)
        last = n_samples - 1
        radius = np.max([x, last - x, y, last - y], axis=0)
        counts = [n_nearer(values, radius, n_samples) for values in (x, y)]
        expected = kraskov_of_counts(*counts, n_samples - 1, target.digamma)
        assert score(x[:, np.newaxis], [target]).scores[0, 0] == expected

    @pytest.mark.parametrize("n_samples", [16_384, 16_385, 65_536])
    def test_one_side_of_classes__is_that_of_the_raw_kernel_within_the_noise(self, n_samples):
        # The raw kernel on ranks: its noise, 1e-10 of a deviation, decides between equal distances.
        rng = np.random.default_rng(n_samples)
        x, labels = rng.normal(size=n_samples), rng.integers(0, 3, n_samples)
        x_ranks = ranks(x[:, np.newaxis], seed=0, columns=[0])
        raw = score(1.0 * x_ranks, [discrete_target(labels)])
        got = score(x[:, np.newaxis], [ranked(discrete_target, labels)])
        assert abs(got.scores - raw.scores).max() < 0.1


def kraskov_of_near(x, y, n_neighbors, table):
    """The twin of many samples: neighbours are looked for among the samples of near ranks."""
    n = len(x)
    y_of_rank = np.empty(n, dtype=np.int64)
    y_of_rank[x] = y
    radius, width = np.zeros(n, dtype=np.int64), 32
    todo = np.arange(n)
    while len(todo):
        offsets = np.r_[-width:0, 1 : width + 1]
        left = []
        for some in np.array_split(todo, 1 + len(todo) * width // 2**20):
            others = some[:, np.newaxis] + offsets
            inside = (others >= 0) & (others < n)
            near_y = np.abs(y_of_rank[others.clip(0, n - 1)] - y_of_rank[some][:, np.newaxis])
            distances = np.where(inside, np.maximum(near_y, np.abs(offsets)), 2 * n)
            found = np.partition(distances, n_neighbors - 1, axis=1)[:, n_neighbors - 1]
            # What is not looked at is farther off than the width.
            radius[some] = found
            left.append(some[found > width])
        todo, width = np.concatenate(left), 4 * width
    of_both = (n_nearer(values, radius, n) for values in (np.arange(n), y_of_rank))
    return kraskov_of_counts(*of_both, n_neighbors, table)


def n_nearer(places, radius, n):
    """Count the ranks that are strictly nearer than a radius, that of the sample included."""
    return np.minimum(places + radius - 1, n - 1) - np.maximum(places - radius + 1, 0) + 1


def random_column(rng, n):
    """Give a column of any kind: quantities, ties, classes, duplicates, a constant."""
    kind = rng.integers(7)
    if kind == 0:
        return rng.normal(size=n) * 10.0 ** rng.integers(-300, 300)
    if kind == 1:
        return rng.integers(0, rng.integers(1, n + 2), n).astype(float)
    if kind == 2:
        return np.full(n, rng.choice([0.0, 0.1, -1e300]))
    if kind == 3:
        return np.resize(rng.normal(size=1 + n // 2), n)[rng.permutation(n)]
    if kind == 4:
        return np.where(rng.random(n) < 0.8, 0.0, rng.exponential(size=n))
    if kind == 5:
        return rng.choice(rng.choice(EXTREMES, 5), n)
    return rng.permutation(n).astype(float)


def random_difference(rng):
    """Say how the kernel differs from the twins in one random case, or None."""
    n = int(rng.choice([2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 25, 33, 40, 70]))
    y = random_column(rng, n)
    columns = [random_column(rng, n) for _ in range(rng.integers(1, 5))]
    # and what depends on the target, either way
    columns.append(np.where(rng.random(n) < rng.random(), y, rng.permutation(y)))
    columns.append(-columns[-1])
    block, least = np.column_stack(columns), None
    if rng.random() < 0.4:
        gaps = rng.random(block.shape) < rng.choice([0.02, 0.3, 0.8])
        block, least = np.where(gaps, np.nan, block), int(rng.integers(0, n + 1))
    of_classes = rng.random() < 0.5
    target = prepare_target(
        y,
        discrete=of_classes,
        n_neighbors=int(rng.integers(1, n)),
        seed=int(rng.integers(0, 2**63)),
        marginals="rank",
    )
    return difference(
        block,
        y,
        target,
        discrete=rng.random(block.shape[1]) < rng.choice([0.0, 0.5, 1.0]),
        first_column=int(rng.integers(0, 2**40)),
        min_observed=least,
    )


def main(n_cases):
    """Try so many random cases; end with 1 where one differs."""
    wrong = 0
    for number in range(n_cases):
        said = random_difference(np.random.default_rng([99, number]))
        if said is not None:
            wrong += 1
            print(f"case {number}: {said}")
    print(f"tried {n_cases}, wrong {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
