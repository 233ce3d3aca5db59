"""Files that are written whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path


def check_output(
    path: str | PathLike[str], *, inputs: tuple[str | PathLike[str], ...] = ()
) -> Path:
    """Check that a file can be written, or replaced, before any work is done for it.

    Raises FileNotFoundError or PermissionError for its folder, and ValueError if it is a folder, a
    pipe, a device, or one of the inputs by whatever name.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder '{path.parent}' for '{path.name}'. Results are written into a "
            "folder that exists. Make it first, or choose another folder."
        )
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(
            f"The folder '{path.parent}' cannot be written to. '{path.name}' is written there, "
            "under another name first. Choose another folder, or get the right to write there."
        )
    if path.exists() and not path.is_file():
        raise ValueError(
            f"'{path}' is not a regular file. Results replace only regular files. Choose another "
            "name."
        )
    if path.exists() and any(Path(file).exists() and path.samefile(file) for file in inputs):
        raise ValueError(f"'{path}' is an input. Results must not replace it. Choose another name.")
    return path


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Write a file under a temporary name, and put it in its place when it is complete.

    The temporary file lies in the same folder; the block must close it. After the block it is
    written through to the disk and replaces `path` in one step. After an error it is removed, and
    `path` stays as it was.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with open(part, "rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
