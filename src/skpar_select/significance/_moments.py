"""Moments of a statistic when nothing is there, and those of a weighted sum over strata."""

from typing import NamedTuple

import numpy as np

from skpar_select._typing import FloatArray


class Moments(NamedTuple):
    """Mean, variance and third central moment, and the fourth cumulant, of arrays that broadcast together.

    All are cumulants: those of a sum of independent terms are the sums of theirs. A fourth of None is
    that of a gamma with the others.
    """

    mean: FloatArray
    variance: FloatArray
    third: FloatArray
    fourth: FloatArray | None = None


def fourth_of_gamma(variance: FloatArray, third: FloatArray) -> FloatArray:
    """Return the fourth cumulant of a gamma with this variance and third cumulant."""
    return np.asarray(1.5 * third**2 / np.where(variance > 0, variance, 1.0))


def shares_of_strata(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return which part each stratum has in the mean of its values, (n_strata, ...), by weights.

    A stratum without a value, NaN, has none. NaN where no stratum has one.
    """
    weights = np.where(np.isnan(values), 0.0, weights)
    total = _in_order(weights)
    return np.asarray(weights / np.where(total > 0, total, np.nan))


def mean_over_strata(values: FloatArray, shares: FloatArray) -> FloatArray:
    """Return the mean of values, (n_strata, ...), by their shares; NaN where no stratum has a value."""
    return _in_order(np.where(shares == 0, 0.0, shares * values))


def moments_over_strata(scores: FloatArray, shares: FloatArray, moments: Moments) -> Moments:
    """Return the moments of the mean of scores when nothing is there, from those in each stratum.

    What scores exactly 0 is constant in that stratum: so it does whatever the order. And where the variance is
    0 nothing can be told, whatever is scored, as of a class with one sample outside of it, by whose
    neighbours 0.1 nats are scored: so much is expected there.
    """
    varying = np.where(scores == 0.0, 0.0, shares)
    mean, variance, third, fourth = moments
    mean = np.where(variance == 0.0, scores, mean)
    if fourth is None:
        fourth = fourth_of_gamma(variance, third)
    return Moments(
        mean_over_strata(mean, varying),
        mean_over_strata(variance, varying**2),
        mean_over_strata(third, varying**3),
        mean_over_strata(fourth, varying**4),
    )


def _in_order(terms: FloatArray) -> FloatArray:
    """Return the sum over the first axis, one term after the other.

    Of a single column NumPy's own sum takes eight at a time, which rounds otherwise than beside others.
    """
    return np.asarray(sum(terms[1:], start=terms[0]))
