"""Zarr stores of the file system, a folder or one zip file, opened for reading by the library."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

METADATA = ("zarr.json", ".zarray", ".zgroup")
"""The files that a folder of Zarr has one of: version 3; an array and a group of version 2."""


@contextmanager
def open_zarr(path: str, name: str = "") -> Iterator[Any]:
    """Open an array or group of a store for as long as the context lasts; damage is an OSError.

    Raises ImportError where zarr is not installed, and ValueError where the store has no such
    array or group.
    """
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            f"'{path}' is a Zarr store, and zarr is not installed. It reads the chunks. Install "
            'it: pip install "skpar-select[zarr]"'
        ) from error
    store: Any
    if os.path.isdir(path):
        store = zarr.storage.LocalStore(path, read_only=True)
    else:
        store = zarr.storage.ZipStore(path, mode="r", read_only=True)
    try:
        try:
            node = zarr.open(store=store, path=name, mode="r")
        except FileNotFoundError as error:
            raise ValueError(
                f"'{path}' holds no '{name}'. A matrix is a two-dimensional array of the store. "
                "Name one of its arrays."
            ) from error
        except Exception as error:  # the codecs and the metadata raise whatever they like
            raise OSError(
                f"'{path}', '{name}' cannot be opened as Zarr ({type(error).__name__}: {error}). "
                "It must be a whole store. Copy it again, or write it again."
            ) from error
        yield node
    finally:
        store.close()


def n_decoding_threads() -> int:
    """Return how many threads of its own the library has at most, in which it reads and decodes."""
    import zarr

    # Where its configuration names no number, it is that of asyncio's threads.
    return zarr.config.get("threading.max_workers") or min(32, (os.cpu_count() or 1) + 4)


def _damaged(path: str, name: str, error: Exception) -> OSError:
    place = f"'{path}', '{name}'" if name else f"'{path}'"
    return OSError(
        f"{place} cannot be opened as Zarr ({type(error).__name__}: {error}). It must be a whole "
        "store of numbers and text. Copy it again, or write it again."
    )


def is_array(node: Any) -> bool:
    """Return whether a node of a store is an array, and no group."""
    return type(node).__name__ == "Array"


def arrays(group: Any) -> dict[str, Any]:
    """Return the arrays of a group and of the groups in it, by name."""
    if is_array(group):
        return {"": group}
    try:
        members = dict(group.members(max_depth=None))
    except Exception as error:  # the metadata raise whatever they like
        raise _damaged(str(group.store_path), "", error) from error
    return {name: members[name] for name in sorted(members) if is_array(members[name])}


def check_codecs(array: Any, label: str) -> None:
    """Refuse an array whose chunks are pickles: opening one runs what its writer wants."""
    metadata = array.metadata.to_dict()
    codecs = [metadata.get(key) for key in ("codecs", "filters", "compressor")]
    if "pickle" in repr(codecs).lower():
        raise ValueError(
            f"{label} is stored as pickles. A pickle runs whatever its writer likes, and is never "
            "opened here. Write the array as numbers or text."
        )


def metadata_file(path: str, name: str) -> str:
    """Return the path of the file that describes an array of a folder."""
    for metadata in ("zarr.json", ".zarray"):
        file = os.path.join(path, name, metadata)
        if Path(file).exists():
            return file
    raise FileNotFoundError(
        f"'{os.path.join(path, name)}' has neither zarr.json nor .zarray any more. A store must "
        "stay as it is while it is used. Open it again."
    )
