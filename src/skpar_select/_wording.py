"""Values, counts and lists as the error messages show them."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

_LONGEST = 60


def quote(value: object) -> str:
    """Show a value as Python writes it, cut where it is long.

    Parameters
    ----------
    value : object
        The value. A string of NumPy is shown as the text that it is.

    Returns
    -------
    str
        At most 60 characters.

    Examples
    --------
    >>> quote("age")
    "'age'"
    """
    text = repr(str(value)) if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def listing(items: Sequence[object] | NDArray[Any], *, most: int = 3, quoted: bool = True) -> str:
    """List the first few items, and count the rest.

    Parameters
    ----------
    items : sequence or ndarray of shape (n_items,)
        The items.
    most : int, default=3
        How many are listed.
    quoted : bool, default=True
        Whether each item is shown by :func:`quote`, or as ``str`` gives it.

    Returns
    -------
    str

    Examples
    --------
    >>> listing(["a", "b"])
    "'a', 'b'"
    >>> listing(range(12))
    '0, 1, 2 and 9 more'
    """
    shown = ", ".join(quote(item) if quoted else str(item) for item in items[:most])
    return shown + (f" and {len(items) - most} more" if len(items) > most else "")


def counted(number: int, noun: str) -> str:
    """Put a number before its noun, in singular or plural.

    Examples
    --------
    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {noun}{'' if number == 1 else 's'}"
