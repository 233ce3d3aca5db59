"""Conditions on the columns of a table, such as ``age>=18``."""

import re
from collections.abc import Callable, Sequence
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import numpy as np

from skpar_select._given import check_several
from skpar_select._typing import Array, BoolArray
from skpar_select._wording import choices, counted, listing, quote
from skpar_select.tables._column import MISSING_MARKERS, Column, as_number
from skpar_select.tables._table import Table

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": eq,
    "!=": ne,
    "<=": le,
    ">=": ge,
    "=": eq,
    "<": lt,
    ">": gt,
}
# Whole numbers below this are exact as float64.
_EXACT = 2.0**53
_OPERATOR = re.compile("|".join(_OPERATORS))


def conditions_of(where: str | Sequence[str] | None) -> list[str]:
    """Return the conditions as a list."""
    if where is None:
        return []
    check_several(where, "where", "a condition such as 'age>=18', or several of them")
    return [str(where)] if isinstance(where, str) else [str(one) for one in where]


def rows_where(table: Table, conditions: Sequence[str], length: int) -> BoolArray:
    """Mark the rows of a table in which all conditions hold."""
    holds = np.ones(length, dtype=bool)
    for condition in conditions:
        name, operator, value = _parts(table, condition)
        column = table.column(name)
        if len(column) != length:
            raise ValueError(
                f"where={condition!r}: column {name!r} of {table.label} has {len(column)} rows, "
                f"the target {length}. Both must be of the same samples. Name another column."
            )
        holds &= _holds(column, operator, value, f"where={condition!r}")
        if operator in ("=", "==") and not holds.any():
            present = dict.fromkeys(column.text().tolist())
            held = (
                f"Column {name!r} holds {choices(value, list(present))}"
                if value not in present
                else "Each holds in some; leave one out."
            )
            raise ValueError(
                f"where={condition!r} holds in no row of {table.label}"
                f"{', the others given with it' if len(conditions) > 1 else ''}. Rows are kept "
                f"where all conditions hold. {held}"
            )
    return holds


def _parts(table: Table, condition: str) -> tuple[str, str, str]:
    """Split a condition at the first sign that has the name of a column before it."""
    found = list(_OPERATOR.finditer(condition))
    if not found:
        raise ValueError(
            f"where={condition!r} is no condition. It must be a column, one of "
            f"{listing(list(_OPERATORS), most=7, quoted=False)}, and a value, as in 'age>=18' or "
            "'sex=F'. Write it so."
        )
    for sign in found:
        name = condition[: sign.start()].strip()
        if name in table.names:
            break
    else:
        sign = found[0]
        name = table.find(condition[: sign.start()].strip(), f"In where={condition!r} the column")
    return name, sign.group(), condition[sign.end() :].strip()


def _holds(column: Column, operator: str, value: str, label: str) -> BoolArray:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    if quoted:
        value = value[1:-1]
    missing = column.missing()
    if value in MISSING_MARKERS and not quoted:
        if operator not in ("=", "==", "!="):
            raise ValueError(
                f"{label} compares with {quote(value)}, which stands for a missing value. Nothing is "
                "more or less than it. Write = or != for missing or not."
            )
        return ~missing if operator == "!=" else missing
    compare = _OPERATORS[operator]
    text = column.text()
    if column.is_boolean and value.casefold() in ("true", "false"):
        value = value.casefold()
        text = np.array([cell.casefold() for cell in text], dtype=object)
    number = np.nan if quoted else as_number(value, decimal_comma=column.decimal_comma)
    if np.isnan(number) and column.decimal_comma and not quoted:
        number = as_number(value)  # a condition may be written with a point, whatever the table
    if abs(number) >= _EXACT and operator in ("=", "==", "!="):
        number = np.nan  # longer numbers than a float64 holds are ids: compared as they are written
    # A missing value is neither equal nor unequal to another.
    there = ~missing
    numbers = column.numbers()
    numeric = there & ~np.isnan(numbers) & ~np.isnan(number)
    holds = np.zeros(len(column), dtype=bool)
    holds[numeric] = compare(numbers[numeric], number)
    others = there & ~numeric
    if not others.any():
        return holds
    if operator in ("=", "==", "!="):
        holds[others] = compare(text[others], value)
        return holds
    # Text is compared as text, so that dates such as 2020-01-31 are in their order; but not with numbers.
    mixed = others if not np.isnan(number) else others & ~np.isnan(numbers)
    if mixed.any():
        raise ValueError(
            f"{label} compares numbers with text: {counted(int(mixed.sum()), 'cell')} such as "
            f"{_shown(text, mixed)}. More and less need numbers on both sides, or text. Choose rows "
            "by another column first, or repair these cells."
        )
    holds[others] = compare(text[others].astype(str), value)
    return holds


def _shown(text: Array, where: BoolArray) -> str:
    rows = np.flatnonzero(where)[:3]
    return ", ".join(f"{quote(text[row])} in row {row + 1}" for row in rows)
