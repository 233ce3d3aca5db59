"""Files of results: their formats by suffix, what may be replaced, and text."""

import gzip
import io
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from skpar_select._given import check_file_name
from skpar_select._wording import listing
from skpar_select.tables._output import Output, followed
from skpar_select.tables._parquet import check_parquet
from skpar_select.tables._streams import writing_forwards

# As Linux and macOS have it; some file systems allow less, and say so when the file is made.

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

    A link is followed if it is one's own, or the system's: the file that it names is written. Returns
    the path as it was given. Raises FileExistsError if the file exists and `overwrite` is False,
    FileNotFoundError or PermissionError for its folder, PermissionError if it is read-only, and
    ValueError if it is a folder, a pipe, a device, or one of the inputs by whatever name, or lies in
    one, or if its name is too long. Where `formats` are given, the name must end in one of them
    (ValueError), and what writes it must be installed (ImportError).
    """
    if formats is not None and format_of(path, formats) == ".parquet":
        check_parquet(path)
    given = Path(path)
    check_file_name(given)
    path = followed(path)
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
def writing_text(output: Output, suffix: str) -> Iterator[TextIO]:
    """Give a stream of text for an output, in UTF-8, packed if its suffix says so.

    The same text always gives the same bytes: gzip would keep the name and the time.
    """
    with ExitStack() as stack:
        raw: BinaryIO = stack.enter_context(writing_forwards(output))
        if suffix.endswith(".gz"):
            packed = gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0)
            raw = cast(BinaryIO, stack.enter_context(packed))
        yield stack.enter_context(io.TextIOWrapper(raw, encoding="utf-8", newline=""))


def separator_for(suffix: str) -> str:
    """Return what separates the cells of a text format."""
    return "\t" if suffix.startswith(".tsv") else ","
