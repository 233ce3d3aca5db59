"""Scores of permuted targets, which p-values follow from whatever the score is."""

from collections.abc import Callable
from typing import Any

import numpy as np

from skpar_select._stopping import check_stop
from skpar_select._typing import Array, FloatArray, IndexArray
from skpar_select.significance import sequential_log_pvalues


class PermutedTarget:
    """A target whose samples change places, within strata where there are any.

    A permutation follows from its number, the seed and the position of the target among all, so
    that it is the same for every block, in whatever process.

    Parameters
    ----------
    target : ndarray of shape (n_samples,)
    strata : ndarray of int of shape (n_samples,) or None
        Samples change places with those of the same stratum.
    key : tuple of int
        The seed, and the position of the target.
    """

    def __init__(self, target: Array, strata: IndexArray | None, key: tuple[int, int]) -> None:
        self._target = target
        self._strata = strata
        self._by_stratum = None if strata is None else np.argsort(strata, kind="stable")
        self._key = key

    def __call__(self, number: int) -> Array:
        """Return a permutation of the target, in its type."""
        random = np.random.default_rng((*self._key, number))
        if self._strata is None:
            return random.permutation(self._target)
        permuted = np.empty_like(self._target)
        shuffled = np.lexsort((random.random(len(permuted)), self._strata))
        permuted[self._by_stratum] = self._target[shuffled]
        return permuted


def permutation_log_pvalues(
    block: Any,
    permuted: Callable[[int], Array],
    score: Callable[[Any, Array], FloatArray],
    observed: FloatArray,
    n_permutations: int,
) -> FloatArray:
    """Return log p of the columns of a block by their scores with a permuted target.

    The function that scores gets fewer columns as they come to their end.
    """
    remaining, kept = block, np.arange(block.shape[1])

    def score_permuted(number: int, columns: IndexArray) -> FloatArray:
        nonlocal remaining, kept
        check_stop()
        if len(columns) < len(kept):
            remaining, kept = remaining[:, np.searchsorted(kept, columns)], columns
        return score(remaining, permuted(number))

    return sequential_log_pvalues(observed, score_permuted, n_permutations)
