"""The probability of a statistic as large as the observed one, in natural logarithms.

Never minus infinity: where a probability is below the least float64, its logarithm is taken of a
continued fraction or of an expansion, so that the strongest columns keep their order.
"""

from typing import Any

import numpy as np
from scipy.special import (
    betainc,
    betaln,
    erfcx,
    gammainc,
    gammaincc,
    gammainccinv,
    gammaincinv,
    gammaln,
    log_ndtr,
    ndtri_exp,
)

from skpar_select._typing import FloatArray
from skpar_select.significance._moments import Moments

# Below, scipy's incomplete gamma and beta functions lose digits, and underflow at 1e-308.
_LEAST_EXACT = 1e-280

# With less, a normal differs by 0.01 in log p at 40 standard deviations, where log p is -804.
_LEAST_SKEWNESS = 1e-6

# A fourth cumulant beyond the gamma's tells where z**3 > 3 z, and nothing where it is as small as this.
_LEAST_EXCESS, _ROOT = 1e-7, 3.0**0.5
_LOG_P_OF_ROOT = float(log_ndtr(-_ROOT))

# Cornish and Fisher's term is for small cumulants: of skewnesses of 0.6, 0.8 and 1.2 the shift that Kraskov's
# estimate needs at p = 1e-3 is 0.56, 0.59 and 0.44 of it.
_DAMPING = 1.5

# From this shape on the uniform expansion is right to 1e-7, and before it few terms of the others do.
_LARGE_SHAPE = 2000.0

# Beyond, scipy's left tail is wrong: at 1e10 by 2 in log p at 35 standard deviations.
_LARGEST_OF_SCIPY = 1e7


def log_upper_tail(scores: FloatArray, moments: Moments) -> FloatArray:
    """Return log P(score >= observed) of a Pearson III, a shifted gamma, with these moments.

    A score of nearest neighbours is a mean of local terms, nearly normal with a skewness of about
    1/sqrt(n), and a gamma follows its tail as far as ten million draws can see. Where a fourth cumulant
    beyond the gamma's is known, the distance from the mean is first brought back to that of the gamma,
    by the term of Cornish and Fisher: with 10 neighbours of 100 samples, p is 1.3 times as large at 1e-4.
    Less than the gamma's changes nothing, so that p is rather too large.

    Where the skewness is negative, a Pearson III ends at a point that the statistic may pass: no
    probability is taken below the square of the normal's. Where the variance is 0, nothing is told:
    p = 1. NaN stays NaN.
    """
    mean, variance, third, fourth = moments
    if fourth is None:
        fourth = np.zeros(())
    arrays = np.broadcast_arrays(scores, mean, variance, third, fourth)
    observed, mean, variance, third, fourth = (np.asarray(one, dtype=np.float64) for one in arrays)
    varies = variance > 0
    sd = np.sqrt(np.where(varies, variance, 1.0))
    distance = np.atleast_1d((observed - mean) / sd)
    skewness = np.atleast_1d(np.where(varies, third, 0.0) / sd**3)
    beyond_gamma = np.atleast_1d(np.where(varies, fourth, 0.0) / sd**4 - 1.5 * skewness**2)
    log_p = _log_upper(distance, skewness)
    heavy = (beyond_gamma > _LEAST_EXCESS) & (skewness >= 0) & (log_p < _LOG_P_OF_ROOT)
    if heavy.any():
        damped = beyond_gamma[heavy] / (1.0 + _DAMPING * skewness[heavy])
        nearer = _as_of_gamma(distance[heavy], skewness[heavy], damped)
        log_p[heavy] = _log_upper(nearer, skewness[heavy])
    log_p = log_p.reshape(observed.shape)
    unknown = np.isnan(observed) | np.isnan(variance)
    return np.where(unknown, np.nan, np.where(varies, np.minimum(log_p, 0.0), 0.0))


def _log_upper(distance: FloatArray, skewness: FloatArray) -> FloatArray:
    """Return log P(Z >= distance) of a standardised Pearson III."""
    log_p = np.array(log_ndtr(-distance))
    to_right = skewness > _LEAST_SKEWNESS
    log_p[to_right] = _log_upper_gamma(distance[to_right], skewness[to_right])
    to_left = skewness < -_LEAST_SKEWNESS
    if to_left.any():
        of_gamma = _log_lower_gamma(-distance[to_left], -skewness[to_left])
        log_p[to_left] = np.maximum(of_gamma, 2.0 * log_p[to_left])
    return log_p


