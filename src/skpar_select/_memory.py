"""Amounts of memory: read from text, written for a person."""

import re
from fractions import Fraction
from operator import index

from skpar_select._available_memory import available_memory

_UNITS = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12,
}  # fmt: skip

AUTO_FRACTION = 4
"""``"auto"`` is the available memory divided by this."""


def parse_memory(value: int | str) -> int:
    """Turn a memory budget into bytes, at least 1.

    Text has a decimal unit (``"2GB"`` is 2 * 10**9 bytes) or a binary one (``"2GiB"`` is 2 * 2**30
    bytes). ``"auto"`` is a quarter of the memory that is available now, under the limits of a
    container, a job and ``ulimit`` too. Anything else is a ValueError.
    """
    if value == "auto":
        return max(1, available_memory() // AUTO_FRACTION)
    amount: Fraction | int = -1
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*", value.lower())
        if match and match[2] in _UNITS:
            # Exact, where a float makes 65,099 bytes of '65.1 kB'.
            amount = Fraction(match[1]) * _UNITS[match[2]]
    elif not isinstance(value, bool):
        # index() takes every integer type, NumPy's too, and no float.
        amount = index(value)
    if amount < 1:
        raise ValueError(
            f"memory_budget={value!r} is no amount of memory. It must be at least one byte, as a "
            "whole number of bytes, as text with a unit, or 'auto'. Write for example "
            "2000000000, '2GB' or '2GiB'."
        )
    return int(amount)


def format_bytes(n_bytes: int) -> str:
    """Write bytes as a person does, rounded up so that the text, parsed again, is enough.

    Examples
    --------
    >>> format_bytes(15_636_778_081)
    '15.7 GB'
    >>> format_bytes(999)
    '999 B'
    """
    for unit, size in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if n_bytes >= size:
            return f"{-(-n_bytes * 10 // size) / 10:g} {unit}"
    return f"{n_bytes} B"
