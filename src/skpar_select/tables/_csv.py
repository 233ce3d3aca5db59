"""Tables of text: which sign separates the cells, where the header is, what a cell holds."""

import csv
import gzip
import io
import re
from itertools import chain
from math import isnan
from pathlib import Path

from skpar_select._alignment import repeated
from skpar_select._wording import counted, listing, quote, sentence
from skpar_select.matrices.io._file import reading
from skpar_select.matrices.io._text import GZIP, TEXT_FAULTS
from skpar_select.tables._column import Column, as_number, has_decimal_comma

SEPARATORS = ("\t", ";", "|", ",")

# A line after the last: within a cell if a quote was not closed, which csv passes over.
_END = "\x00"

_SEPARATOR_LINE = re.compile(r"\"?sep=(.)\"?\r?\n")

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


def read_text(path: str) -> str:
    """Read a file of text in UTF-8, packed by gzip or not, without the mark of its byte order."""
    with reading(path, "A table"):
        content = Path(path).read_bytes()
    for magic, what, remedy in _NO_TEXT:
        if content.startswith(magic):
            raise ValueError(
                f"'{path}' is {what}. A table is text in UTF-8, separated by commas for example, "
                f"or Parquet, AnnData or HDF5. {remedy}."
            )
    try:
        if content.startswith(GZIP):
            content = gzip.decompress(content)
        return content.decode("utf-8-sig")
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


def parse(text: str, label: str) -> dict[str, Column]:
    """Parse a table with a header; cells lose the blanks around them.

    Lines that begin with ``#`` before the header are comments, and a first line such as ``sep=;``, as
    Excel writes it, names the separator. Where semicolons separate and a cell is
    a number with a comma, commas are the decimal sign of the whole table.
    """
    said = _SEPARATOR_LINE.match(text)
    if said:
        text = text[said.end() :]
    lines = io.StringIO(text, newline="")
    comments = []
    start = 0
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        comments += [line.strip()] if line.strip() else []
        start += len(line)
    body = text[start:]
    separator = said[1] if said else separator_of(io.StringIO(body).readline())
    try:
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(
                chain(io.StringIO(body, newline=""), ["\n", _END]), delimiter=separator
            )
            if row
        ]
    except csv.Error as error:
        raise ValueError(
            f"{sentence(label)} cannot be read ({error}). A table is text with one row a line. Save it as one."
        ) from error
    if rows.pop() != [_END]:
        raise ValueError(
            f"{sentence(label)} opens a quote that it never closes, in row {len(rows)}. Each quote "
            "around a cell needs its end. Repair the file."
        )
    while rows and not any(rows[-1]):
        rows.pop()  # spreadsheets write empty rows at the end
    if len(rows) < 2:
        raise ValueError(
            f"{sentence(label)} holds no rows. A table needs a header and one row for each sample. Check "
            "the path."
        )
    header, *cells = rows
    _check_header(header, label, separator, comments)
    _check_shape(header, cells, label, separator)
    comma = separator == ";" and any(has_decimal_comma(cell) for row in cells for cell in row)
    columns = (Column.of([row[place] for row in cells]) for place in range(len(header)))
    return {
        name: Column(column.values, column.null, decimal_comma=comma)
        for name, column in zip(header, columns, strict=True)
    }


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


def _check_shape(header: list[str], cells: list[list[str]], label: str, separator: str) -> None:
    width = len(header)
    ragged = [number for number, row in enumerate(cells, start=1) if len(row) != width]
    if not ragged:
        return
    hint = "Repair the file."
    if all(len(row) == width + 1 for row in cells):
        hint = (
            "If the first column holds row names, as R writes them, give it a name in the header."
        )
    raise ValueError(
        f"{sentence(label)} holds {counted(len(ragged), 'row')} with other than {counted(width, 'cell')} "
        f"(row {listing(ragged)}), separated by {separator!r}. Every row needs one cell for each "
        f"column of the header ({listing(header)}). {hint}"
    )
