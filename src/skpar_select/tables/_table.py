"""A phenotype table, whatever holds it: named columns, read when they are asked for."""

import io
from collections.abc import Mapping
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import h5py

from skpar_select._given import check_file_name
from skpar_select._wording import choices, sentence
from skpar_select.matrices.io._file import reading
from skpar_select.tables._column import Column
from skpar_select.tables._csv import TextColumn, check_names, parse, parse_file
from skpar_select.tables._frames import Columns, Source, columns_of
from skpar_select.tables._parquet import MAGIC, parquet_columns
from skpar_select.tables._stored import hdf5_columns


class Table:
    """Named columns of a phenotype table: one row for each sample, in any order.

    Parameters
    ----------
    holder : str or path, file object, data frame, Series, mapping or Table
        A path of

        - a text file in UTF-8 with a header, packed by gzip or not. Cells are separated by tab,
          semicolon, bar or comma: the one of which the header has most outside of quotes. Lines
          that begin with ``#`` before the header are comments. Where semicolons separate and a
          cell is a number with a comma, as in ``61,5``, commas are the decimal sign of the table;
        - a Parquet file, which needs pyarrow;
        - an AnnData file: the columns of ``obs``, its index first;
        - another HDF5 file: its one-dimensional datasets, by their names.

        An open file of text, such as ``sys.stdin``, is read as a text file. In memory: a data
        frame or Series of pandas (an index that is not 0, 1, ... is the first column, called
        ``index`` if it has no name) or polars, a table of pyarrow, an AnnData object (its ``obs``),
        or a mapping of names to columns.

    Attributes
    ----------
    label : str
        What the errors call it.
    names : list of str
        The names of its columns.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file, or it is a folder, a pipe or a device, or damaged.
    ValueError
        If it is no table: without rows, with rows of unequal length, with two columns of one
        name, not in UTF-8.
    TypeError
        If it is none of these.
    ImportError
        If pyarrow is needed and not installed.

    Notes
    -----
    A cell is missing where the holder has no value (null, NaN, NaT), or where its text, without
    the blanks around it, is one of: nothing, ``.``, ``NA``, ``<NA>``, ``N/A``, ``n/a``, ``#NA``,
    ``#N/A``, ``#N/A N/A``, ``NaN``, ``nan``, ``-NaN``, ``-nan``, ``NULL``, ``null``, ``None``,
    ``1.#IND``, ``-1.#IND``, ``1.#QNAN``, ``-1.#QNAN``. That holds for numbers and for classes.

    Examples
    --------
    >>> table = Table({"sample": ["a", "b"], "age": ["61", "NA"]})
    >>> table.names
    ['sample', 'age']
    >>> table.column("age").missing()
    array([False,  True])
    """

    label: str
    _columns: dict[str, "_Held"]

    def __init__(self, holder: Any) -> None:
        if isinstance(holder, Table):
            self.label, self._columns = holder.label, holder._columns
            return
        if isinstance(holder, str | PathLike):
            path = fspath(holder)
            check_file_name(path)
            self.label = f"'{path}'"
            columns = _columns_of_file(path, self.label)
        elif isinstance(holder, io.TextIOBase):
            self.label = "the text stream"
            # Split where lines end in whatever way, in cells too.
            text = io.BytesIO(holder.read().encode("utf-8", "surrogatepass"))
            lines = io.TextIOWrapper(text, "utf-8", "surrogatepass", newline="")
            columns = _sources(parse(lines, self.label))
        else:
            self.label = "the table"
            found = columns_of(holder)
            if found is None:
                raise TypeError(
                    f"A {type(holder).__name__} is no table. A table is the path of a CSV, "
                    "Parquet, AnnData or HDF5 file, a data frame, a Series or a mapping of names "
                    "to columns. Give one of these."
                )
            columns = found
        check_names([source.name for source in columns], self.label)
        self._columns = {source.name: _Held(source) for source in columns}

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self._columns)

    def length(self, name: str) -> int:
        """Return the number of rows of a column. In an HDF5 file they may differ."""
        return self._columns[name].length

    def find(self, name: str, what: str = "The column") -> str:
        """Return the name of a column, or raise ValueError with the names that there are.

        ``obs/NAME`` is a column of an AnnData file, too. `what` begins the rule that the error
        states.
        """
        name = str(name)  # a frame may have numbers for names
        for spelled in (name, name.removeprefix("obs/")):
            if spelled in self._columns:
                return spelled
        raise ValueError(
            f"{sentence(self.label)} has no column {name!r}. {what} must be one of its columns "
            f"{choices(name, self.names)}"
        )

    def column(self, name: str) -> Column:
        """Return a column by its name; it is read once."""
        held = self._columns[self.find(name)]
        held.column = self.glance(name)
        return held.column

    def glance(self, name: str) -> Column:
        """Return a column by its name, which is not kept for another time."""
        held = self._columns[self.find(name)]
        return held.source.read() if held.column is None else held.column

    def beside(self, name: str) -> list[str]:
        """Name the columns that may hold ids of the rows of this one, itself aside."""
        length = self.length(name)
        return [
            other
            for other, held in self._columns.items()
            if other != name and held.length == length and not held.source.is_float
        ]

    def __repr__(self) -> str:
        return f"<Table {self.label}: {len(self._columns)} columns>"


class _Held:
    """A column that is read when it is first asked for."""

    def __init__(self, source: Source) -> None:
        self.source, self.length = source, source.length
        self.column: Column | None = None


def _columns_of_file(path: str, label: str) -> Columns:
    file = Path(path)
    if not file.exists():
        raise FileNotFoundError(
            f"There is no file {label}. Targets are read from a table, such as a CSV file. Check "
            "the path."
        )
    if not file.is_file():
        raise OSError(
            f"{label} is a folder, a pipe or a device. Targets are read from a regular file. "
            "Write the table to one and name it."
        )
    if h5py.is_hdf5(path):
        return hdf5_columns(path)
    with reading(path, "A table"), file.open("rb") as stream:
        is_parquet = stream.read(len(MAGIC)) == MAGIC
    return parquet_columns(path, label) if is_parquet else _sources(parse_file(path))


def _sources(columns: Mapping[str, TextColumn]) -> Columns:
    return [Source(name, held.length, held.column) for name, held in columns.items()]
