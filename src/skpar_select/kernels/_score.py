"""A block of columns and a prepared target in, scores out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skpar_select.kernels import _config

if TYPE_CHECKING:
    from skpar_select.kernels._target import Target

_kernels = _config._kernels


def mutual_information(
    block: NDArray[Any],
    target: Target,
    *,
    discrete: NDArray[np.bool_],
    first_column: int,
) -> NDArray[np.float64]:
    """Score each column of a block against the target.

    Parameters
    ----------
    block : ndarray of shape (n_samples, n_columns)
        Finite real numbers of any dtype, in any memory order; never written to.
    target : Target
        From `prepare_target`.
    discrete : ndarray of shape (n_columns,), bool
        Which columns hold classes rather than quantities.
    first_column : int
        Index of the first column in the whole matrix: it keys the noise that breaks ties, so that
        a score does not depend on how the matrix was cut into blocks.

    Returns
    -------
    scores : ndarray of shape (n_columns,), float64
        Mutual information in nats, at least 0.

    Raises
    ------
    ValueError
        If a column holds NaN or infinity, or the shapes do not fit.
    """
    mask = np.ascontiguousarray(discrete, dtype=np.bool_)
    block = _with_exact_classes(_readable(block), mask)
    scores = np.empty(block.shape[1])
    if target.values is not None:
        _kernels.score_continuous(
            block, mask, first_column, target.seed, target.order, target.values,
            target.digamma, target.log, target.n_neighbors, scores,
        )  # fmt: skip
    else:
        assert target.class_start is not None
        _kernels.score_discrete(
            block, mask, first_column, target.seed, target.order, target.class_start,
            target.digamma, target.log, target.n_neighbors, scores,
        )  # fmt: skip
    return scores


def standardize(block: NDArray[Any], *, seed: int, first_column: int) -> NDArray[np.float64]:
    """Return continuous columns as the estimators see them: centred, scaled and jittered.

    Each column is centred, divided by its population standard deviation (by infinity where that is
    below the rounding of the values) and gets a noise of 1e-10 that is keyed by the seed and the
    index of the column.

    Parameters
    ----------
    block : ndarray of shape (n_samples, n_columns)
        Finite real numbers.
    seed : int
        Seed of the noise.
    first_column : int
        Index of the first column in the whole matrix.

    Returns
    -------
    columns : ndarray of shape (n_samples, n_columns), float64
        In Fortran order.
    """
    block = _readable(block)
    columns = np.empty(block.shape, order="F")
    _kernels.standardize(block, first_column, seed, columns)
    return columns


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


def _with_exact_classes(block: NDArray[Any], discrete: NDArray[np.bool_]) -> NDArray[Any]:
    """Replace integers too large for a float64 by the number of their class, in discrete columns.

    Hashed identifiers are such integers: the kernel reads float64, exact up to 2**53.
    """
    if block.dtype.kind not in "iu" or block.itemsize < 8 or not (block.size and discrete.any()):
        return block
    too_large = (block.max(axis=0) > 2**53) | (block.min(axis=0) < -(2**53))
    columns = np.flatnonzero(too_large & discrete)
    if not columns.size:
        return block
    numbered = block.astype(np.float64)
    for column in columns:
        numbered[:, column] = np.unique(block[:, column], return_inverse=True)[1]
    return numbered
