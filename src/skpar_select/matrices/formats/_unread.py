"""Files that are not read, recognised so that the error can say how to get there.

The last of the formats that look at the content: what is left after it is HDF5.
"""

import os
from collections.abc import Callable
from typing import NamedTuple

from skpar_select._wording import listing
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.io._file import reading
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.io._text import GZIP
from skpar_select.matrices.io._zip import names_in_zip

_READ = "HDF5, .npy, .h5ad, pandas' to_hdf, Zarr and Parquet are read"

# So much of a file tells text from numbers.
_HEAD = 4096


class _Kind(NamedTuple):
    """A kind of file, and one line that converts it; `{path}` is the file, `{stem}` its name."""

    name: str
    recipe: str
    matches: Callable[[bytes, str], bool]
    remedy: str = "Convert it once"


def _begins(*prefixes: bytes) -> Callable[[bytes, str], bool]:
    return lambda head, path: head.startswith(prefixes)


def _ends(*suffixes: str) -> Callable[[bytes, str], bool]:
    return lambda head, path: path.lower().endswith(suffixes)


def _holds(*names: str) -> Callable[[bytes, str], bool]:
    """Match zip files that hold a file whose name ends so."""

    def matches(head: bytes, path: str) -> bool:
        return head.startswith(b"PK") and any(held.endswith(names) for held in names_in_zip(path))

    return matches


def _is_text(head: bytes, path: str) -> bool:
    try:
        # The last character may be cut.
        text = head.decode("utf-8-sig") if len(head) < _HEAD else head[:-4].decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = head.decode("latin-1") if path.lower().endswith((".csv", ".tsv", ".txt")) else ""
        except UnicodeDecodeError:
            return False
    return bool(text) and all(letter.isprintable() or letter in "\t\r\n" for letter in text)


_IN_MEMORY = "Give X itself to the selector"

_FRAME = "import pandas; pandas.{reader}({{path}}).to_parquet('{{stem}}.parquet')"

_KINDS = (
    _Kind(
        "an Arrow or Feather file",
        "import pyarrow.feather, pyarrow.parquet; "
        "pyarrow.parquet.write_table(pyarrow.feather.read_table({path}), '{stem}.parquet')",
        _begins(b"ARROW1", b"FEA1"),
    ),
    _Kind(
        "a sparse matrix of scipy",
        "import scipy.sparse; X = scipy.sparse.load_npz({path})",
        _holds("indptr.npy"),
        _IN_MEMORY,
    ),
    _Kind(
        "an .npz file of NumPy, which may hold several arrays",
        "import numpy; arrays = numpy.load({path}); "
        "numpy.save('{stem}.npy', arrays[arrays.files[0]])",
        _holds(".npy"),
    ),
    _Kind(
        "an Excel workbook",
        "import pandas; pandas.read_excel({path}, index_col=0).to_parquet('{stem}.parquet')",
        _holds("xl/workbook.xml", "xl/workbook.bin"),
    ),
    _Kind("an Excel workbook", _FRAME.format(reader="read_excel"), _begins(b"\xd0\xcf\x11\xe0")),
    _Kind(
        "a MATLAB file before version 7.3",
        "import numpy, scipy.io; file = scipy.io.loadmat({path}); "
        "name, = [name for name in file if not name.startswith('_')]; "
        "numpy.save('{stem}.npy', file[name])",
        _begins(b"MATLAB 5.0 MAT-file"),
    ),
    _Kind(
        "a file of R",
        "import pyreadr; frame, = pyreadr.read_r({path}).values(); "
        "frame.to_parquet('{stem}.parquet')",
        _ends(".rds", ".rdata", ".rda"),
    ),
    _Kind("a Stata file", _FRAME.format(reader="read_stata"), _begins(b"<stata_dta>")),
    _Kind("a Stata file", _FRAME.format(reader="read_stata"), _ends(".dta")),
    _Kind("a SAS file", _FRAME.format(reader="read_sas"), _ends(".sas7bdat", ".xpt")),
    _Kind("an SPSS file", _FRAME.format(reader="read_spss"), _begins(b"$FL2", b"$FL3")),
    _Kind(
        "a pickle, which runs whatever its writer likes when it is opened",
        "import pandas; pandas.read_pickle({path}).to_parquet('{stem}.parquet')",
        _begins(*(b"\x80" + bytes([version]) for version in range(2, 6))),
    ),
    _Kind(
        "a matrix of Matrix Market",
        "import scipy.io; X = scipy.io.mmread({path}).tocsc()",
        _begins(b"%%MatrixMarket"),
        _IN_MEMORY,
    ),
    _Kind(
        "text in gzip, such as CSV",
        "from skpar_select.tables import convert_csv; convert_csv({path}, '{stem}.h5')",
        lambda head, path: (
            head.startswith(GZIP) and path.lower().endswith((".csv.gz", ".tsv.gz", ".txt.gz"))
        ),
    ),
    _Kind(
        "compressed by gzip",
        "import gzip, shutil; shutil.copyfileobj(gzip.open({path}), open('{stem}', 'wb'))",
        _begins(GZIP),
    ),
    _Kind(
        "compressed by bzip2",
        "import bz2, shutil; shutil.copyfileobj(bz2.open({path}), open('{stem}', 'wb'))",
        _begins(b"BZh"),
    ),
    _Kind(
        "compressed by xz",
        "import lzma, shutil; shutil.copyfileobj(lzma.open({path}), open('{stem}', 'wb'))",
        _begins(b"\xfd7zXZ\x00"),
    ),
    _Kind(
        "a zip file",
        "import zipfile; zipfile.ZipFile({path}).extractall('{stem}')",
        _begins(b"PK\x03\x04"),
    ),
    _Kind(
        "text, such as CSV",
        "from skpar_select.tables import convert_csv; convert_csv({path}, '{stem}.h5')",
        _is_text,
    ),
)


