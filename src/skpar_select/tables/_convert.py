"""A matrix in text, converted once to HDF5: row after row, however wide and long it is."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from math import isnan, nan
from os import PathLike
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np

from skpar_select._typing import Array
from skpar_select._wording import listing, quote
from skpar_select.matrices.io._text import TEXT_FAULTS, open_text
from skpar_select.tables._checksum import Checksum
from skpar_select.tables._column import MISSING_MARKERS, as_number, has_decimal_comma
from skpar_select.tables._csv import check_names, separator_of
from skpar_select.tables._files import check_output
from skpar_select.tables._hdf5_output import TEXT, writing_hdf5, written_hdf5
from skpar_select.tables._output import Output

HDF5_SUFFIXES = (".h5", ".hdf5")

# Values that are held before they are written, unless one line has more.
_BLOCK_BYTES = 16 * 2**20

# A chunk of HDF5: small enough for any budget, large enough for any disk.
_CHUNK_BYTES = 2**20
_CHUNK_ROWS = 128


def convert_csv(
    source: str | PathLike[str],
    output: str | PathLike[str],
    *,
    orientation: Literal["samples_by_features", "features_by_samples"] = "samples_by_features",
    dtype: Literal["float32", "float64"] = "float64",
    separator: str | None = None,
    overwrite: bool = False,
) -> None:
    r"""Convert a matrix in CSV or TSV, packed by gzip or not, to an HDF5 file.

    The text is read once, line by line, and some 40 MB are held, or four lines of it. The result is
    samples x features whatever the text is, with the datasets ``data``, ``features`` and
    ``samples``; :func:`skpar_select.open_matrix` opens it without options.

    The first line names the columns. One column may hold text: the ids of the lines, whose name
    does not count. All other cells are numbers; empty cells and the usual marks, such as ``NA``,
    become NaN.

    Parameters
    ----------
    source : str or path-like
        The text, in UTF-8.
    output : str or path-like
        The file to be written, ``.h5`` or ``.hdf5``. It appears when it is complete.
    orientation : {"samples_by_features", "features_by_samples"}, default="samples_by_features"
        What a line of the text is: a sample, or a feature, as GEO writes them.
    dtype : {"float64", "float32"}, default="float64"
        The type of the stored values. ``"float32"`` has seven digits and takes half of the room.
    separator : str, default=None
        What parts the cells; None means the one of tab, semicolon, bar and comma that the first
        line has most of. Where it is a semicolon, numbers may have commas for the decimal point.
    overwrite : bool, default=False
        Whether `output` may exist and is replaced.

    Raises
    ------
    ValueError
        If a cell is no number, lines have different numbers of cells, names repeat, or there is no
        line or no column of numbers.
    FileExistsError
        If `output` exists.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from skpar_select import open_matrix
    >>> from skpar_select.tables import convert_csv
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (folder / "x.csv").write_text("id,a,b\ns1,1.5,NA\ns2,2,3\n")
    >>> convert_csv(folder / "x.csv", folder / "x.h5")
    >>> X = open_matrix(folder / "x.h5")
    >>> X.feature_names, X.sample_ids
    (array(['a', 'b'], dtype=object), array(['s1', 's2'], dtype=object))
    >>> X.read([0, 1])
    array([[1.5, nan],
           [2. , 3. ]])
    """
    if orientation not in _ORIENTATIONS:
        raise ValueError(
            f"orientation={orientation!r} is unknown. It is one of {', '.join(_ORIENTATIONS)}. "
            "Say what a line of the text is."
        )
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype={dtype!r} is unknown. It is float32 or float64. Name one.")
    check_output(output, inputs=(source,), overwrite=overwrite, formats=HDF5_SUFFIXES)
    label = f"'{source}'"
    with _opened(Path(source), label) as stream, Output(output, overwrite=overwrite) as made:
        table = _Lines(stream, separator, label)
        checksum = Checksum()
        names = ("samples", "features")
        if orientation == "features_by_samples":
            names = ("features", "samples")
        by_features = names[0] == "features"
        with writing_hdf5(made) as file:
            ids = _write(made, file, table, np.dtype(dtype), checksum, by_features=by_features)
            shape = file["data"].shape
            file.create_dataset(names[1], data=table.names, dtype=TEXT)
            if ids:
                file.create_dataset(names[0], data=ids, dtype=TEXT)
        with written_hdf5(made) as written:
            written.check_matrix("data", shape, checksum)
            written.check_text(names[1], table.names)
            if ids:
                written.check_text(names[0], ids)
        made.replace()


_ORIENTATIONS = ("samples_by_features", "features_by_samples")


class _Lines:
    """The lines of a table: the names of its columns of numbers, then an id and the numbers."""

    def __init__(self, stream: TextIO, separator: str | None, label: str) -> None:
        self.label = label
        header_line = _header_of(stream, label)
        self.separator = separator_of(header_line) if separator is None else separator
        self._rows = csv.reader(chain([header_line], stream), delimiter=self.separator, strict=True)
        header = [name.strip() for name in next(self._rows)]
        first = self._next()
        if first is None:
            raise ValueError(
                f"{label} holds no rows. A matrix has a line of names and one for each of its "
                "rows. Check the path."
            )
        self._first = first
        if len(first) == len(header) + 1:
            # R writes no name for the column of row names.
            header = ["", *header]
        self._width = len(header)
        self._comma = False
        self._point = False
        self.ids = self._column_of_ids(header, first)
        self.names = [name for place, name in enumerate(header) if place != self.ids]
        check_names(self.names, label)
        if not self.names:
            raise ValueError(
                f"{label} has no column of numbers: it has {listing(header)}, separated by "
                f"{self.separator!r}. A matrix needs one. Name the separator, if it is another."
            )

    def __iter__(self) -> Iterator[tuple[str | None, Sequence[float]]]:
        cells: list[str] | None = self._first
        number = 1
        while cells is not None:
            if len(cells) != self._width:
                raise ValueError(
                    f"{self.label}, row {number} has {len(cells)} cells, the first line "
                    f"{self._width}. Every row has one cell for each name. Repair the file, or "
                    f"name the separator: it was taken to be {self.separator!r}."
                )
            name = None if self.ids is None else cells.pop(self.ids).strip()
            yield name, self._numbers(cells, number)
            cells = self._next()
            number += 1

    def _next(self) -> list[str] | None:
        try:
            for cells in self._rows:
                if any(cells):
                    return cells
        except (csv.Error, *TEXT_FAULTS) as error:
            raise ValueError(
                f"{self.label} cannot be read at line {self._rows.line_num} ({error}). A matrix in "
                "text is UTF-8, with one row a line. Save it so."
            ) from error
        return None

    def _column_of_ids(self, header: list[str], first: list[str]) -> int | None:
        texts = [place for place, cell in enumerate(first) if not self._is_number(cell)]
        if len(first) == len(header) and header[0] == "" and texts in ([], [0]):
            # pandas writes an index without a name, of numbers too.
            return 0
        if len(texts) > 1:
            named = [header[place] for place in texts if place < len(header)]
            raise ValueError(
                f"{self.label} has {len(texts)} columns that are no numbers ({listing(named)}), "
                f"such as {quote(first[texts[-1]])} in row 1. A matrix holds numbers, and one "
                "column of text for ids. Leave the others out, or make them numbers."
            )
        return texts[0] if texts else None

    def _is_number(self, cell: str) -> bool:
        cell = cell.strip()
        comma = self.separator == ";" and has_decimal_comma(cell)
        return cell in MISSING_MARKERS or not isnan(as_number(cell, decimal_comma=comma))

    def _numbers(self, cells: list[str], number: int) -> Sequence[float]:
        line = "".join(cells)
        if "_" not in line and not (self._comma and "." in line):
            self._point = self._point or (self.separator == ";" and "." in line)
            try:
                # The usual line, as fast as Python can.
                return list(map(float, cells))
            except ValueError:
                pass
        return [self._number(cell.strip(), place, number) for place, cell in enumerate(cells)]

    def _number(self, cell: str, place: int, number: int) -> float:
        if cell in MISSING_MARKERS:
            return nan
        if self.separator == ";" and not self._point and has_decimal_comma(cell):
            self._comma = True
        value = as_number(cell, decimal_comma=self._comma)
        if isnan(value):
            raise ValueError(
                f"{self.label}, row {number}, column {quote(self.names[place])} holds "
                f"{quote(cell)}. A matrix holds numbers, and one column of text for ids. Correct "
                "the cell, leave it empty, or leave the column out."
            )
        return value


def _write(
    output: Output,
    file: Any,
    table: _Lines,
    dtype: np.dtype[Any],
    checksum: Checksum,
    *,
    by_features: bool,
) -> list[str]:
    """Write the values, samples x features, and return the ids of the lines."""
    n_names = len(table.names)
    line_bytes = n_names * dtype.itemsize
    held = max(1, min(_BLOCK_BYTES // line_bytes, _BLOCK_BYTES))
    tall = min(_CHUNK_ROWS, held)
    if by_features:
        # A feature's values lie together, so that a block of features is whole chunks.
        tall = min(held, max(1, _CHUNK_BYTES // line_bytes))
    held = max(tall, held // tall * tall)
    wide = n_names if by_features else min(n_names, max(1, _CHUNK_BYTES // (tall * dtype.itemsize)))
    shape, most, chunks = (0, n_names), (None, n_names), (tall, wide)
    turn = slice(None, None, -1 if by_features else 1)
    data = file.create_dataset("data", shape[turn], dtype, maxshape=most[turn], chunks=chunks[turn])
    block: Array = np.empty((held, n_names), dtype=dtype)
    ids: list[str] = []
    n_lines = n_held = 0

    def flush() -> None:
        data.resize((n_lines, n_names)[turn])
        rows, columns = slice(n_lines - n_held, n_lines), slice(0, n_names)
        if by_features:
            rows, columns = columns, rows
        values = block[:n_held].T if by_features else block[:n_held]
        data[rows, columns] = values
        checksum.add(values, rows, columns)
        output.check()

    for name, values in table:
        _fill(block[n_held], values, table, n_lines + 1)
        n_lines += 1
        n_held += 1
        if name is not None:
            ids.append(name)
        if n_held == held:
            flush()
            n_held = 0
    if n_held:
        flush()
    twice = len(ids) - len(set(ids))
    if twice or "" in ids:
        raise ValueError(
            f"{table.label} repeats {twice} ids of its rows, or leaves some empty. Each row needs "
            "its own. Correct them, or leave the column out."
        )
    return ids


def _fill(out: Array, values: Sequence[float], table: _Lines, number: int) -> None:
    with np.errstate(over="ignore"):
        out[:] = values
    if out.itemsize < 8:
        large = np.isinf(out) & np.isfinite(values)
        if large.any():
            place = int(np.flatnonzero(large)[0])
            raise ValueError(
                f"{table.label}, row {number}, column {quote(table.names[place])} holds "
                f"{values[place]}, which float32 cannot. It ends at 3.4e38. Convert to float64."
            )


def _header_of(stream: TextIO, label: str) -> str:
    """Return the first line that is neither empty nor a comment."""
    try:
        for line in stream:
            if line.strip() and not line.startswith("#"):
                return line
    except TEXT_FAULTS as error:
        raise ValueError(
            f"{label} cannot be read ({error}). A matrix in text is UTF-8, packed by gzip or not. "
            "Save it so."
        ) from error
    raise ValueError(f"{label} holds no line. A matrix has names and rows. Check the path.")


@contextmanager
def _opened(path: Path, label: str) -> Iterator[TextIO]:
    if not path.is_file():
        kind = "does not exist" if not path.exists() else "is no regular file"
        raise FileNotFoundError(f"{label} {kind}. A matrix in text is a file. Check the path.")
    with open_text(path) as stream:
        yield stream
