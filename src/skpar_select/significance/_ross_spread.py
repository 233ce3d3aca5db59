"""The spread of Ross's estimate in rank space when nothing is there, from random orders of the classes.

It has no closed form, and no smooth one either: even and odd numbers of neighbours differ, and classes
that mix make the errors of their members alike. So cases that are nearly alike share one simulation, of
fewer samples where they are many, kept for the process: the same for the same sizes, whatever was asked
before.

More classes have too many combinations of sizes. Each is then a small part of all, or the only large one,
and the spread follows from simulations of one class alone:

- What a member adds because of its place on the axis is added by members of other classes, too. The members
  of all classes fill the axis, so of this part, a sum over the members, only differences between the classes
  remain.
- The rest hardly depends on other classes, and correlates between them a little, as in `_shape`.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skpar_select._typing import Array, FloatArray
from skpar_select.significance._ross_draws import draw_class, draw_scores

# With more classes than this they are simulated one by one. The standard deviation is then within 5 % of that
# of fresh draws for most of 5 to 143 classes, of 300 or 2,000 samples, with 3 to 30 neighbours, and within 12 %
# where one class has more than 60 % or all have fewer than twice the neighbours.
_MOST_TOGETHER = 4

# Beside a class with so large a part of the samples lone ones count, too: for 250 samples, 5 pairs and 40 lone
# samples the standard deviation was 15 % too small without them.
_DOMINANT = 0.6

# A class alone: no larger than so many neighbours or members, 40 sizes at most, with so many values in a
# simulation, which takes 0.02 to 0.1 s. The polynomials show what lies nearer to an end than 1 % of the axis.
_NEIGHBORS_ALONE, _MEMBERS_ALONE = 20, 300
_VALUES_ALONE, _DRAWS_ALONE = 1e6, (2_000, 12_000)
_TERMS = 6

# Fewer lone samples than this share change the spread by less than a simulation's own error.
_LONE_SHARE, _STEP_OF_LONE = 0.01, 2.0 ** (1 / 2)

# Sizes of a class within a step share a simulation. A class of few times the neighbours is sensitive, and
# where there are more than two classes each counts less, and their combinations are more.
_STEPS, _SHORT_STEPS = (2.0 ** (1 / 3), 2.0 ** (1 / 2)), (2.0 ** (1 / 9), 2.0 ** (1 / 6))
_STEP_OF_SAMPLES = 2.0 ** (1 / 12)
_EXACT_SIZES = 6

# How much the errors of two classes correlate, by their sizes. Simulated alone, 5 to 15 classes have standard
# deviations 3 % too small with 0.6 and right ones with 0.9; beside a class of 60 % it is 0.6 that is right.
_MIXING, _MIXING_OF_SMALL, _LESS_BY_LARGEST = 0.6, 1.1, 0.8

# The least of the simulated classes has so many times the neighbours, and so many members, if it has them:
# what the ends of the axis add to n times the variance is then in 1/n, and is corrected.
_NEIGHBORS_IN_CLASS, _MEMBERS_OF_CLASS = 4, 40
_FEWEST_SIMULATED, _MOST_SIMULATED = 300, 6000

# What they add with k neighbours: this times k, less that. Fitted to 260 simulations of two classes of
# 2 to 50 %, as is how it falls where the classes are alike.
_OF_ENDS, _LESS = 0.15, 0.7

# A simulation takes about 0.15 s, and tells the standard deviation to 0.6 %, of many samples to 2 %.
_NANOSECONDS, _MOST_DRAWS, _FEWEST_DRAWS = 1.5e8, 12_000, 1_000

# Of more than two classes, or with lone samples, there are more cases: a third of that, and 1.1 %.
_PART_OF_MANY = 1 / 3


class Sizes(NamedTuple):
    """The sizes of classes of two or more members, and how many samples are alone in theirs."""

    distinct: tuple[int, ...]
    """Descending."""

    n_alike: tuple[int, ...]
    """How many classes have each size."""

    n_lone: int

    @property
    def n_classes(self) -> int:
        """How many classes have two members or more."""
        return sum(self.n_alike)

    @property
    def n_samples(self) -> int:
        """How many samples they have."""
        return sum(size * alike for size, alike in zip(self.distinct, self.n_alike, strict=True))


def spread(sizes: Sizes, n_neighbors: int) -> tuple[float, float, float]:
    """Return variance, third and fourth cumulant."""
    if sizes.n_classes <= _MOST_TOGETHER:
        counts = np.repeat(sizes.distinct, sizes.n_alike)
        return _of_classes_together(counts, n_neighbors, sizes.n_lone)
    variance, third, fourth = _of_classes_alone(sizes, n_neighbors)
    n = sizes.n_samples
    if sizes.distinct[0] > _DOMINANT * n and sizes.n_lone > _LONE_SHARE * (n + sizes.n_lone):
        variance *= _by_lone_samples(sizes, n_neighbors)
    return variance, third, fourth


def _by_lone_samples(sizes: Sizes, n_neighbors: int) -> float:
    """Return the part by which lone samples change the variance, where other classes are small.

    As where all other classes have the size of most of their members.
    """
    shrunk = min(1.0, _MOST_SIMULATED / sizes.n_samples)
    others = np.repeat(sizes.distinct, sizes.n_alike)[1:]
    typical = _rounded(float((others**2.0).sum() / others.sum()), _STEPS[1])
    n_others = _rounded(max(1.0, others.sum() * shrunk / typical), _STEPS[0])
    alike = np.array([round(sizes.distinct[0] * shrunk)] + [typical] * n_others)
    alike[::-1].sort()
    n_lone = round(sizes.n_lone * shrunk)
    with_lone, without = (_of_classes_together(alike, n_neighbors, lone)[0] for lone in (n_lone, 0))
    # Where it was less, with 10 and 30 neighbours, the rest of the variance was too small by as much.
    return float(np.clip(with_lone / without, 1.0, 2.0))


def _of_classes_together(
    counts: Array, n_neighbors: int, n_lone: int
) -> tuple[float, float, float]:
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
    lone = 0
    if n_lone > _LONE_SHARE * (n + n_lone):
        # Ten times the scored samples are as good as more.
        lone = _rounded(min(n_lone / n, 10.0) * n_simulated, _STEP_OF_LONE)
    cell = tuple(sizes)
    scaled_variance, scaled_skewness, scaled_excess = _simulated(cell, n_neighbors, lone)
    simulated = np.array(cell)
    ratio = _shape(counts) / _shape(simulated)
    per_sample = _of_ends(counts, n_neighbors) - _of_ends(simulated, n_neighbors)
    variance = max(scaled_variance * ratio + per_sample, 0.5 * scaled_variance * ratio) / n
    return variance, scaled_skewness / n**0.5 * variance**1.5, scaled_excess / n * variance**2


def _of_classes_alone(sizes: Sizes, n_neighbors: int) -> tuple[float, float, float]:
    """Return variance, third and fourth cumulant, of many classes."""
    n = sizes.n_samples
    distinct, alike = np.array(sizes.distinct), np.array(sizes.n_alike)
    classes = [_class_alone(_size_alone(size, n_neighbors), n_neighbors) for size in sizes.distinct]
    variance = np.array([one.variance for one in classes])
    by_place = np.array([one.by_place for one in classes])
    p = distinct / n
    of_place = np.minimum((by_place**2).sum(axis=1), variance)
    rest = variance - of_place
    common = ((alike * p)[:, np.newaxis] * by_place).sum(axis=0)
    differing = max(float((alike * p * of_place).sum() - (common**2).sum()), 0.0)
    mixed = p**1.5 * rest**0.5
    mixing = max(_MIXING, _MIXING_OF_SMALL - _LESS_BY_LARGEST * float(p[0]))
    correlated = (alike * mixed).sum() ** 2 - (alike * mixed**2).sum()
    scaled = differing + float((alike * p * (1 - p) ** 2 * rest).sum() + mixing * correlated)
    third, fourth = (
        float((alike * (p * (1 - p)) ** power * cumulant / distinct ** (power - 1.0)).sum())
        for power, cumulant in (
            (3, np.array([one.third for one in classes])),
            (4, np.array([one.fourth for one in classes])),
        )
    )
    return scaled / n, third, fourth


def _size_alone(size: int, n_neighbors: int) -> int:
    """Return the size that is simulated for a class: finer where neighbours are a large part of it."""
    few = size < _NEIGHBORS_IN_CLASS * n_neighbors
    largest = max(_NEIGHBORS_ALONE * n_neighbors, _MEMBERS_ALONE)
    return _rounded(min(size, largest), (_SHORT_STEPS if few else _STEPS)[few])


def _rounded(size: float, step: float) -> int:
    """Return the nearest size of a geometric row of sizes; small ones as they are."""
    if size < _EXACT_SIZES + 0.5:
        return round(size)
    return int(_EXACT_SIZES * step ** round(np.log(size / _EXACT_SIZES) / np.log(step)) + 0.5)


def _shape(counts: Array) -> float:
    """Return how n times the variance goes with the fractions, up to a constant: a small correction."""
    p = counts / counts.sum()
    mixed = p**1.5
    return float((p * (1 - p) ** 2).sum() + _MIXING * (mixed.sum() ** 2 - (mixed**2).sum()))


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
def _simulated(
    counts: tuple[int, ...], n_neighbors: int, n_lone: int
) -> tuple[float, float, float]:
    """Return n times the variance, sqrt(n) times the skewness and n times the excess of simulated scores."""
    n = sum(counts)
    n_draws = _NANOSECONDS / ((n + n_lone) * (20.0 + 1.1 * n_neighbors))
    n_draws = np.clip(n_draws, _FEWEST_DRAWS, _MOST_DRAWS)
    if len(counts) > 2 or n_lone:
        n_draws = max(n_draws * _PART_OF_MANY, _FEWEST_DRAWS)
    rng = np.random.default_rng([n_neighbors, *counts, n_lone])
    scores = draw_scores(np.array(counts), n_neighbors, int(n_draws), rng, n_lone=n_lone)
    deviations = scores - scores.mean()
    variance = float((deviations**2).mean())
    third = float((deviations**3).mean())
    if variance < 1e-20:
        return 0.0, 0.0, 0.0
    excess = float((deviations**4).mean()) / variance**2 - 3.0
    return n * variance, n**0.5 * third / variance**1.5, n * excess


class _Alone(NamedTuple):
    """The spread of the score of a class that is a small part of all, scaled to that of a member."""

    variance: float
    third: float
    fourth: float

    by_place: FloatArray
    """What a member adds by its place on the axis, in Legendre polynomials: its squares add to a variance."""


@lru_cache(maxsize=10_000)
def _class_alone(n_members: int, n_neighbors: int) -> _Alone:
    """Return n_members times the variance, its square times the third cumulant, its cube times the fourth."""
    n_draws = _VALUES_ALONE / (n_members * (1.0 + 0.1 * n_neighbors))
    rng = np.random.default_rng([n_neighbors, n_members])
    scores, along_axis = draw_class(
        n_members, n_neighbors, int(np.clip(n_draws, *_DRAWS_ALONE)), _TERMS, rng
    )
    deviations = scores - scores.mean()
    variance = float((deviations**2).mean())
    return _Alone(
        n_members * variance,
        n_members**2 * float((deviations**3).mean()),
        n_members**3 * (float((deviations**4).mean()) - 3.0 * variance**2),
        (along_axis * deviations).mean(axis=1),
    )
