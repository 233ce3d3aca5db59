"""Bytes of files: snapshots, reads, filters, HDF5 handles, selections. Nothing here is a matrix."""

from skpar_select.matrices.io._buffers import empty
from skpar_select.matrices.io._checks import check_matrix_shape, is_matrix
from skpar_select.matrices.io._datasets import (
    check_readable,
    check_stored_here,
    datasets,
    find_dataset,
    follow,
    list_datasets,
    text_of,
)
from skpar_select.matrices.io._file import FileSnapshot, can_read_into, read_into
from skpar_select.matrices.io._filters import (
    Filter,
    check_filters,
    compresses,
    decode,
    is_decoded_here,
    pipeline,
    shuffles,
)
from skpar_select.matrices.io._hdf5 import HANDLE_BYTES, open_hdf5
from skpar_select.matrices.io._scratch import ScratchFile, scratch_available
from skpar_select.matrices.io._selection import (
    NEAR_BYTES,
    Extent,
    as_slice,
    ascending,
    compose,
    cross,
    cut,
    extents,
    is_contiguous,
    max_per_chunk,
    n_overlapping,
    overlapping,
    rows_within,
    scatter,
)
from skpar_select.matrices.io._session import FileSession

__all__ = [
    "HANDLE_BYTES",
    "NEAR_BYTES",
    "Extent",
    "FileSession",
    "FileSnapshot",
    "Filter",
    "ScratchFile",
    "as_slice",
    "ascending",
    "can_read_into",
    "check_filters",
    "check_matrix_shape",
    "check_readable",
    "check_stored_here",
    "compose",
    "compresses",
    "cross",
    "cut",
    "datasets",
    "decode",
    "empty",
    "extents",
    "find_dataset",
    "follow",
    "is_contiguous",
    "is_decoded_here",
    "is_matrix",
    "list_datasets",
    "max_per_chunk",
    "n_overlapping",
    "open_hdf5",
    "overlapping",
    "pipeline",
    "read_into",
    "rows_within",
    "scatter",
    "scratch_available",
    "shuffles",
    "text_of",
]
