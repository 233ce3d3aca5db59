"""Objects of other libraries, known by their classes' names: nothing is imported for them."""

from typing import Any, TypeAlias

Origin: TypeAlias = tuple[str, str]
"""The package and the name of a class."""

_WITH_INDEX = {("pandas", "Series"), ("pandas", "DataFrame")}


def origins(X: Any) -> list[Origin]:
    """Return the origins of the class of an object and of all that it derives from, its own first.

    Examples
    --------
    >>> import numpy as np
    >>> origins(np.zeros(3))
    [('numpy', 'ndarray'), ('builtins', 'object')]
    """
    return [(base.__module__.partition(".")[0], base.__name__) for base in type(X).__mro__]


def has_index(X: Any) -> bool:
    """Return whether an object is a Series or a data frame of pandas, whose index may hold ids."""
    return not _WITH_INDEX.isdisjoint(origins(X))


def is_default_index(index: Any) -> bool:
    """Return whether an index of pandas is the one that a frame has without any: 0, 1, ..."""
    return type(index).__name__ == "RangeIndex" and index.start == 0 and index.step == 1
