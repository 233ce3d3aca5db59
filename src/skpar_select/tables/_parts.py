"""Parts: files of the results of one shard each, with all that a merge needs of their columns.

A part is 8 magic bytes, the length of the manifest as 8 bytes, the manifest as JSON, then little-endian
numbers: the columns as int64 where they are no range, each result as float64, the lengths of the names as
uint32, the names in UTF-8; and a checksum, BLAKE2b with 32 bytes over all that. Nothing in it is
executed. The lengths in the manifest must make up the length of the file before memory is taken
for anything.
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from skpar_select._typing import Array, FloatArray, Index, Names
from skpar_select.planning import Shard
from skpar_select.scoring import TargetFacts
from skpar_select.tables._output import Output, output_of
from skpar_select.tables._streams import writing_forwards

_MAGIC = b"\x89SKPART\x01"
_LENGTH = struct.Struct("<Q")
_CHECKSUM_BYTES = 32
_STEP_BYTES = 2**22

# The names of a hundred thousand targets. A longer one is none, and would take memory to be read.
_MANIFEST_BYTES = 2**24

# Results that each of several targets has.
_BY_TARGET = ("score", "log_pvalue", "noise_floor", "n_observed", "rho")


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a part says of itself."""

    shard: Shard
    fingerprint: dict[str, str]
    """What its results follow from, each part by its name."""

    n_features: int
    """Columns of the whole matrix."""

    columns: range | None
    """Which of them it holds, or None where they are listed."""

    n_columns: int
    results: dict[str, tuple[int, ...]]
    """The shape of each result."""

    name_bytes: int | None
    """The length of the names of its columns; None where these have none."""

    targets: TargetFacts
    parameters: dict[str, Any]
    """Of the selector."""

    source: str
    """What holds the targets, in words."""

    modified: list[int]
    """When the files of the matrix were last modified, in nanoseconds."""

    @property
    def arrays(self) -> Iterator[tuple[str, str, tuple[int, ...]]]:
        """The arrays that follow: what each is, its type and its shape."""
        if self.columns is None:
            yield "columns", "<i8", (self.n_columns,)
        for name, shape in self.results.items():
            yield f"result {name}", "<f8", shape
        if self.name_bytes is not None:
            yield "lengths", "<u4", (self.n_columns,)
            yield "names", "u1", (self.name_bytes,)

    @property
    def n_bytes(self) -> int:
        """Bytes of all arrays."""
        return sum(np.dtype(kind).itemsize * math.prod(shape) for _, kind, shape in self.arrays)

    def to_json(self) -> bytes:
        """Write it as JSON."""
        columns = self.columns
        said = {
            **vars(self),
            "columns": None if columns is None else [columns.start, columns.stop, columns.step],
            "targets": self.targets._asdict(),
        }
        return json.dumps(said, default=_plain).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Manifest":
        """Read it; ValueError, TypeError, KeyError or RecursionError where it is none."""
        said = json.loads(text)
        targets, modified, n_columns = said["targets"], said["modified"], _count(said["n_columns"])
        shard = Shard(*map(_count, said["shard"]))
        shard.check()
        manifest = cls(
            shard=shard,
            fingerprint={str(name): str(part) for name, part in said["fingerprint"].items()},
            n_features=_count(said["n_features"]),
            columns=None if said["columns"] is None else range(*map(_count, said["columns"])),
            n_columns=n_columns,
            results={
                str(name): tuple(map(_count, shape)) for name, shape in said["results"].items()
            },
            name_bytes=None if said["name_bytes"] is None else _count(said["name_bytes"]),
            targets=TargetFacts(
                several=bool(targets["several"]),
                names=None if targets["names"] is None else list(map(str, targets["names"])),
                n_samples=_count(targets["n_samples"]),
                n_missing=list(map(_count, targets["n_missing"])),
            ),
            parameters=dict(said["parameters"]),
            source=str(said["source"]),
            modified=list(map(_count, modified)),
        )
        several, n_targets = manifest.targets.several, len(manifest.targets.n_missing)
        for name, shape in manifest.results.items():
            by_target = several and name in _BY_TARGET
            if shape != ((n_columns, n_targets) if by_target else (n_columns,)):
                raise ValueError(f"results of shape {shape}")
        columns = manifest.columns
        if columns is not None and (
            len(columns) != n_columns or columns.step != 1 or columns.stop > manifest.n_features
        ):
            raise ValueError(f"columns {columns}")
        return manifest


