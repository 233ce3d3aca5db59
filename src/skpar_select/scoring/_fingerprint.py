"""Fingerprints: which matrix, scorer and parameters results belong to, by content.

XXH3 with 128 bits hashes values at the speed of memory; SHA-256 joins the parts. Two different
matrices share a fingerprint by accident with probability 2**-128; such a pair can be
made on purpose.
"""

import hashlib
import os
import time
from functools import lru_cache
from typing import Any

import numpy as np
import xxhash

from skpar_select._typing import Array
from skpar_select._version import __version__
from skpar_select.matrices import FingerprintPart, Matrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.scoring._scorer import Scorer

_STEP_BYTES = 2**22

# A younger file may change again without another time of change: file systems keep it in steps of
# up to 2 seconds (FAT).
_SETTLED_NS = 3 * 10**9


def fingerprint(matrix: Matrix, scorer: Scorer) -> str | None:
    """Return the key of the results of a scorer on a matrix, 64 hexadecimal digits.

    Of files the bytes count, and where in which file the matrix lies. None where the scorer does
    not know what its scores follow from.
    """
    parts = scorer.fingerprint_parts()
    if parts is None:
        return None
    digest = hashlib.sha256(f"skpar-select {__version__}".encode())
    for part in (*matrix.fingerprint_parts(), *parts):
        digest.update(_digest(part))
    return digest.hexdigest()


def _digest(part: FingerprintPart | str | int | None) -> bytes:
    if isinstance(part, FileSnapshot):
        return _digest_of_file(part)
    if isinstance(part, np.ndarray):
        return _digest_of_array(part)
    if isinstance(part, bytes):
        return hashlib.sha256(b"bytes" + part).digest()
    return hashlib.sha256(f"{type(part).__name__} {part!r}".encode()).digest()


def _digest_of_array(array: Array) -> bytes:
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    digest = xxhash.xxh3_128(f"{array.dtype.str} {array.shape} {by_columns}".encode())
    if by_columns:
        array = array.T
    if not array.ndim or not array.size:
        digest.update(array.tobytes())
        return digest.digest()
    # Rows that are not contiguous are copied, some at a time.
    tall = max(1, _STEP_BYTES // max(1, array[:1].nbytes))
    for start in range(0, len(array), tall):
        rows: Any = np.ascontiguousarray(array[start : start + tall])
        digest.update(rows.view(np.uint8).reshape(-1))
    return digest.digest()


def _digest_of_file(file: FileSnapshot) -> bytes:
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
    digest = xxhash.xxh3_128(b"file")
    buffer: Any = np.empty(_STEP_BYTES, dtype=np.uint8)
    with open(path, "rb", buffering=0) as file:
        while filled := file.readinto(memoryview(buffer)):
            digest.update(buffer[:filled])
    return digest.digest()
