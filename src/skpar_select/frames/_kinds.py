"""What columns hold: numbers, text, dates and times, or something else."""

import datetime
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from skpar_select._exact import exact_floats
from skpar_select._typing import Array

Kind = Literal["number", "text", "time", "other", "objects"]
"""What a column holds; of ``"objects"`` the values decide."""

NUMPY_KINDS: dict[str, Kind] = {
    **dict.fromkeys("biufc", "number"),
    **dict.fromkeys("SUT", "text"),
    **dict.fromkeys("mM", "time"),
    "O": "objects",
}

_TIMES = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)

# Missing values of pandas; NaT is a datetime by its type.
_MISSING = ("NoneType", "NAType", "NaTType")


def kind_of_type(dtype: np.dtype[Any]) -> Kind:
    """Return what an array of a type holds."""
    return NUMPY_KINDS.get(dtype.kind, "other")


def kind_of_values(values: Iterable[Any]) -> Kind:
    """Return what Python objects are: numbers, unless any of them is something else.

    Text of digits is text; None and pandas' missing values count as missing numbers.
    """
    kinds = {_kind_of_class(cls) for cls in set(map(type, values))}
    for kind in ("text", "time", "other"):
        if kind in kinds:
            return kind
    return "number"


def kinds_of_columns(values: Array) -> list[Kind]:
    """Return what each column of a two-dimensional array holds."""
    kind = kind_of_type(values.dtype)
    if kind == "objects":
        # Nearly always all are numbers, which takes a third of the time to see.
        kind = kind_of_values(values.ravel())
        if kind != "number":
            return [kind_of_values(column) for column in values.T]
    return [kind] * values.shape[1]


def floats(values: Array) -> Array:
    """Convert an array of objects that are numbers or missing to float64."""
    try:
        return exact_floats(values)
    except OverflowError:
        raise ValueError(
            "X holds a whole number beyond those of float64. Scores are computed in float64. "
            "Scale that column."
        ) from None
    except TypeError:  # pandas' missing value is no number to NumPy
        missing = np.array([type(value).__name__ in _MISSING for value in values.ravel()])
        return floats(np.where(missing.reshape(values.shape), np.nan, values))


def _kind_of_class(cls: type) -> Kind:
    if cls.__name__ in _MISSING:
        return "number"
    if issubclass(cls, str | bytes | bytearray):
        return "text"
    if issubclass(cls, _TIMES) or cls.__name__ == "Period":
        return "time"
    if issubclass(cls, complex | np.complexfloating | np.ndarray):
        return "other"
    return "number" if hasattr(cls, "__float__") or hasattr(cls, "__index__") else "other"
