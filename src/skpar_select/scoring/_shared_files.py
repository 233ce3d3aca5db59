"""Files that processes share: opened only if they are files, made whole, and held by locks."""

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from skpar_select._locks import lock

PART = ".part"
"""The end of the name of a file that is not whole yet."""

# What a process was killed while it made is removed after so long.
_STALE_SECONDS = 24 * 3600.0


def open_regular(path: str | os.PathLike[str], flags: int) -> int:
    """Open a regular file, and neither wait for a pipe nor follow a link."""
    extra = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | extra, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"'{path}' is not a regular file")
    return descriptor


def may_be_held(path: Path) -> bool:
    """Return whether a living process, which may be stopped, holds a file, or nobody can tell."""
    with taken(path) as is_ours:
        return not is_ours and os.path.lexists(path)


@contextmanager
def taken(path: Path) -> Iterator[bool]:
    """Lock a file that nobody holds, for as long as the context lasts, and tell whether it was so."""
    try:
        descriptor = open_regular(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        # Where there are no locks everybody may live, and nothing of others is removed.
        yield lock(descriptor) is True and is_at(descriptor, path)
    finally:
        os.close(descriptor)


def is_at(descriptor: int, path: Path) -> bool:
    """Return whether an open file is the one of a name."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except OSError:
        return False


def write_new(path: Path, content: bytes, put: Callable[[str, Path], None]) -> None:
    """Write a file whole, and put it in its place when it is on the disk."""
    descriptor, part = tempfile.mkstemp(suffix=PART, dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put(part, path)
    finally:
        Path(part).unlink(missing_ok=True)
    write_through(path.parent)


def write_through(folder: Path) -> None:
    """Make the names in a folder last, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what processes were killed while they made."""
    for part in folder.glob(f"*{PART}"):
        with suppress(OSError):
            if time.time() - part.lstat().st_mtime > _STALE_SECONDS:
                part.unlink()
