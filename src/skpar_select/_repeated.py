"""Samples that repeat: p-values count on samples that could have changed places."""

import numpy as np

from skpar_select._caller import warn_caller
from skpar_select._typing import Array, IndexArray
from skpar_select._wording import counted
from skpar_select.matrices import LazyMatrix, Matrix
from skpar_select.planning import cost_of_shard
from skpar_select.scoring import Targets

# Columns that are compared, and the least that reading them may cost of a file.
_N_COMPARED = 64
_N_FIRST = 4
_WORTH_BYTES = 2**24

# By chance alone so many pairs agree in all these columns at most; of rare variants more would.
_BY_CHANCE = 1e-3

# Fibonacci hashing: D. E. Knuth, The Art of Computer Programming, 6.4.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def warn_of_repeated(matrix: Matrix, targets: Targets) -> None:
    """Warn where whole samples are equal, in the matrix and in the target.

    Some columns are compared that tell samples apart; of a file the first ones, if reading them is cheap.
    """
    group = targets.groups[0]
    numbers = [np.unique(values, return_inverse=True)[1] for values in group.values]
    if any(len(repeated_rows(one)) == 0 for one in numbers):
        return
    step = max(1, matrix.shape[1] // _N_COMPARED) if matrix.in_memory else 1
    columns = range(0, matrix.shape[1], step)[:_N_COMPARED]
    if not (matrix.in_memory or _is_cheap(matrix, columns)):
        return
    block = group.select(matrix.read(columns))
    # Most samples differ in a few columns.
    if len(repeated_rows(_digests([*numbers, *block.T[:_N_FIRST]]))) == 0:
        return
    repeated = repeated_rows(_digests([*numbers, *block.T]))
    if len(repeated) == 0 or _expected_by_chance(block) > _BY_CHANCE:
        return
    positions = repeated if group.rows is None else group.rows[repeated]
    warn_caller(
        f"{counted(len(positions), 'sample')} of {matrix.shape[0]} equal another, in X and in y, such as that "
        f"at position {positions[0]}. p-values are of samples that could have changed places, and are too "
        "small where one is counted twice. Keep one of each, and one of several samples of a donor.",
    )


def repeated_rows(digests: Array) -> IndexArray:
    """Return which of some numbers equal others, all of each kind."""
    _, kind, size = np.unique(digests, return_inverse=True, return_counts=True)
    return np.flatnonzero(size[kind.reshape(-1)] > 1)


def _is_cheap(matrix: Matrix, columns: range) -> bool:
    view = LazyMatrix(matrix, columns=columns)
    cost = cost_of_shard(
        (part.matrix.layout for part in matrix.parts), (part.matrix.layout for part in view.parts)
    )
    return cost.read_bytes <= max(_WORTH_BYTES, cost.whole_bytes // 50)


def _digests(columns: list[Array]) -> Array:
    """Return a hash of each sample over columns of numbers."""
    digests = np.zeros(len(columns[0]), dtype=np.uint64)
    for column in columns:
        # A sum with 0.0 is never -0.0.
        bits = (np.asarray(column, dtype=np.float64) + 0.0).view(np.uint64)
        digests = (digests ^ bits) * _MULTIPLIER
        digests ^= digests >> np.uint64(32)
    return digests


def _expected_by_chance(block: Array) -> float:
    """Return how many pairs of samples agree in all columns if these are independent."""
    n_samples = len(block)
    expected = n_samples * (n_samples - 1) / 2
    for column in block.T:
        _, sizes = np.unique(column, return_counts=True)
        expected *= (sizes.astype(np.float64) ** 2).sum() / n_samples**2
    return float(expected)
