"""Brute-force twins of the compiled kernel, under the estimators' names, from the papers alone.

Values come in as the estimators see them: standardized and jittered, or as ranks. All pairs are compared,
as differences: O(n^2) in time and memory. Estimates are given as they are, below 0 too.
"""

import numpy as np
from scipy.special import digamma

MASK = 2**64 - 1


def kraskov(x, y, n_neighbors):
    """KSG estimator 1 (doi:10.1103/PhysRevE.69.066138), strictly nearer."""
    if is_noise(x) or is_noise(y):
        return 0.0
    dx, dy = _distances(x), _distances(y)
    radius = _kth_smallest(np.maximum(dx, dy), n_neighbors)
    psi = digamma(_n_nearer(dx, radius)) + digamma(_n_nearer(dy, radius))
    return digamma(len(x)) + digamma(n_neighbors) - psi.mean()


def kraskov_ranks(x, y, n_neighbors, table):
    """KSG estimator 1 of two orders of 0, 1, ..., n - 1, to the last bit, with a table of digamma.

    Its digammas are summed by the counts, all of one count at once, smallest count first.
    """
    dx, dy = _distances(np.asarray(x, dtype=float)), _distances(np.asarray(y, dtype=float))
    radius = _kth_smallest(np.maximum(dx, dy), n_neighbors)
    return kraskov_of_counts(_n_nearer(dx, radius), _n_nearer(dy, radius), n_neighbors, table)


def kraskov_of_counts(n_x, n_y, n_neighbors, table):
    """Sum the digammas of the numbers of nearer points of all samples."""
    n = len(n_x)
    n_of_count = np.bincount(np.r_[n_x, n_y], minlength=n + 1)
    return table[n] + table[n_neighbors] - ordered_sum(n_of_count * table[: n + 1]) / n


def ross(values, labels, n_neighbors):
    """Ross 2014 (doi:10.1371/journal.pone.0087357); who is alone in its class is left out."""
    labels = np.asarray(labels)
    if is_noise(values) or (labels == labels[0]).all():
        return 0.0
    size = (labels[:, np.newaxis] == labels).sum(axis=1)
    values, labels, size = values[size > 1], labels[size > 1], size[size > 1]
    if len(values) == 0:
        return 0.0
    k = np.minimum(n_neighbors, size - 1)
    distances = _distances(values)
    of_class = np.where(labels[:, np.newaxis] == labels, distances, np.inf)
    radius = _kth_smallest(of_class, k)
    psi = digamma(k) - digamma(size) - digamma(_n_nearer(distances, radius))
    return digamma(len(values)) + psi.mean()


def plugin(x, y):
    """Mutual information of the observed frequencies, cell by cell."""
    x, y, n = list(x), list(y), len(x)
    pairs = list(zip(x, y, strict=True))
    terms = []
    for a, b in set(pairs):
        n_ab, n_a, n_b = pairs.count((a, b)), x.count(a), y.count(b)
        terms.append(n_ab / n * np.log(n * n_ab / (n_a * n_b)))
    return float(np.sum(terms))


def is_noise(x):
    """Whether a variable was constant before it was jittered: then it tells nothing."""
    return np.abs(x).max() < 1e-9


def standardize(x, *, seed, column):
    """Centre, divide by the population deviation (to zero if constant) and jitter by 1e-10."""
    x = np.asarray(x).astype(np.float64)
    largest = np.abs(x).max()
    if largest > 2.0**400 or 0 < largest < 2.0**-400:
        exponent = int(np.frexp(largest)[1]) - 1  # largest becomes 1 to 2
        x, largest = np.ldexp(x, -exponent), np.ldexp(largest, -exponent)
    mean = x[0] + ordered_sum(x - x[0]) / len(x)
    deviation = np.sqrt(ordered_sum((x - mean) * (x - mean)) / len(x))
    scale = 1.0 / deviation if deviation > 4e-16 * largest else 0.0
    return (x - mean) * scale + 1e-10 * noise(len(x), seed=seed, column=column)


def ranks(x, *, seed, column):
    """Place of each sample by value; equal values by the upper half of a hash, then by the sample."""
    x = np.asarray(x).astype(np.float64)
    halves = np.array([bits >> 32 for bits in hashes(len(x), seed=seed, column=column)])
    order = sorted(range(len(x)), key=lambda i: (x[i], halves[i], i))
    places = np.empty(len(x), dtype=np.int32)
    places[order] = np.arange(len(x))
    return places


def spearman(x, y):
    """Rank correlation of two orders of 0, 1, ..., n - 1."""
    n = len(x)
    squares = sum((int(a) - int(b)) ** 2 for a, b in zip(x, y, strict=True))
    return 1 - 6 * squares / (n * (n * n - 1))


def ordered_sum(x):
    """Sum in eight partial sums, i modulo 8: the order that makes the bits the same anywhere."""
    sums = [0.0] * 8
    for i, value in enumerate(np.asarray(x).tolist()):
        sums[i % 8] += value
    a, b, c, d, e, f, g, h = sums
    return ((a + b) + (c + d)) + ((e + f) + (g + h))


def noise(n_samples, *, seed, column):
    """Three uniform 21-bit numbers of one hash, summed, of mean 0 and variance 1."""
    sums = [
        (bits % 2**21) + (bits // 2**21) % 2**21 + bits // 2**43
        for bits in hashes(n_samples, seed=seed, column=column)
    ]
    return (np.array(sums, dtype=np.float64) - 1.5 * (2**21 - 1)) / 2**20


def hashes(n_samples, *, seed, column):
    """The 64 bits of each sample: the outputs of a SplitMix64 that is keyed."""
    key = _finalize((_finalize((seed + _GOLDEN) & MASK) + column) & MASK)
    return [_finalize((key + _GOLDEN * (i + 1)) & MASK) for i in range(n_samples)]


# 2**64 divided by the golden ratio, made odd; see doi:10.1145/2660193.2660195
_GOLDEN = 0x9E3779B97F4A7C15


def _finalize(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def _distances(x):
    return np.abs(x[:, np.newaxis] - x)


def _kth_smallest(distances, k):
    """Of each row, without the point itself."""
    others = distances.copy()
    np.fill_diagonal(others, np.inf)
    others.sort(axis=1)
    return np.take_along_axis(others, np.broadcast_to(k, len(others))[:, np.newaxis] - 1, axis=1)


def _n_nearer(distances, radius):
    """Count strictly nearer points, itself included; at radius 0, itself and its duplicates."""
    return ((distances < radius) | (distances == 0.0)).sum(axis=1)
