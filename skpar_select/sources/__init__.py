"""Matrices, from memory or from files, that are read by blocks of columns."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skpar_select._typing import Names
from skpar_select.sources._array import ArraySource
from skpar_select.sources._base import Source
from skpar_select.sources._hdf5 import HDF5Container, open_file
from skpar_select.sources._lazy import LazyMatrix
from skpar_select.sources._names import Axis, read_names
from skpar_select.sources._sparse import SparseSource

__all__ = ["ArraySource", "LazyMatrix", "Source", "SparseSource", "as_source", "open_matrix"]


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


def open_matrix(
    path: str | os.PathLike[str],
    dataset: str | None = None,
    *,
    feature_names: str | Sequence[str] | None = None,
    sample_ids: str | Sequence[str] | None = None,
) -> LazyMatrix:
    """Open a file as a lazy samples x features matrix.

    Nothing but names is read until values are asked for.

    Parameters
    ----------
    path : str or path-like
        An HDF5 file.
    dataset : str, default=None
        The name of the dataset in the file, two-dimensional and numeric. None means the only
        such dataset of the file.
    feature_names : str or sequence of str, default=None
        The name of a one-dimensional dataset of the file that holds the names of the columns,
        or the names themselves. ``"auto"`` looks beside the matrix for a text dataset of the
        right length.
    sample_ids : str or sequence of str, default=None
        The same for the ids of the rows.

    Returns
    -------
    LazyMatrix
        Has ``shape``, ``dtype``, ``feature_names`` and ``sample_ids``; ``X[rows]`` is another
        lazy matrix; ``np.asarray(X)`` loads it; ``X.read(columns)`` loads columns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If the file cannot be opened as HDF5.
    ValueError
        If a dataset is missing, the matrix is not two-dimensional and real, its values do not
        lie in this file, or the names are not unique or not as many as needed.

    Examples
    --------
    >>> import h5py, tempfile, pathlib
    >>> import numpy as np
    >>> from skpar_select import open_matrix
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["data"] = np.arange(12.0).reshape(4, 3)
    ...     file["features"] = ["a", "b", "c"]
    >>> X = open_matrix(path, feature_names="features")
    >>> X.shape
    (4, 3)
    >>> X[1:3].read(np.array([2, 0]))
    array([[5., 3.],
           [8., 6.]])
    """
    container = HDF5Container(path, dataset)
    n_samples, n_features = container.shape
    lengths: dict[Axis, int] = {"feature_names": n_features, "sample_ids": n_samples}
    with open_file(container.path) as file:
        return LazyMatrix(
            container,
            feature_names=read_names(
                file, container.dataset, feature_names, "feature_names", lengths
            ),
            sample_ids=read_names(file, container.dataset, sample_ids, "sample_ids", lengths),
        )
