"""Ross's estimate in rank space when nothing is there, by the sizes of the classes."""

import numpy as np

from skpar_select._typing import Array
from skpar_select.significance._moments import Moments
from skpar_select.significance._ross_mean import mean_of_class


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
    moments = [_moments_of(row[row > 0], n_neighbors) for row in distinct]
    mean, variance, third = np.array(moments).reshape(-1, 3).T
    return Moments(mean[case_of], variance[case_of], third[case_of])


def _moments_of(counts: Array, n_neighbors: int) -> tuple[float, float, float]:
    n = int(counts.sum())
    if len(counts) < 2:
        return 0.0, 0.0, 0.0
    mean = sum(c / n * mean_of_class(int(c), n, n_neighbors) for c in counts)
    k = np.minimum(n_neighbors, counts - 1)
    p = counts / n
    variances = counts * (1 - p) ** 2 * 1.8 / k
    thirds = variances**1.5 * 3.0 * np.sqrt(k / 3.0 / counts)
    correlations = -np.sqrt(np.outer(p / (1 - p), p / (1 - p)))
    np.fill_diagonal(correlations, 1.0)
    squares = np.sqrt(variances)[:, None] * correlations
    cubes = np.cbrt(thirds)[:, None] * correlations
    variance = np.trace(squares @ squares) / n**2
    third = np.trace(cubes @ cubes @ cubes) / n**3
    return mean, float(variance), float(third)
