"""Locks of the operating system on files: they last as long as the process that has them, however that ends."""

from contextlib import suppress
from typing import Any

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: nobody can tell what living processes use
    fcntl = None


def lock(descriptor: int, *, shared: bool = False) -> bool | None:
    """Lock a file for as long as it is open: False if another has it, None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def unlock(descriptor: int) -> None:
    """Unlock a file, which a process that was forked from this one may have open, too."""
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