class UnreadFormat(Format):
    """Every file that is not HDF5, and every folder that is left."""

    def recognises(self, session: FileSession) -> bool:
        """Return whether this is no HDF5 file."""
        return not session.is_hdf5 and not session.begins_with(b"\x89HDF")

    def open(self, session: FileSession, dataset: str | None) -> OpenedMatrix:
        """Refuse it, and say how it is converted where that is known."""
        path = session.path
        if session.is_folder:
            raise OSError(_of_folder(path))
        with reading(path), open(session.snapshot.path, "rb") as file:
            head = file.read(_HEAD)
        if not head:
            raise OSError(f"'{path}' is empty. {_READ}. Write it again.")
        for kind in _KINDS:
            if kind.matches(head, path):
                stem = os.path.splitext(os.path.basename(path))[0]
                stem = stem.removesuffix(".csv").removesuffix(".tsv").removesuffix(".txt")
                recipe = kind.recipe.format(path=repr(path), stem=stem)
                raise ValueError(f"'{path}' is {kind.name}. {_READ}. {kind.remedy}: {recipe}")
        raise OSError(
            f"'{path}' is no file that is known here: it begins with {head[:8]!r}. {_READ}. Check "
            "its path, or copy it again if it is cut short."
        )


def _of_folder(path: str) -> str:
    names = sorted(os.listdir(path))
    held = f"It holds {listing(names)}" if names else "It is empty"
    remedy = "Name the file itself"
    if any(name.startswith("matrix.mtx") for name in names):
        remedy = (
            "Of 10x Genomics: import scanpy; "
            f"scanpy.read_10x_mtx({os.path.basename(path)!r}).write_h5ad('cells.h5ad')"
        )
    several = [name for name in names if name.endswith((".h5", ".hdf5", ".npy", ".h5ad"))]
    if several:
        remedy = "Name the files, which are joined column after column: open_matrix([...])"
    return (
        f"'{path}' is a folder, neither a Zarr store nor one of Parquet files. {held}. A matrix "
        f"is read from a regular file, a Zarr store, or a folder of .parquet files. {remedy}."
    )
