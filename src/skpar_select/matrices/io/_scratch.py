"""A temporary file of values that several threads write and any process of this host reads."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from skpar_select._memory import format_bytes
from skpar_select._stopping import check_stop
from skpar_select._typing import Array
from skpar_select.matrices.io._file import PIECE_BYTES


def scratch_available() -> int:
    """Bytes that a temporary file may take, in the folder that ``TMPDIR`` names or the usual one."""
    try:
        return shutil.disk_usage(tempfile.gettempdir()).free
    except OSError:
        return 0


class ScratchFile:
    """A temporary file, open for writing.

    By its ``path`` any process of this host opens it, for as long as it is open here.
    """

    def __init__(self, descriptor: int, path: str) -> None:
        self._descriptor = descriptor
        self.path = path

    @classmethod
    @contextmanager
    def of_size(cls, n_bytes: int) -> Iterator["ScratchFile"]:
        """Make a file of so many bytes; it is gone when the context ends.

        Raises OSError if the folder has no such space.
        """
        folder = tempfile.gettempdir()
        descriptor, path = tempfile.mkstemp(prefix="skpar-select-", dir=folder)
        try:
            if hasattr(os, "posix_fallocate"):
                try:
                    os.posix_fallocate(descriptor, 0, n_bytes)
                except OSError as error:
                    raise OSError(
                        f"A temporary file of {format_bytes(n_bytes)} cannot be made in "
                        f"'{folder}' ({error}). The decoded matrix must fit there. Set TMPDIR to "
                        "a folder with that much space, or repack the file in square chunks."
                    ) from error
            # Other processes of the same user can open the file by this name.
            opened = f"/proc/{os.getpid()}/fd/{descriptor}"
            if os.path.exists(opened):
                # Unlinked, it is gone when this process ends, even if that is killed.
                Path(path).unlink()
                yield cls(descriptor, opened)
            else:
                yield cls(descriptor, path)
        finally:
            os.close(descriptor)
            Path(path).unlink(missing_ok=True)

    def write(self, offset: int, values: Array) -> None:
        """Write the bytes of an array at an offset; threads may write at once."""
        flat: Any = np.ascontiguousarray(values).view(np.uint8).reshape(-1)
        rest = memoryview(flat)
        while rest:
            check_stop()
            try:
                done = os.pwrite(self._descriptor, rest[:PIECE_BYTES], offset)
            except OSError as error:
                raise OSError(
                    f"The temporary file in '{tempfile.gettempdir()}' cannot be written "
                    f"({error.strerror}). The decoded matrix must fit there. Set TMPDIR to a folder "
                    "with more space, or repack the file in square chunks."
                ) from error
            offset += done
            rest = rest[done:]
