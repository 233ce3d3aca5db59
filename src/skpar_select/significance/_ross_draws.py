"""Ross's estimate of random orders of the classes, drawn and scored many at a time."""

import numpy as np
from scipy.special import digamma

from skpar_select._typing import Array, FloatArray

# Of so many ranks at a time, whose 4 bytes stay in a cache of 1 MB.
_RANKS_IN_BATCH = 100_000


def draw_scores(
    class_counts: Array, n_neighbors: int, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """Return scores in rank space, up to a constant, of at least so many random orders.

    Classes have two members or more.
    """
    counts = np.sort(np.asarray(class_counts))
    n = int(counts.sum())
    digammas = digamma(np.arange(n + 1.0))
    width = max(16, _RANKS_IN_BATCH // n)
    small = np.int8 if len(counts) < 128 else np.int32  # numpy sorts small integers by their digits
    block = np.broadcast_to(np.repeat(np.arange(len(counts), dtype=small), counts), (width, n))
    sizes, n_alike = np.unique(counts, return_counts=True)
    scores = []
    for _ in range(-(-n_draws // width)):
        # The ranks of the first class, ascending, then those of the next.
        by_class = np.argsort(rng.permuted(block, axis=1), axis=1, kind="stable").astype(np.int32)
        total, begin = np.zeros(width), 0
        for size, alike in zip(sizes.tolist(), n_alike.tolist(), strict=True):
            ranks = by_class[:, begin : begin + size * alike].reshape(width * alike, size)
            ranks = np.ascontiguousarray(ranks.T)
            radius = _kth_distances(ranks, min(n_neighbors, size - 1)) - 1
            nearer = np.minimum(ranks + radius, n - 1) - np.maximum(ranks - radius, 0) + 1
            total -= digammas[nearer].sum(axis=0).reshape(width, alike).sum(axis=1)
            begin += size * alike
        scores.append(total / n)
    return np.concatenate(scores)


def _kth_distances(ranks: Array, k: int) -> Array:
    """Return the distance of each rank to its k-th neighbour in the same column, of sorted ranks.

    A member and its k neighbours follow one another: the distance is the least of those that the
    k + 1 windows around the member need.
    """
    n_members = len(ranks)
    distances = np.full(ranks.shape, np.iinfo(np.int32).max, dtype=np.int32)
    for before in range(k + 1):
        first, last = before, n_members - (k - before)
        if last <= first:
            continue
        own = ranks[first:last]
        reach = np.maximum(own - ranks[: last - first], ranks[k : last - before + k] - own)
        np.minimum(distances[first:last], reach, out=distances[first:last])
    return distances
