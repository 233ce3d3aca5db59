"""Ross's estimate in rank space when nothing is there, by the sizes of the classes."""

from functools import lru_cache

import numpy as np

from skpar_select._typing import Array
from skpar_select.significance._moments import Moments
from skpar_select.significance._ross_mean import mean_of_class
from skpar_select.significance._ross_spread import spread


def ross_moments(class_counts: Array, n_neighbors: int) -> Moments:
    """Return the moments of the estimate of classes and an independent column, for each row of sizes.

    Parameters
    ----------
    class_counts : (n_cases, n_classes)
        The samples of each class. Rows may hold zeros, and the order of classes does not matter. Samples
        that are alone in their class are not scored, and are left out here, too.
    n_neighbors : int

    Returns
    -------
    moments : Moments
        Of shape (n_cases,). All 0 where fewer than two classes have two samples: it always scores the same.
    """
    counts = np.asarray(class_counts, dtype=np.int64)
    counts = np.sort(np.where(counts > 1, counts, 0), axis=1)[:, ::-1]
    distinct, case_of = np.unique(counts, axis=0, return_inverse=True)
    case_of = case_of.reshape(-1)
    moments = [_moments_of(tuple(row[row > 0].tolist()), n_neighbors) for row in distinct]
    return Moments(*np.array(moments).reshape(-1, 4).T[:, case_of])


@lru_cache(maxsize=100_000)
def _moments_of(counts: tuple[int, ...], n_neighbors: int) -> tuple[float, float, float, float]:
    """Return the four cumulants of classes of two or more members, largest first."""
    if len(counts) < 2:
        return 0.0, 0.0, 0.0, 0.0
    n = sum(counts)
    mean = sum(count / n * mean_of_class(count, n, n_neighbors) for count in counts)
    return mean, *spread(np.array(counts), n_neighbors)
