"""The footer of a Parquet file, cut where its columns begin and end.

pyarrow keeps 3 kB for every column of every row group once it has parsed a footer: 300 MB for
100,000 columns, before a value is read. Here the footer stays as the bytes that it is, of which the
description of each column is a run. A small footer of the columns that are read is put together
from these runs, and pyarrow parses that.

https://github.com/apache/parquet-format describes the footer: a struct ``FileMetaData`` in Thrift's
compact protocol, https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md.
Only the borders of fields are needed of it.
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from skpar_select._typing import IndexArray
from skpar_select.matrices.io._file import FileSnapshot, Stamp, reading

MAGIC = b"PAR1"

_BOOLEANS, _BYTE, _INTEGERS, _DOUBLE, _BINARY, _LISTS, _MAP, _STRUCT = (
    (1, 2),
    3,
    (4, 5, 6),
    7,
    8,
    (9, 10),
    11,
    12,
)

# Bytes of the names of an index; the columns of a frame follow them.
_LONGEST_INDEX = 64 * 2**10

_END_BYTES = 64 * 2**10

# Structs of a footer lie in each other seven deep; a damaged one could go on without end.
_DEEPEST = 32

# Which columns are the index of the frame that pandas has written.
_INDEX_COLUMNS = re.compile(rb'"index_columns": ?(?=\[)')


@dataclass(frozen=True)
class RowGroup:
    """Rows that lie together, and where the description of each of their columns begins and ends."""

    n_rows: int
    borders: IndexArray


@dataclass(frozen=True)
class Footer:
    """A footer as bytes, and the borders of what describes each column."""

    raw: bytes
    start: int
    """Where the footer begins in the file."""

    version: int
    created_by: bytes
    schema: IndexArray
    """The borders of the description of each column."""

    groups: tuple[RowGroup, ...]
    index_columns: tuple[str, ...]
    """The columns that pandas has written its index to."""

    @property
    def n_columns(self) -> int:
        """Columns of the file."""
        return len(self.schema) - 1

    @property
    def n_bytes(self) -> int:
        """What this takes in memory."""
        borders = [self.schema, *(group.borders for group in self.groups)]
        return len(self.raw) + sum(array.nbytes for array in borders)

    def of_columns(self, columns: Sequence[int], group: int | None) -> bytes:
        """Return a footer of some columns of a row group alone, or of none."""
        children = b"".join(self._cut(self.schema, column) for column in columns)
        root = b"\x48\x06schema\x15" + _zigzag(len(columns)) + b"\x00"
        rows, groups = 0, b"\x0c"
        if group is not None:
            rows = self.groups[group].n_rows
            chunks = b"".join(self._cut(self.groups[group].borders, column) for column in columns)
            inside = b"\x19" + _list_of(len(columns)) + chunks
            groups = b"\x1c" + inside + b"\x16" + _zigzag(0) + b"\x16" + _zigzag(rows) + b"\x00"
        parts = [
            b"\x15" + _zigzag(self.version),
            b"\x19" + _list_of(1 + len(columns)) + root + children,
            b"\x16" + _zigzag(rows),
            b"\x19" + groups,
            b"\x28" + _varint(len(self.created_by)) + self.created_by,
            # Without the order of each column its statistics would not count.
            b"\x19" + _list_of(len(columns)) + b"\x1c\x00\x00" * len(columns),
            b"\x00",
        ]
        return b"".join(parts)

    def _cut(self, borders: IndexArray, column: int) -> bytes:
        return self.raw[borders[column] : borders[column + 1]]


# A dataset has a file for each part of its rows.
@lru_cache(maxsize=256)
def read_footer(path: str, stamp: Stamp) -> Footer:
    """Read the footer of a file, once a process; OSError where it is damaged.

    Raises ValueError where the file is encrypted, or a column holds several values a row.
    """
    size = stamp.size
    with reading(path), Path(path).open("rb") as file:
        file.seek(max(0, size - 8))
        end = file.read(8)
        length = int.from_bytes(end[:4], "little")
        if end[4:] == b"PARE":
            raise ValueError(
                f"'{path}' has an encrypted footer. It is read without a key. Write it without "
                "encryption."
            )
        if end[4:] != MAGIC or not 0 < length <= size - 12:
            raise OSError(
                f"'{path}' does not end as a Parquet file does. It must be whole. Copy it again, "
                "or write it again."
            )
        file.seek(size - 8 - length)
        raw = file.read(length)
    try:
        return _Parser(raw).footer(size - 8 - length)
    except (IndexError, OverflowError, RecursionError, UnicodeDecodeError) as error:
        raise OSError(
            f"'{path}' has a damaged footer ({type(error).__name__}). It must be a whole Parquet "
            "file. Copy it again, or write it again."
        ) from error
    except NestedError as error:
        raise ValueError(
            f"'{path}' has columns of lists or structs. A column of a matrix has one number a row. "
            "Leave these columns out, or unnest them, and write the file again."
        ) from error


class NestedError(Exception):
    """A column that holds several values a row."""


class VirtualFile:
    """A Parquet file whose footer is another one; every read opens the file and closes it.

    pyarrow calls the methods of a Python file.
    """

    def __init__(self, descriptor: int, start: int, footer: bytes) -> None:
        self._descriptor = descriptor
        self._start = start
        tail = footer + len(footer).to_bytes(4, "little") + MAGIC
        # pyarrow reads so much from the end to find the footer: none of it from the file.
        self._tail = tail.rjust(_END_BYTES, b"\x00")
        self._size = start + len(self._tail)
        self._position = 0
        self.closed = False
        self.mode = "rb"

    def readable(self) -> bool:
        """Tell that this is a file for reading."""
        return True

    def seekable(self) -> bool:
        """Tell that any place can be read."""
        return True

    def writable(self) -> bool:
        """Tell that nothing is written."""
        return False

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Tell the place."""
        return self._position

    def read(self, n_bytes: int = -1) -> bytes:
        """Read from the file, or from the footer."""
        if n_bytes < 0:
            n_bytes = self._size - self._position
        start = self._position
        if start >= self._start:
            data = self._tail[start - self._start : start - self._start + n_bytes]
        else:
            data = os.pread(self._descriptor, min(n_bytes, self._start - start), start)
            if len(data) < n_bytes and start + len(data) == self._start:
                data += self._tail[: n_bytes - len(data)]
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close nothing: the descriptor belongs to the caller."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing."""


