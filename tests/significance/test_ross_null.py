from itertools import permutations

import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from skpar_select.kernels import mutual_information, prepare_target
from skpar_select.significance import log_upper_tail, ross_moments
from skpar_select.significance._ross_draws import draw_scores
from skpar_select.significance._ross_mean import mean_of_class
from skpar_select.significance._ross_spread import _class_alone, _simulated


def naive_score(labels, k):
    """Ross's estimate where the values are the ranks, from its definition."""
    n, total = len(labels), 0.0
    for label in set(labels):
        members = np.flatnonzero(labels == label)
        neighbors = min(k, len(members) - 1)
        for rank in members:
            radius = np.sort(np.abs(members - rank))[neighbors]
            nearer = np.sum(np.abs(np.arange(n) - rank) < radius)
            total += digamma(neighbors) - digamma(len(members)) - digamma(nearer)
    return digamma(n) + total / n


def kernel_scores(counts, k, n_draws, seed):
    target = prepare_target(
        np.repeat(np.arange(float(len(counts))), counts),
        discrete=True,
        n_neighbors=k,
        seed=0,
        marginals="rank",
    )
    block = np.random.default_rng(seed).random((sum(counts), n_draws), dtype=np.float32)
    return mutual_information(
        block, [target], columns=np.arange(n_draws), discrete=np.zeros(n_draws, dtype=bool)
    ).scores[0]


@pytest.mark.parametrize(
    ("counts", "k"),
    [((2, 3), 1), ((3, 4), 2), ((3, 3, 2), 3), ((5, 3), 3), ((4, 4), 1), ((6, 2), 3)],
)
def test_ross_moments__have_the_exact_mean(counts, k):
    n = sum(counts)
    orders = set(permutations(np.repeat(np.arange(len(counts)), counts).tolist()))
    exact = np.mean([naive_score(np.array(order), k) for order in orders])
    assert ross_moments(np.array([counts]), k).mean[0] == pytest.approx(exact, abs=1e-12)
    assert sum(c / n * mean_of_class(c, n, k) for c in counts) == pytest.approx(exact, abs=1e-12)


def test_mean_of_class__does_not_change_where_windows_are_shortened():
    # A twentieth of a standard error of the draws that hold it against the kernel, at most.
    whole, shortened = mean_of_class(30, 30_000, 3), mean_of_class(30, 300_000, 3)
    assert shortened == pytest.approx(whole, abs=1e-3)
    assert mean_of_class(500_000, 1_000_000, 30) == pytest.approx(
        mean_of_class(50_000, 100_000, 30), abs=1e-4
    )


@pytest.mark.parametrize(
    ("counts", "k"), [((60, 40), 3), ((140, 50, 10), 10), ((290, 10), 30), ((2,) * 150, 3)]
)
def test_draw_scores__are_those_of_the_kernel(counts, k):
    drawn = draw_scores(np.array(counts), k, 6000, np.random.default_rng(0))
    drawn += ross_moments(np.array([counts]), k).mean[0] - drawn.mean()
    kernel = kernel_scores(counts, k, 6000, seed=1)
    assert stats.ks_2samp(drawn, kernel).pvalue > 1e-4


@pytest.mark.parametrize(
    ("counts", "k"),
    [((150, 150), 3), ((210, 90), 10), ((285, 15), 3), ((147, 126, 27), 17), ((30,) * 10, 3)],
)
def test_ross_moments__are_those_of_fresh_scores(counts, k):
    scores = kernel_scores(counts, k, 6000, seed=2)
    mean, variance, third, _ = (moment[0] for moment in ross_moments(np.array([counts]), k))
    deviation = scores.std()
    assert mean == pytest.approx(scores.mean(), abs=5 * deviation / 6000**0.5)
    assert variance**0.5 == pytest.approx(deviation, rel=0.03 + 5 / 12000**0.5)
    skewness = stats.skew(scores)
    assert third / variance**1.5 == pytest.approx(skewness, abs=0.1 + 5 * (6 / 6000) ** 0.5)


def test_ross_moments__give_uniform_pvalues():
    scores = kernel_scores((147, 126, 27), 10, 5000, seed=3)
    p = np.exp(log_upper_tail(scores, ross_moments(np.array([[147, 126, 27]]), 10)))
    assert stats.kstest(p, "uniform").pvalue > 1e-4
    assert np.mean(p < 0.01) < 0.01 + 5 * (0.01 / 5000) ** 0.5


def test_ross_moments__do_not_depend_on_order_zeros_or_other_rows():
    counts = np.array([[60, 40, 0], [0, 40, 60], [50, 30, 20]])
    together = ross_moments(counts, 3)
    for moment, alone in zip(together, ross_moments(counts[1:2, 1:], 3), strict=True):
        assert moment[0] == moment[1] == alone[0]
        assert moment.shape == (3,)


