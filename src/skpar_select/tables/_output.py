"""Files of results: made before the work, whole or not at all, and never in the place of another.

An output is written under a name that nobody can foretell, beside its place, and made exclusively: what lies
there already, a link too, is never opened. It replaces the file of its name in one step, when it is on the
disk. What a killed run has left, the next run to the same place takes away: a lock tells that nobody writes
it any more.
"""

import contextlib
import ctypes
import errno
import math
import os
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from platform import node
from typing import Any

from skpar_select._locks import lock
from skpar_select._memory import format_bytes

resource: Any
try:
    import resource
except ImportError:  # Windows has no limits of a process
    resource = None

PART = ".part"
"""The end of the name of a file that is being written."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

# FALLOC_FL_KEEP_SIZE of linux/falloc.h.
_KEEP_SIZE = 1

# Where locks hold on one host only, a lock says nothing of the others: a file of theirs is left alone for longer
# than jobs run.
_OTHERS_SECONDS = 14 * 24 * 3600


class Output:
    """A file of results that is being written.

    Parameters
    ----------
    path : str or path-like
        Where it will be. A link is followed, once: the file that it names then is replaced.
    overwrite : bool, default=True
        Whether it may replace a file that has come there in the meantime.
    begun : tuple of Path and int, default=None
        The name and descriptor of a file that was begun before; None makes one.
    end : str, default=".part"
        The end of the name of one that is made.

    Attributes
    ----------
    path : Path
        As it was given.
    part : Path
        The temporary name.
    descriptor : int
        The open file.
    fault : BaseException or None
        The first that a write met; nothing may be made of what follows it.
    """

    def __init__(
        self,
        path: str | PathLike[str],
        *,
        overwrite: bool = True,
        begun: tuple[Path, int] | None = None,
        end: str = PART,
    ) -> None:
        self.path = Path(path)
        self._target = followed(path)
        self._overwrite = overwrite
        self._needed = 0
        self.fault: BaseException | None = None
        self._kept = False
        try:
            if begun is None:
                sweep(self._target, end)
                begun = make_part(self._target, end)
        except OSError as error:
            raise self.described(error) from error
        self.part, self.descriptor = begun

    def __enter__(self) -> "Output":
        return self

    def __exit__(self, *_: object) -> None:
        """Take away what was not put in its place."""
        if self.descriptor >= 0:
            if not self._kept:
                self.part.unlink(missing_ok=True)
            self._close()

    def keep(self, kept: bool = True) -> None:
        """Leave what is written where it is, if it is not put in its place: another run goes on with it."""
        self._kept = kept

    def reserve(self, n_bytes: int) -> None:
        """Ask the disk for so many bytes; OSError if it has not got them."""
        self._needed = max(n_bytes, self._needed)
        try:
            if n_bytes > _longest_file():
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            if n_bytes > _free(self._target.parent) + _held(self.descriptor):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            allocate(self.descriptor, n_bytes)
        except OSError as error:
            raise self.described(error) from error

    @contextmanager
    def describing(self) -> Iterator[None]:
        """Say of an error of the system which file cannot be written."""
        try:
            yield
        except OSError as error:
            raise self.described(error) from error

    def check(self) -> None:
        """Raise the fault that a write met."""
        if self.fault is not None:
            # Another one: the first may be among what led to the error that is handled now.
            raise type(self.fault)(*self.fault.args) from None

    def replace(self) -> None:
        """Write the file through to the disk, and put it in its place."""
        self.check()
        try:
            os.fsync(self.descriptor)
            self._check_name()
            if self._overwrite:
                self.part.replace(self._target)
            else:
                self._put()
            _synchronize(self._target.parent)
        except FileExistsError:
            raise
        except OSError as error:
            raise self.described(error) from error
        self._close()

    def described(self, error: OSError) -> OSError:
        """Say which file cannot be written, why, and what to do."""
        said = f"'{self.path}' cannot be written ({error.strerror or error})"
        folder = self._target.parent
        if error.errno not in _FULL:
            return OSError(
                f"{said}. Results count when they are on the disk; nothing was replaced. Try again, or "
                f"choose another folder than '{folder}'."
            )
        needed = (
            f"it takes {format_bytes(self._needed)}" if self._needed else "its size is not known"
        )
        return OSError(
            f"{said}: {needed}, and '{folder}' has {format_bytes(_free(folder))} free. A result must "
            "fit beside what it replaces, and within quotas and limits of file size. Free some space, "
            "or choose another folder."
        )

    def _put(self) -> None:
        """Take the name, which nobody else may have taken."""
        try:
            os.link(self.part, self._target)
        except FileExistsError:
            raise FileExistsError(
                f"'{self.path}' has come into being while its results were computed. Results replace a "
                "file only when they are told to. Choose another name, or give overwrite=True."
            ) from None
        except OSError:  # a file system without links
            if os.path.lexists(self._target):
                raise
            self.part.rename(self._target)
        else:
            self.part.unlink()

    def _check_name(self) -> None:
        """Make sure that the name is still that of the file that was written."""
        there, mine = self.part.lstat(), os.fstat(self.descriptor)
        if (there.st_dev, there.st_ino) != (mine.st_dev, mine.st_ino):
            raise OSError(errno.ESTALE, "another file has taken its temporary name")

    def _close(self) -> None:
        os.close(self.descriptor)
        self.descriptor = -1


@contextmanager
def output_of(path: "str | PathLike[str] | Output") -> Iterator[Output]:
    """Give an output that is made already, or make one."""
    if isinstance(path, Output):
        yield path
        return
    with Output(path) as output:
        yield output


def followed(path: str | PathLike[str]) -> Path:
    """Return what a link leads to, there or not.

    Raises PermissionError for a link that another user has laid: in a shared folder it may lead anywhere.
    """
    path = Path(path)
    link = path
    for _ in range(40):
        if not link.is_symlink():
            break
        owner = link.lstat().st_uid
        if owner not in (0, os.geteuid()):
            raise PermissionError(
                f"'{path}' is a link that another user has laid (number {owner}). Results follow only links "
                "of one's own. Name the file itself."
            )
        link = link.parent / link.readlink()
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def make_part(target: Path, end: str) -> tuple[Path, int]:
    """Make a locked, empty file beside a place, under a name that is not foretold."""
    while True:
        part = target.with_name(f"{_stem(target)}{_of_this_host()}-{secrets.token_hex(8)}{end}")
        # What only its owner may read stays so, from the first byte on.
        mode = target.stat().st_mode & 0o777 if target.exists() else None
        descriptor = os.open(
            part,
            os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC,
            0o666 if mode is None else 0o600,
        )
        if mode is not None:
            os.fchmod(descriptor, mode)
        # Whoever sweeps may have seen it before its lock.
        if lock(descriptor) is not False and _is_there(part, descriptor):
            return part, descriptor
        os.close(descriptor)


def parts_of(target: Path, end: str) -> Iterator[tuple[Path, int]]:
    """Open, one after another, what dead writers to a place have left; the lock is held meanwhile.

    Only regular files of this user are opened that have no other name, but for the place itself, which a
    writer that was killed in its last step has taken: others may have put there what they like.
    """
    if os.name == "nt":
        # What killed runs leave is not told there from what others write.
        return
    with os.scandir(target.parent) as entries:
        names = sorted(entry.name for entry in entries if entry.name.startswith(_stem(target)))
    for name in names:
        part = target.with_name(name)
        if part.suffix != end:
            continue
        try:
            descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            status = os.fstat(descriptor)
            n_names = 1 + _is_there(target, descriptor)
            mine = stat.S_ISREG(status.st_mode) and status.st_nlink == n_names
            mine = mine and status.st_uid == os.geteuid()
            here = name.startswith(_stem(target) + _of_this_host())
            old = time.time() - status.st_mtime > _OTHERS_SECONDS
            if mine and (here or old) and lock(descriptor) and _is_there(part, descriptor):
                yield part, descriptor
        finally:
            os.close(descriptor)


def sweep(target: Path, end: str) -> None:
    """Remove what dead writers to a place have left."""
    with contextlib.suppress(OSError):
        for part, _ in parts_of(target, end):
            part.unlink()


def allocate(descriptor: int, n_bytes: int) -> None:
    """Take space for a file, where its file system can do that; the file stays as long as it is.

    ``os.posix_fallocate`` writes into every block where it cannot, and lengthens the file.
    """
    try:
        fallocate = ctypes.CDLL(None, use_errno=True).fallocate
    except (AttributeError, OSError, TypeError):
        return
    fallocate.argtypes = ctypes.c_int, ctypes.c_int, ctypes.c_longlong, ctypes.c_longlong
    while n_bytes > 0 and fallocate(descriptor, _KEEP_SIZE, 0, n_bytes):
        code = ctypes.get_errno()
        if code in _FULL:
            raise OSError(code, os.strerror(code))
        if code != errno.EINTR:
            return


def _stem(target: Path) -> str:
    """Begin the names of what becomes one output: short, however long its name is."""
    return f".skpar-{_digest(os.fsencode(target.name))}-"


def _of_this_host() -> str:
    return _digest(node().encode())


def _digest(text: bytes) -> str:
    return blake2b(text, digest_size=4).hexdigest()


def _is_there(part: Path, descriptor: int) -> bool:
    try:
        there, mine = part.lstat(), os.fstat(descriptor)
    except FileNotFoundError:
        return False
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _longest_file() -> float:
    """Bytes that a file of this process may have: ``ulimit -f``."""
    if resource is None:
        return math.inf
    limit, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    return math.inf if limit == resource.RLIM_INFINITY else int(limit)


def _held(descriptor: int) -> int:
    """Bytes that a file takes of its disk already."""
    return 512 * os.fstat(descriptor).st_blocks


def _synchronize(folder: Path) -> None:
    """Write a folder through to the disk: a name that was given lasts."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except PermissionError:  # a folder that may be written to, and not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
