"""Tables of Arrow."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from skpar_select._typing import Array
from skpar_select.frames._base import Frame
from skpar_select.frames._kinds import Kind

# Decimals and nulls reach NumPy as objects.
_KINDS: tuple[tuple[str, Kind], ...] = (
    (r"bool|u?int\d+|halffloat|float\d*|double", "number"),
    (r"decimal\d+|null", "objects"),
    (r"date\d+|time\d+|timestamp|duration|month_day_nano_interval", "time"),
    (r"(large_)?(string|utf8|binary)|(string|binary)_view|fixed_size_binary", "text"),
)


class ArrowFrame(Frame):
    """A table or a record batch of Arrow."""

    def as_array(self) -> Array | None:
        """Return the values if NumPy finds a type of numbers for them, as it does for no other.

        To look at 20,000 types takes Python a sixth of the time of that.
        """
        try:
            values = np.asarray(self.data)
        except (TypeError, ValueError):
            return None
        return values if values.dtype.kind in "biuf" else None

    @property
    def names(self) -> list[Any]:
        """Names of the columns."""
        return list(self.data.schema.names)

    @property
    def types(self) -> list[Any]:
        """The types of Arrow."""
        return list(self.data.schema.types)

    def kinds(self) -> list[Kind]:
        """Return what each column holds; truth values with nulls reach NumPy as objects."""
        columns = zip(super().kinds(), self.types, self.data.columns, strict=True)
        return [
            "objects" if str(dtype) == "bool" and column.null_count else kind
            for kind, dtype, column in columns
        ]

    def kind(self, dtype: Any) -> Kind:
        """Look into dictionaries."""
        return kind_of_arrow(dtype)

    def is_discrete(self, dtype: Any) -> bool:
        """Count truth values and dictionaries."""
        return str(dtype) == "bool" or self.is_category(dtype)

    def is_category(self, dtype: Any) -> bool:
        """Count dictionaries, which are Arrow's categories."""
        return is_dictionary(dtype)

    def part(self, positions: Sequence[int]) -> Any:
        """Return a table of some columns."""
        return self.data.select(list(positions))

    def column(self, position: int) -> Sequence[Any]:
        """Return the cells of a column, None where there is none."""
        cells: list[Any] = self.data.column(position).to_pylist()
        return cells

    def with_codes(self, positions: Sequence[int]) -> Any:
        """Give numbers to the values of dictionaries in ascending order."""
        coded, names = self.data, self.names
        for position in positions:
            values = self.column(position)
            number = {value: at for at, value in enumerate(sorted({*values} - {None}))}
            numbers = np.array([number.get(value, np.nan) for value in values], dtype=np.float64)
            coded = coded.set_column(position, names[position], self.library.array(numbers))
        return coded


def kind_of_arrow(dtype: Any) -> Kind:
    """Return what columns of a type of Arrow hold."""
    if is_dictionary(dtype):
        return kind_of_arrow(dtype.value_type)
    found = re.match(r"\w+", str(dtype))
    for pattern, kind in _KINDS:
        if found and re.fullmatch(pattern, found[0]):
            return kind
    return "other"


def is_dictionary(dtype: Any) -> bool:
    """Return whether a type of Arrow is one of dictionaries, its categories."""
    return str(dtype).startswith("dictionary<")
