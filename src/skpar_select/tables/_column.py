"""A column of a phenotype table: its cells as text, as numbers, and which of them are missing."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skpar_select._alignment import id_text
from skpar_select._typing import Array, BoolArray, FloatArray, IndexArray

# What stands for a value that is not there, in text of whatever source: what pandas reads so, and the point
# of SAS and VCF. The nulls and NaN of a data frame, of Parquet and of AnnData are missing, too.
MISSING_MARKERS = frozenset(
    {
        "",
        ".",
        "#N/A",
        "#N/A N/A",
        "#NA",
        "-1.#IND",
        "-1.#QNAN",
        "-NaN",
        "-nan",
        "1.#IND",
        "1.#QNAN",
        "<NA>",
        "N/A",
        "NA",
        "NULL",
        "NaN",
        "None",
        "n/a",
        "nan",
        "null",
    }
)
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Column:
    """The cells of one column.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        Numbers of any real type, or objects: text, numbers, dates.
    null : ndarray of bool of shape (n_rows,)
        The cells without a value, besides those whose text is a marker.
    decimal_comma : bool, default=False
        Whether numbers in text have a comma where a point is usual.
    """

    values: Array
    null: BoolArray
    decimal_comma: bool = False

    @classmethod
    def of(cls, values: Any, null: BoolArray | None = None) -> "Column":
        """Make a column of an array or a sequence; None, NaN and NaT are no values."""
        if isinstance(values, np.ma.MaskedArray):
            null, values = np.ma.getmaskarray(values), values.data
        if not isinstance(values, np.ndarray):
            values = _objects(values)
        if values.dtype.kind in "biuf":
            nan = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), bool)
        else:
            if values.dtype.kind in "mM":
                values = np.where(np.isnat(values), None, values.astype(str).astype(object))
            values = values.astype(object)
            nan = np.fromiter((_is_null(one) for one in values), bool, len(values))
        return cls(values, nan if null is None else nan | null)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: IndexArray) -> "Column":
        """Return some of the rows."""
        return Column(self.values[rows], self.null[rows], self.decimal_comma)

    @property
    def is_boolean(self) -> bool:
        """Whether the cells are true and false by their type."""
        if self.values.dtype.kind == "b":
            return True
        there = self.values[~self.null]
        return bool(len(there)) and all(isinstance(one, bool | np.bool_) for one in there)

    @property
    def may_hold_ids(self) -> bool:
        """Whether the cells are anything but fractions."""
        if self.values.dtype.kind != "f":
            return True
        there = self.values[~self.null]
        return bool((there == np.floor(there)).all())

    def text(self) -> NDArray[np.object_]:
        """Return the cells as text, ``""`` where there is no value."""
        if self.values.dtype == np.float32:
            held = self.values.astype(np.str_).tolist()
        else:
            held = [one if type(one) is str else id_text(one) for one in self.values.tolist()]
        text = _objects(held)
        text[self.null] = ""
        return text

    def missing(self) -> BoolArray:
        """Mark the cells that hold no value or a marker of :data:`MISSING_MARKERS`."""
        if self.values.dtype.kind != "O":
            return self.null
        marked: BoolArray = np.fromiter(
            (isinstance(one, str) and one.strip() in MISSING_MARKERS for one in self.values),
            bool,
            len(self),
        )
        return marked | self.null

    def numbers(self) -> FloatArray:
        """Return the cells as float64: NaN where a cell is missing, or no number."""
        if self.values.dtype.kind in "biuf":
            return np.where(self.null, np.nan, self.values.astype(np.float64))
        return np.fromiter(
            (
                math.nan if null else as_number(one, decimal_comma=self.decimal_comma)
                for one, null in zip(self.values, self.null, strict=True)
            ),
            np.float64,
            len(self),
        )


def as_number(value: object, *, decimal_comma: bool = False) -> float:
    """Return a number, or one that is written as text, as float64; NaN for anything else."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        if decimal_comma:
            # A point would be read as a fraction, and may part thousands.
            value = "" if "." in value else value.replace(",", ".", 1)
        if "_" in value:  # a number in Python's grammar, not in a table
            return math.nan
    elif not isinstance(value, Real | Decimal | np.bool_):
        return math.nan
    try:
        return float(value)
    except (ValueError, OverflowError):
        return math.nan


def has_decimal_comma(cell: str) -> bool:
    """Return whether a cell is a number with a comma where a point is usual, such as ``61,5``."""
    return _DECIMAL_COMMA.fullmatch(cell) is not None


def _objects(values: Any) -> NDArray[np.object_]:
    held: Sequence[Any] = list(values)
    out = np.empty(len(held), dtype=object)
    out[:] = held
    return out


def _is_null(value: Any) -> bool:
    # pandas' NA and NaT compare to nothing; they are known by name, as pandas is optional.
    return (
        value is None
        or type(value).__name__ in ("NAType", "NaTType")
        or (isinstance(value, np.datetime64 | np.timedelta64) and bool(np.isnat(value)))
        or (isinstance(value, float | np.floating | Decimal) and bool(value != value))
    )
