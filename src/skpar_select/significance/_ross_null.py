"""Ross's estimate in rank space when nothing is there, by the sizes of the classes."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from skpar_select._typing import Array
from skpar_select.significance._moments import Moments
from skpar_select.significance._ross_mean import mean_of_class
from skpar_select.significance._ross_spread import Sizes, spread


def ross_moments(class_counts: Array | Sequence[Array], n_neighbors: int) -> Moments:
    """Return the moments of the estimate of classes and an independent column, for each case.

    Parameters
    ----------
    class_counts : (n_cases, n_classes), or n_cases arrays of (n_classes,)
        The samples of each class. There may be zeros, and the order of classes does not matter. Samples that
        are alone in their class are not scored, but keep their ranks.
    n_neighbors : int

    Returns
    -------
    moments : Moments
        Of shape (n_cases,). All 0 where fewer than two classes have two samples: there is nothing to score.
    """
    moments = np.zeros((len(class_counts), len(Moments._fields)))
    previous = None
    for row, counts in zip(moments, class_counts, strict=True):
        # Often all columns have the samples of one target.
        if previous is None or not np.array_equal(counts, previous):
            previous, found = counts, _moments_of(_sizes(counts), n_neighbors)
        row[:] = found
    return Moments(*moments.T)


def _sizes(counts: Array) -> Sizes:
    distinct, n_alike = np.unique(counts, return_counts=True)
    n_lone = int(n_alike[distinct == 1].sum())
    repeated = distinct > 1
    descending = [tuple(of[repeated][::-1].tolist()) for of in (distinct, n_alike)]
    return Sizes(descending[0], descending[1], n_lone)


@lru_cache(maxsize=10_000)
def _moments_of(sizes: Sizes, n_neighbors: int) -> tuple[float, float, float, float]:
    """Return the four cumulants."""
    if sizes.n_classes < 2:
        return 0.0, 0.0, 0.0, 0.0
    n = sizes.n_samples
    mean = sum(
        alike * size / n * mean_of_class(size, n, n_neighbors, sizes.n_lone)
        for size, alike in zip(sizes.distinct, sizes.n_alike, strict=True)
    )
    return mean, *spread(sizes, n_neighbors)
