"""Datasets of an HDF5 file: found by name, and checked to lie in the file itself."""

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

# A group may contain itself by a hard link.
_DEEPEST = 16


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


def find_dataset(file: Any, dataset: str, where: str) -> Any:
    """Follow a name to a dataset of this file.

    Raises
    ------
    ValueError
        If nothing or no dataset is there, or the name leads to another file.
    """
    place, group = "", file
    for name in dataset.strip("/").split("/"):
        place = f"{place}/{name}"
        link = group.get(name, getlink=True) if isinstance(group, h5py.Group) else None
        if link is None:
            raise ValueError(
                f"{where} does not exist. The file holds {listing(file)}. Name one of them."
            )
        if isinstance(link, h5py.ExternalLink):
            raise ValueError(
                f"{where}: '{place}' is a link to another file, '{link.filename}'. Values must "
                "lie in the file itself. Open that file instead."
            )
        if group.get(name) is None:
            raise ValueError(
                f"{where}: '{place}' is a link to nothing. The file holds {listing(file)}. "
                "Name one of them."
            )
        group = group[name]
    if group.file.filename != file.filename:
        # A soft link may lead over an external one.
        raise ValueError(
            f"{where} is a link to another file, '{group.file.filename}'. Values must lie in the "
            "file itself. Open that file instead."
        )
    if not isinstance(group, h5py.Dataset):
        raise ValueError(
            f"{where} is a group, not a dataset. The file holds {listing(file)}. Name one of them."
        )
    return group


def listing(file: Any) -> str:
    """Name the first datasets of a file, with their shapes."""
    found = [f"'{name}' {data.shape}" for name, data in datasets(file)]
    more = f" and {len(found) - 10} more" if len(found) > 10 else ""
    return (", ".join(found[:10]) + more) if found else "no dataset"


def check_stored_here(data: Any, where: str) -> None:
    """Refuse a dataset whose values lie elsewhere, or were never written."""
    # HDF5 answers reads of all these with other files' bytes or with fill values, silently.
    if data.external:
        raise ValueError(
            f"{where} keeps its values in another file, '{data.external[0][0]}'. Values must lie "
            "in the HDF5 file itself. Copy it with h5repack first."
        )
    if data.is_virtual:
        raise ValueError(
            f"{where} is a virtual dataset, put together from {len(data.virtual_sources())} "
            "sources. Values must lie in the file itself. Copy it to an ordinary dataset first."
        )
    if not data.size:
        return
    if data.chunks:
        expected = int(np.prod([-(-n // c) for n, c in zip(data.shape, data.chunks, strict=True)]))
        written = data.id.get_num_chunks()
    else:
        expected, written = 1, int(data.id.get_storage_size() > 0)
    if written < expected:
        raise ValueError(
            f"{where}: {expected - written} of {expected} chunks were never written, and HDF5 "
            "would give fill values for them. All values must be there. Finish writing the file."
        )
