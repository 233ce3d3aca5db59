"""A cache of scores in a folder, shared by processes, so that a grid over k scores each fold once.

An entry is a file: a line that names the format, a checksum of all that follows and of the name,
then the scores as little-endian float64. It is written beside and renamed, so that no other process
sees half of it; one that does not fit its checksum counts as missing. Nothing in it is executed.
"""

import hashlib
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from skpar_select._typing import FloatArray

fcntl: Any
try:
    import fcntl
except ImportError:  # Windows: two processes may score the same, each for itself
    fcntl = None

LIMIT_BYTES = 2**30
"""What a folder holds at the most; 483,512 features take 3.9 MB an entry."""

_FORMAT = b"skpar-select scores 1\n"
_SUFFIX = ".scores"


class ScoreCache:
    """Scores by fingerprint, in a folder.

    Parameters
    ----------
    folder : str or path-like
        Made where it does not exist. Give one that only you can write to.
    limit_bytes : int, default=LIMIT_BYTES
        Above, entries that were not used for longest are removed.

    Raises
    ------
    OSError
        If the folder cannot be made or written to.
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

    def get(self, key: str, n_features: int, compute: Callable[[], FloatArray]) -> FloatArray:
        """Give the scores of a key, computed if no process has done that yet.

        Parameters
        ----------
        key : str
            A fingerprint.
        n_features : int
            The number of scores.
        compute : callable
            Gives them. Where another process computes the same key, that is waited for.

        Returns
        -------
        ndarray of float64 of shape (n_features,)
        """
        entry = self.folder / f"{key}{_SUFFIX}"
        found = _load(entry, key, n_features)
        if found is not None:
            return found
        with _alone(entry.with_suffix(".lock")):
            found = _load(entry, key, n_features)
            if found is not None:
                return found
            scores = compute()
            try:
                _store(entry, key, scores)
                self._shrink()
            except OSError as error:
                warnings.warn(
                    f"the scores cannot be kept in score_cache='{self.folder}' ({error}). The fit "
                    "is complete; the next one of this kind will score again. Make room there, or "
                    "name another folder.",
                    UserWarning,
                    stacklevel=2,
                )
            return scores

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


def _checksum(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + body).digest()


def _load(entry: Path, key: str, n_features: int) -> FloatArray | None:
    expected = len(_FORMAT) + hashlib.sha256().digest_size + 8 * n_features
    try:
        with entry.open("rb") as file:
            # One byte more than there should be, to notice what is longer.
            raw = file.read(expected + 1)
    except OSError:
        return None
    body = raw[expected - 8 * n_features :]
    if len(raw) != expected or raw != _FORMAT + _checksum(key, body) + body:
        return None
    with suppress(OSError):
        os.utime(entry)
    return np.frombuffer(body, dtype="<f8").astype(np.float64)


def _store(entry: Path, key: str, scores: FloatArray) -> None:
    body = scores.astype("<f8").tobytes()
    descriptor, part = tempfile.mkstemp(prefix=f"{key}.", suffix=".part", dir=entry.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(_FORMAT + _checksum(key, body) + body)
        os.replace(part, entry)
    finally:
        Path(part).unlink(missing_ok=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process or thread is at this place."""
    if fcntl is None:
        yield
        return
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            except OSError:
                # A file system without locks: whoever comes scores.
                yield
                return
            if not _is_at(descriptor, path):
                # Who held it before has removed it, and a third may hold the next one.
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
