import numpy as np
import pytest
from scipy import stats

from skpar_select.significance import (
    Moments,
    kraskov_moments,
    log_pvalues_of_rho,
    log_upper_tail,
    upper_quantile,
)
from skpar_select.significance._moments import fourth_of_gamma
from skpar_select.significance._tails import (
    _log_expansion,
    _log_fraction,
    _log_series,
    log_upper_chi2,
)

SKEWNESSES = [1.5, 0.3, 0.05, 1e-3, -1e-3, -0.05]


def moments(skewness):
    return Moments(np.array(0.0), np.array(1.0), np.array(skewness))


@pytest.mark.parametrize("skewness", SKEWNESSES)
def test_log_upper_tail__is_pearson_iii_in_the_bulk(skewness):
    distances = np.linspace(-3.0, 8.0, 45)
    expected = stats.pearson3.logsf(distances, skewness)
    np.testing.assert_allclose(log_upper_tail(distances, moments(skewness)), expected, rtol=1e-9)


@pytest.mark.parametrize("skewness", [*SKEWNESSES, 0.0, 1e-8, -1e-8, -0.5])
def test_log_upper_tail__falls_without_end(skewness):
    distances = np.concatenate([np.linspace(-3.0, 60.0, 2000), 10.0 ** np.arange(2, 9)])
    log_p = log_upper_tail(distances, moments(skewness))
    assert np.isfinite(log_p).all()
    assert (log_p <= 0).all()
    assert (np.diff(log_p)[distances[1:] > 0] < 0).all()


def test_log_upper_tail__of_hardly_any_skewness_is_normal():
    distances = np.linspace(-3.0, 50.0, 100)
    expected = stats.norm.logsf(distances)
    for skewness in (0.0, 1e-7, -1e-7):
        log_p = log_upper_tail(distances, moments(skewness))
        np.testing.assert_allclose(log_p, expected, rtol=1e-4)


def test_log_upper_tail__of_shape_one_is_exponential():
    # skewness 2: a gamma of shape 1, an exponential that is shifted by 1
    distances = np.array([0.5, 10.0, 1e3, 1e6])
    np.testing.assert_allclose(
        log_upper_tail(distances, moments(2.0)), -(distances + 1), rtol=1e-12
    )


def test_log_upper_tail__does_not_jump_between_its_formulas():
    # where scipy's function ends, at log p = -644
    for skewness in (1.0, 0.1, 0.04, 1e-3):
        distances = np.linspace(20.0, 60.0, 4001)
        slopes = np.diff(log_upper_tail(distances, moments(skewness)))
        bends = np.diff(slopes)
        assert np.abs(bends).max() < 2e-3
    shape = np.array([2000.0, 5000.0])
    for beyond in (0.8, 2.0):
        beyonds = np.full(2, beyond)
        fraction = _log_fraction(shape, beyonds)
        np.testing.assert_allclose(_log_expansion(shape, beyonds, 1.0), fraction, atol=1e-8)
    series = _log_series(shape, np.full(2, -0.8))
    np.testing.assert_allclose(_log_expansion(shape, np.full(2, -0.8), -1.0), series, atol=1e-8)


def test_log_upper_tail__of_a_larger_fourth_cumulant_is_nearer():
    # the mean of m products of two normals: skewness 0, fourth cumulant 6 / m of unit variance
    m, n_draws = 40, 400_000
    rng = np.random.default_rng(1)
    means = np.zeros(n_draws)
    for _ in range(m):
        means += rng.standard_normal(n_draws) * rng.standard_normal(n_draws)
    scores = np.sort(means / m**0.5)[::-1]
    zero, one = np.zeros(()), np.ones(())
    at = scores[[399, 39]]  # p = 1e-3, 1e-4
    three = np.exp(log_upper_tail(at, Moments(zero, one, zero))) / [1e-3, 1e-4]
    four = np.exp(log_upper_tail(at, Moments(zero, one, zero, np.array(6 / m)))) / [1e-3, 1e-4]
    assert (three < [0.75, 0.5]).all()
    np.testing.assert_allclose(four, 1.0, atol=0.25)


def test_log_upper_tail__of_a_fourth_cumulant_falls_without_end():
    distances = np.concatenate([np.linspace(-3.0, 60.0, 4000), 10.0 ** np.arange(2, 5)])
    for skewness, excess in ((0.0, 0.1), (0.5, 0.2), (0.05, 1e-3), (1.0, 1.0), (0.5, -0.2)):
        fourth = np.array(1.5 * skewness**2 + excess)
        known = Moments(np.array(0.0), np.array(1.0), np.array(skewness), fourth)
        log_p = log_upper_tail(distances, known)
        assert np.isfinite(log_p).all()
        assert (np.diff(log_p)[distances[1:] > 0] < 0).all()
        assert (log_p >= log_upper_tail(distances, moments(skewness))).all()


