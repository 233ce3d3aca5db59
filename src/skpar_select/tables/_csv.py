"""Tables of text: which sign separates the cells, where the header is, what a cell holds.

The cells of a column are kept as one text, which takes as much as they take in the file: as objects
they take ten times that, and most columns of a table are never asked for.
"""

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from math import isnan

from skpar_select._alignment import repeated
from skpar_select._wording import counted, listing, quote, sentence
from skpar_select.matrices.io._file import reading
from skpar_select.matrices.io._text import TEXT_FAULTS, open_text
from skpar_select.tables._column import Column, as_number, has_decimal_comma

SEPARATORS = ("\t", ";", "|", ",")

# A line after the last: within a cell if a quote was not closed, which csv passes over.
_END = "\x00"

_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\r?\n")

# Cells that are held as objects until they are joined: some 3 MB.
_BATCH = 50_000

_SHORT = 255  # characters: such a length takes one byte

# What other files begin with that are taken for tables, and what is done with them.
_NO_TEXT = (
    (b"PK\x03\x04", "a zip archive, as Excel's workbooks are", "Save the sheet as CSV in UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old workbook of Excel", "Save the sheet as CSV in UTF-8"),
    (b"\xff\xfe", "text in UTF-16", "Save it as UTF-8"),
    (b"\xfe\xff", "text in UTF-16", "Save it as UTF-8"),
    (b"BZh", "compressed by bzip2", "Unpack it first, or compress it by gzip"),
    (b"\xfd7zXZ", "compressed by xz", "Unpack it first, or compress it by gzip"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "Unpack it first, or compress it by gzip"),
)


class TextColumn:
    """The cells of a column of text, which become objects when they are asked for."""

    def __init__(self) -> None:
        self._texts: list[tuple[str, Sequence[int]]] = []
        self.length = 0
        self.decimal_comma = False

    def append(self, cells: Sequence[str]) -> None:
        """Add cells."""
        lengths = list(map(len, cells))
        small = max(lengths, default=0) <= _SHORT
        self._texts.append(("".join(cells), array("B" if small else "I", lengths)))

    def column(self) -> Column:
        """Return the cells."""
        read = Column.of(list(islice(self._cells(), self.length)))
        return Column(read.values, read.null, decimal_comma=self.decimal_comma)

    def _cells(self) -> Iterator[str]:
        for text, lengths in self._texts:
            end = 0
            for length in lengths:
                start, end = end, end + length
                yield text[start:end]


def parse_file(path: str) -> dict[str, TextColumn]:
    """Parse a file of text in UTF-8, packed by gzip or not, without the mark of its byte order."""
    with reading(path, "A table"), open(path, "rb") as file:
        begin = file.read(max(len(magic) for magic, _, _ in _NO_TEXT))
    for magic, what, remedy in _NO_TEXT:
        if begin.startswith(magic):
            raise ValueError(
                f"'{path}' is {what}. A table is text in UTF-8, separated by commas for example, "
                f"or Parquet, AnnData or HDF5. {remedy}."
            )
    try:
        with reading(path, "A table"), open_text(path) as lines:
            return parse(lines, f"'{path}'")
    except TEXT_FAULTS as error:
        raise ValueError(
            f"'{path}' cannot be read ({error}). A table is read from a text file in UTF-8, packed "
            "by gzip or not. Save it as one."
        ) from error


def separator_of(header: str) -> str:
    r"""Return the separator of which a header has most; of equally many the first named here.

    These are tab, semicolon, bar and comma, those within quotes aside. A header without any has
    one column.

    Examples
    --------
    >>> separator_of('id;"age, years";sex, at birth')
    ';'
    """
    outside = "".join(header.split('"')[::2])
    counts = {separator: outside.count(separator) for separator in SEPARATORS}
    best = max(SEPARATORS, key=counts.__getitem__)
    return best if counts[best] else ","


def parse(lines: Iterable[str], label: str) -> dict[str, TextColumn]:
    """Parse the lines of a table with a header; cells lose the blanks around them.

    Lines that begin with ``#`` before the header are comments, and a first line such as ``sep=;``, as
    Excel writes it, names the separator. Where semicolons separate and a cell is
    a number with a comma, commas are the decimal sign of the whole table.
    """
    rest = iter(lines)
    first = next(rest, "")
    said = _SEPARATOR_LINE.match(first)
    comments: list[str] = []
    header_line = ""
    for line in rest if said else chain([first], rest):
        if line.strip() and not line.startswith("#"):
            header_line = line
            break
        comments += [line.strip()] if line.strip() else []
    separator = said[1] if said else separator_of(header_line)
    rows = _rows(chain([header_line], rest), separator, label)
    header = next(rows, [])
    body = _Body(len(header), commas=separator == ";")
    for row in rows:
        body.append(row)
    columns = body.columns()
    if not body.n_rows:
        raise ValueError(
            f"{sentence(label)} holds no rows. A table needs a header and one row for each sample. Check "
            "the path."
        )
    _check_header(header, label, separator, comments)
    _check_shape(header, body, label, separator)
    return dict(zip(header, columns, strict=True))


