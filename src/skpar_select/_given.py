"""What callers hand in for names: of files, of columns, of samples."""

import os
from collections.abc import Iterable, Mapping
from operator import index
from typing import Any

from skpar_select._wording import quote

# What Linux takes, in bytes.
_LONGEST_NAME, _LONGEST_PATH = 255, 4095


def check_file_name(path: str | os.PathLike[str]) -> None:
    """Refuse what no file can be called."""
    name = os.fsencode(path)
    longest = max((len(part) for part in name.split(os.fsencode(os.sep))), default=0)
    if longest > _LONGEST_NAME or len(name) > _LONGEST_PATH or b"\0" in name or not name:
        shown = quote(os.fsdecode(name))
        raise ValueError(
            f"{shown} is no name of a file: it has {len(name)} bytes, its longest part {longest}. A path has "
            f"1 to {_LONGEST_PATH}, each part at most {_LONGEST_NAME}, and none is NUL. Give another name."
        )


def check_several(value: Any, name: str, what: str) -> None:
    """Refuse what is no sequence of `what`, where one is expected."""
    wrong = isinstance(value, bytes | bytearray | Mapping) or not isinstance(value, Iterable)
    if wrong or getattr(value, "ndim", 1) != 1:
        shown = " ".join(quote(value).split())  # arrays are shown in lines
        raise TypeError(
            f"{name}={shown} is a {type(value).__name__}. It must be {what}. Give text, or a list of text."
        )


def check_number_of_samples(n_samples: Any) -> None:
    """Refuse what counts no samples."""
    try:
        wrong = isinstance(n_samples, bool) or index(n_samples) < 1
    except TypeError:
        wrong = True
    if wrong:
        raise TypeError(
            f"n_samples={quote(n_samples)} is a {type(n_samples).__name__} that counts no samples. It must be a "
            "whole number from 1 on. Give the number of samples, or leave it out."
        )
