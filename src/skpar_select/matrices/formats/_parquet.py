"""Parquet: a file, or a folder of files of one schema whose rows follow each other.

The names of features are those of the columns. Ids are the index that pandas has written, or else
the only column of text. pyarrow decodes the columns; no pickle is in the format.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skpar_select._typing import Names
from skpar_select._wording import listing
from skpar_select.matrices._labels import Axis
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._parquet import Column, describe_columns, read_texts
from skpar_select.matrices.io._parquet_footer import MAGIC, footers_of
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import ParquetColumns, TransposedMatrix

_SUFFIXES = (".parquet", ".parq", ".pq")


class ParquetFormat(Format):
    """A file, or a folder of files."""

    def recognises(self, session: FileSession) -> bool:
        """Return whether the file begins as Parquet does, or the folder has such files."""
        if session.is_folder:
            return bool(_files_in(session.path))
        return session.begins_with(MAGIC)

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Return the columns of numbers, which have no other name."""
        if dataset is not None:
            raise ValueError(
                f"dataset={dataset!r} is not in '{session.path}'. Parquet holds one table. Leave "
                "dataset out."
            )
        label = f"'{session.path}'"
        files = [FileSnapshot(path) for path in _paths(session)]
        table = _Table.of(files)
        ids, left_out = table.ids()
        refused = [column for place, column in table.special.items() if place not in left_out]
        if refused:
            raise ValueError(_refusal(refused, label))
        if not table.dtypes:
            raise ValueError(f"{label} has no column of numbers. A matrix needs one. Add it.")
        dtype: np.dtype[Any] = np.result_type(*table.dtypes)
        stored = ParquetColumns(files, left_out, dtype, label)
        return OpenedParquet(
            TransposedMatrix(stored, stored.description), left_out=left_out, ids=ids
        )


@dataclass(frozen=True)
class OpenedParquet(OpenedMatrix):
    """A table, with the names of its columns and its column of ids."""

    left_out: tuple[int, ...] = ()

    ids: int | None = None
    """The column of ids."""

    def read_labels(
        self, session: FileSession, place: str, axis: Axis, along: int
    ) -> tuple[Names, str] | None:
        """Read the names of the columns, or the column of ids."""
        files = self.matrix.files
        label = f"{axis}={place!r} in '{session.path}'"
        if along == 1:
            if place != "auto":
                raise ValueError(
                    f"{label} is no name of names. The columns of Parquet name themselves. Take "
                    f"them with {axis}='auto', or give the names themselves."
                )
            names = [
                column.name
                for number, column in enumerate(describe_columns(files[0]))
                if number not in self.left_out
            ]
            return np.asarray(names, dtype=object), label
        if place != "auto":
            self._check_named(files[0], place, label)
        if self.ids is None:
            return None
        values = [value for file in files for value in read_texts(file, self.ids)]
        missing = values.count(None)
        if missing:
            raise ValueError(
                f"{label} misses {missing} of {len(values)} ids. Every row needs one. Fill them, or "
                f"leave the ids out with {axis}=None."
            )
        return np.asarray([str(value) for value in values], dtype=object), label

    def _check_named(self, file: FileSnapshot, place: str, label: str) -> None:
        names = [column.name for column in describe_columns(file)]
        if self.ids is not None and names[self.ids] == place:
            return
        held = "no column" if self.ids is None else f"the column {names[self.ids]!r}"
        what = "a column of numbers, which is a feature" if place in names else "not a column"
        raise ValueError(
            f"{label}: it is {what}. Ids are the index that pandas has written, or the only column "
            f"of text: here {held}. Write the table with its ids as index, "
            f"frame.set_index({place!r}).to_parquet(path), or give the ids themselves."
        )


def _files_in(folder: str) -> list[str]:
    return [
        os.path.join(folder, name)
        for name in sorted(os.listdir(folder))
        if name.endswith(_SUFFIXES) and not name.startswith(("_", "."))
    ]


def _paths(session: FileSession) -> list[str]:
    if not session.is_folder:
        return [session.path]
    paths = _files_in(session.path)
    nested = [
        name
        for name in sorted(os.listdir(session.path))
        if os.path.isdir(os.path.join(session.path, name)) and not name.startswith(("_", "."))
    ]
    if nested:
        raise ValueError(
            f"'{session.path}' has folders in it, {listing(nested)}. The files of a table lie in "
            "one folder, without partitions. Write it so: "
            "pyarrow.dataset.dataset(folder, partitioning='hive').to_table(), then "
            "pyarrow.parquet.write_table(table, 'x.parquet')."
        )
    return paths


@dataclass(frozen=True)
class _Table:
    """What must be known of the columns of all files: not each of 100,000 columns of numbers."""

    indexed: tuple[int, ...]
    """The columns that are an index of pandas."""

    special: dict[int, Column]
    """The others that are no numbers."""

    dtypes: frozenset[np.dtype[Any]]
    """The types of those that are."""

    @classmethod
    def of(cls, files: Sequence[FileSnapshot]) -> "_Table":
        index = footers_of(files)[0].index_columns
        indexed: list[int] = []
        special: dict[int, Column] = {}
        dtypes: set[np.dtype[Any]] = set()
        digests = []
        for number, file in enumerate(files):
            digest = hashlib.blake2b()
            for place, column in enumerate(describe_columns(file)):
                digest.update(repr(column[:2]).encode())
                if column.name in index:
                    indexed += [place] if number == 0 else []
                elif column.dtype is None:
                    special[place] = column
                else:
                    dtypes.add(column.dtype)
            digests.append(digest.digest())
            if digests[-1] != digests[0]:
                raise ValueError(_differing(files[0], file))
        return cls(tuple(indexed), special, frozenset(dtypes))

    def ids(self) -> tuple[int | None, tuple[int, ...]]:
        """Return the column of ids, and all columns that are no features."""
        if self.indexed:
            # An index of several levels names no row by itself.
            return (self.indexed[0] if len(self.indexed) == 1 else None), self.indexed
        texts = tuple(place for place, column in self.special.items() if column.kind == "text")
        return (texts[0], texts) if len(texts) == 1 else (None, ())


def _differing(first: FileSnapshot, other: FileSnapshot) -> str:
    expected, held = list(describe_columns(first)), list(describe_columns(other))
    differing = [
        column.name
        for column, wanted in zip(held, expected, strict=False)
        if column[:2] != wanted[:2]
    ]
    which = f", the first {differing[0]!r}" if differing else ""
    return (
        f"'{other.path}' has other columns than '{first.path}' ({len(held)} and {len(expected)}"
        f"{which}). The files of a table have the same columns in the same order. Write them so."
    )


def _refusal(refused: Sequence[Column], label: str) -> str:
    by_kind: dict[str, list[str]] = {}
    for column in refused:
        by_kind.setdefault(column.kind, []).append(column.name)
    listed = "; ".join(f"{kind}: {listing(names, most=10)}" for kind, names in by_kind.items())
    several = len(by_kind.get("text", ())) > 1
    rule = "A matrix holds numbers, and one column of text for ids"
    return (
        f"{label} has columns that are no numbers ({listed}). {rule}"
        f"{', which must be the only one' if several else ''}. Leave them out, or make them "
        "numbers, and write the table again: pandas.read_parquet(path).drop(columns=[...])"
        ".to_parquet('numbers.parquet'); ids of several columns of text become the index first, "
        ".set_index('id')."
    )
