"""P-values of any function by permutation: of a column and a target alone, however the work is cut."""

import functools
import threading
import tracemalloc

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats
from scorings import function_scorer, score
from sklearn.feature_selection import (
    chi2,
    f_classif,
    f_regression,
    mutual_info_regression,
    r_regression,
)

from skpar_select import open_matrix
from skpar_select._stopping import Stopped, new_flag, until_stopped
from skpar_select.execution import choose_executor
from skpar_select.matrices import ArrayMatrix, ConcatenatedMatrix
from skpar_select.scoring import fingerprint
from skpar_select.scoring._permuted import PermutedTarget
from skpar_select.significance import N_EXCEEDANCES

N_SAMPLES = 60


def by_column(X, y):
    """Covariances, of each column for itself."""
    y = y - y.mean()
    return np.array([np.ascontiguousarray(X[:, column]) @ y for column in range(X.shape[1])])


def log_pvalues_of(X, y, score_func, n_permutations=99, **options):
    options = {"random_state": 0} | options
    scorer = function_scorer(score_func, y, len(y), n_permutations=n_permutations, **options)
    return scorer(X, range(X.shape[1]))["log_pvalue"]


def claims_little(pvalues):
    """Whether small p are no more frequent than they may be; p above 1/2 are 1, 10/11, 10/12, ..."""
    return stats.kstest(pvalues, "uniform", alternative="greater").pvalue > 0.01


class Counting:
    """Notes how many columns it gets, and what target."""

    def __init__(self, function):
        self.function, self.widths, self.targets = function, [], []

    def __call__(self, X, y):
        self.widths.append(X.shape[1])
        self.targets.append(y)
        return self.function(X, y)


