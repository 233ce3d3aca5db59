"""The spread of Ross's estimate in rank space when nothing is there, from random orders of the classes.

It has no closed form, and no smooth one either: even and odd numbers of neighbours differ, and classes
that mix make the errors of their members alike. So cases that are nearly alike share one simulation, of
fewer samples where they are many, kept for the process: the same for the same sizes, whatever was asked
before.
"""

from functools import lru_cache

import numpy as np

from skpar_select._typing import Array
from skpar_select.significance._ross_draws import draw_scores

# Sizes of a class within a step share a simulation. A class of few times the neighbours is sensitive, and
# where there are more than two classes each counts less, and their combinations are more.
_STEPS, _SHORT_STEPS = (2.0 ** (1 / 3), 2.0 ** (1 / 2)), (2.0 ** (1 / 9), 2.0 ** (1 / 6))
_STEP_OF_SAMPLES = 2.0 ** (1 / 12)
_EXACT_SIZES = 6

# The least of the simulated classes has so many times the neighbours, and so many members, if it has them:
# what the ends of the axis add to n times the variance is then in 1/n, and is corrected.
_NEIGHBORS_IN_CLASS, _MEMBERS_OF_CLASS = 4, 40
_FEWEST_SIMULATED, _MOST_SIMULATED = 300, 6000

# What they add with k neighbours: this times k, less that. Fitted to 260 simulations of two classes of
# 2 to 50 %, as is how it falls where the classes are alike.
_OF_ENDS, _LESS = 0.15, 0.7

# A simulation takes about 0.15 s, and tells the standard deviation to 0.6 %, of many samples to 2 %.
_NANOSECONDS, _MOST_DRAWS, _FEWEST_DRAWS = 1.5e8, 12_000, 1_000


def spread(counts: Array, n_neighbors: int) -> tuple[float, float, float]:
    """Return variance, third and fourth cumulant, of classes of two or more members, largest first."""
    n = int(counts.sum())
    fractions = counts / n
    needed = max(_NEIGHBORS_IN_CLASS * n_neighbors, _MEMBERS_OF_CLASS) / fractions[-1]
    target = min(n, float(np.clip(needed, _FEWEST_SIMULATED, _MOST_SIMULATED)))
    n_simulated = _rounded(target, _STEP_OF_SAMPLES)
    several = len(counts) > 2
    sizes = []
    for size in fractions * n_simulated:
        few = size < _NEIGHBORS_IN_CLASS * n_neighbors
        sizes.append(max(2, _rounded(size, (_SHORT_STEPS if few else _STEPS)[several])))
    if fractions[0] > 0.45:
        sizes[0] = max(n_simulated - sum(sizes[1:]), sizes[1])
    cell = tuple(sizes)
    scaled_variance, scaled_skewness, scaled_excess = _simulated(cell, n_neighbors)
    simulated = np.array(cell)
    ratio = _shape(counts) / _shape(simulated)
    per_sample = _of_ends(counts, n_neighbors) - _of_ends(simulated, n_neighbors)
    variance = max(scaled_variance * ratio + per_sample, 0.5 * scaled_variance * ratio) / n
    return variance, scaled_skewness / n**0.5 * variance**1.5, scaled_excess / n * variance**2


def _rounded(size: float, step: float) -> int:
    """Return the nearest size of a geometric row of sizes; small ones as they are."""
    if size < _EXACT_SIZES + 0.5:
        return round(size)
    return int(_EXACT_SIZES * step ** round(np.log(size / _EXACT_SIZES) / np.log(step)) + 0.5)


def _shape(counts: Array) -> float:
    """Return how n times the variance goes with the fractions, up to a constant: a small correction."""
    p = counts / counts.sum()
    mixed = p**1.5
    return float((p * (1 - p) ** 2).sum() + 0.6 * (mixed.sum() ** 2 - (mixed**2).sum()))


def _of_ends(counts: Array, n_neighbors: int) -> float:
    """Return what the two ends of the axis add to n times the variance.

    Near an end a class lacks neighbours on one side, as far as k of its members lie. Classes of one size
    do so alike, so that nothing remains of two halves.
    """
    n = counts.sum()
    sizes, n_alike = np.unique(counts, return_counts=True)
    roots = np.sqrt(sizes / n) * n_alike
    apart = np.abs(np.log(np.divide.outer(sizes, sizes)))
    alike = roots @ np.exp(-1.3 * apart - 0.5 * apart**2) @ roots
    return float(max(_OF_ENDS * n_neighbors - _LESS, 0.0) * (len(counts) - alike) / n)


@lru_cache(maxsize=10_000)
def _simulated(counts: tuple[int, ...], n_neighbors: int) -> tuple[float, float, float]:
    """Return n times the variance, sqrt(n) times the skewness and n times the excess of simulated scores."""
    n = sum(counts)
    n_draws = _NANOSECONDS / (n * (20.0 + 1.1 * n_neighbors))
    n_draws = int(np.clip(n_draws, _FEWEST_DRAWS, _MOST_DRAWS))
    rng = np.random.default_rng([n_neighbors, *counts])
    scores = draw_scores(np.array(counts), n_neighbors, n_draws, rng)
    deviations = scores - scores.mean()
    variance = float((deviations**2).mean())
    third = float((deviations**3).mean())
    if variance < 1e-20:
        return 0.0, 0.0, 0.0
    excess = float((deviations**4).mean()) / variance**2 - 3.0
    return n * variance, n**0.5 * third / variance**1.5, n * excess
