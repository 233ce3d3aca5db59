"""Digests of the contents of files, kept in a file beside the scores, so that none is read twice.

To hash 15.6 GB takes as long as to read them. A digest is kept by what a file system changes whenever
a file changes: device, inode, size and both times, of which the time of change of the inode
cannot be set. A line is JSON with a checksum by the key of the store.
"""

import hashlib
import json
import os
import time
from io import FileIO
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from skpar_select.matrices.io._file import FileSnapshot

_STEP_BYTES = 2**22

# Of a longer file so many spots of so many bytes are read: a second of a network's file system.
_WHOLE_BYTES = 2**26
_N_SPOTS = 256
_SPOT_BYTES = 2**16

# A younger file may change again without another time of change: file systems keep it in steps of
# up to 2 seconds (FAT).
_SETTLED_NS = 3 * 10**9


# Five thousand lines; then the list begins anew.
_MOST_BYTES = 2**20


class FileDigests:
    """Digests of files, by `seed`; those of a folder are kept in it, under the key of the store."""

    def __init__(self, seed: int = 0, *, path: Path | None = None, key: bytes = b"") -> None:
        self.seed = seed
        self.path = path
        self._key = key

    def of(self, file: FileSnapshot) -> bytes:
        """Return the digest of the bytes of a file; OSError if it is gone or has changed."""
        file.check_unchanged()
        status = os.stat(file.path)
        stamp = [
            status.st_dev,
            status.st_ino,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
        ]
        if self.path is None or time.time_ns() - max(stamp[3:]) < _SETTLED_NS:
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

    def _kept(self, stamp: list[int]) -> bytes | None:
        assert self.path is not None
        try:
            lines = self.path.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return None
        wanted = json.dumps(stamp)
        for line in reversed(lines):
            entry, _, checksum = line.rpartition(" ")
            if entry.startswith(wanted) and checksum == self._checksum(entry):
                return bytes.fromhex(entry.rpartition(" ")[2])
        return None

    def _keep(self, stamp: list[int], digest: bytes) -> None:
        assert self.path is not None
        entry = f"{json.dumps(stamp)} {digest.hex()}"
        try:
            if self.path.exists() and self.path.stat().st_size > _MOST_BYTES:
                self.path.unlink()
            with self.path.open("a", encoding="ascii") as file:
                file.write(f"{entry} {self._checksum(entry)}\n")
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
