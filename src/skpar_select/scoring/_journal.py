"""A journal: a file of finished blocks, to which records are appended and in which none is changed.

A record is a head (magic bytes, kind, length of the body), a checksum of 16 bytes and the body: a line of
JSON that names the columns, the results and their shapes, then these as little-endian numbers. The
checksum is BLAKE2b with the key of the store over the name of the entry, the head and the body,
so that no record counts in another place, and nobody without the key makes one. What does not fit
its checksum is passed over up to the next record that does: a journal that was cut or damaged
anywhere gives the records that are whole. Nothing in it is executed.
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skpar_select._typing import Array, Index, Result
from skpar_select.scoring._shared_files import open_regular

_MAGIC = b"\x89SJ1"
_HEAD = struct.Struct("<4s4sQ")
_CHECKSUM_BYTES = 16


class Kind(Enum):
    """What a record says of its columns."""

    RESULT = b"DONE"
    CLAIM = b"MINE"
    """Whoever writes this journal scores them now."""


class Record(NamedTuple):
    """Columns, by their index in the whole matrix, and their results where they are finished."""

    kind: Kind
    columns: Index
    result: Result


class Seal(NamedTuple):
    """What makes checksums: the key of the store, and the entry that a journal belongs to."""

    key: bytes
    entry: str

    def checksum(self, *content: bytes) -> bytes:
        """Return the checksum of the content of a record of this entry."""
        digest = hashlib.blake2b(self.entry.encode(), digest_size=_CHECKSUM_BYTES, key=self.key)
        for part in content:
            digest.update(part)
        return digest.digest()


class JournalWriter:
    """Appends records to a journal of its own, which no one else writes to.

    `descriptor` is that of a file that was just made. A result is on the disk when ``append``
    returns; OSError where it cannot be.
    """

    def __init__(self, descriptor: int, seal: Seal) -> None:
        self.descriptor = descriptor
        self._seal = seal

    def append(self, record: Record) -> None:
        """Write a record at the end."""
        body = _body(record)
        head = _HEAD.pack(_MAGIC, record.kind.value, len(body))
        rest = memoryview(b"".join((head, self._seal.checksum(head, body), body)))
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        if record.kind is Kind.RESULT:
            # The times of the file are not needed again: 0.2 ms on a disk, less than fsync.
            getattr(os, "fdatasync", os.fsync)(self.descriptor)

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)


class JournalReader:
    """Reads the records of a journal, also while another process appends to it."""

    def __init__(self, path: Path, seal: Seal, *, most_bytes: int = 2**30) -> None:
        self.path = path
        self._seal = seal
        self._most_bytes = most_bytes
        self._read_until = 0
        self._seen_bytes = 0

    def new_records(self) -> Iterator[Record]:
        """Yield the records that came since the last call; none where the file is none or is gone.

        A file of more than `most_bytes` is none: it is not read.
        """
        try:
            # Asked first: to open the file of each of 64 other processes took a millisecond a block.
            size = os.stat(self.path, follow_symlinks=False).st_size
            if not self._seen_bytes < size <= self._most_bytes:
                return
            with open(self.path, "rb", opener=open_regular) as file:
                file.seek(self._read_until)
                content = file.read(size - self._read_until)
        except OSError:
            return
        self._seen_bytes = size
        base, position = self._read_until, 0
        while (position := content.find(_MAGIC, position)) >= 0:
            found = _record_at(content, position, self._seal)
            if found is None:
                # Damaged, or not yet written to its end: then the next call looks here again.
                position += 1
                continue
            record, position = found
            self._read_until = base + position
            yield record


def _body(record: Record) -> bytes:
    results = {name: np.ascontiguousarray(values) for name, values in record.result.items()}
    columns, arrays = record.columns, [values.astype("<f8") for values in results.values()]
    header: dict[str, Any] = {"results": {name: array.shape for name, array in results.items()}}
    if isinstance(columns, range):
        header["range"] = [columns.start, columns.stop, columns.step]
    else:
        header["n_columns"] = len(columns)
        arrays.append(np.asarray(columns).astype("<i8"))
    numbers = (array.tobytes() for array in arrays)
    return b"".join((json.dumps(header).encode(), b"\n", *numbers))


def _record_at(content: bytes, start: int, seal: Seal) -> tuple[Record, int] | None:
    """Return the record that begins at a position, and where it ends, or None where none is whole."""
    begin = start + _HEAD.size + _CHECKSUM_BYTES
    if begin > len(content):
        return None
    head = content[start : start + _HEAD.size]
    _, kind, length = _HEAD.unpack(head)
    if length > len(content) - begin:
        return None
    body = content[begin : begin + length]
    if seal.checksum(head, body) != content[start + _HEAD.size : begin]:
        return None
    # It is what a writer with the key of the store has written.
    line, _, numbers = body.partition(b"\n")
    header, position = json.loads(line), 0

    def taken(dtype: str, shape: list[int]) -> Array:
        nonlocal position
        n_values = math.prod(shape)
        values = np.frombuffer(numbers, dtype, count=n_values, offset=position)
        position += 8 * n_values
        return values.reshape(shape).astype(dtype[1:])

    result = {name: taken("<f8", shape) for name, shape in header["results"].items()}
    if "range" in header:
        columns: Index = range(*header["range"])
        return Record(Kind(kind), columns, result), begin + length
    columns = taken("<i8", [header["n_columns"]]).astype(np.intp)
    return Record(Kind(kind), columns, result), begin + length
