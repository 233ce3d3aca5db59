"""Tables: targets in, scores out."""

from skpar_select.tables._align import Aligned, align, aligned
from skpar_select.tables._convert import convert_csv
from skpar_select.tables._files import check_output, format_of
from skpar_select.tables._hdf5_output import bytes_of_matrix
from skpar_select.tables._joined import Joined, join_parts
from skpar_select.tables._output import Output
from skpar_select.tables._pandas import data_frame
from skpar_select.tables._parts import Manifest, Part, write_part
from skpar_select.tables._read_scores import ReadScores, read_scores
from skpar_select.tables._reduced import MATRIX_FORMATS, read_columns, write_matrix
from skpar_select.tables._repack import repack_matrix
from skpar_select.tables._scores import (
    SCORE_FORMATS,
    bytes_of_scores,
    details_of,
    score_frame,
    write_scores,
)
from skpar_select.tables._table import Table
from skpar_select.tables._targets import read_targets

__all__ = [
    "MATRIX_FORMATS",
    "SCORE_FORMATS",
    "Aligned",
    "Joined",
    "Manifest",
    "Output",
    "Part",
    "ReadScores",
    "Table",
    "align",
    "aligned",
    "bytes_of_matrix",
    "bytes_of_scores",
    "check_output",
    "convert_csv",
    "data_frame",
    "details_of",
    "format_of",
    "join_parts",
    "read_columns",
    "read_scores",
    "read_targets",
    "repack_matrix",
    "score_frame",
    "write_matrix",
    "write_part",
    "write_scores",
]