class _Body:
    """The rows below a header, and those of another length than it."""

    def __init__(self, width: int, *, commas: bool) -> None:
        self.n_rows = 0
        """Rows up to the last that holds something: spreadsheets write empty rows at the end."""
        self._columns = [TextColumn() for _ in range(width)]
        self._width, self._n_seen, self._commas = width, 0, commas
        self._decimal_comma = False
        self._waiting: list[list[str]] = []
        self._ragged: list[tuple[int, int]] = []

    def append(self, row: list[str]) -> None:
        """Add a row, and notice its length."""
        self._n_seen += 1
        if any(row):
            self.n_rows = self._n_seen
            if self._commas and not self._decimal_comma:
                self._decimal_comma = any(map(has_decimal_comma, row))
        if len(row) != self._width:
            self._ragged.append((self._n_seen, len(row)))
        elif not self._ragged:
            self._waiting.append(row)
            if len(self._waiting) * self._width >= _BATCH:
                self._join()

    def columns(self) -> list[TextColumn]:
        """Return the columns."""
        self._join()
        for column in self._columns:
            column.length, column.decimal_comma = self.n_rows, self._decimal_comma
        return self._columns

    def ragged(self) -> list[tuple[int, int]]:
        """Return the numbers, from 1 on, and the lengths of rows of another length."""
        return [(number, length) for number, length in self._ragged if number <= self.n_rows]

    def _join(self) -> None:
        for column, cells in zip(self._columns, zip(*self._waiting, strict=True), strict=False):
            column.append(cells)
        self._waiting.clear()


def _rows(lines: Iterable[str], separator: str, label: str) -> Iterator[list[str]]:
    """Yield rows of cells; lines without any are no rows."""
    number, last = 0, None
    try:
        for row in csv.reader(chain(lines, ["\n", _END]), delimiter=separator):
            if row and last is not None:
                yield [cell.strip() for cell in last]
                number += 1
            last = row or last
    except csv.Error as error:
        raise ValueError(
            f"{sentence(label)} cannot be read ({error}). A table is text with one row a line. Save it as one."
        ) from error
    if last != [_END]:
        raise ValueError(
            f"{sentence(label)} opens a quote that it never closes, in row {number}. Each quote "
            "around a cell needs its end. Repair the file."
        )


def check_names(names: list[str], label: str) -> None:
    """Refuse two columns of one name."""
    twice = repeated(names)
    if twice:
        raise ValueError(
            f"{sentence(label)} repeats {counted(len(twice), 'column')} ({listing(twice)}). Names of "
            "columns must differ. Rename or remove those that repeat."
        )


def _check_header(header: list[str], label: str, separator: str, comments: list[str]) -> None:
    check_names(header, label)
    # As plink begins its headers: the first row of data would be taken for names.
    commented = comments[-1].count(separator) + 1 if comments else 0
    if commented == len(header) > 1 and any(not isnan(as_number(name)) for name in header):
        raise ValueError(
            f"{sentence(label)} has the header ({listing(header)}) below the comment "
            f"{quote(comments[-1])}. Lines that begin with '#' before the header are comments, and "
            "names are no numbers. If the comment is the header, remove its '#'; else remove the "
            "comment."
        )


def _check_shape(header: list[str], body: _Body, label: str, separator: str) -> None:
    width = len(header)
    found = body.ragged()
    if not found:
        return
    ragged = [number for number, _ in found]
    hint = "Repair the file."
    if len(found) == body.n_rows and all(length == width + 1 for _, length in found):
        hint = (
            "If the first column holds row names, as R writes them, give it a name in the header."
        )
    raise ValueError(
        f"{sentence(label)} holds {counted(len(ragged), 'row')} with other than {counted(width, 'cell')} "
        f"(row {listing(ragged)}), separated by {separator!r}. Every row needs one cell for each "
        f"column of the header ({listing(header)}). {hint}"
    )
