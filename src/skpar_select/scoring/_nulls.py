"""The null of a score: what it would be if a column knew nothing of the target.

Ties are broken at random, so that then every order of the column is equally likely, given that of the target.
So what the score of ranks would be depends on the kind of the pair and on numbers alone:

- of two quantities on the samples and the neighbours;
- of a quantity and classes on the sizes of the classes, too;
- of two classes on the sizes of both.
"""

from typing import NamedTuple

import numpy as np

from skpar_select._typing import Array, BoolArray, IndexArray
from skpar_select.significance import Moments, kraskov_moments, ross_moments

# A class is counted by its number up to this, larger ones after sorting: 8,085 values take 20 us, or 200.
_LARGEST_NUMBER = 2**16


class Sides(NamedTuple):
    """What of the columns of a block, in one stratum, the null of their scores depends on."""

    discrete: BoolArray
    """Which columns hold classes."""

    n_observed: IndexArray
    """How many samples each column has."""

    column_counts: list[IndexArray | None]
    """The sizes of the classes of each discrete column."""

    target_counts: list[IndexArray]
    """For each target of classes how many samples of each class each column has."""

    @classmethod
    def of(
        cls, values: Array, discrete: BoolArray, codes: list[IndexArray], n_observed: IndexArray
    ) -> "Sides":
        """Count a block of (n_samples, width), and classes that are numbered from 0 on."""
        complete = (n_observed == len(values)).all()
        there = None if complete else values == values
        counts: list[IndexArray | None] = [None] * values.shape[1]
        for column in np.flatnonzero(discrete):
            one = values[:, column]
            counts[column] = sizes_of_classes(one if there is None else one[there[:, column]])
        shape = values.shape[1], -1
        if there is None:
            of_targets = [
                np.broadcast_to(np.bincount(one), (shape[0], one.max() + 1)) for one in codes
            ]
        else:
            of_targets = [
                np.stack([there[one == code].sum(axis=0) for code in range(one.max() + 1)], axis=1)
                for one in codes
            ]
        return cls(discrete, n_observed, counts, of_targets)

    def margins(self, target: int) -> list[tuple[IndexArray, IndexArray]]:
        """Return for each discrete column the sizes of its classes, and of those of a target."""
        return [
            (sizes, of_target)
            for sizes, of_target in zip(self.column_counts, self.target_counts[target], strict=True)
            if sizes is not None
        ]

    def moments(self, n_neighbors: int, n_targets: int) -> Moments:
        """Return those of the scores, each of shape (n_targets, width); NaN of classes on both sides."""
        if self.target_counts:
            shape = len(Moments._fields), len(self.target_counts), len(self.discrete)
            cumulants, quantities = np.full(shape, np.nan), ~self.discrete
            for position, counts in enumerate(self.target_counts):
                # Of classes it would be simulated for nothing.
                cumulants[:, position, quantities] = ross_moments(counts[quantities], n_neighbors)
            return Moments(*cumulants)
        of_quantities = kraskov_moments(np.maximum(self.n_observed, n_neighbors + 1), n_neighbors)
        found = [np.array(values) for values in of_quantities]
        if self.discrete.any():
            known = [sizes for sizes in self.column_counts if sizes is not None]
            for values, of_classes in zip(found, ross_moments(known, n_neighbors), strict=True):
                values[self.discrete] = of_classes
        return Moments(*(np.broadcast_to(values, (n_targets, len(values))) for values in found))


def sizes_of_classes(values: Array) -> IndexArray:
    """Return how many of some values are equal, for each distinct one."""
    if not len(values):
        return np.zeros(1, dtype=np.intp)
    least, largest = float(values.min()), float(values.max())
    if least >= 0 and largest <= _LARGEST_NUMBER:
        numbers = values.astype(np.intp)
        if (numbers == values).all():
            sizes = np.bincount(numbers)
            return sizes[sizes > 0]
    return np.unique(values, return_counts=True)[1]
