"""Data frames of polars."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skpar_select.frames._base import Frame
from skpar_select.frames._kinds import Kind


class PolarsFrame(Frame):
    """A data frame of polars, whose names are distinct."""

    def repeated_names(self) -> list[Any]:
        """Return nothing."""
        return []

    @property
    def names(self) -> list[Any]:
        """Names of the columns."""
        return list(self.data.columns)

    @property
    def types(self) -> list[Any]:
        """The classes of polars' types, which are fewer than its types."""
        return [dtype.base_type() for dtype in self.data.dtypes]

    def kind(self, dtype: Any) -> Kind:
        """Ask the type."""
        name = dtype.__name__
        if dtype.is_numeric() or name in ("Boolean", "Null"):
            return "number"
        if dtype.is_temporal():
            return "time"
        if name in ("String", "Utf8", "Categorical", "Enum", "Binary"):
            return "text"
        return "objects" if name == "Object" else "other"

    def is_discrete(self, dtype: Any) -> bool:
        """Count truth values and categories."""
        return dtype.__name__ == "Boolean" or self.is_category(dtype)

    def is_category(self, dtype: Any) -> bool:
        """Count both of its types of categories."""
        return dtype.__name__ in ("Categorical", "Enum")

    def part(self, positions: Sequence[int]) -> Any:
        """Return a table of some columns."""
        columns = self.data.columns
        return self.data.select([columns[position] for position in positions])

    def column(self, position: int) -> Sequence[Any]:
        """Return the cells of a column, None where there is none."""
        cells: list[Any] = self.data.to_series(position).to_list()
        return cells

    def with_codes(self, positions: Sequence[int]) -> Any:
        """Give numbers to the categories in ascending order."""
        text, number = self.library.String, self.library.Float64
        coded = []
        for position in positions:
            ranks = self.data.to_series(position).cast(text).rank("dense").cast(number) - 1
            coded.append(ranks.fill_null(np.nan))
        return self.data.with_columns(coded)
