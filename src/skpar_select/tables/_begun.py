"""A journal of what is written of an output, beside it, so that a run that was stopped goes on.

The first line says of what the output is made; each other line, of a piece that is on the disk, and its
checksum. A line ends in its own checksum, so that one that was torn counts as not written.
"""

import json
import os
import stat
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from skpar_select._locks import lock
from skpar_select.tables._copies import Done

JOURNAL = ".journal"

# A journal of a million pieces has 60 MB.
_MOST_BYTES = 2**30


class Begun:
    """The journal of one output, open for writing.

    Attributes
    ----------
    done : dict of Done to int
        The checksum of each piece that is on the disk.
    """

    def __init__(self, path: Path, descriptor: int, head: Mapping[str, Any]) -> None:
        self.path, self.head = path, head
        self.done: dict[Done, int] = {}
        self._descriptor = descriptor

    @classmethod
    def made(cls, part: Path, head: Mapping[str, Any]) -> "Begun":
        """Make the journal of a new part."""
        path = part.with_suffix(JOURNAL)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        lock(descriptor)
        journal = cls(path, descriptor, head)
        journal._append(_line(json.dumps(dict(head))))
        return journal

    @classmethod
    def read(cls, part: Path) -> "Begun | None":
        """Open the journal of a part that was begun, if there is one of this user."""
        path = part.with_suffix(JOURNAL)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            journal = cls._of(path, descriptor)
        except (IndexError, OSError, ValueError):
            journal = None
        if journal is None:
            os.close(descriptor)
        return journal

    @classmethod
    def _of(cls, path: Path, descriptor: int) -> "Begun | None":
        status = os.fstat(descriptor)
        mine = stat.S_ISREG(status.st_mode) and status.st_nlink == 1
        mine = mine and status.st_uid == os.geteuid() and status.st_size < _MOST_BYTES
        if not mine or lock(descriptor) is False:
            return None
        lines, n_bytes = _lines(os.pread(descriptor, status.st_size, 0))
        journal = cls(path, descriptor, json.loads(lines[0]))
        for line in lines[1:]:
            part_of, row, column, checksum = map(int, line.split())
            journal.done[Done(part_of, row, column)] = checksum
        # What was torn is written anew.
        os.ftruncate(descriptor, n_bytes)
        return journal

    def add(self, pieces: Iterable[tuple[Done, int]]) -> None:
        """Note pieces that are on the disk."""
        pieces = list(pieces)
        text = (f"{' '.join(map(str, piece))} {checksum}" for piece, checksum in pieces)
        self._append("".join(map(_line, text)))
        self.done.update(pieces)

    def remove(self) -> None:
        """Take it away."""
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, and let others have it."""
        os.close(self._descriptor)

    def _append(self, text: str) -> None:
        rest = memoryview(text.encode())
        end = os.fstat(self._descriptor).st_size
        while rest:
            done = os.pwrite(self._descriptor, rest, end)
            end, rest = end + done, rest[done:]
        os.fsync(self._descriptor)


def _line(text: str) -> str:
    return f"{text} {zlib.crc32(text.encode()):08x}\n"


def _lines(held: bytes) -> tuple[list[str], int]:
    """Return the lines that are whole, up to the first that is not, and their bytes."""
    lines, n_bytes = [], 0
    for line in held.split(b"\n")[:-1]:
        text, _, checksum = line.rpartition(b" ")
        if checksum != b"%08x" % zlib.crc32(text):
            break
        lines.append(text.decode())
        n_bytes += len(line) + 1
    return lines, n_bytes
