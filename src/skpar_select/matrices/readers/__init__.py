"""Matrices as they lie in files: one class for each way to read."""

from skpar_select.matrices.readers._chunked import ChunkedMatrix
from skpar_select.matrices.readers._contiguous import ContiguousMatrix
from skpar_select.matrices.readers._dataset import DatasetMatrix
from skpar_select.matrices.readers._parquet import ParquetColumns
from skpar_select.matrices.readers._rectangles import Reader, RectangleMatrix
from skpar_select.matrices.readers._sliced import DaskMatrix, SlicedMatrix, matrix_of_sliced
from skpar_select.matrices.readers._sparse_rows import SparseRowsMatrix
from skpar_select.matrices.readers._transposed import TransposedMatrix
from skpar_select.matrices.readers._zarr import ZarrMatrix

__all__ = [
    "ChunkedMatrix",
    "ContiguousMatrix",
    "DaskMatrix",
    "DatasetMatrix",
    "ParquetColumns",
    "Reader",
    "RectangleMatrix",
    "SlicedMatrix",
    "SparseRowsMatrix",
    "TransposedMatrix",
    "ZarrMatrix",
    "matrix_of_sliced",
]
