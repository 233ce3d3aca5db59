"""Digests of the contents of files, kept in a file beside the scores, so that none is read twice.

To hash 15.6 GB takes as long as to read them. A digest is kept by what a file system changes whenever a
file changes: device, inode, size and both times, of which the system alone sets one. A line is JSON with
a checksum by the key of the store.
"""

import hashlib
import json
import os
import time
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from skpar_select.matrices.io._file import FileSnapshot, Stamp, stamp_of
from skpar_select.scoring._shared_files import open_regular

_STEP_BYTES = 2**22

# Of a longer file so many spots of so many bytes are read: a second of a network's file system.
_WHOLE_BYTES = 2**26
_N_SPOTS = 256
_SPOT_BYTES = 2**16

# A younger file may change again without another time of change: file systems keep it in steps of
# up to 2 seconds (FAT).
_SETTLED_NS = 3 * 10**9


# Three thousand lines; then the list begins anew.
_MOST_BYTES = 2**20

# A smaller file is read each time, in less than 30 ms: a memory map may change a file that lies in
# memory, as in /dev/shm, and none of its times.
_SMALL_BYTES = 10**8


class FileDigests:
    """Digests of files, by `seed`; those of a folder are kept in it, under the key of the store."""

    def __init__(self, seed: int = 0, *, path: Path | None = None, key: bytes = b"") -> None:
        self.seed = seed
        self.path = path
        self._key = key

    def of(self, file: FileSnapshot) -> bytes:
        """Return the digest of the bytes of a file; OSError if it is gone or has changed."""
        _settle(file.path)
        file.check_unchanged()
        stamp = stamp_of(os.stat(file.path))
        is_young = time.time_ns() - max(stamp.modified_ns, stamp.changed_ns) < _SETTLED_NS
        if self.path is None or is_young or stamp.size < _SMALL_BYTES:
            return self._read(file.path)
        kept = self._kept(stamp)
        if kept is None:
            kept = self._read(file.path)
            file.check_unchanged()
            self._keep(stamp, kept)
        return kept

    def _read(self, path: str) -> bytes:
        digest = xxhash.xxh3_128(b"file", seed=self.seed)
        buffer: Any = np.empty(_STEP_BYTES, dtype=np.uint8)
        try:
            with open(path, "rb", buffering=0) as file:
                self._hash(file, digest, buffer)
        except OSError as error:
            raise OSError(
                f"'{path}' cannot be read ({error}). Results are kept by the content of the file. It "
                "must be whole and readable. Copy it again, or set store=None."
            ) from error
        return digest.digest()

    def _hash(self, file: FileIO, digest: Any, buffer: Any) -> None:
        while filled := file.readinto(memoryview(buffer)):
            digest.update(buffer[:filled])

    def _kept(self, stamp: Stamp) -> bytes | None:
        assert self.path is not None
        try:
            with open(self.path, "rb", opener=open_regular) as file:
                lines = file.read(_MOST_BYTES).decode("ascii", "replace").splitlines()
        except OSError:
            return None
        wanted = json.dumps(stamp)
        for line in reversed(lines):
            entry, _, checksum = line.rpartition(" ")
            if entry.startswith(wanted) and checksum == self._checksum(entry):
                return bytes.fromhex(entry.rpartition(" ")[2])
        return None

    def _keep(self, stamp: Stamp, digest: bytes) -> None:
        assert self.path is not None
        entry = f"{json.dumps(stamp)} {digest.hex()}"
        try:
            if os.path.lexists(self.path) and self.path.lstat().st_size > _MOST_BYTES // 2:
                self.path.unlink()
            with open(self.path, "ab", opener=open_regular) as file:
                file.write(f"{entry} {self._checksum(entry)}\n".encode())
        except OSError:
            # The next fit reads the file again.
            return

    def _checksum(self, entry: str) -> str:
        return hashlib.blake2b(entry.encode(), digest_size=16, key=self._key).hexdigest()


class SpotDigests(FileDigests):
    """Digests of files that many machines have, by their size and spots of them.

    Files up to 64 MiB are read whole; of longer ones the first and the last bytes and 254 spots between,
    16 MiB in all. What differs elsewhere alone is not seen.
    """

    def _hash(self, file: FileIO, digest: Any, buffer: Any) -> None:
        size = os.fstat(file.fileno()).st_size
        digest.update(size.to_bytes(8, "little"))
        if size <= _WHOLE_BYTES:
            super()._hash(file, digest, buffer)
            return
        for number in range(_N_SPOTS):
            file.seek(number * (size - _SPOT_BYTES) // (_N_SPOTS - 1))
            filled = file.readinto(memoryview(buffer)[:_SPOT_BYTES])
            digest.update(buffer[:filled])


def _settle(path: str) -> None:
    """Write the pages of a memory map through: whoever changes them after this changes the times."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
