"""Datasets of an HDF5 file: found by name, and checked to lie in the file itself."""

import math
from collections.abc import Iterator
from typing import Any

import h5py

from skpar_select.matrices.io._filters import check_filters

# A group may contain itself by a hard link.
_DEEPEST = 16

# Soft links may go round in a circle.
_MOST_LINKS = 16


def datasets(file: Any) -> Iterator[tuple[str, Any]]:
    """All datasets that lie in this file itself, with their names."""
    pending = [("", file)]
    while pending:
        prefix, group = pending.pop()
        for name in sorted(group):
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                # Soft links name a dataset twice, external ones another file's.
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                yield prefix + name, item
            elif isinstance(item, h5py.Group) and prefix.count("/") < _DEEPEST:
                pending.append((f"{prefix}{name}/", item))


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
        link = group.get(part, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None and not over:
            return None
        if link is None or len(over) > _MOST_LINKS:
            raise ValueError(
                f"{label}: '{over[0]}' is a link to nothing. The file holds {list_datasets(file)}. "
                "Name one of them."
            )
        if isinstance(link, h5py.ExternalLink):
            raise ValueError(
                f"{label}: '{place}/{part}' is a link to another file, '{link.filename}'. Values "
                "must lie in the file itself. Open that file instead."
            )
        if isinstance(link, h5py.SoftLink):
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


def check_readable(data: Any, label: str) -> None:
    """Refuse a dataset whose values do not lie here, or that needs a filter that is not there."""
    check_stored_here(data, label)
    check_filters(data, label)


def text_of(value: Any) -> str:
    """Return an attribute as text, whatever text type wrote it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".")]
