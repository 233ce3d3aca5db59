"""Names of features and ids of samples, from a sequence or from a dataset beside the matrix."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

import h5py
import numpy as np

from skpar_select._typing import IndexArray, Names
from skpar_select.sources._datasets import check_readable, check_stored_here, datasets, follow
from skpar_select.sources._opening import open_file

Axis = Literal["feature_names", "sample_ids"]

# What people and programs call them, tried by "auto" where more than one dataset would fit.
_CONVENTIONAL: dict[Axis, tuple[str, ...]] = {
    "feature_names": ("feature_names", "features", "columns", "var_names", "probes", "genes"),
    "sample_ids": ("sample_ids", "samples", "index", "ids", "obs_names", "rows"),
}
_UNIT: dict[Axis, str] = {"feature_names": "features", "sample_ids": "samples"}


# Names that are read at a time where only some are wanted.
_PIECE = 2**16


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
    check_number(len(names), where, axis, length)
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        first = ", ".join(repr(name) for name in repeated[:3])
        raise ValueError(
            f"{where} repeats {len(repeated)} names: {first}. Names must be unique. Make them so, "
            "or leave them out."
        )
    return names


def check_number(n_names: int, where: str, axis: Axis, length: int) -> None:
    """Refuse more or fewer names than there are features or samples."""
    unit = _UNIT[axis]
    if n_names != length:
        raise ValueError(
            f"{where} holds {n_names} names, the matrix has {length} {unit}. There must be one "
            f"for each of its {unit}. Give as many, in the order of the matrix."
        )


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
        return as_names(_named(file, found, where), where, axis, lengths[axis]), where


def _named(file: Any, place: str, where: str) -> Any:
    data = follow(file, place, where)
    if not isinstance(data, h5py.Dataset):
        texts = [name for name, other in datasets(file) if _is_text(other)]
        raise ValueError(
            f"{where} does not exist. One-dimensional text datasets of this file are: "
            f"{', '.join(texts[:10]) or 'none'}. Name one of them, or give the names themselves."
        )
    return data


def as_names(data: Any, where: str, axis: Axis, length: int) -> Names:
    """Read a one-dimensional dataset of text or whole numbers as text.

    Parameters
    ----------
    data : h5py.Dataset
        The dataset.
    where : str
        The same in words, for errors.
    axis : {"feature_names", "sample_ids"}
        What they name.
    length : int
        How many there must be. It is compared before anything is read: a few bytes may claim to
        be any number of names.

    Raises
    ------
    ValueError
        If it is of another type, shape or length, its values do not lie in the file, or its text
        is not UTF-8.
    """
    _check_kind(data, where)
    check_number(data.shape[0], where, axis, length)
    check_readable(data, where)
    return _read(data, where, slice(None))


def names_at(data: Any, where: str, places: IndexArray) -> Names:
    """Read the names at these places alone, of however many the dataset has.

    Parameters
    ----------
    data : h5py.Dataset
        One-dimensional, of text or whole numbers.
    where : str
        The same in words, for errors.
    places : ndarray of int
        In range, in any order and repeated.
    """
    _check_kind(data, where)
    check_readable(data, where)
    names = np.empty(len(places), dtype=object)
    # Pieces end where chunks do, so that none is decoded twice.
    step = max(_PIECE, data.chunks[0] if data.chunks else 0)
    for piece in np.unique(places // step).tolist():
        within = np.flatnonzero(places // step == piece)
        held = _read(data, where, slice(piece * step, (piece + 1) * step))
        names[within] = held[places[within] - piece * step]
    return names


def _check_kind(data: Any, where: str) -> None:
    if not _is_text(data) and not _is_whole(data):
        raise ValueError(
            f"{where} has shape {data.shape} and type {data.dtype}. Names are one-dimensional "
            "text. Name another dataset, or give the names themselves."
        )


def _read(data: Any, where: str, part: slice) -> Names:
    values = data[part]
    if values.dtype.kind in "iu":
        return np.asarray([str(number) for number in values], dtype=object)
    return np.asarray([_text(name, where) for name in values], dtype=object)


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


def _is_whole(data: Any) -> bool:
    return data.shape is not None and len(data.shape) == 1 and data.dtype.kind in "iu"


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
        if name.lower() not in _CONVENTIONAL[other] and _all_differ(group[name], lengths[axis])
    ]
    if not candidates:
        return None
    if len(candidates) > 1 or (not known and lengths[axis] == lengths[other]):
        raise ValueError(
            f"{axis}='auto' fits {', '.join(candidates)} in '{file.filename}'. It must fit one "
            f"dataset without doubt. Name it, as in {axis}={candidates[0]!r}."
        )
    return str(group[candidates[0]].name)


def _all_differ(data: Any, length: int) -> bool:
    try:
        check_stored_here(data, data.name)
    except ValueError:
        # What lies elsewhere is no more beside the matrix than an external link is.
        return False
    return len(set(data[:])) == length
