"""Select the columns of very wide matrices by mutual information, in parallel, from files too."""

from skpar_select._display import MutualInfoDisplay
from skpar_select._functions import mutual_info_classif, mutual_info_regression
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._version import __version__
from skpar_select.kernels import get_config
from skpar_select.matrices import open_matrix
from skpar_select.tables import read_targets

__all__ = [
    "MutualInfoDisplay",
    "ParallelMutualInfoSelector",
    "__version__",
    "get_config",
    "mutual_info_classif",
    "mutual_info_regression",
    "open_matrix",
    "read_targets",
]