class _Parser:
    """Finds the borders of fields."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        # Where long lists and structs end, so that none is passed over twice.
        self.ends: dict[int, int] = {}

    def footer(self, start: int) -> Footer:
        version, created_by, end = 1, b"", 0
        schema = np.zeros(1, dtype=np.int64)
        groups: list[RowGroup] = []
        index_columns: tuple[str, ...] = ()
        for field, at in self.fields(0):
            if field == 1:
                version = self.integer(at)[0]
            elif field == 2:
                schema, end = self.borders(at)
                # The first element is the root; a flat schema has a leaf for each other.
                if self.children(int(schema[0])) != len(schema) - 2:
                    raise NestedError
                schema = schema[1:]
            elif field == 4:
                n_groups, place = self.list_header(at)
                for _ in range(n_groups):
                    group, place = self.group(place)
                    if len(group.borders) != len(schema):
                        raise IndexError("a row group of another number of columns")
                    groups.append(group)
                self.ends[at] = end = place
            elif field == 5:
                index_columns = self.index_columns(at)
            elif field == 6:
                length, place = self.varint(at)
                created_by = self.raw[place : place + length]
        # Other metadata, such as the schema of Arrow, may be as long again.
        raw = self.raw[:end]
        return Footer(raw, start, version, created_by, schema, tuple(groups), index_columns)

    def group(self, start: int) -> tuple[RowGroup, int]:
        borders, n_rows = np.zeros(1, dtype=np.int64), 0
        for field, at in self.fields(start):
            if field == 1:
                borders, _ = self.borders(at)
            elif field == 3:
                n_rows = self.integer(at)[0]
        return RowGroup(n_rows, borders), self.ends[start]

    def children(self, at: int) -> int:
        for field, place in self.fields(at):
            if field == 5:
                return self.integer(place)[0]
        return 0

    def index_columns(self, at: int) -> tuple[str, ...]:
        end = self.skip(_LISTS[0], at)
        found = _INDEX_COLUMNS.search(self.raw, at, end)
        if found is None:
            return ()
        text = self.raw[found.end() : min(found.end() + _LONGEST_INDEX, end)]
        try:
            listed, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
        except ValueError as error:
            raise IndexError("the description of an index") from error
        return tuple(name for name in listed if isinstance(name, str))

    def borders(self, at: int) -> tuple[IndexArray, int]:
        """Return where each struct of a list begins, and where the last one ends."""
        length, place = self.list_header(at)
        if length > len(self.raw):
            raise IndexError("a list longer than the footer")
        borders = np.empty(length + 1, dtype=np.int64)
        for number in range(length):
            borders[number] = place
            place = self.skip(_STRUCT, place)
        borders[length] = self.ends[at] = place
        return borders, place

    def fields(self, start: int) -> Iterator[tuple[int, int]]:
        """Yield the number and the place of each field of a struct."""
        field, at = 0, start
        while head := self.raw[at]:
            at += 1
            if head >> 4:
                field += head >> 4
            else:
                field, at = self.integer(at)
            yield field, at
            at = self.ends[at] if at in self.ends else self.skip(head & 15, at)
        self.ends[start] = at + 1

    def list_header(self, at: int) -> tuple[int, int]:
        length = self.raw[at] >> 4
        return self.varint(at + 1) if length == 15 else (length, at + 1)

    def varint(self, at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self.raw[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value, at
            shift += 7
            if shift > 63:
                raise OverflowError("a number longer than 64 bits")

    def integer(self, at: int) -> tuple[int, int]:
        value, at = self.varint(at)
        return (value >> 1) ^ -(value & 1), at

    def skip(self, kind: int, at: int, depth: int = 0) -> int:
        """Return where a value ends."""
        raw = self.raw
        if kind in _INTEGERS:
            while raw[at] >= 128:
                at += 1
            return at + 1
        if kind == _BINARY:
            length, at = self.varint(at)
            if at + length > len(raw):
                raise IndexError("a text longer than the footer")
            return at + length
        if kind == _STRUCT:
            if depth > _DEEPEST:
                raise RecursionError
            while head := raw[at]:
                at += 1
                if not head >> 4:
                    _, at = self.varint(at)
                inner = head & 15
                # Integers are most of it.
                if 4 <= inner <= 6:
                    while raw[at] >= 128:
                        at += 1
                    at += 1
                else:
                    at = self.skip(inner, at, depth + 1)
            return at + 1
        if kind in _BOOLEANS:
            return at
        if kind == _BYTE:
            return at + 1
        if kind == _DOUBLE:
            return at + 8
        if kind in _LISTS:
            length, place = self.list_header(at)
            inner = raw[at] & 15
            # In a list a boolean is a byte.
            inner = _BYTE if inner in _BOOLEANS else inner
            for _ in range(length):
                place = self.skip(inner, place, depth + 1)
            return place
        raise IndexError(f"a field of kind {kind}")


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _zigzag(value: int) -> bytes:
    return _varint(value << 1)


def _list_of(length: int) -> bytes:
    """Return the head of a list of structs."""
    return bytes([length << 4 | _STRUCT]) if length < 15 else bytes([0xFC]) + _varint(length)


def footers_of(files: Sequence[FileSnapshot]) -> list[Footer]:
    """Return the footers of the files of a dataset."""
    return [read_footer(file.path, file.stamp) for file in files]