def _as_of_gamma(distance: FloatArray, skewness: FloatArray, beyond: FloatArray) -> FloatArray:
    """Return the distances in a gamma that are as rare as these with a larger fourth cumulant.

    With z the deviation of a normal that is as rare, distance = nearer + beyond / 24 (z**3 - 3 z): the
    inverse, by secants, of which five to eight are enough.
    """

    def excess(nearer: FloatArray) -> FloatArray:
        z = np.maximum(-ndtri_exp(_log_upper(nearer, skewness)), _ROOT)
        return np.asarray(nearer + beyond / 24.0 * (z**3 - 3.0 * z) - distance)

    before, of_before = distance, excess(distance)
    nearer = np.maximum(distance - of_before, distance / 2)
    goes_on = np.ones(distance.shape, dtype=bool)
    for _ in range(30):
        of_nearer = excess(nearer)
        # Each ends by itself: a p-value does not depend on what stands beside it.
        goes_on &= (np.abs(of_nearer) > 1e-12 * distance) & (nearer != before)
        if not goes_on.any():
            break
        # It grows by at least as much as `nearer`.
        step = np.where(goes_on, nearer - before, 1.0)
        slope = np.maximum((of_nearer - of_before) / step, 1.0)
        following = np.clip(nearer - of_nearer / slope, 0.0, distance)
        before, of_before = nearer, of_nearer
        nearer = np.where(goes_on, following, nearer)
    return nearer


def upper_quantile(log_p: float, moments: Moments) -> FloatArray:
    """Return the statistic that is reached with a probability exp(`log_p`), as :func:`log_upper_tail` has it.

    NaN stays NaN; a variance of 0 gives the mean.
    """
    mean, variance, third, fourth = (np.asarray(one, np.float64) for one in moments)
    varies = variance > 0
    sd = np.sqrt(np.where(varies, variance, 1.0))
    skewness = np.where(varies, third, 0.0) / sd**3
    beyond_gamma = np.where(varies, fourth, 0.0) / sd**4 - 1.5 * skewness**2
    shape = 4.0 / np.maximum(np.abs(skewness), _LEAST_SKEWNESS) ** 2
    p, z = np.exp(log_p), -ndtri_exp(log_p)
    gamma = np.where(skewness < 0, shape - gammaincinv(shape, p), gammainccinv(shape, p) - shape)
    distance = np.where(np.abs(skewness) > _LEAST_SKEWNESS, gamma / np.sqrt(shape), z)
    if z > _ROOT:
        damped = np.maximum(beyond_gamma, 0.0) / (1.0 + _DAMPING * np.maximum(skewness, 0.0))
        distance = distance + np.where(skewness < 0, 0.0, damped) / 24.0 * (z**3 - 3.0 * z)
    return np.asarray(mean + np.where(varies, sd * distance, 0.0))


def log_pvalues_of_rho(rho: FloatArray, variance: FloatArray | float) -> FloatArray:
    """Return the logarithms of two-sided p-values of rank correlations.

    Under a random permutation of n samples rho has mean 0 and variance 1/(n - 1); a symmetric beta
    with this variance (Pearson II) is the same as Student's t with n - 2 degrees of freedom. A mean
    over strata has another variance, of 1 + 1/variance samples. No p-value is below 2/n!, which is
    that of a perfect order. Where the variance is 0, p = 1. NaN stays NaN.
    """
    rho, variance = np.broadcast_arrays(np.asarray(rho, dtype=np.float64), variance)
    varies = variance > 0
    n_samples = 1.0 + 1.0 / np.where(varies, variance, 1.0)
    half = np.maximum(n_samples / 2 - 1.0, 0.5)
    square = np.minimum(rho**2, 1.0)
    p = betainc(half, 0.5, 1.0 - square)
    with np.errstate(divide="ignore"):
        log_p = np.log(p)
        # I_y(b, 1/2) = y**b sqrt(1 - y) / (b B(b, 1/2)) F(b + 1/2, 1; b + 1; y), and Euler's form of F.
        log_rest = np.log1p(-square)
    rest_over_square = (1.0 - square) / np.maximum(square, 1e-300)
    term = series = np.ones_like(square)
    tiny = p < _LEAST_EXACT
    for m in range(8):
        term = np.where(tiny, -term * (m + 0.5) / (half + 1.0 + m) * rest_over_square, 0.0)
        series = series + term
    log_far = half * log_rest - np.log(half) - betaln(half, 0.5)
    log_far -= 0.5 * np.log(np.maximum(square, 1e-300)) - np.log(np.where(tiny, series, 1.0))
    log_p = np.where(tiny, log_far, log_p)
    log_p = np.maximum(log_p, np.log(2.0) - gammaln(n_samples + 1.0))
    log_p = np.where(varies, np.minimum(log_p, 0.0), 0.0)
    return np.where(np.isnan(rho) | np.isnan(variance), np.nan, log_p)


