"""Matrices, from memory or from files, that are read by blocks of columns."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from skpar_select._typing import Names
from skpar_select.matrices._array import ArrayMatrix
from skpar_select.matrices._base import ArrayBlock, FingerprintPart, Matrix, Part, RawBlock
from skpar_select.matrices._concatenated import ConcatenatedMatrix
from skpar_select.matrices._cuts import Cuts
from skpar_select.matrices._label_sources import UnclearOrientationError, read_list
from skpar_select.matrices._layout import TILE_BYTES, Layout
from skpar_select.matrices._lazy import LazyMatrix
from skpar_select.matrices._open import held_matrix, open_matrix
from skpar_select.matrices._sparse import SparseMatrix

__all__ = [
    "TILE_BYTES",
    "ArrayBlock",
    "ArrayMatrix",
    "ConcatenatedMatrix",
    "Cuts",
    "FingerprintPart",
    "Layout",
    "LazyMatrix",
    "Matrix",
    "Part",
    "RawBlock",
    "SparseMatrix",
    "UnclearOrientationError",
    "as_matrix",
    "held_matrix",
    "open_matrix",
    "read_list",
]


def as_matrix(X: Any, feature_names: Names | None = None) -> Matrix:
    """Return `X`, as scikit-learn's validation or `open_matrix` gave it, as a matrix."""
    if isinstance(X, Matrix):
        return X
    if issparse(X):
        return SparseMatrix(X.tocsc(), feature_names)
    return ArrayMatrix(np.asarray(X), feature_names)
