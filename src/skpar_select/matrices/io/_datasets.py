"""Datasets of an HDF5 file: found by name, and checked to lie in the file itself."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import h5py

from skpar_select.matrices.io._file import can_read_into
from skpar_select.matrices.io._filters import check_filters

# Groups that lie deeper are not looked into.
_DEEPEST = 64

# So many take some seconds.
_MOST_OBJECTS = 100_000

# Soft links may go round in a circle.
_MOST_LINKS = 16


def datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """All datasets that lie in this file itself, with their names."""
    return ((name, item) for name, item in objects(file) if isinstance(item, h5py.Dataset))


def objects(file: Any) -> Iterator[tuple[str, Any]]:
    """All groups and datasets that lie in this file itself, with their names, each group once.

    Raises ValueError if they are too many to be looked at.
    """
    pending, n_seen = [("", file)], 0
    # A group may contain itself, or another one many times, by hard links.
    entered = {_address(file)}
    while pending:
        prefix, group = pending.pop()
        for name, item in members(group):
            n_seen += 1
            if n_seen > _MOST_OBJECTS:
                raise ValueError(
                    f"'{file.filename}' holds more than {_MOST_OBJECTS} groups and datasets. So many "
                    "are not searched. Name the dataset, and those of names and ids."
                )
            if isinstance(item, h5py.Group):
                if _address(item) in entered or prefix.count("/") >= _DEEPEST:
                    continue
                entered.add(_address(item))
                pending.append((f"{prefix}{name}/", item))
            yield prefix + name, item


def members(group: Any) -> Iterator[tuple[str, Any]]:
    """Yield what lies in a group itself, by name; no link is followed, least of all to another file."""
    # Soft links name a dataset twice, external ones another file's.
    return ((name, group[raw]) for name, raw in _names(group) if _is_hard(group, raw))


def member_names(group: Any) -> list[str]:
    """Return the names in a group, in order; what is not UTF-8 of them is replaced."""
    return [name for name, _ in _names(group)]


def _names(group: Any) -> list[tuple[str, str | bytes]]:
    return sorted((text_of(name), name) for name in group)


class Link(NamedTuple):
    """How a name leads on from a group."""

    file: str | None
    """The other file, if it leads to one."""

    path: str | None
    """Where a soft link leads; None if the object itself is there."""


def link_of(group: Any, name: str | bytes) -> Link | None:
    """Return how a name leads on, or None where there is none of it; nothing is followed."""
    raw = name if isinstance(name, bytes) else name.encode("utf-8", "surrogateescape")
    links = group.id.links
    if not links.exists(raw):
        return None
    kind = links.get_info(raw).type
    if kind == h5py.h5l.TYPE_HARD:
        return Link(None, None)
    if kind == h5py.h5l.TYPE_SOFT:
        return Link(None, text_of(links.get_val(raw)))
    if kind == h5py.h5l.TYPE_EXTERNAL:
        return Link(text_of(links.get_val(raw)[0]), None)
    return Link(f"by a link of kind {kind}", None)


def _is_hard(group: Any, name: str | bytes) -> bool:
    return link_of(group, name) == Link(None, None)


def _address(group: Any) -> tuple[int, int]:
    described = h5py.h5o.get_info(group.id)
    return int(described.fileno), int(described.addr)


def follow(file: Any, name: str, label: str) -> Any:
    """Follow a name to a group or dataset of this file, or to None where it holds no such name.

    Raises ValueError if the name leads to another file, or over a link to nothing.
    """
    # Soft links are followed here: HDF5 would follow one to another file, and open whatever is
    # there, a pipe too.
    rest, place, group = _parts(name), "", file
    over: list[str] = []
    while rest:
        part = rest.pop(0)
        link = link_of(group, part) if isinstance(group, h5py.Group) else None
        if link is None and not over:
            return None
        if link is None or len(over) > _MOST_LINKS:
            raise ValueError(
                f"{label}: '{over[0]}' is a link to nothing. The file holds {list_datasets(file)}. "
                "Name one of them."
            )
        if link.file is not None:
            raise ValueError(
                f"{label}: '{place}/{part}' is a link to another file, '{link.file}'. Values "
                "must lie in the file itself. Open that file instead."
            )
        if link.path is not None:
            over.append(f"{place}/{part}")
            if link.path.startswith("/"):
                place, group = "", file
            rest = _parts(link.path) + rest
        else:
            place, group = f"{place}/{part}", group[part]
    return group


def find_dataset(file: Any, dataset: str, label: str) -> Any:
    """Follow a name to a dataset of this file, or raise ValueError where none is."""
    found = follow(file, dataset, label)
    if found is None:
        raise ValueError(
            f"{label} does not exist. The file holds {list_datasets(file)}. Name one of them."
        )
    if not isinstance(found, h5py.Dataset):
        raise ValueError(
            f"{label} is a group, not a dataset. The file holds {list_datasets(file)}. Name one of them."
        )
    return found


def list_datasets(file: Any) -> str:
    """Name the first datasets of a file, with their shapes."""
    found = [f"'{name}' {data.shape}" for name, data in datasets(file)]
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return (", ".join(found[:10]) + more) if found else "no dataset"


def check_stored_here(data: Any, label: str) -> None:
    """Refuse a dataset whose values lie elsewhere, or were never written."""
    # HDF5 answers reads of all these with other files' bytes or with fill values, silently.
    if data.external:
        raise ValueError(
            f"{label} keeps its values in another file, '{data.external[0][0]}'. Values must lie "
            "in the HDF5 file itself. Copy it with h5repack first."
        )
    if data.is_virtual:
        raise ValueError(
            f"{label} is a virtual dataset, put together from {len(data.virtual_sources())} "
            "sources. Values must lie in the file itself. Copy it to an ordinary dataset first."
        )
    if data.shape is None or 0 in data.shape:
        return
    if data.chunks:
        # Counted in Python's integers: those of NumPy and h5py begin anew at 2**64, with nothing.
        expected = math.prod(-(-n // c) for n, c in zip(data.shape, data.chunks, strict=True))
        written = data.id.get_num_chunks()
    else:
        expected, written = 1, int(data.id.get_storage_size() > 0)
    if written < expected:
        raise ValueError(
            f"{label}: {expected - written} of {expected} chunks were never written, and HDF5 "
            "would give fill values for them. All values must be there. Finish writing the file."
        )


def lies_as_numpy(data: Any) -> bool:
    """Return whether the bytes in the file are the values in a type of NumPy, to be read here."""
    if not can_read_into() or 0 in data.shape:
        return False
    # HDF5 converts types that NumPy has not, and stored numbers that are no truth values.
    stored = data.id.get_type()
    return data.dtype.kind != "b" and bool(stored.equal(h5py.h5t.py_create(data.dtype)))


def check_readable(data: Any, label: str) -> None:
    """Refuse a dataset whose values do not lie here, or that needs a filter that is not there."""
    check_stored_here(data, label)
    check_filters(data, label)


def text_of(value: Any) -> str:
    """Return an attribute as text, whatever text type wrote it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]
