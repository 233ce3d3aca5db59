"""Where labels come from: the caller, a text file, a name in the matrix' file, or what is found there.

What they say of the orientation of the matrix is asked here, too.
"""

import os
import warnings
from collections.abc import Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from skpar_select._alignment import repeated
from skpar_select._typing import Names
from skpar_select._wording import counted, listing
from skpar_select.matrices._base import Matrix
from skpar_select.matrices._labels import (
    Axis,
    Labels,
    check_labels,
    check_number,
    given_labels,
)
from skpar_select.matrices.formats import OpenedMatrix
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.io._text import TEXT_FAULTS, open_text

Given: TypeAlias = str | os.PathLike[str] | Sequence[str] | None


class UnclearOrientationError(ValueError):
    """Nothing tells which axis of a matrix the samples are."""


def labels_of(
    session: FileSession, opened: OpenedMatrix, given: Given, axis: Axis, along: int
) -> Labels | None:
    """Return the labels of a stored axis; all but those to be found are read, or refused, now."""
    if given is None:
        return None
    if not isinstance(given, str):
        return Labels.of(names_of(given, axis, opened.matrix.shape[along]))
    if given == "auto":
        return Labels(partial(_find, session.path, opened, axis, along))
    try:
        found = opened.read_labels(session, given, axis, along)
    except ValueError as error:
        if os.path.isfile(given):
            raise ValueError(
                f"{error} There is a text file of this name: its lines are given as "
                f"{axis}=pathlib.Path({given!r})."
            ) from error
        raise
    if found is None:
        return None
    return Labels.of(check_labels(*found, axis, opened.matrix.shape[along]))


def names_of(given: os.PathLike[str] | Sequence[str], axis: Axis, length: int) -> Names:
    """Return names that are given: themselves, or the text file that has one in each line."""
    if not isinstance(given, os.PathLike):
        return check_labels(given_labels(given, axis), axis, axis, length)
    label = f"{axis}: '{os.fspath(given)}'"
    # One line more tells that there are too many.
    lines = _lines(given, label, length + 1)
    empty = [number for number, line in enumerate(lines, start=1) if not line.strip()]
    if empty:
        raise ValueError(
            f"{label} has {counted(len(empty), 'line')} without a name: {listing(empty)}. Every line "
            "is a name. Fill them."
        )
    check_number(len(lines), label, axis, length, and_more=len(lines) > length)
    return check_labels(given_labels(lines, axis), label, axis, length)


def read_list(path: os.PathLike[str], label: str) -> list[str]:
    """Read names from a text file with one a line, in UTF-8, packed by gzip or not.

    Empty lines are passed over.
    """
    return [line for line in _lines(path, label) if line.strip()]


def _lines(path: os.PathLike[str], label: str, most: int | None = None) -> list[str]:
    if not Path(path).is_file():
        what = "is a folder, a pipe or a device" if Path(path).exists() else "does not exist"
        raise FileNotFoundError(
            f"{label} {what}. Names are read from a regular file, and more than once. Check the "
            "path, or write them to a file."
        )
    try:
        with open_text(path) as file:
            lines = [line.rstrip("\r\n") for line in islice(file, most)]
    except TEXT_FAULTS as error:
        raise ValueError(
            f"{label} cannot be read as text ({error}). It must be in UTF-8, with one name a line; "
            "gzip is read, too. Write it again."
        ) from error
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def _find(path: str, opened: OpenedMatrix, axis: Axis, along: int) -> Names | None:
    opened.matrix.check_unchanged()
    with FileSession(path) as session:
        found = opened.read_labels(session, "auto", axis, along)
    if found is None:
        return None
    names, label = found
    check_number(len(names), label, axis, opened.matrix.shape[along])
    twice = repeated(names)
    if axis == "sample_ids" or not twice:
        # Ids that repeat are refused where rows are joined by them, and harm nothing elsewhere.
        return names
    warnings.warn(
        f"{label} repeats {counted(len(twice), 'name')}: {listing(twice)}. Names that nobody asked for "
        "are used where they are unique: the features stay without names. Make them unique, as with "
        "adata.var_names_make_unique(), name others, or set feature_names=None.",
        UserWarning,
        stacklevel=2,
    )
    return None


