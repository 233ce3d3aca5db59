"""Fingerprints: which matrix, scorer and parameters results belong to, by content.

XXH3 with 128 bits hashes values at the speed of memory, keyed with a seed that a store keeps to
itself, so that nobody can prepare two matrices of one fingerprint for it; BLAKE2b joins the
parts. Two different matrices share a fingerprint by accident with probability 2**-128.
"""

import hashlib
from typing import Any, NamedTuple

import numpy as np
import xxhash

from skpar_select._typing import Array
from skpar_select._version import __version__
from skpar_select.matrices import Matrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.scoring._file_digests import FileDigests
from skpar_select.scoring._scorer import Scorer

_STEP_BYTES = 2**22


class Fingerprint(NamedTuple):
    """What results follow from."""

    key: str
    """64 hexadecimal digits."""

    parts: dict[str, str]
    """Each part by its name: a parameter as it is written, values by their digest."""

    def difference(self, other: dict[str, str]) -> list[str]:
        """Say part by part how other results differ from these."""
        names = [name for name in self.parts if self.parts[name] != other.get(name)]
        return [
            f"another {name}"
            if name not in other or _is_digest(self.parts[name]) or _is_digest(other[name])
            else f"{name}={other[name]}, not {self.parts[name]}"
            for name in names
        ]


def fingerprint(
    matrix: Matrix, scorer: Scorer, *, digests: FileDigests | None = None
) -> Fingerprint | None:
    """Return the fingerprint of the results of a scorer on a matrix.

    Of files the bytes count, and where in a file the matrix lies. None where the scorer does
    not know what its scores follow from.
    """
    named = scorer.fingerprint_parts()
    if named is None:
        return None
    digests = digests or FileDigests()
    whole = {"version": [repr(__version__).encode()], "matrix": []}
    parts = {"version": __version__, "matrix": ""}
    for part in matrix.fingerprint_parts():
        whole["matrix"].append(_digest(part, digests))
    for name, value in named:
        whole.setdefault(name, []).append(_digest(value, digests))
        parts[name] = "" if name in parts or isinstance(value, np.ndarray | bytes) else repr(value)
    joined = hashlib.blake2b(digest_size=32)
    for name, all_digests in whole.items():
        of_part = hashlib.blake2b(b"".join(all_digests), digest_size=16)
        parts[name] = parts[name] or f"digest {of_part.hexdigest()}"
        joined.update(f"{name} {len(all_digests)} ".encode() + of_part.digest())
    return Fingerprint(joined.hexdigest(), parts)


def _is_digest(described: str) -> bool:
    return described.startswith("digest ")


def _digest(part: Any, digests: FileDigests) -> bytes:
    if isinstance(part, FileSnapshot):
        return digests.of(part)
    if isinstance(part, np.ndarray):
        return _digest_of_array(part, digests.seed)
    if isinstance(part, bytes):
        return hashlib.sha256(b"bytes" + part).digest()
    return hashlib.sha256(f"{type(part).__name__} {part!r}".encode()).digest()


def _digest_of_array(array: Array, seed: int) -> bytes:
    by_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    digest = xxhash.xxh3_128(f"{array.dtype.str} {array.shape} {by_columns}".encode(), seed=seed)
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
