"""How many neighbours a test searches, and how many samples it needs."""

from typing import Literal

LEAST_SAMPLES = 20
"""Below, p-values are not given: a null of so few samples is lumpy, and tells hardly anything."""


def neighbors_of_test(test_neighbors: int | Literal["auto"], n_samples: int) -> int:
    """Return the neighbours of a test of so many samples.

    "auto" is 3 below 100 samples, else the square root of their number, at most 30: the power grows
    with the neighbours for all but fine structure, where that of the 3 that are usual to estimate
    mutual information is poor.
    """
    if test_neighbors != "auto":
        return test_neighbors
    return 3 if n_samples < 100 else min(30, round(n_samples**0.5))
