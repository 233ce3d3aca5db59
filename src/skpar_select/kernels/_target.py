"""The target, prepared once for all columns."""

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from skpar_select._exact import floats_up_to_shift
from skpar_select._typing import Marginals
from skpar_select.kernels._config import _kernels

Target = _kernels.Target

# What a target takes while it is made, in bytes a sample: 24 of numpy, for the values and two tables;
# 71 of the extension while it sorts, see src/target.cpp. Once made it takes 63 to 71. Measured, of
# 400,000 samples: 92.
TARGET_BYTES = 100


def prepare_target(
    y: ArrayLike, *, discrete: bool, n_neighbors: int, seed: int, marginals: Marginals = "raw"
) -> Target:
    """Sort a continuous target, or group a discrete one: anything that can be sorted.

    `y` is taken as it is given: class labels of any type; integers of any size, less the least of them
    where float64 would round them.

    `n_neighbors` is from 1 to n_samples - 1; `seed`, from 0 to 2**64 - 1, keys the noise that
    breaks ties, in `y` and in the columns. With `marginals="rank"` what is continuous, `y` or a
    column, is replaced by its ranks, ties broken at random. The target never changes, can be
    pickled, and may be shared by threads.

    Raises
    ------
    ValueError
        If a continuous `y` holds NaN or infinity, or there are less than 2 samples, or
        `n_neighbors` or `marginals` is none that there is.
    TypeError
        If a continuous `y` is not of real numbers.
    """
    if marginals not in get_args(Marginals):
        raise ValueError(f'marginals={marginals!r} are none. Give "raw" or "rank".')
    y = np.asarray(y)
    if discrete:
        values = np.unique(y, return_inverse=True)[1].astype(np.float64)
    else:
        if y.dtype.kind not in "fiubO":
            raise TypeError(f"dtype {y.dtype} is not of real numbers. Convert it to float64 first.")
        if marginals == "rank" and y.dtype.kind in "iu":
            # Of ranks the order counts alone, which a float64 would not hold of times in nanoseconds.
            y = np.unique(y, return_inverse=True)[1]
        values = np.ascontiguousarray(floats_up_to_shift(y))
        if not np.isfinite(values).all():
            raise ValueError(
                "y holds NaN or infinity. A continuous target must be finite. "
                "Leave those samples out."
            )
    ranked = marginals == "rank"
    return Target(values, discrete, *_tables(len(y)), n_neighbors, seed, ranked)


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
