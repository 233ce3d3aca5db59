"""Amounts of memory: read from text, asked of the machine, written for a person."""

import os
import re
from fractions import Fraction
from operator import index
from pathlib import Path

_UNITS = {
    "": 1, "b": 1,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40,
    "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12,
}  # fmt: skip

AUTO_FRACTION = 4
"""``"auto"`` is the available memory divided by this."""

# Where no system call gives the memory, as on Windows without further packages.
_UNKNOWN_AVAILABLE = 4 * 2**30

_CGROUP_FILES = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def parse_memory(value: int | str) -> int:
    """Turn a memory budget into bytes, at least 1.

    Text has a decimal unit (``"2GB"`` is 2 * 10**9 bytes) or a binary one (``"2GiB"`` is 2 * 2**30
    bytes). ``"auto"`` is a quarter of the memory that is available now, under the limit of a
    container too. Anything else is a ValueError.
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


def available_memory() -> int:
    """Bytes that this process may still take without swapping, as far as the system says."""
    amounts = [_system_memory()]
    for limit, used in _CGROUP_FILES:
        try:
            amounts.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):
            # No such control group, or its limit is the word "max".
            continue
    return max(1, min(amounts))


def resident_memory() -> int | None:
    """Bytes that this process holds now, or None where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _system_memory() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        # macOS has no figure for available memory here: half of the physical memory.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN_AVAILABLE