@pytest.mark.parametrize(
    ("counts", "n_lone", "k"), [((3, 4), 1, 2), ((3, 4), 2, 1), ((5, 2), 2, 3)]
)
def test_ross_moments__have_the_exact_mean_with_lone_samples(counts, n_lone, k):
    labels = np.repeat([*range(len(counts)), -1], [*counts, n_lone]).tolist()
    exact = np.mean([score_of_kept(np.array(order), k) for order in set(permutations(labels))])
    moments = ross_moments(np.array([counts + (1,) * n_lone]), k)
    assert moments.mean[0] == pytest.approx(exact, abs=1e-12)


def score_of_kept(labels, k):
    """Ross's estimate where the values are the ranks; of labels below 0 no sample counts."""
    kept = np.flatnonzero(labels >= 0)
    n, total = len(kept), 0.0
    for label in set(labels[kept]):
        members = np.flatnonzero(labels == label)
        neighbors = min(k, len(members) - 1)
        for rank in members:
            radius = np.sort(np.abs(members - rank))[neighbors]
            nearer = np.sum(np.abs(kept - rank) < radius)
            total += digamma(neighbors) - digamma(len(members)) - digamma(nearer)
    return digamma(n) + total / n


@pytest.mark.parametrize(("sizes", "n_lone"), [((28, 2), 10), ((250, 2, 2, 2, 2, 2), 40)])
@pytest.mark.parametrize("k", [3, 10])
def test_ross_moments__are_those_of_fresh_scores_with_lone_samples(sizes, n_lone, k):
    # Without the ranks of the lone samples P(p < 0.05) was 0.17 and 0.08, and P(p < 0.01) 0.07 and 0.02.
    counts = sizes + (1,) * n_lone
    scores = kernel_scores(counts, k, 6000, seed=2)
    moments = ross_moments(np.array([counts]), k)
    assert moments.mean[0] == pytest.approx(scores.mean(), abs=5 * scores.std() / 6000**0.5)
    assert moments.variance[0] ** 0.5 == pytest.approx(scores.std(), rel=0.05 + 5 / 12000**0.5)
    p = np.exp(log_upper_tail(scores, moments))
    assert np.mean(p < 0.01) < 0.014 + 5 * (0.01 / 6000) ** 0.5


@pytest.mark.parametrize("k", [3, 10, 30])
@pytest.mark.parametrize(
    "counts",
    [
        (6,) * 50,
        (60,) * 5,
        (120, 60, 30, 15, 10, 10, 10, 8, 7, 6, 5, 5, 4, 4, 3, 3),
        (180, 40, 28, 20, 12, 8, 5, 3, 3, 1),
    ],
)
def test_ross_moments__of_many_classes_are_those_of_fresh_scores(counts, k):
    scores = kernel_scores(counts, k, 6000, seed=4)
    moments = ross_moments(np.array([counts]), k)
    assert moments.variance[0] ** 0.5 == pytest.approx(scores.std(), rel=0.06 + 5 / 12000**0.5)
    p = np.exp(log_upper_tail(scores, moments))
    assert np.mean(p < 0.01) < 0.014 + 5 * (0.01 / 6000) ** 0.5


def test_ross_moments__of_counts_need_few_simulations():
    # Each of these columns had one of its own.
    rng = np.random.default_rng(0)
    columns = [np.bincount(rng.negative_binomial(2, 0.1, 2000)) for _ in range(100)]
    _class_alone.cache_clear()
    _simulated.cache_clear()
    ross_moments(columns, 4)
    assert _class_alone.cache_info().currsize < 40
    assert _simulated.cache_info().currsize == 0


def test_ross_moments__take_rows_of_different_lengths():
    ragged = [np.array([60, 40]), np.array([50, 30, 20]), np.array([100])]
    padded = np.array([[60, 40, 0], [50, 30, 20], [100, 0, 0]])
    np.testing.assert_array_equal(ross_moments(ragged, 3), ross_moments(padded, 3))


def test_ross_moments__of_one_class_are_certain():
    moments = ross_moments(np.array([[50, 0], [50, 1], [1, 1]]), 3)
    np.testing.assert_array_equal(moments, np.zeros((4, 3)))


def test_ross_moments__of_more_samples_than_are_simulated_follow_their_number():
    few, many = (ross_moments(np.array([[n // 2, n // 2]]), 10) for n in (2_000, 200_000))
    assert many.variance[0] * 100 == pytest.approx(few.variance[0], rel=0.02)
    assert 0 < many.third[0] < few.third[0]


def test_ross_moments__of_no_rows_are_empty():
    assert all(moment.shape == (0,) for moment in ross_moments(np.zeros((0, 2), dtype=int), 3))


def test_ross_moments__follow_the_tail_of_a_rare_class():
    # With the fourth cumulant of a gamma p was 8 times too small at 1e-4 here, and 20 times at 1e-5.
    scores = draw_scores(np.array([480, 20]), 22, 30_000, np.random.default_rng(1))
    moments = ross_moments(np.array([[480, 20]]), 22)
    p = np.exp(log_upper_tail(scores - scores.mean() + moments.mean, moments))
    assert np.mean(p < 0.001) < 0.0017
    assert np.mean(p < 0.0001) < 0.0004
