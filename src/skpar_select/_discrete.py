"""Which columns are discrete: `discrete_features` as a mask."""

from typing import Any

import numpy as np


class DiscreteFeaturesError(ValueError, IndexError):
    """`discrete_features` does not fit the columns; scikit-learn raises IndexError here."""


def discrete_mask(discrete_features: Any, n_features: int, *, sparse: bool) -> Any:
    """Turn `discrete_features` into a boolean mask of length `n_features`.

    Parameters
    ----------
    discrete_features : {"auto"}, bool, or array-like of bool or int
        ``"auto"`` is all for a sparse matrix and none for any other.
    n_features : int
        The number of columns.
    sparse : bool
        Whether the matrix is sparse.

    Returns
    -------
    ndarray of bool of shape (n_features,)
    """
    if isinstance(discrete_features, str):
        if discrete_features != "auto":
            raise ValueError(
                f"discrete_features={discrete_features!r} is not known. It must be 'auto', a "
                "bool, a boolean mask or column indices. Columns are given by index, not by name."
            )
        mask = np.full(n_features, sparse)
    elif np.ndim(discrete_features) == 0:
        mask = np.full(n_features, bool(discrete_features))
    else:
        mask = _mask_of(np.asarray(discrete_features), n_features)
    return mask


def _mask_of(index: Any, n_features: int) -> Any:
    if index.ndim != 1 or (index.size and index.dtype.kind not in "biu"):
        raise DiscreteFeaturesError(
            f"discrete_features has shape {index.shape} and type {index.dtype}. It must be a "
            "boolean mask or a list of column indices. Convert it."
        )
    if index.dtype.kind == "b":
        if index.size != n_features:
            raise DiscreteFeaturesError(
                f"discrete_features has {index.size} entries, X has {n_features} features. A "
                "boolean mask has one entry for each feature. Give as many, or column indices."
            )
        return index.copy()
    mask = np.zeros(n_features, dtype=bool)
    outside = index[(index < -n_features) | (index >= n_features)]
    if outside.size:
        raise DiscreteFeaturesError(
            f"discrete_features holds index {outside[0]}, X has {n_features} features. Indices "
            f"run from 0 to {n_features - 1}. Correct it."
        )
    mask[index.astype(np.intp)] = True
    return mask
