"""Attributes of HDF5 objects, whose text is looked at before HDF5 reads it.

Text of variable length lies in the global heap, where damage keeps HDF5 busy for ever (see
:mod:`._heap`). The references to it stand in the header of the object, which is read here. Where
there are so many attributes that HDF5 keeps them elsewhere, they are not looked at.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html describes headers of objects.
"""

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import h5py
import numpy as np

from skpar_select.matrices.io._datasets import text_of
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._heap import REFERENCE_BYTES, HeapFile, check_heaps

# HDF5 and h5py crash in values of other types that are damaged.
_READ = (h5py.h5t.STRING, h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.REFERENCE)

# The references to the dimension scales of each axis, which HDF5 itself reads.
_SCALES = "DIMENSION_LIST"

_ATTRIBUTE, _CONTINUATION = 0x0C, 0x10

# HDF5 itself writes few blocks; those that name each other would go on for ever.
_MOST_BLOCKS = 1000

_LEADS = "its header leads to"


def attribute(item: Any, name: str, default: Any = None) -> Any:
    """Return an attribute of a group or a dataset, or the default where it has none.

    Raises OSError, which says of which file, if its text is damaged.
    """
    if name not in item.attrs:
        return default
    kind = _type_of(item, name)
    if kind.get_class() not in _READ:
        raise _no_text(item, name)
    if kind.get_class() == h5py.h5t.STRING and kind.is_variable_str():
        _check_references(item, name)
    return item.attrs[name]


def has_scales(data: Any) -> bool:
    """Return whether a dataset has dimension scales, if what leads to them is not damaged."""
    if _SCALES not in data.attrs:
        return False
    kind = _type_of(data, _SCALES)
    if kind.get_class() != h5py.h5t.VLEN or kind.get_super().get_class() != h5py.h5t.REFERENCE:
        raise _no_text(data, _SCALES)
    _check_references(data, _SCALES)
    return True


def _type_of(item: Any, name: str) -> Any:
    return h5py.h5a.open(item.id, name.encode()).get_type()


def _no_text(item: Any, name: str) -> OSError:
    return OSError(
        f"{_label(item, name)} is of another type than its name says. The file must be whole. Copy it "
        "again, or write it again."
    )


def _label(item: Any, name: str) -> str:
    return f"'{item.file.filename}', attribute '{name}' of '{text_of(item.name)}'"


def _check_references(item: Any, name: str) -> None:
    file = FileSnapshot(os.fsdecode(item.file.filename))
    with file.opened() as descriptor:
        base = int(item.file.userblock_size)
        heap = HeapFile(descriptor, file.size, base, _label(item, name))
        place = int(h5py.h5o.get_info(item.id).addr)
        for found, value in _attributes(heap, place):
            if found == name.encode():
                whole = len(value) // REFERENCE_BYTES * REFERENCE_BYTES
                check_heaps(heap, np.frombuffer(value[:whole], np.uint8))


class _Message(NamedTuple):
    kind: int
    body: bytes


def _attributes(file: HeapFile, place: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the bytes of the value of each attribute in a header."""
    for message in _messages(file, place):
        if message.kind != _ATTRIBUTE or len(message.body) < 8:
            continue
        body = message.body
        version = body[0]
        name, kind, space = (int.from_bytes(body[at : at + 2], "little") for at in (2, 4, 6))
        at = 9 if version == 3 else 8
        text = body[at : at + name].partition(b"\0")[0]
        # The first version fills each up to a multiple of 8.
        spare = 7 if version == 1 else 0
        head = sum(length + spare & ~spare for length in (name, kind, space))
        yield text, body[at + head :]


def _messages(file: HeapFile, place: int) -> Iterator[_Message]:
    first = file.base + place
    head = file.read(first, 16, leads=_LEADS)
    modern = head[:4] == b"OHDR"
    if modern:
        flags = head[5]
        at = 6 + (16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0)
        width = 1 << (flags & 3)
        start = first + at + width
        length = int.from_bytes(file.read(first + at, width, leads=_LEADS), "little")
        ordered = bool(flags & 4)
    else:
        start, length, ordered = first + 16, int.from_bytes(head[8:12], "little"), False
    blocks = [(start, length)]
    for number in range(_MOST_BLOCKS):
        if number == len(blocks):
            return
        raw = file.read(*blocks[number], leads=_LEADS)
        for message in _cut(raw, modern=modern, ordered=ordered):
            if message.kind == _CONTINUATION and len(message.body) >= 16:
                start = file.base + int.from_bytes(message.body[:8], "little")
                length = int.from_bytes(message.body[8:16], "little")
                # A modern block has a signature and a checksum around its messages.
                blocks.append((start + 4, length - 8) if modern else (start, length))
            yield message
    raise file.damaged("its header has no end")


def _cut(raw: bytes, *, modern: bool, ordered: bool) -> Iterator[_Message]:
    head = (6 if ordered else 4) if modern else 8
    at = 0
    while at + head <= len(raw):
        if modern:
            kind, length = raw[at], int.from_bytes(raw[at + 1 : at + 3], "little")
        else:
            kind = int.from_bytes(raw[at : at + 2], "little")
            length = int.from_bytes(raw[at + 2 : at + 4], "little")
        at += head
        yield _Message(kind, raw[at : at + length])
        at += length
