"""Select the columns of very wide matrices by mutual information, in parallel, from files too."""

from skpar_select._display import MutualInfoDisplay
from skpar_select._functions import mutual_info_classif, mutual_info_regression
from skpar_select._selector import ParallelMutualInfoSelector
from skpar_select._version import __version__
from skpar_select.kernels import show_config
from skpar_select.sources import open_matrix

__all__ = [
    "MutualInfoDisplay",
    "ParallelMutualInfoSelector",
    "__version__",
    "mutual_info_classif",
    "mutual_info_regression",
    "open_matrix",
    "show_config",
]
