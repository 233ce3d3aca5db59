"""Kraskov's estimate in rank space when nothing is there, from a table."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skpar_select._typing import Array, FloatArray
from skpar_select.significance._moments import Moments, fourth_of_gamma

MOST_NEIGHBORS = 64


class _Table(NamedTuple):
    log_n_samples: FloatArray  # (n_nodes,)
    scaled: FloatArray  # (4, MOST_NEIGHBORS, n_nodes)


@cache
def _table() -> _Table:
    with np.load(Path(__file__).with_name("kraskov_null.npz"), allow_pickle=False) as stored:
        scaled = stored["scaled"].astype(np.float64)
        scaled.flags.writeable = False
        return _Table(np.log(stored["n_samples"]), scaled)


def kraskov_moments(n_samples: Array, n_neighbors: int) -> Moments:
    """Return the moments of the estimate of two independent columns, for each number of samples.

    Ties broken at random make the ranks of a column a random permutation, given those of the target,
    whatever the values are, so that all columns have one null, which depends on the numbers of samples
    and neighbours alone. Its mean is not 0: whole ranks are tied in distance, and what is strictly nearer
    is counted, which adds about 0.9/sqrt(n) nats with 3 neighbours.

    The table holds, of each number of neighbours up to 64, the mean and the skewness times sqrt(n), the
    variance times n, and n times what the kurtosis has beyond a gamma's, which vary slowly: between its
    sizes it is interpolated in log n, and beyond a million they stay. benchmarks/tabulate_null.py made it.

    With 3 and with 10 neighbours of 300 samples predicted over true p is 1.00 and 0.98 at 1e-3, 1.02 and
    0.99 at 1e-4, 1.05 and 1.03 at 1e-5 (ten million draws: +-0.03 at 1e-4, +-0.10 at 1e-5); below 1e-6 it is
    extrapolated. Where a tenth of the samples or more are neighbours it is within 0.8 and 1.2 at 1e-3, as of
    10 and 30 neighbours of 100 samples (0.88 and 0.84, +-0.05).

    NaN where the samples are not more than the neighbours.
    """
    if not 1 <= n_neighbors <= MOST_NEIGHBORS:
        raise ValueError(
            f"n_neighbors={n_neighbors} has no tabulated null. p-values are known of 1 to "
            f"{MOST_NEIGHBORS} neighbours. Give test_neighbors between them, or 'auto'."
        )
    table = _table()
    n = np.asarray(n_samples, dtype=np.float64)
    enough = n > n_neighbors
    log_n = np.log(np.where(enough, n, n_neighbors + 1.0))
    rows = table.scaled[:, n_neighbors - 1]
    known = ~np.isnan(rows[0])
    mean, variance, skewness, excess = (
        np.where(enough, np.interp(log_n, table.log_n_samples[known], row[known]), np.nan)
        for row in rows
    )
    variance = variance / n
    third = skewness / np.sqrt(n) * variance**1.5
    fourth = fourth_of_gamma(variance, third) + excess / n * variance**2
    return Moments(mean / np.sqrt(n), variance, third, fourth)