class _Sign(NamedTuple):
    """What tells the orientation."""

    transposed: bool
    words: str


def is_transposed(
    session: FileSession,
    opened: OpenedMatrix,
    n_samples: int | None,
    labels: dict[Axis, Given],
) -> bool:
    """Return whether the features are the rows as stored, by all that tells it.

    That are the number of samples, and names and ids whose length fits one axis alone. Raises
    ValueError where nothing tells it, or two things contradict each other.
    """
    stored = opened.matrix
    signs = [_sign_of_labels(session, opened, given, axis) for axis, given in labels.items()]
    if n_samples is not None and (stored.shape[0] == n_samples) != (stored.shape[1] == n_samples):
        signs.append(_Sign(stored.shape[1] == n_samples, f"n_samples={n_samples}"))
    told = [sign for sign in signs if sign is not None]
    remedy = "Set orientation to samples_by_features or features_by_samples"
    first, second = stored.shape
    if not told and n_samples is None:
        raise UnclearOrientationError(
            f"orientation='auto' without n_samples, and {stored.label} has no names or ids that fit "
            f"one axis of {first} x {second} alone. One of these must tell it. {remedy}, or give "
            "n_samples."
        )
    held = {sign.transposed: sign.words for sign in told}
    if len(held) == 2:
        raise ValueError(
            f"{stored.label} is stored as {first} x {second}: {held[True]} says that its rows are "
            f"features, {held[False]} that they are samples. Both must agree. Correct one of them, "
            f"or {remedy[0].lower()}{remedy[1:]}."
        )
    if n_samples is not None and n_samples not in stored.shape:
        told_else = f", and {told[0].words} fits" if told else ""
        raise ValueError(
            f"{stored.label} is stored as {first} x {second}, and neither axis has the length of the "
            f"target, {n_samples}{told_else}. Exactly one must, to show which one the samples are. "
            f"{remedy}, or correct n_samples."
        )
    if not told:
        raise ValueError(
            f"{stored.label} is stored as {first} x {second}, and both axes have the length of the "
            f"target, {n_samples}. Exactly one must, to show which one the samples are. {remedy}."
        )
    return told[0].transposed


def _sign_of_labels(
    session: FileSession, opened: OpenedMatrix, given: Given, axis: Axis
) -> _Sign | None:
    shape = opened.matrix.shape
    if given is None:
        return None
    if isinstance(given, str):
        length = opened.label_length(session, given, axis)
    elif isinstance(given, os.PathLike):
        label = f"{axis}: '{os.fspath(given)}'"
        length = len(_lines(given, label, max(shape) + 1))
    else:
        length = len(given)
    if length is None or (shape[0] == length) == (shape[1] == length):
        return None
    along = 0 if shape[0] == length else 1
    what = (
        f"{axis}={given!r} of length {length}"
        if isinstance(given, str)
        else f"{axis} of length {length}"
    )
    return _Sign(along == (0 if axis == "feature_names" else 1), what)


def check_orientation(stored: Matrix, orientation: str, n_samples: int | None) -> bool:
    """Return whether an orientation that is named transposes the matrix, if its samples fit."""
    transposed = orientation == "features_by_samples"
    held = stored.shape[1 if transposed else 0]
    if n_samples is not None and held != n_samples:
        raise ValueError(
            f"{stored.label} has {held} samples with orientation={orientation!r}, not "
            f"n_samples={n_samples}. Both must be the same. Set orientation to samples_by_features "
            "or features_by_samples, or correct n_samples."
        )
    return transposed
