"""Opening files as lazy matrices: format, orientation, labels, and several files as one matrix."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np

from skpar_select._alignment import MissingIdsError, align_ids, repeated
from skpar_select._given import check_file_name, check_number_of_samples, check_several
from skpar_select._typing import Names
from skpar_select._wording import counted
from skpar_select.matrices._concatenated import ConcatenatedMatrix
from skpar_select.matrices._holders import find_holder, is_holder, list_sources
from skpar_select.matrices._label_sources import (
    Given,
    check_orientation,
    is_transposed,
    labels_of,
    names_of,
)
from skpar_select.matrices._labels import Axis, Labels
from skpar_select.matrices._lazy import LazyMatrix
from skpar_select.matrices.formats import open_file
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import TransposedMatrix

Path: TypeAlias = str | os.PathLike[str]
# An object of another library has no type that is known here.
Source: TypeAlias = Path | Any
Orientation: TypeAlias = Literal["samples_by_features", "features_by_samples", "auto"]
Align: TypeAlias = Literal["id", "order"]

_ORIENTATIONS = ("samples_by_features", "features_by_samples", "auto")
_ALIGNS = ("id", "order")


def open_matrix(
    path: Source | Sequence[Source],
    dataset: str | None = None,
    *,
    feature_names: Given = "auto",
    sample_ids: Given = "auto",
    orientation: Orientation = "samples_by_features",
    n_samples: int | None = None,
    align: Align = "id",
) -> LazyMatrix:
    """Open a file as a lazy samples x features matrix.

    No values are read until they are asked for, and no names either, unless they are named.

    Parameters
    ----------
    path : str or path-like, or a sequence of these
        An HDF5, ``.npy``, AnnData or Parquet file, a folder of Parquet files, a Zarr store, or a
        file of pandas' ``to_hdf``. Several files are one wide matrix: their columns one after
        another. In the place of a path may be an object that holds a matrix: a dataset, file or
        group of h5py that is open for reading, an array or group of Zarr, an array of dask, or an
        AnnData, in memory or backed.
    dataset : str, default=None
        The name of the matrix in the file, two-dimensional and numeric. None means the only
        such dataset, or an AnnData file's ``X``. Of AnnData it may be ``"layers/NAME"``, of
        pandas it is the key. A ``.npy`` file has none.
    feature_names : str, path-like, sequence of str or None, default="auto"
        The names of the columns. ``"auto"`` looks beside the matrix for a text dataset of the
        right length, or takes what the format has for that: HDF5's dimension scales, the index of
        ``var``, the columns of the frame; it finds none where there are none, and none with a
        warning where they repeat. Any other text names a one-dimensional dataset of the file; of
        AnnData a column, ``"symbol"`` or ``"var/symbol"``. A path-like, as of `pathlib`, is a text
        file in UTF-8 with one name a line. A sequence gives the names themselves. None means no
        names.
    sample_ids : str, path-like, sequence of str or None, default="auto"
        The same for the ids of the rows; ``"auto"`` takes whole numbers, too, of which none
        repeats, under a usual name such as ``samples``. Ids given as a sequence or a text file say
        that all files have their rows in this order.
    orientation : {"samples_by_features", "features_by_samples", "auto"}, \
            default="samples_by_features"
        How the matrix is stored. ``"features_by_samples"``, as GEO and minfi write, is read as
        its transpose. ``"auto"`` takes what `n_samples`, and names and ids that fit one axis
        alone, tell; it raises where nothing does, or two contradict each other. Of AnnData the
        rows are always the samples.
    n_samples : int, default=None
        The number of samples where it is known, as the length of the target. It is checked.
    align : {"id", "order"}, default="id"
        How the rows of several files are joined: by sample id, in the order of the first file; or
        by position, where all files are known to have the same rows in the same order.

    Returns
    -------
    LazyMatrix
        Has ``shape``, (n_samples, n_features), ``dtype``, ``feature_names`` and ``sample_ids``;
        ``X[rows, columns]`` is another lazy matrix; ``np.asarray(X)`` loads it;
        ``X.read(columns)`` loads columns.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    OSError
        If it is another folder or a pipe, cannot be opened, is damaged, or is compressed with a
        filter that is not installed.
    TypeError
        If `path` is neither a path nor an object that holds a matrix, such as an array.
    ImportError
        If zarr or pyarrow is needed and not installed.
    ValueError
        If a dataset is missing, the matrix is not two-dimensional and real, its values do not
        lie in this file, the names are not unique or not as many as needed, the orientation
        is not clear, or several files do not hold the same samples. With ``"auto"`` an error of
        the names comes when they are asked for.

    Examples
    --------
    >>> import h5py, tempfile, pathlib
    >>> import numpy as np
    >>> from skpar_select import open_matrix
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["data"] = np.arange(12.0).reshape(4, 3)
    ...     file["features"] = ["a", "b", "c"]
    >>> X = open_matrix(path)
    >>> X.shape, X.feature_names
    ((4, 3), array(['a', 'b', 'c'], dtype=object))
    >>> X[1:3].read(np.array([2, 0]))
    array([[5., 3.],
           [8., 6.]])
    >>> open_matrix(path, orientation="features_by_samples").shape
    (3, 4)
    """
    _check_choice("orientation", orientation, _ORIENTATIONS, "how the matrix is stored")
    _check_choice("align", align, _ALIGNS, "how the rows of several files are joined")
    if dataset is not None and not isinstance(dataset, str):
        raise TypeError(
            f"dataset={dataset!r} is no name. It is the text by which the file knows the matrix. "
            "Name it, or leave it out where there is only one."
        )
    for axis, given in (("feature_names", feature_names), ("sample_ids", sample_ids)):
        if given is not None and not isinstance(given, os.PathLike):
            check_several(given, axis, "'auto', the name of a dataset, a text file, or the names")
    if n_samples is not None:
        check_number_of_samples(n_samples)
    if isinstance(path, str | os.PathLike) or is_holder(path):
        return _open_one(path, dataset, feature_names, sample_ids, orientation, n_samples)
    paths = list_sources(path)
    if not paths:
        raise ValueError("path=[] names no file. A matrix needs at least one. Name it.")
    if len(paths) == 1:
        return _open_one(paths[0], dataset, feature_names, sample_ids, orientation, n_samples)
    by_file = feature_names if isinstance(feature_names, str) else None
    parts = [
        _open_one(part, dataset, by_file, sample_ids, orientation, n_samples) for part in paths
    ]
    ordered = _by_id(parts) if align == "id" else _by_order(parts)
    return _concatenate(parts, ordered, feature_names)


def held_matrix(X: Any) -> LazyMatrix | None:
    """Return what reads a matrix from a file as a lazy matrix; None for a matrix in memory.

    Parameters
    ----------
    X : object
        A lazy matrix; a dataset, file or group of h5py; an array or group of Zarr; an array of
        dask; or an AnnData, in memory or backed.

    Returns
    -------
    LazyMatrix or None
        What ``open_matrix(X)`` gives, with the names that the object has. None where `X` is none
        of these, such as an array, a data frame or a list.

    Raises
    ------
    TypeError
        If `X` is a path, which is opened by :func:`open_matrix`.
    ValueError
        If the object holds no matrix, or holds it where it cannot be read, as in a file that is
        open for writing.

    Examples
    --------
    >>> import h5py, tempfile, pathlib
    >>> import numpy as np
    >>> from skpar_select.matrices import held_matrix
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "small.h5"
    >>> with h5py.File(path, "w") as file:
    ...     file["data"] = np.arange(12.0).reshape(4, 3)
    >>> with h5py.File(path) as file:
    ...     held_matrix(file["data"]).shape
    (4, 3)
    >>> held_matrix(np.zeros((4, 3)))
    """
    if isinstance(X, list | tuple) and X and isinstance(X[0], str | os.PathLike):
        X = X[0]  # an array of one dimension otherwise, and no matrix
    if isinstance(X, str | bytes | os.PathLike):
        path = os.fsdecode(X)
        raise TypeError(
            f"X={path!r} is a path. A matrix in a file is opened first, so that its names and its "
            f"orientation can be said. Give open_matrix({path!r})."
        )
    if isinstance(X, LazyMatrix):
        return X
    return open_matrix(X) if is_holder(X) else None


def _check_choice(name: str, value: object, choices: tuple[str, ...], what: str) -> None:
    if value not in choices:
        raise ValueError(
            f"{name}={value!r} is unknown. It is one of {', '.join(choices)}. Name {what}."
        )


def _open_one(
    path: Source,
    dataset: str | None,
    feature_names: Given,
    sample_ids: Given,
    orientation: str,
    n_samples: int | None,
) -> LazyMatrix:
    if isinstance(path, str | os.PathLike):
        check_file_name(path)
    held = find_holder(path, dataset)
    with FileSession(path if held is None else held.path) as session:
        opened = open_file(session, dataset) if held is None else held.open(session)
        if orientation == "auto" and opened.rows_are_samples:
            orientation = "samples_by_features"
        if orientation == "auto":
            labels: dict[Axis, Given] = {"feature_names": feature_names, "sample_ids": sample_ids}
            transposed = is_transposed(session, opened, n_samples, labels)
        else:
            transposed = check_orientation(opened.matrix, orientation, n_samples)
        return LazyMatrix(
            TransposedMatrix(opened.matrix) if transposed else opened.matrix,
            feature_names=labels_of(
                session, opened, feature_names, "feature_names", 0 if transposed else 1
            ),
            sample_ids=labels_of(session, opened, sample_ids, "sample_ids", 1 if transposed else 0),
        )


def _by_id(parts: list[LazyMatrix]) -> list[LazyMatrix]:
    """Return all matrices with their rows in the order of the first."""
    ids = [part.sample_ids for part in parts]
    for part, names in zip(parts, ids, strict=True):
        if names is None:
            raise MissingIdsError(
                f"{part.label} has no sample ids that can be found. Files are joined by sample "
                "id unless align='order'. Name the dataset of ids, give the ids themselves, or set "
                "align='order' if all files have their rows in the same order."
            )
    reference = ids[0]
    ordered = []
    for part, names in zip(parts, ids, strict=True):
        assert names is not None
        assert reference is not None
        same = len(names) == len(reference) and (names == reference).all()
        # Ids that repeat join no rows, not even those that look alike.
        same = same and not repeated(names)
        holders = {"held_by": part.label, "reference_by": parts[0].label}
        ordered.append(part if same else part[align_ids(names, reference, **holders)])
    return ordered


def _by_order(parts: list[LazyMatrix]) -> list[LazyMatrix]:
    for part in parts:
        if len(part) != len(parts[0]):
            raise ValueError(
                f"{part.label} has {len(part)} samples, {parts[0].label} has {len(parts[0])}. "
                "Files that are joined by position must have the same rows. Leave out the wrong "
                "file, or join them by id."
            )
    return parts


def _concatenate(
    parts: list[LazyMatrix], ordered: list[LazyMatrix], feature_names: Given
) -> LazyMatrix:
    label = f"{len(parts)} files, {parts[0].label} to {parts[-1].label}"
    bare = [LazyMatrix(part) for part in ordered]
    matrix = ConcatenatedMatrix(bare, label, f"{len(parts)} files, column after column")
    names: Labels | None = None
    if isinstance(feature_names, str):
        load: Callable[[], Names | None] = partial(_names_of_all, parts)
        names = Labels(load)
        if feature_names != "auto":
            names.values()
    elif feature_names is not None:
        names = Labels.of(names_of(feature_names, "feature_names", matrix.shape[1]))
    return LazyMatrix(matrix, feature_names=names, sample_ids=parts[0].labels_of_rows)


def _names_of_all(parts: list[LazyMatrix]) -> Names | None:
    names: list[Any] = [part.feature_names for part in parts]
    without = [part.label for part, held in zip(parts, names, strict=True) if held is None]
    if len(without) == len(parts):
        return None
    if without:
        raise ValueError(
            f"feature_names='auto' finds none in {len(without)} of {len(parts)} files, the "
            f"first {without[0]}. All or none must have names. Name their dataset, or leave "
            "the names out with feature_names=None."
        )
    every: Names = np.concatenate(names)
    twice = repeated(every)
    if twice:
        holders = [part.label for part, held in zip(parts, names, strict=True) if twice[0] in held]
        raise ValueError(
            f"{counted(len(twice), 'feature')} {'is' if len(twice) == 1 else 'are'} in more than one "
            f"file: {twice[0]!r} is in {' and '.join(holders)}. Files of one matrix hold different features. Give "
            "each file once, or rename its features."
        )
    return every
