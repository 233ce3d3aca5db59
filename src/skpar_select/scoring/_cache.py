"""A cache of scores in a folder, shared by processes, so that a grid over k scores each fold once.

An entry is a file: a line that names the format, a checksum of all that follows and of the name,
a line of JSON that names the results and their shapes, then these as little-endian float64. It is
written beside and renamed, so that no other process sees half of it; one that does not fit its
checksum counts as missing. Nothing in it is executed.
"""

import hashlib
import json
import math
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from skpar_select._typing import FloatArray
from skpar_select.scoring._sinks import Assembler

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: two processes may score the same, each for itself
    fcntl = None

LIMIT_BYTES = 2**30
"""A folder holds at most so much; 483,512 features take 3.9 MB an entry."""

_FORMAT = b"skpar-select scores 2\n"
_SUFFIX = ".scores"


class ScoreCache:
    """Scores by fingerprint, in a folder that only you can write to.

    Above `limit_bytes`, the entries that were used longest ago are removed. Raises OSError if the
    folder cannot be made or written to.
    """

    def __init__(self, folder: str | os.PathLike[str], *, limit_bytes: int = LIMIT_BYTES) -> None:
        self.folder = Path(folder).expanduser()
        self.limit_bytes = limit_bytes
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            writable = os.access(self.folder, os.W_OK)
        except OSError as error:
            raise OSError(
                f"score_cache='{folder}' cannot be made ({error}). Scores are kept in a folder. "
                "Name one that can be made, or set score_cache=None."
            ) from error
        if not writable:
            raise PermissionError(
                f"score_cache='{folder}' cannot be written to. Scores are kept in a folder of "
                "yours. Name another, or set score_cache=None."
            )

    @contextmanager
    def entry(self, key: str, n_features: int) -> Iterator["CacheEntry"]:
        """Give the entry of a fingerprint; where another process computes it, wait for that.

        Either it has results, or it is a sink that takes and keeps them.
        """
        path = self.folder / f"{key}{_SUFFIX}"
        found = CacheEntry(self, path, key, n_features)
        if found.results:
            yield found
            return
        with _exclusive_lock(path.with_suffix(".lock")):
            yield CacheEntry(self, path, key, n_features)

    def keep(self, path: Path, key: str, results: dict[str, FloatArray]) -> None:
        """Write an entry, and remove old ones above the limit; a failure is a warning."""
        try:
            _store(path, key, results)
            self._shrink()
        except OSError as error:
            warnings.warn(
                f"the scores cannot be kept in score_cache='{self.folder}' ({error}). The fit "
                "is complete; the next one of this kind will score again. Make room there, or "
                "name another folder.",
                UserWarning,
                stacklevel=2,
            )

    def _shrink(self) -> None:
        entries = []
        for entry in self.folder.glob(f"*{_SUFFIX}"):
            with suppress(FileNotFoundError):
                status = entry.stat()
                entries.append((status.st_mtime_ns, status.st_size, entry))
        left = sum(size for _, size, _ in entries)
        for _, size, entry in sorted(entries):
            if left <= self.limit_bytes:
                break
            entry.unlink(missing_ok=True)
            left -= size


class CacheEntry(Assembler):
    """The results of one key: those that were found, or none until they are complete."""

    def __init__(self, cache: ScoreCache, path: Path, key: str, n_features: int) -> None:
        self.results = _load(path, key, n_features) or {}
        self._cache = cache
        self._path = path
        self._key = key

    def close(self, complete: bool) -> None:
        """Keep the results where all of them came."""
        super().close(complete)
        if complete:
            self._cache.keep(self._path, self._key, self.results)


def _checksum(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + body).digest()


def _load(entry: Path, key: str, n_features: int) -> dict[str, FloatArray] | None:
    try:
        with entry.open("rb") as file:
            raw = file.read(LIMIT_BYTES)
    except OSError:
        return None
    begin = len(_FORMAT) + hashlib.sha256().digest_size
    body = raw[begin:]
    if raw[:begin] != _FORMAT + _checksum(key, body):
        return None
    with suppress(OSError):
        os.utime(entry)
    header, _, numbers = body.partition(b"\n")
    results, start = {}, 0
    for name, shape in json.loads(header).items():
        size = math.prod(shape)
        values = np.frombuffer(numbers, dtype="<f8", count=size, offset=8 * start)
        results[name] = values.astype(np.float64).reshape(shape)
        start += size
    return results if all(len(values) == n_features for values in results.values()) else None


def _store(entry: Path, key: str, results: dict[str, FloatArray]) -> None:
    header = json.dumps({name: values.shape for name, values in results.items()}).encode()
    numbers = (values.astype("<f8").tobytes() for values in results.values())
    body = b"".join((header, b"\n", *numbers))
    descriptor, part = tempfile.mkstemp(prefix=f"{key}.", suffix=".part", dir=entry.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(_FORMAT + _checksum(key, body) + body)
        os.replace(part, entry)
    finally:
        Path(part).unlink(missing_ok=True)


@contextmanager
def _exclusive_lock(path: Path) -> Iterator[None]:
    """Wait until no other process or thread holds the lock of a file."""
    if fcntl is None:
        yield
        return
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                # A file system without locks: every process scores for itself.
                yield
                return
            if not _is_at(descriptor, path):
                # The last holder has removed it, and a third may hold the next one.
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return
        finally:
            os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
