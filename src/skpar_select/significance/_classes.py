"""Two sides of classes: chi-squared where the table is full, random tables where it is thin."""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from scipy.special import gammaln, logsumexp, xlogy
from scipy.stats import random_table

from skpar_select._typing import Array, FloatArray
from skpar_select.significance._tails import log_upper_chi2

Margins: TypeAlias = tuple[Array, Array]
"""How many samples each class of the column has, and each of the target."""

LEAST_EXPECTED = 5.0
"""Where a cell expects fewer samples, tables are drawn: W. G. Cochran 1954, doi:10.2307/3001616."""

MOST_COUNTED = 500
"""All tables of two classes by two are counted where the rarest class has no more samples: in 0.1 ms. With
10 expected in each cell, chi-squared makes of 1.7e-8 a p-value of 2.4e-9."""

MOST_CORRECTED = 0.01
"""By how many deviations Williams' correction may be too little: what is left is some 6 times this."""

MOST_DRAWS = 99_999
ENOUGH_EXCEEDANCES = 20

# Of the tables that are drawn at a time: 8 MB each of three arrays.
_MOST_CELLS = 2**20


def log_pvalues_of_classes(
    scores: FloatArray,
    margins: Sequence[Sequence[Margins]],
    *,
    columns: Sequence[int] | Array,
    seed: int,
) -> FloatArray:
    """Return the logarithms of p-values of discrete columns with a target of classes.

    Twice the samples times the mutual information is the likelihood ratio G of independence, summed
    over strata, and follows chi-squared, once divided by Williams' correction. Where a cell of any stratum
    expects fewer than 5 samples, or the cells are so many that the correction is not enough, tables are
    drawn with the margins that were observed, one stratum independent of the others, until 20 are as extreme
    as the observed one, at most 99,999: p is 20 over the draws so far, or (1 + extreme)
    over 100,000 (J. Besag and P. Clifford 1991, doi:10.1093/biomet/78.2.301). It is never too small,
    whatever the margins; and not below 1e-5. Of two classes on either side, one of which has 500 samples or
    fewer, all tables are counted instead.

    Parameters
    ----------
    scores : (n_strata, width)
        The plug-in estimates in nats. NaN: the column has no score in this stratum.
    margins : (n_strata, width) pairs
        Of the samples that each score rests on: the sizes of the classes of the column, and of the
        target. They may hold zeros. Where there is no score they are not looked at.
    columns : (width,)
        The indices in the whole matrix: a p-value depends on the seed and on this.
    seed : int
        At least 0.

    Returns
    -------
    log_p : (width,)
        NaN where no stratum has a score; 0 where no stratum has two classes on either side.
    """
    width = scores.shape[1]
    statistics, degrees, excess = np.zeros((3, width))
    thin, full = np.zeros((2, width), dtype=bool)
    varied: list[list[Margins]] = [[] for _ in range(width)]
    for of_stratum, pairs in zip(scores, margins, strict=True):
        for column in np.flatnonzero(~np.isnan(of_stratum)).tolist():
            rows, others = (_filled(counts) for counts in pairs[column])
            n_samples = rows.sum()
            if len(rows) < 2 or len(others) < 2:
                continue
            statistics[column] += n_samples * of_stratum[column]
            of_table = (len(rows) - 1) * (len(others) - 1)
            degrees[column] += of_table
            excess[column] += of_table * _williams(rows, others)
            thin[column] |= rows.min() * others.min() < LEAST_EXPECTED * n_samples
            varied[column].append((rows, others))
    excess /= np.maximum(degrees, 1.0)
    thin |= np.sqrt(degrees / 2.0) * excess**2 > MOST_CORRECTED
    log_p = np.zeros(width)
    for column, of_column in enumerate(varied):
        least = statistics[column] - _rounding(of_column)
        if degrees[column] == 1 and min(map(np.min, of_column[0])) <= MOST_COUNTED:
            log_p[column] = _log_p_of_two_by_two(least, *of_column[0])
        elif thin[column]:
            rng = np.random.default_rng([seed, int(columns[column])])
            log_p[column] = np.log(_p_of_random_tables(least, of_column, rng))
        elif degrees[column] > 0:
            full[column] = True
    log_p[full] = log_upper_chi2(2.0 * statistics[full] / (1.0 + excess[full]), degrees[full])
    return np.where(np.isnan(scores).all(axis=0), np.nan, log_p)


