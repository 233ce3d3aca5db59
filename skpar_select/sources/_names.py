"""Names of features and ids of samples, from a sequence or from a dataset beside the matrix."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import h5py
import numpy as np

from skpar_select._typing import Names
from skpar_select.sources._datasets import datasets
from skpar_select.sources._filters import check_filters
from skpar_select.sources._opening import open_file

Axis = Literal["feature_names", "sample_ids"]

# What people and programs call them, tried by "auto" where more than one dataset would fit.
_CONVENTIONAL: dict[Axis, tuple[str, ...]] = {
    "feature_names": ("feature_names", "features", "columns", "var_names", "probes", "genes"),
    "sample_ids": ("sample_ids", "samples", "index", "ids", "obs_names", "rows"),
}
_UNIT: dict[Axis, str] = {"feature_names": "features", "sample_ids": "samples"}


def checked(names: Names, where: str, axis: Axis, length: int) -> Names:
    """Give the names back if there is one for each and none twice.

    Parameters
    ----------
    names : ndarray of str
        The names.
    where : str
        What holds them, for errors.
    axis : {"feature_names", "sample_ids"}
        What they name.
    length : int
        How many there must be.

    Raises
    ------
    ValueError
        If they are more, fewer or repeated.
    """
    unit = _UNIT[axis]
    if len(names) != length:
        raise ValueError(
            f"{where} holds {len(names)} names, the matrix has {length} {unit}. There must be one "
            f"for each of its {unit}. Give as many, in the order of the matrix."
        )
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        first = ", ".join(repr(name) for name in repeated[:3])
        raise ValueError(
            f"{where} repeats {len(repeated)} names: {first}. Names must be unique. Make them so, "
            "or leave them out."
        )
    return names


def given_names(given: Sequence[str], axis: Axis) -> Names:
    """Give names that the caller has as an array of text."""
    return np.asarray([_text(name, axis) for name in given], dtype=object)


def hdf5_names(
    container: Any, place: str, axis: Axis, lengths: dict[Axis, int], along: int
) -> tuple[Names, str] | None:
    """Read the names that lie in a dataset of the file of a matrix.

    Parameters
    ----------
    container : HDF5Container
        The matrix.
    place : str
        The name of the dataset, or ``"auto"`` for the one beside the matrix that fits.
    axis : {"feature_names", "sample_ids"}
        Which names.
    lengths : dict
        The length of both axes.
    along : int
        Not used: a file tells neither axis by its place.

    Returns
    -------
    names, where : ndarray of str and str, or None
        The names, and what holds them in words; None if there are none.
    """
    with open_file(container.path) as file:
        found = _auto(file, container.dataset, axis, lengths) if place == "auto" else place
        if found is None:
            return None
        where = f"{axis}={found!r} in '{container.path}'"
        return _read(file, found, where), where


def _read(file: Any, place: str, where: str) -> Names:
    data = file.get(place)
    if not isinstance(data, h5py.Dataset):
        texts = [name for name, other in datasets(file) if _is_text(other)]
        raise ValueError(
            f"{where} does not exist. One-dimensional text datasets of this file are: "
            f"{', '.join(texts[:10]) or 'none'}. Name one of them, or give the names themselves."
        )
    return as_names(data, where)


def as_names(data: Any, where: str) -> Names:
    """Read a one-dimensional dataset of text or whole numbers as text.

    Raises
    ------
    ValueError
        If it is of another type or shape, or its text is not UTF-8.
    """
    check_filters(data, where)
    if data.shape is not None and len(data.shape) == 1 and data.dtype.kind in "iu":
        return np.asarray([str(number) for number in data[:]], dtype=object)
    if not _is_text(data):
        raise ValueError(
            f"{where} has shape {data.shape} and type {data.dtype}. Names are one-dimensional "
            "text. Name another dataset, or give the names themselves."
        )
    return np.asarray([_text(name, where) for name in data[:]], dtype=object)


def _text(name: object, where: str) -> str:
    if isinstance(name, bytes):
        try:
            return name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{where} holds {name!r}, which is not UTF-8 ({error.reason}). Names are text in "
                "UTF-8. Store them so, or give the names themselves."
            ) from error
    if isinstance(name, str):
        return str(name)
    raise ValueError(
        f"{where} holds {name!r}, a {type(name).__name__}. Names are text. Convert them with str."
    )


def _is_text(data: Any) -> bool:
    return (
        data.shape is not None
        and len(data.shape) == 1
        and h5py.check_string_dtype(data.dtype) is not None
    )


def _auto(file: Any, dataset: str, axis: Axis, lengths: dict[Axis, int]) -> str | None:
    group = file[dataset].parent
    fitting = [
        name
        for name in sorted(group)
        if isinstance(group.get(name, getlink=True), h5py.HardLink)
        and isinstance(group[name], h5py.Dataset)
        and _is_text(group[name])
        and group[name].shape[0] == lengths[axis]
    ]
    known = [name for name in fitting if name.lower() in _CONVENTIONAL[axis]]
    other: Axis = "sample_ids" if axis == "feature_names" else "feature_names"
    # A dataset that is called after the other axis is never taken for this one, and one that
    # repeats itself, such as a group or a sex, is no set of names.
    candidates = known or [
        name
        for name in fitting
        if name.lower() not in _CONVENTIONAL[other] and len(set(group[name][:])) == lengths[axis]
    ]
    if not candidates:
        return None
    if len(candidates) > 1 or (not known and lengths[axis] == lengths[other]):
        raise ValueError(
            f"{axis}='auto' fits {', '.join(candidates)} in '{file.filename}'. It must fit one "
            f"dataset without doubt. Name it, as in {axis}={candidates[0]!r}."
        )
    return str(group[candidates[0]].name)
