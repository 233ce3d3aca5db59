"""Opening files as lazy matrices: the table of formats, orientation, and names."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from skpar_select._typing import Names
from skpar_select.sources._anndata import anndata_names, is_anndata, open_anndata
from skpar_select.sources._file import StillFile
from skpar_select.sources._hdf5 import HDF5Container
from skpar_select.sources._hdfstore import hdfstore_names, is_hdfstore, open_hdfstore
from skpar_select.sources._joined import rows_in_order
from skpar_select.sources._lazy import Container, LazyMatrix
from skpar_select.sources._names import Axis, checked, given_names, hdf5_names
from skpar_select.sources._npy import NpyContainer, is_npy
from skpar_select.sources._transposed import TransposedContainer
from skpar_select.sources._wide import WideContainer

Path: TypeAlias = str | os.PathLike[str]
Orientation: TypeAlias = Literal["samples_by_features", "features_by_samples", "auto"]
Given: TypeAlias = str | Sequence[str] | None

_ORIENTATIONS = ("samples_by_features", "features_by_samples", "auto")


class Format(NamedTuple):
    """A kind of file."""

    recognises: Callable[[str], bool]
    container: Callable[[Path, str | None], Container]
    names: Callable[[Any, str, Axis, dict[Axis, int], int], tuple[Names, str] | None]
    """Takes the container, a place or "auto", the axis, both lengths, and along which stored axis
    it runs."""
    says_samples: bool = False
    """Whether such files say that their rows are the samples."""


def _no_names(
    container: Container, place: str, axis: Axis, lengths: dict[Axis, int], along: int
) -> None:
    if place != "auto":
        raise ValueError(
            f"{axis}={place!r} is not in {container.where}. A .npy file holds an array alone. Give "
            "the names themselves."
        )


# The first that recognises a file opens it.
FORMATS: dict[str, Format] = {
    "NumPy": Format(is_npy, NpyContainer, _no_names),
    "AnnData": Format(is_anndata, open_anndata, anndata_names, says_samples=True),
    "pandas HDFStore": Format(is_hdfstore, open_hdfstore, hdfstore_names),
    "HDF5": Format(lambda path: True, HDF5Container, hdf5_names),
}


def open_matrix(
    path: Path | Sequence[Path],
    dataset: str | None = None,
    *,
    feature_names: Given = None,
    sample_ids: Given = None,
    orientation: Orientation = "samples_by_features",
    n_samples: int | None = None,
) -> LazyMatrix:
    """Open a file as a lazy samples x features matrix.

    Nothing but names is read until values are asked for.

    Parameters
    ----------
    path : str or path-like, or a sequence of these
        An HDF5, ``.npy`` or AnnData file, or one of pandas' ``to_hdf``. Several files are one
        wide matrix: their columns one after another, their rows joined by sample id.
    dataset : str, default=None
        The name of the matrix in the file, two-dimensional and numeric. None means the only
        such dataset, or an AnnData file's ``X``. Of AnnData it may be ``"layers/NAME"``, of
        pandas it is the key. A ``.npy`` file has none.
    feature_names : str or sequence of str, default=None
        The name of a one-dimensional dataset of the file that holds the names of the columns,
        or the names themselves. ``"auto"`` looks beside the matrix for a text dataset of the
        right length, or takes what the format has for that: the index of ``var``, the columns
        of the frame.
    sample_ids : str or sequence of str, default=None
        The same for the ids of the rows. Several files need them, to be joined by; ids given as
        a sequence say that all files have their rows in this order.
    orientation : {"samples_by_features", "features_by_samples", "auto"}, \
            default="samples_by_features"
        How the matrix is stored. ``"features_by_samples"``, as GEO and minfi write, is read as
        its transpose. ``"auto"`` needs `n_samples`, and raises unless exactly one axis has that
        length; of AnnData the rows are always the samples.
    n_samples : int, default=None
        The number of samples where it is known, as the length of the target. It is checked.

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
        If it is a folder or a pipe, cannot be opened, or is compressed with a filter that is not installed.
    ValueError
        If a dataset is missing, the matrix is not two-dimensional and real, its values do not
        lie in this file, the names are not unique or not as many as needed, the orientation
        cannot be told, or several files do not hold the same samples.

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
    >>> open_matrix(path, orientation="features_by_samples").shape
    (3, 4)
    """
    if orientation not in _ORIENTATIONS:
        raise ValueError(
            f"orientation={orientation!r} is unknown. It is one of {', '.join(_ORIENTATIONS)}. "
            "Name how the matrix is stored."
        )
    if dataset is not None and not isinstance(dataset, str):
        raise TypeError(
            f"dataset={dataset!r} is no name. It is the text by which the file knows the matrix. "
            "Name it, or leave it out where there is only one."
        )
    if isinstance(path, str | os.PathLike):
        return _open_one(path, dataset, feature_names, sample_ids, orientation, n_samples)
    try:
        paths = list(path)
    except TypeError as error:
        raise TypeError(
            f"path={path!r} names no file. It must be a path or a sequence of paths. Name the file."
        ) from error
    if not paths:
        raise ValueError("path=[] names no file. A matrix needs at least one. Name it.")
    if sample_ids is None and len(paths) > 1:
        raise ValueError(
            f"sample_ids=None with {len(paths)} files. Their rows are joined by sample id, never "
            "by position. Set sample_ids='auto', name the dataset of ids, or give the ids "
            "themselves if all files have their rows in that order (on the command line: "
            "--same-order)."
        )
    by_file = feature_names if isinstance(feature_names, str) else None
    parts = [
        _open_one(part, dataset, by_file, sample_ids, orientation, n_samples) for part in paths
    ]
    return parts[0] if len(parts) == 1 else _side_by_side(parts, feature_names)


def _open_one(
    path: Path,
    dataset: str | None,
    feature_names: Given,
    sample_ids: Given,
    orientation: str,
    n_samples: int | None,
) -> LazyMatrix:
    # Before anything opens it, as to open a pipe could wait forever.
    place = StillFile(path).path
    form = next(form for form in FORMATS.values() if form.recognises(place))
    stored = form.container(place, dataset)
    if orientation == "auto" and form.says_samples:
        orientation = "samples_by_features"
    turned = _is_turned(stored, orientation, n_samples)
    matrix = TransposedContainer(stored) if turned else stored
    lengths: dict[Axis, int] = {"sample_ids": matrix.shape[0], "feature_names": matrix.shape[1]}

    def names(given: Given, axis: Axis, along: int) -> Names | None:
        if given is None:
            return None
        if not isinstance(given, str):
            return checked(given_names(given, axis), axis, axis, lengths[axis])
        found = form.names(stored, given, axis, lengths, 1 - along if turned else along)
        return None if found is None else checked(*found, axis, lengths[axis])

    return LazyMatrix(
        matrix,
        feature_names=names(feature_names, "feature_names", 1),
        sample_ids=names(sample_ids, "sample_ids", 0),
    )


def _is_turned(stored: Container, orientation: str, n_samples: int | None) -> bool:
    first, second = stored.shape
    asked = "Set orientation to samples_by_features or features_by_samples"
    if orientation == "auto":
        if n_samples is None:
            raise ValueError(
                "orientation='auto' without n_samples. It is told by the number of samples alone. "
                f"{asked}, or give n_samples."
            )
        if (first == n_samples) == (second == n_samples):
            fits = "both axes have" if first == n_samples else "neither axis has"
            raise ValueError(
                f"{stored.where} is stored as {first} x {second}, and {fits} the length of the "
                f"target, {n_samples}. Exactly one must, to tell which one the samples are. "
                f"{asked}."
            )
        return second == n_samples
    turned = orientation == "features_by_samples"
    held = second if turned else first
    if n_samples is not None and held != n_samples:
        raise ValueError(
            f"{stored.where} has {held} samples with orientation={orientation!r}, not "
            f"n_samples={n_samples}. Both must be the same. {asked}, or correct n_samples."
        )
    return turned


def _side_by_side(parts: list[LazyMatrix], feature_names: Given) -> LazyMatrix:
    parts = rows_in_order(parts)
    where = f"{len(parts)} files, {parts[0].where} to {parts[-1].where}"
    layout = f"{len(parts)} files side by side"
    bare = [LazyMatrix(part._container, rows=part._rows, columns=part._columns) for part in parts]
    container = WideContainer(bare, where, layout)
    lengths = container.shape
    names: Names | None = None
    if feature_names is not None and not isinstance(feature_names, str):
        names = given_names(feature_names, "feature_names")
    elif feature_names is not None:
        without = [part.where for part in parts if part.feature_names is None]
        if without and len(without) < len(parts):
            raise ValueError(
                f"feature_names='auto' finds none in {len(without)} of {len(parts)} files, the "
                f"first {without[0]}. All or none must have names. Name their dataset, or leave "
                "names out."
            )
        if not without:
            names = np.concatenate([part.feature_names for part in parts])
            _check_apart(parts, names)
    if names is not None:
        names = checked(names, "feature_names", "feature_names", lengths[1])
    return LazyMatrix(container, feature_names=names, sample_ids=parts[0].sample_ids)


def _check_apart(parts: list[LazyMatrix], names: Names) -> None:
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        holders = [
            part.where
            for part in parts
            if part.feature_names is not None and repeated[0] in part.feature_names
        ]
        raise ValueError(
            f"{len(repeated)} features are in more than one file: {repeated[0]!r} is in "
            f"{' and '.join(holders[:3])}. Files side by side hold different features. Give each "
            "file once, or rename its features."
        )
