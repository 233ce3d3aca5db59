"""The contract of a table: its columns' names and types, in the terms of its library.

What columns hold is read from their types; values are looked at only where a column holds Python
objects. A table owes what is abstract here.
"""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from skpar_select._typing import Array
from skpar_select.frames._kinds import Kind


class Frame(ABC):
    """A table with named columns, as its library sees it."""

    def __init__(self, data: Any, library: Any) -> None:
        self.data = data
        self.library = library

    @property
    @abstractmethod
    def names(self) -> list[Any]:
        """Names of the columns."""

    def repeated_names(self) -> list[Any]:
        """Return the names that more than one column has."""
        return [name for name, count in Counter(self.names).items() if count > 1]

    def as_array(self) -> Array | None:
        """Return the values as an array, where that is how they are checked fastest."""
        return None

    @property
    @abstractmethod
    def types(self) -> list[Any]:
        """The type of each column, in the library's own terms."""

    @abstractmethod
    def kind(self, dtype: Any) -> Kind:
        """Return what columns of a type hold."""

    @abstractmethod
    def is_discrete(self, dtype: Any) -> bool:
        """Return whether a type is one of truth values or of categories."""

    @abstractmethod
    def is_category(self, dtype: Any) -> bool:
        """Return whether a type is one of categories."""

    @abstractmethod
    def part(self, positions: Sequence[int]) -> Any:
        """Return a table of some columns."""

    @abstractmethod
    def column(self, position: int) -> Sequence[Any] | Array:
        """Return the cells of a column: numbers of NumPy, or Python objects."""

    def objects(self, positions: Sequence[int]) -> Array:
        """Return some columns as an array of objects."""
        values = np.empty((len(self.data), len(positions)), dtype=object)
        for at, position in enumerate(positions):
            values[:, at] = self.column(position)
        return values

    @abstractmethod
    def with_codes(self, positions: Sequence[int]) -> Any:
        """Return the table with these columns of categories as numbers, and what misses as NaN.

        The categories are numbered in ascending order, whatever order they are kept in, so that
        scores are the same, to the bit, from every table.
        """

    def kinds(self) -> list[Kind]:
        """Return what each column holds."""
        known: dict[int, Kind] = {}
        types = self.types  # they stay alive, so that their ids do not return
        for dtype in types:
            if id(dtype) not in known:
                known[id(dtype)] = self.kind(dtype)
        return [known[id(dtype)] for dtype in types]