@dataclass(frozen=True)
class Part:
    """A part in a file, of which the manifest was read and the checksum found to be right."""

    path: Path
    manifest: Manifest
    checksum: bytes

    @classmethod
    def open(cls, path: str | PathLike[str]) -> "Part":
        """Check a part whole, and read its manifest; OSError if it is none, cut or damaged."""
        with _reading(Path(path)) as (file, manifest, digest):
            buffer = bytearray(_STEP_BYTES)
            left = manifest.n_bytes
            while left:
                some = memoryview(buffer)[: min(left, _STEP_BYTES)]
                _fill(file, some)
                digest.update(some)
                left -= len(some)
            checksum = digest.digest()
            if file.read() != checksum:
                raise ValueError("its checksum is another")
            return cls(Path(path), manifest, checksum)

    def read(self) -> tuple[Index, dict[str, FloatArray], Names | None]:
        """Read its columns by their index, the results of these, and their names where they have any."""
        arrays: dict[str, Array] = {}
        with _reading(self.path) as (file, manifest, digest):
            for name, kind, shape in manifest.arrays:
                values = np.empty(shape, dtype=kind)
                content: Any = values.reshape(-1).view("u1")
                _fill(file, memoryview(content))
                digest.update(content)
                arrays[name] = values
            if digest.digest() != self.checksum:
                raise ValueError("it has changed meanwhile")
            columns: Index | None = manifest.columns
            if columns is None:
                columns = arrays["columns"].astype(np.intp)
                inside = (columns >= 0) & (columns < manifest.n_features)
                if not inside.all() or not (np.diff(columns) > 0).all():
                    raise ValueError("columns that are none")
            names = None
            if manifest.name_bytes is not None:
                names = _split(arrays["names"].tobytes(), arrays["lengths"])
            results = {name: arrays[f"result {name}"].astype("f8") for name in manifest.results}
            log_pvalues = results.get("log_pvalue", np.zeros(0))
            if not ((log_pvalues <= 0) & (log_pvalues > -np.inf) | np.isnan(log_pvalues)).all():
                raise ValueError("logarithms of p-values that are none")
        return columns, results, names


def write_part(
    path: str | PathLike[str] | Output,
    manifest: Manifest,
    columns: Index,
    results: dict[str, FloatArray],
    names: list[bytes],
) -> None:
    """Write a part, whole or not at all.

    `names` are those of the columns in UTF-8; none where the manifest says that there are none.
    """
    arrays: dict[str, Any] = {f"result {name}": values for name, values in results.items()}
    arrays |= {
        "columns": columns,
        "lengths": np.fromiter(map(len, names), "<u4", len(names)),
        "names": np.frombuffer(b"".join(names), "u1"),
    }
    digest, said = hashlib.blake2b(digest_size=_CHECKSUM_BYTES), manifest.to_json()
    with output_of(path) as output:
        with writing_forwards(output) as file:

            def put(content: Any) -> None:
                digest.update(content)
                file.write(content)

            put(_MAGIC + _LENGTH.pack(len(said)) + said)
            for name, kind, shape in manifest.arrays:
                values = np.ascontiguousarray(arrays[name], dtype=kind)
                if values.shape != shape:
                    raise ValueError(f"{name} has the shape {values.shape}, not {shape}.")
                put(values.reshape(-1).view("u1"))
            file.write(digest.digest())
        output.replace()


@contextmanager
def _reading(path: Path) -> Iterator[tuple[BinaryIO, Manifest, Any]]:
    """Open a part behind its manifest, whose lengths are those of the file; ValueErrors are damage."""
    try:
        with open(path, "rb", opener=_open_regular) as file:
            size, head = os.fstat(file.fileno()).st_size, file.read(len(_MAGIC) + _LENGTH.size)
            if not head.startswith(_MAGIC):
                raise OSError(
                    f"'{path}' is no part of a run in shards. A part is what scoring one shard has "
                    "written. Name the parts alone."
                )
            (length,) = _LENGTH.unpack(head[len(_MAGIC) :].ljust(_LENGTH.size, b"\xff"))
            if length > min(size, _MANIFEST_BYTES):
                raise ValueError("it ends too early")
            said = file.read(length)
            manifest = Manifest.from_json(said)
            if len(head) + length + manifest.n_bytes + _CHECKSUM_BYTES != size:
                raise ValueError(f"its {size} bytes are not those that it says")
            yield file, manifest, hashlib.blake2b(head + said, digest_size=_CHECKSUM_BYTES)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"'{path}' does not exist. A part is what scoring one shard has written. Check its name, or "
            "score that shard."
        ) from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise OSError(
            f"'{path}' is a damaged part ({error}). A part must be as it was written. Copy it again, or "
            "score its shard again."
        ) from error


def _fill(file: BinaryIO, buffer: memoryview) -> None:
    while buffer:
        filled = file.readinto(buffer)  # type: ignore[attr-defined]  # a file of bytes has it
        if not filled:
            raise ValueError("it ends too early")
        buffer = buffer[filled:]


def _split(joined: bytes, lengths: Array) -> Names:
    ends = np.cumsum(lengths, dtype=np.int64)
    if int(ends[-1:].sum()) != len(joined):
        raise ValueError("the lengths of its names are others")
    names = np.empty(len(lengths), dtype=object)
    start = 0
    for place, end in enumerate(ends.tolist()):
        names[place] = joined[start:end].decode("utf-8", "surrogatepass")
        start = end
    return names


def _open_regular(path: str, flags: int) -> int:
    """Open without waiting for a pipe."""
    if not os.path.isfile(path) and os.path.exists(path):
        raise OSError(f"'{path}' is no regular file. A part is one. Name the parts alone.")
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0))


def _count(number: Any) -> int:
    """Return a whole number from 0 on that an array can have, as JSON has it."""
    if type(number) is not int or not 0 <= number < 2**62:
        raise ValueError(f"{str(number)[:20]!r} where a number is due")
    return number


def _plain(number: Any) -> Any:
    """Return a number of NumPy as one of Python."""
    return number.item()
