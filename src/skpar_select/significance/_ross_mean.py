"""The mean of Ross's estimate in rank space when nothing is there, exactly.

A class of n_c members lies on a random subset of the ranks 0 .. n - 1. Of the w ranks within a distance of
a member, itself not counted, fewer than k hold other members with a probability G(w) that is the upper
tail of an order statistic: that of the k-th smallest of n_c - 1 numbers drawn of n - 1. What is nearer than
the k-th neighbour follows, for each rank, from G over the windows around it: they grow by two ranks at a
time until they reach an end, then by one.

Lone samples lie among these ranks and are not counted. Of a window that grows by a rank to w ranks, j of
them counted, the last is counted with a probability j / w, and digamma(1 + j) - digamma(j) is 1 / j: so what
it adds is 1 / w, as without lone samples, unless j is 0. By two ranks it adds 1 / w + 1 / (w - 1) where j is
2 or more, and 2 / w where it is 1.
"""

from functools import lru_cache

import numpy as np
from scipy.special import digamma, gammaln

from skpar_select._typing import FloatArray

# So long a window counts rank by rank; where longer ones are needed, samples outside the class are so many
# that leaving some out changes nothing: 0.1 % of a standard deviation.
_LONGEST_WINDOW = 20_000


@lru_cache(maxsize=100_000)
def mean_of_class(n_members: int, n_samples: int, n_neighbors: int, n_lone: int = 0) -> float:
    """Return digamma(n) + digamma(k) - digamma(n_c) - E[digamma(m)] of a class of two or more.

    Parameters
    ----------
    n_members, n_samples : int
        The samples of the class, and of all classes of two or more.
    n_neighbors : int
    n_lone : int
        The samples that are alone in their class.

    Returns
    -------
    mean : float
    """
    k = min(n_neighbors, n_members - 1)
    n = n_samples + n_lone
    longest = _longest(n_members, n, k)
    if longest > _LONGEST_WINDOW:
        shortened = n * (_LONGEST_WINDOW / longest)
        n_lone = int(n_lone / n * shortened)
        n = max(n_members + n_lone, int(shortened))
        longest = min(_longest(n_members, n, k), n - 1)
    fewer = _fewer(n_members, n, k, longest)
    ends = np.zeros_like(fewer)
    if n_lone:
        none, one = _found_none_and_one(longest, n, n_lone)
        one = one * (1.0 if k > 1 else 1.0 - (n_members - 1) / (n - n_lone - 1))
        fewer -= none
        ends[2:] = one[2:] * (1.0 / np.arange(1.0, longest) - 1.0 / np.arange(2.0, longest + 1))
    half = longest // 2
    odd, even = np.arange(1.0, 2 * half, 2.0), np.arange(2.0, 2 * half + 1, 2.0)
    inside = np.zeros(half + 1)  # by the distance of a rank from the nearer end
    by_two = fewer[2 : 2 * half + 1 : 2] * (1.0 / even + 1.0 / odd) - ends[2 : 2 * half + 1 : 2]
    np.cumsum(by_two, out=inside[1:])
    windows = np.arange(1.0, longest + 1)
    beyond = np.zeros(2 * half + 2)
    beyond[1 : longest + 1] = np.cumsum((fewer[1:] / windows)[::-1])[::-1][: 2 * half + 1]
    by_distance = inside + beyond[1::2]
    ranks = 2 * np.arange(half + 1)
    ranks = np.clip(n - ranks, 0, 2)  # how many have this distance: two, but one in the middle
    # Not a product of matrices, whose bits depend on the threads of BLAS.
    total = (ranks * by_distance).sum() + (n - ranks.sum()) * by_distance[-1]
    expected = digamma(1.0) + total / n
    return float(digamma(n - n_lone) + digamma(k) - digamma(n_members) - expected)


def _longest(n_members: int, n: int, k: int) -> int:
    """Return the ranks beyond which a k-th neighbour is not looked for: mean and 20 deviations."""
    mean = k * n / n_members
    deviation = mean * ((n_members - k) / (k * (n_members + 1.0))) ** 0.5
    return min(n - 1, int(mean + 20.0 * deviation) + 20)


def _fewer(n_members: int, n: int, k: int, longest: int) -> FloatArray:
    """Return P(fewer than k other members among w ranks) for w = 0 .. longest."""
    others, places = n_members - 1, n - 1
    w = np.arange(k - 1.0, min(longest, places - 1 - (others - k)) + 1)
    log_found = _log_choose(w, k - 1.0) + _log_choose(places - 1.0 - w, others - k)
    found = np.exp(log_found - _log_choose(float(places), others))  # the k-th at the next rank
    fewer = np.zeros(longest + 1)
    fewer[:k] = 1.0
    tail = np.cumsum(found[::-1])[::-1][1:]
    fewer[k : k + len(tail)] = tail[: longest + 1 - k]
    return fewer


def _found_none_and_one(longest: int, n: int, n_lone: int) -> tuple[FloatArray, FloatArray]:
    """Return P(none of w ranks is counted) and P(one is) for w = 0 .. longest, of the n - 1 others."""
    places, counted = n - 1, n - 1 - n_lone
    none, one = np.zeros(longest + 1), np.zeros(longest + 1)
    w = np.arange(min(longest, n_lone + 1) + 1.0)
    whole = _log_choose(float(places), counted)
    there = w <= n_lone
    none[: len(w)][there] = np.exp(_log_choose(places - w[there], counted) - whole)
    one[: len(w)] = w * np.exp(_log_choose(places - w, counted - 1.0) - whole)
    return none, one


def _log_choose(n: FloatArray | float, k: float) -> FloatArray:
    return np.asarray(gammaln(n + 1.0) - gammaln(k + 1.0) - gammaln(n - k + 1.0))
