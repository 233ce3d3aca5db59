"""Text of variable length in HDF5 files, read without HDF5.

A dataset of such text holds references of 16 bytes: a length, the place of a collection of the global
heap, and a number in it. HDF5 goes round for ever in some damaged collections, with the lock held
that all of h5py has. Here a collection is passed over once, and every length in it must fit.

https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html describes the global heap.
"""

import struct
from typing import Any, NamedTuple

import numpy as np

from skpar_select._memory import format_bytes
from skpar_select._typing import Array
from skpar_select.matrices.io._file import read_into

MOST_BYTES = 2**30
"""So many bytes all texts of a dataset have at most, and a collection of the heap."""

REFERENCE_BYTES = 16
"""What a text takes in a dataset: its length, the place of a collection, and its number there."""

_MAGIC = b"GCOL"
_HEAD = struct.Struct("<4sB3xQ")
_LEADS = "there is no heap at"


class HeapFile(NamedTuple):
    """An open file whose heaps are read."""

    descriptor: int
    size: int
    base: int
    """Where HDF5's part of the file begins, after a user block."""

    label: str

    def damaged(self, what: str) -> OSError:
        """Return the error for a heap that is not whole."""
        return OSError(
            f"{self.label}: its text cannot be read ({what}). The file must be whole. Copy it again, "
            "or write it again."
        )

    def read(self, first: int, n_bytes: int, *, leads: str) -> bytes:
        """Read some bytes; `leads` says of the error what led outside the file."""
        if n_bytes < 0 or first + n_bytes > self.size:
            raise self.damaged(f"{leads} byte {first}, and the file has {self.size}")
        raw = np.empty(n_bytes, np.uint8)
        try:
            read_into(self.descriptor, first, raw)
        except OSError as error:
            raise self.damaged(str(error)) from error
        return raw.tobytes()


def read_texts(file: HeapFile, references: Array) -> Array:
    """Return the texts of references, an array of bytes of shape (n, 16), as objects of bytes."""
    lengths, places, numbers = _split(references)
    total = int(lengths.sum(dtype=np.int64))
    if total > MOST_BYTES:
        raise ValueError(
            f"{file.label} holds text of {format_bytes(total)}. Text that is read at once has at "
            f"most {format_bytes(MOST_BYTES)}. Give the names in a text file, as a pathlib.Path, or "
            "leave them out. If it was not meant to be so long, the file is damaged."
        )
    texts = np.full(len(lengths), b"", dtype=object)
    held = np.flatnonzero(lengths)
    order = held[np.argsort(places[held], kind="stable")]
    borders = np.flatnonzero(np.diff(places[order])) + 1
    end = 0
    for some in np.split(order, borders) if len(order) else ():
        place = int(places[some[0]])
        if place < end:
            raise file.damaged(f"two heaps overlap at byte {place}")
        raw = _read_collection(file, place)
        end = place + len(raw)
        wanted = lengths[some].astype(np.int64)
        at = _in_order(raw, wanted, numbers[some])
        if at is None:
            at = _found(raw, wanted, numbers[some], file, place)
        starts = (8 * at + 16).tolist()
        stops = (8 * at + 16 + wanted).tolist()
        read = [raw[start:stop] for start, stop in zip(starts, stops, strict=True)]
        if b"\0" in b"".join(read):
            # As HDF5 and C have it, text ends there.
            read = [text.partition(b"\0")[0] for text in read]
        texts[some] = read
    return texts


def check_heaps(file: HeapFile, references: Array) -> None:
    """Refuse references to collections that are damaged, so that HDF5 can read them."""
    lengths, places, _ = _split(references)
    for place in np.unique(places[lengths > 0]).tolist():
        _objects(_read_collection(file, place), file, place)


def _split(references: Array) -> tuple[Array, Array, Array]:
    fields: Any = np.ascontiguousarray(references).view(
        np.dtype([("length", "<u4"), ("place", "<u8"), ("number", "<u4")])
    )
    rows = fields.reshape(-1)
    return rows["length"], rows["place"], rows["number"]


def _read_collection(file: HeapFile, place: int) -> bytes:
    first = file.base + place
    magic, version, size = _HEAD.unpack(file.read(first, _HEAD.size, leads=_LEADS))
    if magic != _MAGIC or version != 1:
        raise file.damaged(f"there is no heap at byte {first}")
    if not _HEAD.size <= size <= min(MOST_BYTES, file.size - first):
        raise file.damaged(f"the heap at byte {first} says that it has {size} bytes")
    return file.read(first, size, leads=_LEADS)


def _in_order(raw: bytes, lengths: Array, numbers: Array) -> Array | None:
    """Return the words at which texts begin that fill a collection in their order, or None.

    Most do: whoever writes names writes them one after another.
    """
    words = np.frombuffer(raw, "<u8", count=len(raw) // 8)
    steps = 2 + (lengths + 7 >> 3)
    at = 2 + np.cumsum(steps) - steps
    if at[-1] + steps[-1] > len(words):
        return None
    fits = (words[at] & np.uint64(0xFFFF) == numbers) & (words[at + 1] == lengths)
    return at if fits.all() else None


def _found(raw: bytes, lengths: Array, numbers: Array, file: HeapFile, place: int) -> Array:
    """Return the words at which texts begin, wherever in a collection they are."""
    objects = _objects(raw, file, place)
    at = np.array([objects.get(number, 0) for number in numbers.tolist()], dtype=np.int64)
    words = np.frombuffer(raw, "<u8", count=len(raw) // 8)
    # None begins at the first word.
    missing = (at == 0) | (words[at + 1] != lengths)
    if missing.any():
        number = numbers[int(np.argmax(missing))]
        raise file.damaged(f"text {number} of the heap at byte {place} is not there")
    return at


def _objects(raw: bytes, file: HeapFile, place: int) -> dict[int, int]:
    """Return the word at which each text of a collection begins, by its number."""
    words: Any = memoryview(raw)[: len(raw) // 8 * 8].cast("Q")
    objects: dict[int, int] = {}
    at = 2
    while at + 2 <= len(words):
        number, length = words[at] & 0xFFFF, words[at + 1]
        # What is free counts its own head.
        step = 2 + (length + 7 >> 3) if number else length >> 3
        if step < 2 or at + step > len(words) or number in objects:
            where = file.base + place
            raise file.damaged(f"the heap at byte {where} is broken at byte {where + 8 * at}")
        if number:
            objects[number] = at
        at += step
    return objects
