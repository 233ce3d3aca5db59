"""A block of columns and a prepared target in, scores out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skpar_select._exact import LARGEST_EXACT, from_least, is_beyond_exact
from skpar_select._stopping import Stopped
from skpar_select.kernels._config import _kernels

if TYPE_CHECKING:
    from skpar_select.kernels import Target

# What a call of mutual_information holds besides the block, in bytes a sample: 64 are eight columns as
# float64, 112 the scratch of the kind of pair that takes the most. The sums stand at the members: 16 of
# sorting in src/axis.hpp, 76.5 in src/kraskov.hpp, to which come the points around the bands, 8 at
# 1,000 samples; in rank space 108 in src/kraskov_ranks.hpp, of which 64 only where most samples are
# neighbours. Measured: 141 of 400,000 samples, 147 of 18,000 with 9,000 neighbours.
SCRATCH_BYTES = 64 + 112

# What it holds besides where values may be missing: see src/complete_cases.hpp.
MISSING_BYTES = 57


class Scored(NamedTuple):
    """What is known of the columns of a block."""

    scores: NDArray[np.float64]
    """In nats, of shape (n_targets, width): the estimates as they are, of which noise may be below 0."""

    n_observed: NDArray[np.int64]
    """How many samples each column was scored on, of shape (width,)."""

    rho: NDArray[np.float64] | None
    """Spearman's rank correlations, of shape (n_targets, width), where the targets are continuous and in
    rank space: of the very ranks that are scored, ties broken at random. NaN of discrete columns, and
    where a side is constant or too short to be scored."""


class NonFiniteColumnError(ValueError):
    """A column holds NaN or infinity: its position in the block, its index in the whole matrix."""

    def __init__(self, position: int, column: int) -> None:
        super().__init__(position, column)
        self.position = position
        self.column = column

    def __str__(self) -> str:
        return (
            f"column {self.column} holds NaN or infinity. Values must be finite. "
            "Impute them, or leave the column out."
        )


def mutual_information(
    block: NDArray[Any],
    targets: Sequence[Target],
    *,
    columns: ArrayLike,
    discrete: ArrayLike,
    min_observed: int | None = None,
    stop: NDArray[np.bool_] | None = None,
) -> Scored:
    """Score each column of a block against targets that are prepared, in nats.

    The block is of shape (n_samples, width), of any real dtype and memory order, and never written
    to. The targets are of the same samples, seed, kind and marginals; a column is cast and sorted once
    for all of them. `columns` are the indices in the whole matrix: they key the noise that breaks ties, so
    that a score does not depend on how the matrix was cut into blocks. `discrete` marks the columns
    that hold classes rather than quantities.

    Where `min_observed` is None, NaN is an error. Else it is a missing value: a column is scored on
    the samples where it is there, to the last bit as if there were no others. Where these are fewer
    than `min_observed` or 2, or not more than the neighbours that are searched, the score is NaN.

    A constant column or target tells nothing: its score is exactly 0. Other scores may be below 0.

    `stop` is a flag, an array of one bool, that another thread may set: the call then ends within a
    column or two. Without it the call lets Python look for signals ten times a second, so that Ctrl-C
    ends it in the main thread; no other thread gets signals.

    Returns
    -------
    scored : Scored
        The scores, the numbers of samples that they rest on, and, in rank space, the rank correlations.

    Raises
    ------
    NonFiniteColumnError
        For the first column that holds infinity, or NaN where `min_observed` is None.
    ValueError
        If the shapes do not fit, an index or `min_observed` is negative, or the targets differ in
        their number of samples, seed, kind or marginals.
    TypeError
        If the block is not of real numbers, or an index is not an integer.
    Stopped
        If `stop` was set.
    """
    if min_observed is not None and min_observed < 0:
        raise ValueError(f"min_observed={min_observed} is no number of samples. Give 0 or more.")
    targets = tuple(targets)
    mask = np.ascontiguousarray(discrete, dtype=np.bool_)
    indices = _indices(columns)
    # Of what is ranked the order counts alone, as of classes.
    ranked = any(target.marginals == "rank" for target in targets)
    block = _exact(_readable(block), mask | ranked)
    scores = np.empty((len(targets), block.shape[1]))
    n_observed = np.empty(block.shape[1], dtype=np.int64)
    correlated = any(target.marginals == "rank" and not target.discrete for target in targets)
    rho = np.empty_like(scores) if correlated else None
    position = _kernels.score(
        targets, block, mask, indices, min_observed, scores, n_observed, rho, stop
    )
    if position == _kernels.STOPPED:
        raise Stopped
    _check(position, indices)
    return Scored(scores, n_observed, rho)


def standardize(block: NDArray[Any], *, seed: int, columns: ArrayLike) -> NDArray[np.float64]:
    """Return continuous columns as the estimators see raw ones: centred, scaled and jittered.

    Each column is centred, divided by its population standard deviation (by infinity where that is
    below the rounding of the values) and gets a noise of 1e-10 that is keyed by the seed, from 0 to
    2**64 - 1, and the index of the column. The result is in Fortran order. Errors are those of
    :func:`mutual_information`.
    """
    block = _readable(block)
    block = _exact(block, np.zeros(block.shape[1], dtype=np.bool_))
    indices = _indices(columns)
    standardized = np.empty(block.shape, order="F")
    _check(_kernels.standardize(block, indices, seed, standardized), indices)
    return standardized


def ranks(block: NDArray[Any], *, seed: int, columns: ArrayLike) -> NDArray[np.int32]:
    """Return continuous columns as the estimators see them in rank space: 0 to n_samples - 1.

    Samples are ordered by value, and equal values by a hash of the seed, from 0 to 2**64 - 1, the
    index of the column and the sample. The result is in Fortran order. Errors are those of
    :func:`mutual_information`.
    """
    block = _readable(block)
    block = _exact(block, np.ones(block.shape[1], dtype=np.bool_))
    indices = _indices(columns)
    ranked = np.empty(block.shape, dtype=np.int32, order="F")
    _check(_kernels.ranks(block, indices, seed, ranked), indices)
    return ranked


def _check(position: int, indices: NDArray[np.uint64]) -> None:
    """Raise for the column at this position; -1 is none."""
    if position >= 0:
        raise NonFiniteColumnError(position, int(indices[position]))


def _indices(columns: ArrayLike) -> NDArray[np.uint64]:
    indices = np.asarray(columns)
    if indices.size and indices.dtype.kind not in "iu":
        raise TypeError(f"columns of dtype {indices.dtype} are no indices. Give integers.")
    if indices.size and indices.min() < 0:
        raise ValueError(f"columns={indices.min()} is no index. Count from 0.")
    return np.ascontiguousarray(indices, dtype=np.uint64)


def _readable(block: NDArray[Any]) -> NDArray[Any]:
    """Return the block in a form that the extension reads: nearly always the block itself."""
    native = block.dtype.newbyteorder("=")
    if native.kind not in "fiubO":
        raise TypeError(f"dtype {block.dtype} is not of real numbers. Convert it to float64 first.")
    if native.kind not in "fiub" or native.itemsize > 8:
        native = np.dtype(np.float64)
    in_steps = all(stride % block.itemsize == 0 for stride in block.strides)
    if native != block.dtype or not block.flags.aligned or not in_steps:
        block = block.astype(native)
    return block


def _exact(block: NDArray[Any], ordered: NDArray[np.bool_]) -> NDArray[Any]:
    """Replace integers too large for a float64: by their places in order, or less their least.

    Hashed identifiers and times in nanoseconds are such: the kernel reads float64, exact up to 2**53.
    """
    if not is_beyond_exact(block):
        return block
    too_large = (block.max(axis=0) > LARGEST_EXACT) | (block.min(axis=0) < -LARGEST_EXACT)
    columns = np.flatnonzero(too_large)
    numbered = block.astype(np.float64)
    for column in columns:
        values = block[:, column]
        numbered[:, column] = (
            np.unique(values, return_inverse=True)[1] if ordered[column] else from_least(values)
        )
    return numbered