@pytest.fixture
def signal_and_noise():
    """Two columns that tell of y, the second by its square, and 200 that do not."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(N_SAMPLES, 202))
    y = X[:, 0] + 0.2 * rng.normal(size=N_SAMPLES)
    X[:, 1] = -X[:, 0]
    return X, y


class TestPermutedTarget:
    @pytest.mark.parametrize("y", [np.arange(60.0), np.array(["a", "bc"] * 30), np.arange(60)])
    @pytest.mark.parametrize("strata", [None, np.arange(60) % 7])
    def test_permuted__has_the_same_values_of_the_same_type(self, y, strata):
        permuted = PermutedTarget(y, strata, (0, 0))(1)
        assert permuted.dtype == y.dtype
        assert_array_equal(np.sort(permuted), np.sort(y))
        assert (permuted != y).any()

    def test_strata__keep_their_values(self):
        strata = np.random.default_rng(0).integers(0, 5, 60)
        permuted = PermutedTarget(10 * strata + np.arange(60) / 100, strata, (0, 0))
        for number in range(5):
            assert_array_equal(permuted(number) // 10, strata)

    def test_strata__permute_each_to_any_order(self):
        strata = np.array([0, 1, 0, 1, 0, 2])
        permuted = PermutedTarget(np.arange(6), strata, (3, 0))
        orders = np.array([permuted(number) for number in range(6000)])
        _, counts = np.unique(orders, axis=0, return_counts=True)
        assert len(counts) == 6 * 2
        assert stats.chisquare(counts).pvalue > 0.001

    def test_permutations__follow_from_seed_number_and_position(self):
        y = np.arange(50)
        one = PermutedTarget(y, None, (3, 1))
        later = one(9)
        assert_array_equal(PermutedTarget(y, None, (3, 1))(9), later)
        for other, number in (((3, 2), 9), ((4, 1), 9), ((3, 1), 10)):
            assert (PermutedTarget(y, None, other)(number) != later).any()


class TestPvalues:
    @pytest.mark.parametrize("strata", [None, np.arange(N_SAMPLES) % 3])
    def test_pvalues__equal_a_loop_over_columns_and_permutations(self, signal_and_noise, strata):
        X, y = signal_and_noise
        got = log_pvalues_of(X, y, by_column, 99, strata=strata)
        seed = function_scorer(by_column, y, len(y), random_state=0).seed
        permuted = PermutedTarget(y, strata, (seed, 0))
        for column in range(X.shape[1]):
            values, p, n_reached = X[:, [column]], None, 0
            observed = by_column(values, y)
            for number in range(1, 100):
                n_reached += int((by_column(values, permuted(number)) >= observed)[0])
                if n_reached == N_EXCEEDANCES:
                    p = n_reached / number
                    break
            assert_allclose(np.exp(got[column]), p or (n_reached + 1) / 100)

    @pytest.mark.parametrize("function", [f_regression, mutual_info_regression, r_regression])
    def test_signals__have_the_least_p_and_noise_a_large_one(self, signal_and_noise, function):
        X, y = signal_and_noise
        if function is mutual_info_regression:
            X, function = X[:, :30], functools.partial(function, random_state=0)
        pvalues = np.exp(log_pvalues_of(X, y, function, 199))
        # A correlation below 0 is the worst there is: larger is better.
        expected = [0.005, 1.0 if function is r_regression else 0.005]
        assert_allclose(pvalues[:2], expected)
        assert claims_little(pvalues[2:])
        assert np.mean(pvalues[2:] <= 0.5) > 0.4 - 0.2 * (len(pvalues) < 100)

    def test_pvalues__are_near_those_of_theory(self, signal_and_noise):
        X, y = signal_and_noise
        theory = f_regression(X, y)[1]
        got = np.exp(log_pvalues_of(X, y, f_regression, 999))
        inside = theory > 0.02
        # h = 10 gives p to about a third.
        assert np.std(np.log(got / theory)[inside]) < 1.2 / np.sqrt(N_EXCEEDANCES)
        assert abs(np.mean(np.log(got / theory)[inside])) < 0.15

    def test_labels__of_text_are_permuted(self):
        rng = np.random.default_rng(2)
        labels = np.array(["healthy", "ill", "unknown"])[rng.integers(0, 3, 90)]
        X = rng.normal(size=(90, 300))
        X[:, 7] += 2 * (labels == "ill")
        noting = Counting(f_classif)
        pvalues = np.exp(log_pvalues_of(X, labels, noting, 999))
        assert {target.dtype for target in noting.targets} == {labels.dtype}
        assert_allclose(pvalues[7], 0.001)
        assert claims_little(np.delete(pvalues, 7))

    def test_null_columns__cost_tens_of_scores(self):
        rng = np.random.default_rng(3)
        noting = Counting(by_column)
        log_pvalues_of(rng.normal(size=(50, 400)), rng.normal(size=50), noting, 10_000)
        assert noting.widths[:11] == [400] * 11  # the observed scores, and the ten that all take
        assert noting.widths[1:] == sorted(noting.widths[1:], reverse=True)
        # On average h (1 + log(n / h)) = 79 of each; the one in a thousand that runs on costs more.
        assert sum(noting.widths[1:]) / 400 < 140

    def test_columns__of_one_value_have_no_p(self, signal_and_noise):
        X, y = signal_and_noise
        X = X[:, :5].copy()
        X[:, 2] = 7

        def alone(X, y):
            constant = (X[:1] == X).all(axis=0)
            assert noting == [] or not constant.any()
            noting.append(1)
            return np.where(constant, np.nan, by_column(X, y))

        noting = []
        log_pvalues = log_pvalues_of(X, y, alone)
        assert_array_equal(np.isnan(log_pvalues), np.arange(5) == 2)
        assert len(noting) == 100

    def test_functions__with_pvalues_get_those_of_permutation(self, signal_and_noise):
        def with_pvalues(X, y):
            # Some other number, which nobody looks at.
            return by_column(X, y), np.full(X.shape[1], 17.0)

        X, y = signal_and_noise
        assert_array_equal(log_pvalues_of(X, y, with_pvalues), log_pvalues_of(X, y, by_column))

    def test_ties__count_as_reached_whatever_the_rounding(self):
        # Of two-by-two counts the exact p is known; in float32 their F differs by its own size.
        rng = np.random.default_rng(4)
        labels = np.repeat([0, 1], 2500)
        flags = rng.random((5000, 12)) < 0.5
        flags[:, 0] = rng.random(5000) < 0.5 + 0.022 * labels
        exact = []
        for flag in flags.T:
            # F grows with the distance of the count from its mean, which is half.
            far = abs(flag[:2500].sum() - flag.sum() / 2)
            law = stats.hypergeom(5000, flag.sum(), 2500)
            exact.append(law.cdf(flag.sum() / 2 - far) + law.sf(flag.sum() / 2 + far - 1))
        exact = np.minimum(1, exact)
        for X in (0.8 + 0.02 * flags, (0.8 + 0.02 * flags).astype("f4"), 1000 + flags.astype("i4")):
            pvalues = np.exp(log_pvalues_of(np.ascontiguousarray(X), labels, f_classif, 299))
            within = 5 * np.sqrt(exact * exact / N_EXCEEDANCES + exact / 300)
            assert (np.abs(pvalues - exact) < within).all()


class TestStrata:
    def test_batch__that_drives_both_sides_needs_strata(self):
        rng = np.random.default_rng(6)
        batch = rng.integers(0, 4, 200)
        shifts = rng.normal(size=(4, 300))
        X = rng.normal(size=(200, 300)) + 3 * shifts[batch]
        y = rng.normal(size=200) + 3 * batch
        pooled = np.exp(log_pvalues_of(X, y, f_regression, 999))
        within = np.exp(log_pvalues_of(X, y, f_regression, 999, strata=batch))
        assert np.mean(pooled < 0.01) > 0.6
        assert claims_little(within)
        assert np.mean(within <= 0.01) < 0.03

    def test_signal__inside_strata_is_found(self):
        rng = np.random.default_rng(7)
        batch = rng.integers(0, 4, 200)
        X = rng.normal(size=(200, 5)) + 3 * batch[:, np.newaxis]
        y = X[:, 0] - 3 * batch + 0.3 * rng.normal(size=200) + 5 * batch
        within = np.exp(log_pvalues_of(X, y, f_regression, 999, strata=batch))
        assert_allclose(within[0], 0.001)
        assert (within[1:] > 0.001).all()

    def test_strata__of_one_sample_leave_nothing_to_permute(self, signal_and_noise):
        X, y = signal_and_noise
        log_pvalues = log_pvalues_of(X, y, f_regression, strata=np.arange(N_SAMPLES))
        assert_array_equal(log_pvalues, 0.0)

    def test_strata__are_those_of_the_samples_that_have_the_target(self, signal_and_noise):
        X, y = signal_and_noise
        strata = np.random.default_rng(0).integers(0, 3, N_SAMPLES)
        y = np.where(np.arange(N_SAMPLES) % 5 == 2, np.nan, y)
        has = ~np.isnan(y)
        got = log_pvalues_of(X, y, by_column, strata=strata, min_observed=5)
        assert_array_equal(got, log_pvalues_of(X[has], y[has], by_column, strata=strata[has]))


class TestTargets:
    def test_several__have_each_their_permutations(self, signal_and_noise):
        X, y = signal_and_noise
        Y = np.column_stack([y, -y, X[:, 9]])
        got = log_pvalues_of(X, Y, by_column)
        assert got.shape == (X.shape[1], 3)
        assert_array_equal(got[:, 0], log_pvalues_of(X, y, by_column))
        assert_allclose(np.exp(got[[0, 1, 9], [0, 1, 2]]), 0.01)
        # -y has the other tail, were it permuted as y is.
        assert stats.spearmanr(got[:, 0], got[:, 1]).statistic < -0.5

    def test_missing__columns_with_few_values_have_no_p_and_are_not_scored(self, signal_and_noise):
        X, y = signal_and_noise
        X = X[:, :30].copy()
        X[::2, 3] = np.nan
        X[3:, [0, 8]] = np.nan

        def of_observed(X, y):
            assert (np.isfinite(X).sum(axis=0) >= 20).all()
            return [stats.pearsonr(x[x == x], y[x == x]).statistic for x in X.T]

        got = log_pvalues_of(X, y, of_observed, min_observed=20)
        assert_array_equal(np.isnan(got), np.isin(np.arange(30), [0, 8]))
        rest = np.setdiff1d(np.arange(30), [0, 8])
        assert_array_equal(got[rest], log_pvalues_of(X[:, rest], y, of_observed, min_observed=20))

    def test_missing__columns_without_a_value_leave_nothing_to_do(self, signal_and_noise):
        X, y = np.full((N_SAMPLES, 4), np.nan), signal_and_noise[1]
        assert np.isnan(log_pvalues_of(X, y, by_column, min_observed=5)).all()


class TestParity:
    @pytest.mark.parametrize("n_jobs", [1, 2])
    @pytest.mark.parametrize("width", [1, 7, 40])
    @pytest.mark.parametrize("lazy", [False, True])
    @pytest.mark.parametrize("function", [by_column, f_regression])
    def test_pvalues__do_not_depend_on_blocks_and_workers(
        self, signal_and_noise, write_h5, n_jobs, width, lazy, function
    ):
        X, y = signal_and_noise
        X = np.round(X[:, :40], 1)
        expected = log_pvalues_of(X, y, function, 99)
        starts = range(0, 40, width)
        parts = [
            open_matrix(write_h5(X[:, start : start + width], file=f"{start}.h5"), "data")
            if lazy
            else ArrayMatrix(X[:, start : start + width])
            for start in starts
        ]
        _, got = score(
            ConcatenatedMatrix(parts, "X", "parts"),
            y,
            score_func=function,
            n_jobs=n_jobs,
            n_permutations=99,
            random_state=0,
        )
        assert_array_equal(got, expected)

    def test_processes__draw_the_same(self, signal_and_noise):
        X, y = signal_and_noise
        options = {"score_func": f_regression, "n_permutations": 99, "random_state": 0}
        _, got = score(X, y, executor=choose_executor(2, prefer="processes"), **options)
        assert_array_equal(got, log_pvalues_of(X, y, f_regression))

    def test_sparse__blocks_stay_sparse_and_give_the_same(self):
        rng = np.random.default_rng(0)
        X = rng.integers(0, 9, (60, 23)) * rng.integers(0, 2, (60, 23))
        y = np.arange(60) % 3
        formats = []

        def noting(block, y):
            formats.append(block.format)
            return chi2(block, y)

        _, got = score(
            sparse.csr_array(X), y, score_func=noting, n_permutations=199, random_state=0
        )
        assert set(formats) == {"csc"}
        assert_array_equal(got, log_pvalues_of(X, y, chi2, 199))

    @pytest.mark.parametrize("given", ["f2", "f4", ">f4", "f8"])
    def test_blocks__are_in_double_precision(self, signal_and_noise, given):
        X = signal_and_noise[0].astype(given)
        noting = Counting(lambda X, y: dtypes.append(X.dtype) or by_column(X, y))
        dtypes = []
        got = log_pvalues_of(X, signal_and_noise[1], noting)
        assert set(dtypes) == {np.dtype("f8")}
        assert_array_equal(got, log_pvalues_of(X.astype("f8"), signal_and_noise[1], by_column))

    @pytest.mark.parametrize("given", ["i1", "u2", ">i4", "?"])
    def test_blocks__of_whole_numbers_stay_whole(self, signal_and_noise, given):
        X = (signal_and_noise[0] > 0).astype(given)
        dtypes = []
        noting = Counting(lambda X, y: dtypes.append(X.dtype) or by_column(X, y))
        log_pvalues_of(X, signal_and_noise[1], noting)
        assert {dtype.kind for dtype in dtypes} == {X.dtype.kind}


class TestSeed:
    def test_seed__decides(self, signal_and_noise):
        X, y = signal_and_noise
        same = [log_pvalues_of(X, y, by_column, random_state=7) for _ in range(2)]
        assert_array_equal(*same)
        assert (log_pvalues_of(X, y, by_column, random_state=8) != same[0]).any()

    def test_generator__is_drawn_from_once_and_only_if_needed(self, signal_and_noise):
        generator = np.random.RandomState(0)
        y = signal_and_noise[1]
        function_scorer(by_column, y, N_SAMPLES, random_state=generator).prepare()
        permuting = function_scorer(
            by_column, y, N_SAMPLES, random_state=generator, n_permutations=9
        )
        permuting.prepare()
        assert permuting.seed == np.random.RandomState(0).randint(np.iinfo(np.int32).max)

    def test_fingerprint__tells_what_p_follows_from(self, signal_and_noise):
        X, y = signal_and_noise
        strata = np.arange(N_SAMPLES) % 3

        def key(**options):
            options = {"n_permutations": 99, "random_state": 0} | options
            scorer = function_scorer(f_regression, y, N_SAMPLES, **options)
            return fingerprint(ArrayMatrix(X), scorer).key

        others = [
            key(n_permutations=98),
            key(random_state=1),
            key(strata=strata),
            key(strata=strata % 2),
            key(n_permutations=0),
        ]
        assert len({key(), *others}) == 6
        assert key() == key()
        # Nothing is permuted: neither counts.
        assert key(n_permutations=0) == key(n_permutations=0, random_state=1, strata=strata)


class TestStopping:
    def test_flag__ends_between_permutations(self, signal_and_noise):
        flag, calls = new_flag(), []

        def until_the_fifth(X, y):
            calls.append(threading.current_thread())
            flag[0] = len(calls) == 5
            return by_column(X, y)

        with pytest.raises(Stopped):
            until_stopped(
                flag,
                lambda X: log_pvalues_of(X, signal_and_noise[1], until_the_fifth),
                signal_and_noise[0],
            )
        assert len(calls) == 5


class TestMemory:
    @pytest.mark.parametrize("dtype", ["f4", "f8"])
    def test_needs__cover_what_permutations_take(self, dtype):
        rng = np.random.default_rng(0)
        X, y = rng.normal(size=(2000, 500)).astype(dtype), rng.normal(size=2000)
        strata = np.arange(2000) % 3
        scorer = function_scorer(
            f_regression, y, 2000, n_permutations=30, strata=strata, random_state=0
        )
        needs = scorer.needs(2000, X.dtype)
        tracemalloc.start()
        try:
            scorer(X, range(500))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak <= needs.value_bytes * X.size + needs.worker_bytes + needs.shared_bytes


class TestPvaluesOfFunctions:
    def test_logarithms__are_finite_and_of_no_test_nan(self):
        given = np.array([0.0, 1e-320, 1e-20, 0.5, 1.0, 1 + 1e-12, np.nan])
        y = np.arange(9.0)
        scorer = function_scorer(lambda X, y: (given, given), y, 9)
        log_pvalues = scorer(np.zeros((9, 7)), range(7))["log_pvalue"]
        expected = [-744.44007, np.log(1e-320), np.log(1e-20), np.log(0.5), 0, 0, np.nan]
        assert_allclose(log_pvalues, expected, rtol=1e-7)

    @pytest.mark.parametrize("wrong", [-0.1, 1.001, np.inf, 40.0])
    def test_numbers__that_are_no_pvalues_are_refused(self, wrong):
        def scores_and_others(X, y):
            return np.zeros(2), np.array([0.3, wrong])

        scorer = function_scorer(scores_and_others, np.arange(9.0), 9)
        with pytest.raises(ValueError, match=f"scores_and_others returned the p-value {wrong}, ex"):
            scorer(np.zeros((9, 2)), range(2))