def log_upper_chi2(values: FloatArray, degrees: FloatArray) -> FloatArray:
    """Return log P(chi-squared >= value) with so many degrees of freedom, one or more."""
    values = np.maximum(values, 0.0)
    p = gammaincc(degrees / 2, values / 2)
    return _where_tiny(p, degrees / 2, values / degrees - 1.0, _log_fraction, sign=1.0)


def _log_upper_gamma(distance: FloatArray, skewness: FloatArray) -> FloatArray:
    """Return log P(Z >= distance) of a standardised gamma."""
    shape = 4.0 / skewness**2
    beyond = distance / np.sqrt(shape)  # x = shape (1 + beyond)
    x = np.maximum(shape + distance * np.sqrt(shape), 0.0)
    p = gammaincc(shape, x)
    return _where_tiny(p, shape, beyond, _log_fraction, sign=1.0)


def _log_lower_gamma(distance: FloatArray, skewness: FloatArray) -> FloatArray:
    """Return log P(Z <= distance) of a standardised gamma; minus infinity below its begin."""
    shape = 4.0 / skewness**2
    beyond = distance / np.sqrt(shape)
    x = np.maximum(shape + distance * np.sqrt(shape), 0.0)
    p = gammainc(shape, x)
    return _where_tiny(p, shape, beyond, _log_series, sign=-1.0)


def _where_tiny(
    p: FloatArray, shape: FloatArray, beyond: FloatArray, few: Any, sign: float
) -> FloatArray:
    """Return log p, taken by an expansion where p is tiny."""
    tiny = (p < _LEAST_EXACT) & (beyond > -1.0)
    tiny |= (shape > _LARGEST_OF_SCIPY) & (np.abs(beyond) * np.sqrt(shape) > 1.0)
    with np.errstate(divide="ignore"):
        log_p = np.asarray(np.log(p))
    large = tiny & (shape >= _LARGE_SHAPE)
    small = tiny & (shape < _LARGE_SHAPE)
    # A call of nothing takes as long as one of a hundred columns.
    if large.any():
        log_p[large] = _log_expansion(shape[large], beyond[large], sign)
    if small.any():
        log_p[small] = few(shape[small], beyond[small])
    return log_p


def _log_density(shape: FloatArray, beyond: FloatArray) -> FloatArray:
    """Return log(x**shape exp(-x) / gamma(shape)) at x = shape (1 + beyond)."""
    x = shape * (1.0 + beyond)
    return np.asarray(shape * np.log(x) - x - gammaln(shape))


def _log_fraction(shape: FloatArray, beyond: FloatArray) -> FloatArray:
    """Return log Q(shape, x) by Legendre's continued fraction, after Lentz: dlmf.nist.gov/8.9#E2."""
    x = shape * (1.0 + beyond)
    b = x + 1.0 - shape
    c, d = np.full_like(x, 1e300), 1.0 / b
    fraction, goes_on = d, np.ones(x.shape, dtype=bool)
    for i in range(1, 400):
        a = -i * (i - shape)
        b = b + 2.0
        d = 1.0 / (a * d + b)
        c = b + a / c
        fraction = np.where(goes_on, fraction * (c * d), fraction)
        goes_on &= np.abs(c * d - 1.0) > 1e-14
        if not goes_on.any():
            break
    return _log_density(shape, beyond) + np.log(fraction)


def _log_series(shape: FloatArray, beyond: FloatArray) -> FloatArray:
    """Return log P(shape, x) by its power series: dlmf.nist.gov/8.7#E1."""
    x = shape * (1.0 + beyond)
    term = series = 1.0 / shape
    for i in range(1, 2000):
        term = term * x / (shape + i)
        # What is added is below the rounding of the sum before it ends.
        series = series + term
        if np.all(term < 1e-17 * series):
            break
    return _log_density(shape, beyond) + np.log(series)


def _log_expansion(shape: FloatArray, beyond: FloatArray, sign: float) -> FloatArray:
    """Return the logarithm of Q (sign 1) or P (sign -1) by Temme's expansion: dlmf.nist.gov/8.12.

    Its first two coefficients; what is left out is of order shape**-2.
    """
    eta = np.sign(beyond) * np.sqrt(2.0 * (beyond - np.log1p(beyond)))
    first = 1.0 / beyond - 1.0 / eta
    second = 1.0 / eta**3 - 1.0 / beyond**3 - 1.0 / beyond**2 - 1.0 / (12.0 * beyond)
    deviation = sign * eta * np.sqrt(shape)
    mills = np.sqrt(np.pi / 2) * erfcx(deviation / np.sqrt(2.0))
    correction = sign * (first + second / shape) / (np.sqrt(shape) * mills)
    return np.asarray(log_ndtr(-deviation) + np.log1p(correction))
