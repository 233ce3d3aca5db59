"""HDF5 files opened for reading; every sign of damage becomes an OSError."""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb
from typing import Any

import h5py

HANDLE_BYTES = 2 * 2**20
"""What an open file holds: HDF5's cache of metadata begins with so much."""

# h5py raises these, too, where the metadata is damaged.
_OF_DAMAGE = (ArithmeticError, AttributeError, KeyError, RuntimeError, TypeError)


@contextmanager
def open_hdf5(path: str) -> Iterator[Any]:
    """Open an HDF5 file for reading, for as long as the context lasts; damage is an OSError."""
    try:
        # No chunk is kept: each is read once, and HDF5 2 would keep 8 MiB for every dataset.
        file = h5py.File(path, "r", rdcc_nbytes=0)
    except BlockingIOError as error:
        raise OSError(
            f"'{path}' is open for writing elsewhere ({error}). A matrix is read from a closed "
            "file. Close it there first."
        ) from error
    except (OSError, *_OF_DAMAGE) as error:
        raise OSError(
            f"'{path}' cannot be opened as HDF5 ({error}). It must be a whole HDF5 file that "
            "you may read. Check its path, or copy it again if it is cut short."
        ) from error
    with file:
        if file.mode != "r":
            # HDF5 gives two openings of a file in one process the mode of the first.
            raise OSError(
                f"'{path}' is open for writing in this process (mode {file.mode!r}). What was "
                "written may not be in the file yet. Close it there first."
            )
        try:
            yield file
        except (OSError, ValueError) as error:
            if not _is_of_h5py(error):
                raise
            raise OSError(
                f"'{path}' cannot be read ({type(error).__name__}: {error}). It must be a whole HDF5 "
                "file. Copy it again, or write it again."
            ) from error
        except _OF_DAMAGE as error:
            raise OSError(
                f"'{path}' is damaged ({type(error).__name__}: {error}). It must be a whole HDF5 "
                "file. Copy it again, or write it again."
            ) from error


def _is_of_h5py(error: BaseException) -> bool:
    """Return whether an error comes from h5py itself, and so names no file."""
    frames = list(walk_tb(error.__traceback__))
    return bool(frames) and str(frames[-1][0].f_globals.get("__name__", "")).startswith("h5py")
