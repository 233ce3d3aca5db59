"""Files of results: their formats by suffix, and that they are written whole or not at all."""

import gzip
import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from skpar_select._wording import listing
from skpar_select.tables._parquet import check_parquet

TEXT_FORMATS = (".csv", ".tsv", ".csv.gz", ".tsv.gz")


def format_of(path: str | PathLike[str], formats: Sequence[str]) -> str:
    """Return which of `formats` the name of a file ends in, or raise ValueError.

    Examples
    --------
    >>> format_of("scores.CSV.gz", (".csv", ".csv.gz"))
    '.csv.gz'
    """
    name = Path(path).name.lower()
    fitting = [suffix for suffix in formats if name.endswith(suffix) and name != suffix]
    if not fitting:
        raise ValueError(
            f"'{path}' ends in {Path(path).suffix!r}. Results are written in the format that the "
            f"end of the name says: {listing(formats, most=len(formats), quoted=False)}. Give it one "
            "of these ends."
        )
    return max(fitting, key=len)


def check_output(
    path: str | PathLike[str],
    *,
    inputs: tuple[str | PathLike[str], ...] = (),
    overwrite: bool = False,
    formats: Sequence[str] | None = None,
) -> Path:
    """Check that a file can be written before any work is done for it.

    A link is followed: the file that it names is written. Returns the path as it was given.
    Raises FileExistsError if the file exists and `overwrite` is False, FileNotFoundError or
    PermissionError for its folder, PermissionError if it is read-only, and ValueError if it is a
    folder, a pipe, a device, or one of the inputs by whatever name, or lies in one. Where `formats` are given, the
    name must end in one of them (ValueError), and what writes it must be installed (ImportError).
    """
    if formats is not None and format_of(path, formats) == ".parquet":
        check_parquet(path)
    given, path = Path(path), _followed(path)
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
    within = path.resolve().parents
    for file in inputs:
        if Path(file).is_dir() and Path(file).resolve() in within:
            raise ValueError(
                f"'{given}' lies in the folder '{file}', which is an input. Results must not replace a "
                "part of it, nor become one. Choose another folder."
            )
    if not path.exists():
        return given
    if not path.is_file():
        raise ValueError(
            f"'{given}' is not a regular file. Results replace only regular files. Choose another "
            "name."
        )
    if any(Path(file).exists() and path.samefile(file) for file in inputs):
        raise ValueError(
            f"'{given}' is an input. Results must not replace it. Choose another name."
        )
    # Whoever may do everything may write it, too: what its owner wants is in its mode.
    if not path.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(
            f"'{given}' is read-only. Results do not replace what is kept from being written. "
            "Choose another name, or make it writable."
        )
    if not overwrite:
        raise FileExistsError(
            f"'{given}' exists. Results replace a file only when they are told to. Choose another "
            "name, or give overwrite=True."
        )
    return given


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[Path]:
    """Write a file under a temporary name, and put it in its place when it is complete.

    The temporary file lies in the same folder; the block must close it. After the block it is
    written through to the disk and replaces `path` in one step, or the file that `path` links to.
    After an error it is removed, and `path` stays as it was.
    """
    path = _followed(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        with open(part, "rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing_text(path: str | PathLike[str], suffix: str) -> Iterator[TextIO]:
    """Open a file of text for writing in UTF-8, packed if its suffix says so.

    The same text always gives the same bytes: gzip would keep the name and the time.
    """
    with ExitStack() as stack:
        raw: BinaryIO = stack.enter_context(open(path, "wb"))
        if suffix.endswith(".gz"):
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
            raw = cast(BinaryIO, stack.enter_context(packed))
        yield stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8", newline=""))


def separator_for(suffix: str) -> str:
    """Return what separates the cells of a text format."""
    return "\t" if suffix.startswith(".tsv") else ","


def _followed(path: str | PathLike[str]) -> Path:
    """Return what a link leads to, there or not."""
    return Path(os.path.realpath(path)) if Path(path).is_symlink() else Path(path)
