"""Memory that this process may still take: what the machine has free, and what limits leave.

All of it is read from the files in which Linux tells it. Limits are those of the control groups
that the process is in, wherever these are mounted, and of all groups around them; and those of
the process itself, as ``ulimit`` sets them.

https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_ROOT = Path("/")

# What the controller of memory is called.
_CONTROLLER = "memory"

# Where no system call gives the memory, as on Windows without further packages.
_UNKNOWN_AVAILABLE = 4 * 2**30


class _Version(NamedTuple):
    """How one version of control groups names what it tells."""

    filesystem: str
    limits: tuple[str, ...]
    used: str
    cache: str
    """The line of ``memory.stat`` with the pages of files that are given up first: they count as
    used, and are free as soon as memory is asked for."""


_VERSIONS = (
    # Beyond "high" a process is slowed down until it holds less.
    _Version("cgroup2", ("memory.max", "memory.high"), "memory.current", "inactive_file"),
    _Version("cgroup", ("memory.limit_in_bytes",), "memory.usage_in_bytes", "total_inactive_file"),
)

# Limits of a process, as /proc/self/limits calls them, and the field of /proc/self/statm that they
# are compared with.
_LIMITS = {"Max address space": 0, "Max data size": 5}


def available_memory(root: Path = _ROOT) -> int:
    """Return the bytes that this process may still take without swapping, at least 1.

    `root` is the folder that ``proc`` and the control groups are looked for in.
    """
    left = min([_left_on_machine(root), *_left_by_limits(root)])
    names, mounts = _text(root / "proc/self/cgroup"), _text(root / "proc/self/mountinfo")
    for version in _VERSIONS:
        for group in _groups(root, version, names, mounts):
            left = _left_in_group(group, version, left)
    return max(1, left)


def resident_memory() -> int | None:
    """Bytes that this process holds now, or None where the system does not say."""
    pages = _pages(_ROOT)
    return pages[1] if pages else None


def _left_on_machine(root: Path) -> int:
    free = re.search(r"^MemAvailable:\s*(\d+)", _text(root / "proc/meminfo"), re.MULTILINE)
    if free:
        return int(free[1]) * 1024
    try:
        # macOS has no figure for available memory here: half of the physical memory.
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, ValueError, OSError):
        return _UNKNOWN_AVAILABLE


def _left_by_limits(root: Path) -> Iterator[int]:
    limits, held = _text(root / "proc/self/limits"), _pages(root)
    for name, field in _LIMITS.items():
        soft = re.search(rf"^{name}\s+(\d+)", limits, re.MULTILINE)
        if soft and held:
            yield int(soft[1]) - held[field]


def _left_in_group(group: Path, version: _Version, most: int) -> int:
    """Return what a group leaves of `most` bytes."""
    # else it is the word "max", or there is none
    limits = [
        int(text) for name in version.limits if (text := _text(group / name).strip()).isdigit()
    ]
    used = _text(group / version.used).strip()
    # Most limits are far off. What is kept of files would raise them, and takes longest to read: a half of all this.
    if not limits or not used.isdigit() or min(limits) - int(used) >= most:
        return most
    cache = re.search(rf"^{version.cache} (\d+)", _text(group / "memory.stat"), re.MULTILINE)
    held = max(0, int(used) - (int(cache[1]) if cache else 0))
    return min(most, min(limits) - held)


def _groups(root: Path, version: _Version, names: str, mounts: str) -> Iterator[Path]:
    """Yield the folders of the group of this process and of all groups around it."""
    name = _group_name(names, version)
    for mount, mounted in _mounts(root, version, mounts):
        within = PurePosixPath()
        # A container may see a part of the groups, or not that part that its own name is told by:
        # then its limits are where the part begins.
        if name.is_relative_to(mounted) and ".." not in name.parts:
            within = name.relative_to(mounted)
        for part in (within, *within.parents):
            yield mount / part


def _group_name(names: str, version: _Version) -> PurePosixPath:
    for line in names.splitlines():
        number, controllers, name = [*line.split(":", 2), "", ""][:3]
        is_second = number == "0" and not controllers
        if is_second == (version.filesystem == "cgroup2") and (
            is_second or _CONTROLLER in controllers.split(",")
        ):
            return PurePosixPath(name)
    return PurePosixPath("/")


def _mounts(root: Path, version: _Version, mounts: str) -> Iterator[tuple[Path, PurePosixPath]]:
    """Yield where the groups are mounted, and which group is at that place."""
    for line in mounts.splitlines():
        mount, _, filesystem = line.partition(" - ")
        fields, kind = mount.split(), filesystem.split()
        if len(fields) < 5 or len(kind) < 3 or kind[0] != version.filesystem:
            continue
        if kind[0] == "cgroup2" or _CONTROLLER in kind[2].split(","):
            mounted, place = (_unescaped(field) for field in fields[3:5])
            yield root / place.lstrip("/"), PurePosixPath(mounted)


def _unescaped(field: str) -> str:
    return re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), field)


def _pages(root: Path) -> list[int]:
    """Return what the process holds, in bytes, by the fields of ``statm``; nothing if unknown."""
    fields = _text(root / "proc/self/statm").split()
    if len(fields) < 7 or not hasattr(os, "sysconf"):
        return []
    return [int(field) * os.sysconf("SC_PAGE_SIZE") for field in fields]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError:
        return ""
