"""Data frames of pandas, and of what derives from them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skpar_select._typing import Array
from skpar_select.frames._arrow import is_dictionary, kind_of_arrow
from skpar_select.frames._base import Frame
from skpar_select.frames._kinds import NUMPY_KINDS, Kind, kind_of_type, kind_of_values


class PandasFrame(Frame):
    """A data frame of pandas, with any of its types."""

    def repeated_names(self) -> list[Any]:
        """Return names that more than one column has; pandas keeps whether there are any."""
        return [] if self.data.columns.is_unique else super().repeated_names()

    @property
    def names(self) -> list[Any]:
        """Names of the columns."""
        return list(self.data.columns)

    @property
    def types(self) -> list[Any]:
        """NumPy's types, and pandas' own."""
        return list(self.data.dtypes)

    def kind(self, dtype: Any) -> Kind:
        """Look into categories, sparse columns and those of Arrow."""
        if isinstance(dtype, np.dtype):
            return kind_of_type(dtype)
        match type(dtype).__name__:
            case "CategoricalDtype":
                kind = self.kind(dtype.categories.dtype)
                return kind_of_values(dtype.categories) if kind == "objects" else kind
            case "SparseDtype":
                return self.kind(dtype.subtype)
            case "ArrowDtype":
                return kind_of_arrow(dtype.pyarrow_dtype)
            case "StringDtype":
                return "text"
            case "PeriodDtype":
                return "time"
            case "IntervalDtype":
                return "other"
        # Nullable numbers have the letter of NumPy's type; that of an unknown type is "O".
        return NUMPY_KINDS.get(dtype.kind, "other")

    def is_discrete(self, dtype: Any) -> bool:
        """Count the truth values of NumPy, pandas and Arrow, and categories."""
        return dtype.kind == "b" or self.is_category(dtype)

    def is_category(self, dtype: Any) -> bool:
        """Count categories, and dictionaries of Arrow."""
        match type(dtype).__name__:
            case "CategoricalDtype":
                return True
            case "ArrowDtype":
                return is_dictionary(dtype.pyarrow_dtype)
        return False

    def part(self, positions: Sequence[int]) -> Any:
        """Return a table of some columns."""
        return self.data.iloc[:, list(positions)]

    def column(self, position: int) -> Array:
        """Return the cells of a column: numbers if NumPy's type says so, else objects."""
        series = self.data.iloc[:, position]
        if isinstance(series.dtype, np.dtype) and series.dtype.kind in "biuf":
            return np.asarray(series)
        return np.asarray(series.astype(object))

    def objects(self, positions: Sequence[int]) -> Array:
        """Return some columns as an array of objects."""
        return np.asarray(self.part(positions).to_numpy(dtype=object))

    def with_codes(self, positions: Sequence[int]) -> Any:
        """Give numbers to the categories in ascending order."""
        coded = self.data.copy(deep=False)
        for position in positions:
            column = self.data.iloc[:, position]
            if type(column.dtype).__name__ != "CategoricalDtype":
                # pandas 3.1 fails on a dictionary of Arrow with nulls, but not on its objects.
                column = column.astype(object).astype("category")
            column = column.cat
            codes = column.codes.to_numpy()
            numbers = np.append(_ranks(column.categories.to_numpy()), np.nan)
            coded.isetitem(position, numbers[codes])  # the code of what misses is -1: the last
        return coded


def _ranks(categories: Array) -> Array:
    if categories.dtype.kind == "O" and kind_of_values(categories) == "text":
        categories = categories.astype(str)
    return np.argsort(np.argsort(categories)).astype(np.float64)
