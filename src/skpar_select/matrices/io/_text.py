"""Files of text in UTF-8, packed by gzip or not: how they are opened, and what damage raises."""

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

GZIP = b"\x1f\x8b"
"""What a file begins with that gzip has packed."""

TEXT_FAULTS = (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error)
"""Raised while text is read that is damaged, or none."""


@contextmanager
def open_text(path: str | os.PathLike[str]) -> Iterator[io.TextIOWrapper]:
    """Open a file of text, without the mark of its byte order; its line ends stay as they are."""
    with open(path, "rb") as raw:
        packed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        stream: Any = gzip.GzipFile(fileobj=raw) if packed else raw
        yield io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