def test_log_upper_tail__without_variance_tells_nothing():
    log_p = log_upper_tail(np.array([0.0, 5.0, np.nan]), Moments(*np.zeros((3, 3))))
    np.testing.assert_array_equal(log_p, [0.0, 0.0, np.nan])


def test_log_upper_tail__broadcasts_and_keeps_what_is_unknown():
    scores = np.array([[0.1, np.nan], [0.3, 0.2]])
    known = Moments(np.zeros(2), np.array([0.01, 0.01]), np.zeros(2))
    log_p = log_upper_tail(scores, known)
    np.testing.assert_allclose(log_p, stats.norm.logsf(scores / 0.1))
    unknown = Moments(*np.full((3, 2), np.nan))
    assert np.isnan(log_upper_tail(scores, unknown)).all()


@pytest.mark.parametrize("n_samples", [20, 300, 8085, 1_000_000])
def test_log_pvalues_of_rho__are_those_of_student(n_samples):
    t = np.array([0.0, 0.5, 3.0, 8.0, 20.0])
    rho = t / np.sqrt(n_samples - 2 + t**2)
    log_p = log_pvalues_of_rho(rho, 1 / (n_samples - 1))
    expected = np.log(2) + stats.t.logsf(t, n_samples - 2)
    np.testing.assert_allclose(log_p, expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(log_pvalues_of_rho(-rho, 1 / (n_samples - 1)), log_p)


def test_log_pvalues_of_rho__end_at_a_perfect_order():
    variance = np.array([1 / 19, 1 / 299, 1 / 8084])
    perfect = log_pvalues_of_rho(np.ones(3), variance)
    expected = np.log(2) - np.cumsum(np.log(np.arange(1, 8086)))[[19, 299, 8084]]
    np.testing.assert_allclose(perfect, expected, rtol=1e-12)
    assert (log_pvalues_of_rho(-np.ones(3), variance) == perfect).all()


def test_log_pvalues_of_rho__fall_without_a_jump():
    # Student's tail underflows at 0.39 for 4,000 samples.
    log_p = log_pvalues_of_rho(np.linspace(0.3, 0.5, 2001), 1 / 4000)
    bends = np.diff(np.diff(log_p))
    assert (np.diff(log_p) < 0).all()
    assert np.abs(bends - np.median(bends)).max() < 1e-4


def test_log_pvalues_of_rho__without_variance_tell_nothing():
    log_p = log_pvalues_of_rho(np.array([0.0, np.nan]), np.array([0.0, 0.1]))
    np.testing.assert_array_equal(log_p, [0.0, np.nan])


def test_log_upper_chi2__never_ends():
    degrees = np.array([1.0, 2.0, 12.0, 400.0])
    np.testing.assert_allclose(
        log_upper_chi2(2 * degrees, degrees), stats.chi2.logsf(2 * degrees, degrees), rtol=1e-9
    )
    # two degrees: exactly exp(-x / 2)
    values = np.array([0.0, 1e3, 1e6])
    np.testing.assert_allclose(log_upper_chi2(values, np.full(3, 2.0)), -values / 2, rtol=1e-12)


@pytest.mark.parametrize("n_neighbors", [3, 30])
@pytest.mark.parametrize("n_samples", [40, 300, 8_085, 500_000])
def test_log_upper_tail__of_each_score_is_the_same_bits_whatever_stands_beside(
    n_samples, n_neighbors
):
    moments = kraskov_moments(np.full(41, n_samples), n_neighbors)
    scores = moments.mean + np.sqrt(moments.variance) * np.linspace(-6, 200, 41)
    together = log_upper_tail(scores, moments)
    assert np.isfinite(together).all()
    assert (np.diff(together) < 0).all()
    for column in range(41):
        own = Moments(*(values[column : column + 1] for values in moments))
        alone = log_upper_tail(scores[column : column + 1], own)
        assert alone.tobytes() == together[column : column + 1].tobytes()


@pytest.mark.parametrize("third", [0.0, 0.3, 1.0, -0.3])
@pytest.mark.parametrize("fourth", [None, 0.0, 0.9])
@pytest.mark.parametrize("p", [0.3, 1e-3, 1e-8])
def test_upper_quantile__is_where_the_tail_has_this_probability(third, fourth, p):
    variance = np.ones(1)
    four = fourth_of_gamma(variance, np.array([third])) if fourth is None else np.array([fourth])
    moments = Moments(np.array([0.2]), variance, np.array([third]), four)
    quantile = upper_quantile(np.log(p), moments)
    np.testing.assert_allclose(log_upper_tail(quantile, moments), np.log(p), rtol=1e-5)


def test_upper_quantile__of_a_constant_is_its_mean():
    zero = np.zeros(1)
    assert upper_quantile(-3.0, Moments(np.array([0.5]), zero, zero, zero)) == 0.5
