"""The kinds of files that hold a matrix. The first that recognises a path opens it."""

from skpar_select.matrices.formats._anndata import AnnDataFormat
from skpar_select.matrices.formats._base import Format, OpenedMatrix
from skpar_select.matrices.formats._hdf5 import HDF5Format
from skpar_select.matrices.formats._hdfstore import HDFStoreFormat
from skpar_select.matrices.formats._npy import NpyFormat
from skpar_select.matrices.formats._parquet import ParquetFormat
from skpar_select.matrices.formats._unread import UnreadFormat
from skpar_select.matrices.formats._zarr import ZarrFormat
from skpar_select.matrices.io._session import FileSession

FORMATS: tuple[Format, ...] = (
    NpyFormat(),
    ZarrFormat(),
    ParquetFormat(),
    AnnDataFormat(),
    HDFStoreFormat(),
    UnreadFormat(),
    HDF5Format(),
)

__all__ = ["FORMATS", "Format", "OpenedMatrix", "open_file"]


def open_file(session: FileSession, dataset: str | None) -> OpenedMatrix:
    """Open the path of a session by the first format that recognises it."""
    return next(form for form in FORMATS if form.recognises(session)).open(session, dataset)
