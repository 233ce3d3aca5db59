"""Values, counts and lists as the error messages show them."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from numpy.typing import NDArray

_LONGEST = 60
_MOST_NAMES = 20


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


def sentence(text: str) -> str:
    """Begin a sentence with these words."""
    return text[:1].upper() + text[1:]


def choices(name: object, names: Sequence[str] | NDArray[Any]) -> str:
    """List what there is instead of a name, and ask for the one that is nearly it.

    All names are listed, up to 20.

    Examples
    --------
    >>> choices("Age", ["id", "age"])
    "('id', 'age'). Did you mean 'age'?"
    >>> choices("weight", ["id", "age"])
    "('id', 'age'). Name one of them."
    """
    held = [str(held) for held in names]
    listed = listing(held, most=_MOST_NAMES if len(held) <= _MOST_NAMES else 3)
    near = near_misses(str(name), held)
    return f"({listed}). " + (
        f"Did you mean {' or '.join(quote(one) for one in near)}?" if near else "Name one of them."
    )


def near_misses(name: str, names: Sequence[str]) -> list[str]:
    """List up to three names that differ from this one by case, by blanks or by a few letters."""
    alike: dict[str, list[str]] = {}
    for one in names:
        alike.setdefault(one.strip().casefold(), []).append(one)
    wanted = name.strip().casefold()
    near = [wanted] if wanted in alike else get_close_matches(wanted, alike, n=3, cutoff=0.7)
    return [one for key in near for one in alike[key]][:3]
