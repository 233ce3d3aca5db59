"""Names of features and ids of samples, read when they are first asked for."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np

from skpar_select._alignment import repeated
from skpar_select._typing import Names
from skpar_select._wording import counted, listing

Axis = Literal["feature_names", "sample_ids"]

_UNIT: dict[Axis, str] = {"feature_names": "features", "sample_ids": "samples"}


class Labels:
    """The labels of one axis of a matrix.

    They pickle as the function that loads them, and are loaded again elsewhere. It returns an array
    of text, or None where there are no labels.
    """

    def __init__(self, load: Callable[[], Names | None]) -> None:
        self._load = load
        self._held: tuple[Names | None] | None = None

    @classmethod
    def of(cls, names: Names) -> "Labels":
        """Return labels that are at hand."""
        return cls(partial(np.asarray, names))

    def values(self) -> Names | None:
        """Return the labels, or None where there are none."""
        held = self._held
        if held is None:
            # Two threads may both read them: they read the same.
            self._held = held = (self._load(),)
        return held[0]

    def __getstate__(self) -> dict[str, Any]:
        # Joblib hashes a matrix by its pickle, which must not depend on who has asked before.
        return {"_load": self._load, "_held": None}


def check_labels(names: Names, label: str, axis: Axis, length: int) -> Names:
    """Return the names if there is one for each feature or sample and none twice.

    `label` says in the ValueError what holds them.
    """
    check_number(len(names), label, axis, length)
    twice = repeated(names)
    if twice:
        raise ValueError(
            f"{label} repeats {counted(len(twice), 'name')}: {listing(twice)}. Names must be unique. Make them "
            f"so, or leave them out with {axis}=None."
        )
    return names


def check_number(
    n_names: int, label: str, axis: Axis, length: int, *, and_more: bool = False
) -> None:
    """Refuse more or fewer names than there are features or samples.

    `and_more` says that those beyond were not counted.
    """
    unit = _UNIT[axis]
    if n_names != length:
        held = f"more than {counted(length, 'name')}" if and_more else counted(n_names, "name")
        raise ValueError(
            f"{label} holds {held}, the matrix has {length} {unit}. There must be one "
            f"for each of its {unit}. Give as many, in the order of the matrix."
        )


def given_labels(given: Sequence[str], axis: Axis) -> Names:
    """Return names that the caller has as an array of text."""
    return np.asarray([as_text(name, axis) for name in given], dtype=object)


def as_text(name: object, label: str) -> str:
    """Return one name as text, or refuse what is none."""
    if isinstance(name, bytes):
        try:
            return name.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{label} holds {name!r}, which is not UTF-8 ({error.reason}). Names are text in "
                "UTF-8. Store them so, or give the names themselves."
            ) from error
    if isinstance(name, str):
        return str(name)
    raise ValueError(
        f"{label} holds {name!r}, a {type(name).__name__}. Names are text. Convert them with str."
    )
