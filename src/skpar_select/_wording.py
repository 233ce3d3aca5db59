"""Values, counts and lists as the error messages show them."""

import math
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from numpy.typing import NDArray

_LONGEST = 60
_MOST_NAMES = 20

# Names that are compared letter by letter with one that is not there: 0.1 s.
_MOST_COMPARED = 20_000


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
    return f"({listed}). {did_you_mean(name, held) or 'Name one of them.'}"


def did_you_mean(name: object, names: Sequence[str] | NDArray[Any]) -> str:
    """Ask for up to three names that are nearly this one, or say nothing where there is none."""
    near = " or ".join(quote(one) for one in _near_misses(str(name), names))
    return f"Did you mean {near}?" if near else ""


def _near_misses(name: str, names: Sequence[str] | NDArray[Any]) -> list[str]:
    """List up to three names that differ from this one by case, by blanks or by a few letters."""
    alike: dict[str, list[str]] = {}
    for one in map(str, names):
        alike.setdefault(one.strip().casefold(), []).append(one)
    wanted = name.strip().casefold()
    near = [wanted] if wanted in alike else []
    if not near:
        compared = list(alike)
        if len(compared) > _MOST_COMPARED:
            # Of many, only those of the same beginning and nearly the same length.
            compared = [
                one for one in compared if one[:2] == wanted[:2] and abs(len(one) - len(wanted)) < 3
            ]
        near = get_close_matches(wanted, compared[:_MOST_COMPARED], n=3, cutoff=0.7)
    return [one for key in near for one in alike[key]][:3]


def shown_pvalue(log_pvalue: float) -> str:
    """Return a p-value by its logarithm as text, however small it is.

    Examples
    --------
    >>> import math
    >>> shown_pvalue(math.log(0.05)), shown_pvalue(-1000), shown_pvalue(math.log(9.99e-7))
    ('0.0500', '5.1e-435', '1.0e-06')
    """
    if math.isnan(log_pvalue):
        return "nan"
    tens = log_pvalue / math.log(10)
    if tens >= -3:
        return f"{10**tens:.4f}"
    exponent = math.floor(tens)
    digits = f"{10 ** (tens - exponent):.1f}"
    if digits == "10.0":
        digits, exponent = "1.0", exponent + 1
    return f"{digits}e-{-exponent:02}"
