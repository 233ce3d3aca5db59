"""Ross's estimate of random orders of the classes, drawn and scored many at a time."""

from typing import NamedTuple

import numpy as np
from scipy.special import digamma

from skpar_select._typing import Array, BoolArray, FloatArray

# Of so many ranks at a time, whose 4 bytes stay in a cache of 1 MB.
_RANKS_IN_BATCH = 100_000

# The axis of a class alone is so fine that its members hardly ever meet.
_PLACES = 2**28


class Alone(NamedTuple):
    """Scores of a class that is a small part of all, up to a constant, one for each draw."""

    scores: FloatArray

    along_axis: FloatArray
    """For each even Legendre polynomial its sum over the places of the members: (n_terms, n_draws)."""


def draw_scores(
    class_counts: Array,
    n_neighbors: int,
    n_draws: int,
    rng: np.random.Generator,
    *,
    n_lone: int = 0,
) -> FloatArray:
    """Return scores in rank space, up to a constant, of at least so many random orders.

    Classes have two members or more. Lone samples have ranks, too, but are neither scored nor counted.
    """
    counts = np.sort(np.asarray(class_counts))
    n_scored = int(counts.sum())
    n = n_scored + n_lone
    digammas = digamma(np.arange(n_scored + 1.0))
    width = max(16, _RANKS_IN_BATCH // n)
    small = np.int8 if len(counts) < 127 else np.int32  # numpy sorts small integers by their digits
    labels = np.repeat(np.arange(len(counts) + 1, dtype=small), [*counts.tolist(), n_lone])
    block = np.broadcast_to(labels, (width, n))
    sizes, n_alike = np.unique(counts, return_counts=True)
    scores = []
    for _ in range(-(-n_draws // width)):
        drawn = rng.permuted(block, axis=1)
        # The ranks of the first class, ascending, then those of the next.
        by_class = np.argsort(drawn, axis=1, kind="stable").astype(np.int32)
        before = _scored_before(drawn < len(counts)) if n_lone else None
        total, begin = np.zeros(width), 0
        for size, alike in zip(sizes.tolist(), n_alike.tolist(), strict=True):
            ranks = by_class[:, begin : begin + size * alike].reshape(width * alike, size)
            ranks = np.ascontiguousarray(ranks.T)
            radius = _kth_distances(ranks, min(n_neighbors, size - 1)) - 1
            first, end = np.maximum(ranks - radius, 0), np.minimum(ranks + radius, n - 1) + 1
            if before is None:
                nearer = end - first
            else:
                row = np.repeat(np.arange(0, before.size, n + 1, dtype=np.int32), alike)
                nearer = before.take(end + row) - before.take(first + row)
            total -= digammas[nearer].sum(axis=0).reshape(width, alike).sum(axis=1)
            begin += size * alike
        scores.append(total / n_scored)
    return np.concatenate(scores)


def draw_class(
    n_members: int, n_neighbors: int, n_draws: int, n_terms: int, rng: np.random.Generator
) -> Alone:
    """Return scores of one class among far more samples of others."""
    places = np.sort(rng.integers(0, _PLACES, (n_members, n_draws), dtype=np.int32), axis=0)
    radius = _kth_distances(places, min(n_neighbors, n_members - 1))
    nearer = np.minimum(places + radius, _PLACES) - np.maximum(places - radius, 0)
    x = places * (2.0 / _PLACES) - 1.0
    previous, polynomial, sums = np.ones_like(x), x, []
    for degree in range(1, 2 * n_terms):
        following = ((2 * degree + 1) * x * polynomial - degree * previous) / (degree + 1)
        previous, polynomial = polynomial, following
        if (
            degree % 2
        ):  # then that of the next degree is even; its square has a mean of 1 / (2 d + 1)
            sums.append(polynomial.sum(axis=0) * (2 * degree + 3) ** 0.5)
    return Alone(-np.log(np.maximum(nearer, 1)).mean(axis=0), np.array(sums))


def _scored_before(scored: BoolArray) -> Array:
    """Return how many scored samples come before each rank, and before the end, of each row."""
    before = np.zeros((len(scored), scored.shape[1] + 1), dtype=np.int32)
    np.cumsum(scored, axis=1, out=before[:, 1:])
    return before


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
