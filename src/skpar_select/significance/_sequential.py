"""P-values by permutation that stop early, by Besag and Clifford.

Besag & Clifford, Sequential Monte Carlo p-values, Biometrika 78 (1991) 301,
doi:10.1093/biomet/78.2.301: draw until `h` permuted scores have reached the observed one; after
`l` draws p = h / l. Where `n` draws come first, of which `g` have reached it, p = (g + 1) / (n + 1).

Under the null hypothesis the observed score and the permuted ones are exchangeable, so that its
rank among any number of them is uniform, and at ties no better. p <= h / l means that fewer than
h of the first l - 1 reached it, so that it is among the h best of l: P(p <= h / l) <= h / l. Of
(g + 1) / (n + 1) the same holds, and of all that p can be.

It is valid at any time: after t draws, of which t - g stayed below, h / (h + t - g) never
rises with t and ends at h / l, so that whoever stops before, for whatever reason, has a p-value, too
(Fischer & Ramdas, arXiv:2401.07365). A column stops by its own count and by nothing else, so that
Benjamini and Hochberg's rule may follow under its usual assumptions; where the stop follows from
other columns, too, see Fischer, Barry & Ramdas, arXiv:2404.15586.
"""

from collections.abc import Callable

import numpy as np

from skpar_select._typing import FloatArray, IndexArray

# A column of which nothing is true draws h (1 + log(n / h)) times on average: 56 times of 999, 79
# of 10,000, 125 of a million; the median is 2 h. The standard error of p is p sqrt((1 - p) / h) or
# less, here 0.32 p: 20 would halve the variance, and cost twice the draws.
N_EXCEEDANCES = 10

# Scores that are equal but for rounding are ties, which count as reached: columns and targets of few
# values have many. Up to 1.4e-8 was seen between equal scores (f_classif in float64, 5,000 samples,
# a mean of 40 standard deviations). Of scores that are no ties, so few are as near that p stays.
TIE = 1e-6


def sequential_log_pvalues(
    observed: FloatArray,
    score_permuted: Callable[[int, IndexArray], FloatArray],
    n_permutations: int,
    *,
    n_exceedances: int = N_EXCEEDANCES,
) -> FloatArray:
    """Return log p of each column, by as many permutations as it takes.

    Parameters
    ----------
    observed : ndarray of float64 of shape (width,)
        The score of each column, larger where there is more. NaN is no score, and has p NaN.
    score_permuted : callable
        ``(number, columns) -> scores`` of shape (len(columns),), of the columns that are drawn for
        yet, in ascending order, by the permutation of that number, from 1 on. Each call has the columns of
        the one before, or fewer. A score that is NaN counts as reaching the observed one.
    n_permutations : int
        The most that are drawn. No p is below 1 / (n_permutations + 1).
    n_exceedances : int, default=10
        A column is done when so many of its scores have reached the observed one: then p is one
        of n_exceedances / l, with a relative standard error of at most 1 / sqrt(n_exceedances).

    Returns
    -------
    ndarray of float64 of shape (width,)
        Natural logarithms: P(p <= a) <= a for each a, if nothing is there.
    """
    log_pvalues = np.full(observed.shape, np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        margin = TIE * np.abs(observed)
        to_reach = np.where(np.isinf(observed), observed, observed - margin)
    n_reached = np.zeros(observed.shape, dtype=np.intp)
    columns = np.flatnonzero(~np.isnan(observed))
    for number in range(1, n_permutations + 1):
        if not len(columns):
            break
        # Not "reached" by >=: of NaN nothing is known, and a p that is too large is no false claim.
        n_reached[columns] += ~(score_permuted(number, columns) < to_reach[columns])
        is_done = n_reached[columns] == n_exceedances
        log_pvalues[columns[is_done]] = np.log(n_exceedances / number)
        columns = columns[~is_done]
    log_pvalues[columns] = np.log((n_reached[columns] + 1) / (n_permutations + 1))
    return log_pvalues
