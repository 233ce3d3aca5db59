"""One opening of a path: the first bytes and, where it is HDF5, the one handle that is used."""

import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import h5py

from skpar_select._cached import CachedProperty
from skpar_select.matrices.io._file import FileSnapshot, reading
from skpar_select.matrices.io._hdf5 import open_hdf5


class FileSession(ExitStack):
    """A path, of a file or of a folder, while ``open_matrix`` looks into it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__()
        self.path = os.path.abspath(path)

    @CachedProperty
    def is_folder(self) -> bool:
        """Whether the path is a folder."""
        return os.path.isdir(self.path)

    @CachedProperty
    def snapshot(self) -> FileSnapshot:
        """The file as it is now. It must be a regular file: opening a pipe could wait forever."""
        return FileSnapshot(self.path)

    def begins_with(self, prefix: bytes) -> bool:
        """Return whether the path is a file that begins with these bytes."""
        if self.is_folder:
            return False
        with reading(self.path), Path(self.snapshot.path).open("rb") as file:
            return file.read(len(prefix)) == prefix

    @CachedProperty
    def is_hdf5(self) -> bool:
        """Whether the path is an HDF5 file."""
        return not self.is_folder and bool(h5py.is_hdf5(self.snapshot.path))

    @CachedProperty
    def hdf5(self) -> Any:
        """The handle of the file, opened when it is first asked for; damage is an OSError."""
        return self.enter_context(open_hdf5(self.snapshot.path))
