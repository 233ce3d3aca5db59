"""Values, counts and lists as the error messages show them."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

_LONGEST = 60


def quote(value: object) -> str:
    """Show a value as Python writes it, in at most 60 characters; a string of NumPy as its text."""
    text = repr(str(value)) if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def listing(items: Sequence[object] | NDArray[Any], *, most: int = 3, quoted: bool = True) -> str:
    """List the first few items, quoted or as ``str`` gives them, and count the rest.

    Examples
    --------
    >>> listing(range(12))
    '0, 1, 2 and 9 more'
    """
    shown = ", ".join(quote(item) if quoted else str(item) for item in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")


def counted(number: int, noun: str) -> str:
    """Put a number before its noun, in singular or plural."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
