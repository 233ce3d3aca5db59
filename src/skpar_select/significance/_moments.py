"""Moments of a statistic when nothing is there, and those of a weighted sum over strata."""

from typing import NamedTuple

import numpy as np

from skpar_select._typing import BoolArray, FloatArray


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


def weighted_sum(
    scores: FloatArray, weights: FloatArray, moments: Moments
) -> tuple[FloatArray, Moments]:
    """Return each column's weighted mean over strata, and its moments when nothing is there.

    Parameters
    ----------
    scores : (n_strata, width)
        In nats. NaN: the column has no score in this stratum, which then weighs nothing. Exactly 0:
        it is constant there, so that it always scores 0.
    weights : broadcasts with scores
        The samples that a score rests on. They are divided by their sum over the strata that count.
    moments : Moments
        Of the scores in each stratum; they broadcast with the scores.

    Returns
    -------
    scores : (width,)
        NaN where no stratum has a score.
    moments : Moments
        Of shape (width,).
    """
    counts = ~np.isnan(scores)
    weights = np.where(counts, weights, 0.0)
    total = weights.sum(axis=0)
    shares = weights / np.where(total > 0, total, np.nan)
    varies = counts & (scores != 0.0)

    def summed(terms: FloatArray, power: int, where: BoolArray) -> FloatArray:
        weighted = np.where(where, shares**power * np.where(where, terms, 0.0), 0.0 * shares)
        return np.asarray(weighted.sum(axis=0))

    mean, variance, third, fourth = moments
    if fourth is None:
        fourth = fourth_of_gamma(variance, third)
    of_sum = Moments(
        summed(mean, 1, varies),
        summed(variance, 2, varies),
        summed(third, 3, varies),
        summed(fourth, 4, varies),
    )
    return summed(scores, 1, counts), of_sum
