"""Matrices, from memory or from files, that are read by blocks of columns."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from skpar_select._typing import Names
from skpar_select.sources._array import ArraySource
from skpar_select.sources._base import Content, Source
from skpar_select.sources._file import StillFile
from skpar_select.sources._lazy import LazyMatrix
from skpar_select.sources._open import open_matrix
from skpar_select.sources._scratch import ScratchContainer
from skpar_select.sources._sparse import SparseSource

__all__ = [
    "ArraySource",
    "Content",
    "LazyMatrix",
    "ScratchContainer",
    "Source",
    "SparseSource",
    "StillFile",
    "as_source",
    "open_matrix",
]


def as_source(X: Any, feature_names: Names | None = None) -> Source:
    """Give `X`, as scikit-learn's validation or `open_matrix` gave it, as a source.

    Parameters
    ----------
    X : ndarray, sparse matrix, LazyMatrix or other Source
        Two-dimensional, of real numbers.
    feature_names : ndarray of str of shape (n_features,), default=None
        Names for errors and tables, of a matrix that carries none.

    Returns
    -------
    Source
    """
    if isinstance(X, Source):
        return X
    if issparse(X):
        return SparseSource(X.tocsc(), feature_names)
    return ArraySource(np.asarray(X), feature_names)