def _filled(counts: Array) -> Array:
    counts = np.asarray(counts, dtype=np.int64)
    return counts[counts > 0]


def _williams(rows: Array, others: Array) -> float:
    """Return by how much of itself G is larger than chi-squared, for large tables.

    D. A. Williams 1976, doi:10.1093/biomet/63.1.33. Without it 0.4 % of 10 x 10 tables of 500 samples are below
    p = 0.001, and 29 % of 100 x 100 tables of 60,000.
    """
    n_samples, cells = rows.sum(), (len(rows) - 1) * (len(others) - 1)
    return float(
        ((n_samples / rows).sum() - 1.0)
        * ((n_samples / others).sum() - 1.0)
        / (6.0 * n_samples * cells)
    )


def _rounding(margins: Sequence[Margins]) -> float:
    """Return by how much the statistics of equal tables may differ: they are sums as large as these."""
    return float(1e-12 * sum(1.0 + xlogy(rows.sum(), rows.sum()) for rows, _ in margins))


def _log_p_of_two_by_two(least: float, rows: Array, others: Array) -> float:
    """Return the exact one: the tables with these margins are as many as the rarest class has members."""
    n, row, other = rows.sum(), rows[0], others[0]
    first = np.arange(max(0, row + other - n), min(row, other) + 1.0)
    cells = np.array([first, row - first, other - first, n - row - other + first])
    statistics = xlogy(cells, cells).sum(axis=0) + _of_margins(rows, others)
    log_chances = -gammaln(cells + 1.0).sum(axis=0)
    extreme = statistics >= least
    return float(logsumexp(log_chances[extreme]) - logsumexp(log_chances))


def _p_of_random_tables(
    least: float, margins: Sequence[Margins], rng: np.random.Generator
) -> float:
    """Return the p-value of a sum over strata of samples times information, by random tables."""
    if all(rows.max() == 1 or others.max() == 1 for rows, others in margins):
        return 1.0  # All tables are alike.
    tables = [random_table(rows, others) for rows, others in margins]
    constants = [_of_margins(rows, others) for rows, others in margins]
    n_drawn = n_extreme = 0
    largest = max(1, _MOST_CELLS // max(len(rows) * len(others) for rows, others in margins))
    batch = 3 * ENOUGH_EXCEEDANCES
    while n_drawn < MOST_DRAWS:
        batch = min(batch, largest, MOST_DRAWS - n_drawn)
        drawn = np.zeros(batch)
        for table, constant in zip(tables, constants, strict=True):
            cells = table.rvs(size=batch, random_state=rng).astype(np.float64)
            drawn += xlogy(cells, cells).sum(axis=(1, 2)) + constant
        extreme = np.flatnonzero(drawn >= least)
        if n_extreme + len(extreme) >= ENOUGH_EXCEEDANCES:
            last = extreme[ENOUGH_EXCEEDANCES - n_extreme - 1]
            return ENOUGH_EXCEEDANCES / float(n_drawn + last + 1)
        n_extreme += len(extreme)
        n_drawn += batch
        batch *= 3
    return (1.0 + n_extreme) / (1.0 + n_drawn)


def _of_margins(rows: Array, others: Array) -> float:
    """Return what samples times information has besides the sum over cells."""
    n_samples = rows.sum()
    within = xlogy(rows, rows).sum() + xlogy(others, others).sum()
    return float(xlogy(n_samples, n_samples) - within)
