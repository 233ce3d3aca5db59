"""The target, prepared once for all columns."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from skpar_select.kernels._config import _kernels
from skpar_select.kernels._score import standardize

# Keys the noise of the target; no column has this index.
TARGET_COLUMN = 2**63


@dataclass(frozen=True, eq=False)
class Target:
    """A target, sorted or grouped, with what every column needs of it.

    Attributes
    ----------
    order : ndarray of shape (n_samples,), int32
        Samples in ascending order of a continuous target; grouped by class of a discrete one,
        classes of a single sample last.
    values : ndarray of shape (n_samples,), float64, or None
        A continuous target, standardized, jittered and ascending.
    class_start : ndarray of shape (n_classes + 1,), int32, or None
        The borders of the classes of a discrete target in `order`.
    digamma, log : ndarray of shape (n_samples + 1,), float64
        The functions of 0, 1, ..., n_samples; entry 0 is never used.
    n_neighbors : int
        Number of neighbours.
    seed : int
        Seed of the noise that breaks ties.
    """

    order: NDArray[np.int32]
    values: NDArray[np.float64] | None
    class_start: NDArray[np.int32] | None
    digamma: NDArray[np.float64]
    log: NDArray[np.float64]
    n_neighbors: int
    seed: int

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.order)


def prepare_target(y: ArrayLike, *, discrete: bool, n_neighbors: int, seed: int) -> Target:
    """Sort a continuous target or group a discrete one.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Finite numbers, or the classes of a discrete target.
    discrete : bool
        Whether `y` holds classes.
    n_neighbors : int
        Number of neighbours, from 1 to n_samples - 1.
    seed : int
        Seed of the noise that breaks ties, in `y` and in the columns.

    Returns
    -------
    target : Target
        To be handed to `mutual_information`; frozen, picklable, shared by threads.
    """
    y = np.asarray(y)
    values: NDArray[np.float64] | None = None
    class_start: NDArray[np.int32] | None = None
    if discrete:
        order, class_start = _group(y)
    else:
        jittered = standardize(y[:, np.newaxis], seed=seed, first_column=TARGET_COLUMN)[:, 0]
        order, values = np.empty(len(y), dtype=np.int32), np.empty(len(y))
        _kernels.sort(np.ascontiguousarray(jittered), order, values)
    return Target(order, values, class_start, *_tables(len(y)), n_neighbors, seed)


def _tables(n_samples: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Digamma and logarithm of 0, 1, ..., n_samples; entry 0 is never used."""
    n = np.arange(n_samples + 1, dtype=np.float64)
    n[0] = 1.0  # where both are finite
    log = np.log(n)
    # The asymptotic series, DLMF 5.11.2: from 64 on, the first term left out is below 2e-17. It takes
    # a twentieth of the time of scipy's function.
    square = n * n
    table = log - 0.5 / n - (1 / 12 - (1 / 120 - 1 / 252 / square) / square) / square
    table[:64] = digamma(n[:64])
    return table, log


def _group(y: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    _, codes, sizes = np.unique(y, return_inverse=True, return_counts=True)
    by_repetition = np.argsort(sizes == 1, kind="stable")
    place = np.empty_like(by_repetition)
    place[by_repetition] = np.arange(len(sizes))
    order = np.argsort(place[codes], kind="stable")
    class_start = np.concatenate([[0], np.cumsum(sizes[by_repetition])])
    return order.astype(np.int32), class_start.astype(np.int32)
