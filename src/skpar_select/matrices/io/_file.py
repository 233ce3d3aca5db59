"""Files that must not change while a matrix in them is used, and reads at an offset of them."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from skpar_select._stopping import check_stop
from skpar_select._typing import Array


class Stamp(NamedTuple):
    """What changes with the content of a file."""

    size: int
    modified_ns: int
    """The time of the last change of the content, which anyone may set, as copying programs do."""

    changed_ns: int
    """The time of the last change of anything, which the system alone sets."""

    inode: int = 0
    device: int = 0

    def elsewhere(self) -> "Stamp":
        """Return what another host, or another mount, sees of the file, too."""
        return self._replace(inode=0, device=0)


# Read or written at a time: a tenth of a second of a slow disk, so that what is no longer wanted ends soon.
PIECE_BYTES = 2**24


class FileSnapshot:
    """The address of a file, and its stamp when it was opened first.

    Raises OSError if it is not a regular file, such as a folder or a pipe: opening a pipe could
    wait forever. It pickles without the numbers of inode and device, which differ between hosts.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.path.abspath(path)
        self.stamp = _stamp(self.path)

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return self.stamp.size

    def check_unchanged(self) -> None:
        """Raise OSError if the file is no longer the one that was opened first."""
        stamp = _stamp(self.path)
        if not self.stamp.inode:
            stamp = stamp.elsewhere()
        if stamp != self.stamp:
            raise OSError(
                f"'{self.path}' has changed since it was opened: {self.stamp.size} bytes then, "
                f"{stamp.size} bytes now, {_difference(self.stamp, stamp)}. A matrix must stay as it "
                "is while it is used. Open it again with open_matrix."
            )

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "stamp": self.stamp.elsewhere()}

    @contextmanager
    def opened(self, *, forwards: bool = False) -> Iterator[int]:
        """Give a descriptor for :func:`read_into`; the file must be the same before and after.

        `forwards` says that most of the file will be read, in its order.
        """
        self.check_unchanged()
        descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            if hasattr(os, "posix_fadvise"):
                # Reading ahead of a short extent reads what another block needs, or no block.
                advice = os.POSIX_FADV_SEQUENTIAL if forwards else os.POSIX_FADV_RANDOM
                os.posix_fadvise(descriptor, 0, 0, advice)
            yield descriptor
        finally:
            os.close(descriptor)
        self.check_unchanged()


@contextmanager
def reading(path: str, what: str = "A matrix") -> Iterator[None]:
    """Say of which file an error of the system is, while the context lasts."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            # It tells by itself.
            raise
        raise OSError(
            f"'{path}' cannot be read ({error.strerror}). {what} is read from a whole file that you "
            "may read. Check its permissions and its disk, or copy it again."
        ) from error


def can_read_into() -> bool:
    """Return whether this system reads at an offset, as all but Windows do."""
    return hasattr(os, "preadv")


def read_into(descriptor: int, offset: int, out: Array) -> None:
    """Fill `out`, which is contiguous, with the bytes from `offset` on.

    Nothing is read ahead and nothing is mapped: a mapped file that is cut short kills the process.
    Where the file ends before, the words of the OSError follow "cannot be read".
    """
    flat: Any = out.view("u1").reshape(-1)
    rest = memoryview(flat)
    while rest:
        check_stop()
        got = os.preadv(descriptor, [rest[:PIECE_BYTES]], offset)
        if not got:
            raise OSError(f"the file ends {len(rest)} bytes too early")
        offset += got
        rest = rest[got:]


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp that the status of a file makes."""
    return Stamp(
        status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev
    )


def _difference(then: Stamp, now: Stamp) -> str:
    if then.modified_ns != now.modified_ns:
        return "last modified at another time"
    if (then.inode, then.device) != (now.inode, now.device):
        return "and another file is in its place"
    return "written to, or given other attributes, although its time of modification was kept"


def _stamp(path: str) -> Stamp:
    try:
        status = Path(path).stat()
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"'{path}' does not exist. A matrix is read from a file that is there. Check the path."
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise OSError(
            f"'{path}' is {_kind(status.st_mode)}. A matrix is read from a regular file, at any "
            "place of it and more than once. Name the file itself; what a pipe gives must be "
            "written to one first."
        )
    return stamp_of(status)


def _kind(mode: int) -> str:
    return "a folder" if stat.S_ISDIR(mode) else "a pipe" if stat.S_ISFIFO(mode) else "a device"
