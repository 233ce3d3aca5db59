"""Fingerprints: which matrix, target and parameters scores belong to, by content.

Values are compressed 64 times by a universal hash and then hashed by SHA-256: 64 MB take 4 ms, where
SHA-256 alone takes 40, longer than scikit-learn takes to cut a fold.
"""

import hashlib
import os
import time
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from skpar_select._typing import Array
from skpar_select._version import __version__
from skpar_select.kernels import compress
from skpar_select.sources import Content, StillFile

_PIECE_BYTES = 2**22

# A file that is younger may change again without another time of change: file systems keep it in
# steps of up to 2 seconds (FAT).
_SETTLED_NS = 3 * 10**9


def fingerprint(content: Iterable[Content], *parameters: Any) -> str:
    """Tell one question for scores from all others.

    Parameters
    ----------
    content : iterable of bytes, ndarray or StillFile
        What :meth:`skpar_select.sources.Source.content` gives. Of files the bytes count, not the
        names.
    *parameters : ndarray, str, int or None
        All else that scores depend on.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256(f"skpar-select {__version__}".encode())
    for item in (*content, *parameters):
        digest.update(_digest(item))
    return digest.hexdigest()


def _digest(item: Content | str | int | None) -> bytes:
    if isinstance(item, StillFile):
        return _digest_of_file(item)
    if isinstance(item, np.ndarray):
        return _digest_of_array(item)
    if isinstance(item, bytes):
        return hashlib.sha256(b"bytes" + item).digest()
    return hashlib.sha256(f"{type(item).__name__} {item!r}".encode()).digest()


def _digest_of_array(array: Array) -> bytes:
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape} {by_columns}".encode())
    if by_columns:
        array = array.T
    if not array.ndim or not array.size:
        digest.update(array.tobytes())
        return digest.digest()
    # A piece that is not contiguous is copied.
    tall = max(1, _PIECE_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), tall):
        piece: Any = np.ascontiguousarray(array[start : start + tall])
        digest.update(_compressed(piece.view(np.uint8).reshape(-1)))
    return digest.digest()


def _digest_of_file(file: StillFile) -> bytes:
    file.check_unchanged()
    status = os.stat(file.path)
    stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if time.time_ns() - max(stamp[3:]) < _SETTLED_NS:
        return _read(file.path)
    return _read_once(file.path, stamp)


@lru_cache(maxsize=64)
def _read_once(path: str, stamp: tuple[int, ...]) -> bytes:
    return _read(path)


def _read(path: str) -> bytes:
    digest = hashlib.sha256(b"file")
    buffer: Any = np.empty(_PIECE_BYTES, dtype=np.uint8)
    with open(path, "rb", buffering=0) as file:
        while filled := file.readinto(memoryview(buffer)):
            digest.update(filled.to_bytes(8, "little") + _compressed(buffer[:filled]))
    return digest.digest()


def _compressed(raw: Array) -> bytes:
    out = np.empty(-(-raw.size // 1024) * 16, dtype=np.uint8)
    compress(raw, out)
    return out.tobytes()
