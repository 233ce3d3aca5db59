"""Tables: targets in, scores out."""

from skpar_select.tables._align import align
from skpar_select.tables._files import check_output, replacing
from skpar_select.tables._reduced import read_columns, write_matrix
from skpar_select.tables._scores import score_frame, write_scores
from skpar_select.tables._table import Table
from skpar_select.tables._targets import read_targets

__all__ = [
    "Table",
    "align",
    "check_output",
    "read_columns",
    "read_targets",
    "replacing",
    "score_frame",
    "write_matrix",
    "write_scores",
]
