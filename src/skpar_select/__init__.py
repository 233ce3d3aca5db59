"""Select the columns of very wide matrices by mutual information, in parallel, from files too."""

from importlib import import_module

TYPE_CHECKING = False  # typing takes 10 ms to import, in which Ctrl-C would find no handler
if TYPE_CHECKING:
    from skpar_select._alignment import DroppedSamplesWarning
    from skpar_select._display import MutualInfoDisplay
    from skpar_select._functions import mutual_info_classif, mutual_info_regression
    from skpar_select._selector import ParallelMutualInfoSelector
    from skpar_select._test_functions import mutual_info_classif_test, mutual_info_regression_test
    from skpar_select._version import __version__
    from skpar_select.kernels import get_config
    from skpar_select.matrices import LazyMatrix, open_matrix
    from skpar_select.tables import align, read_targets

__all__ = [
    "DroppedSamplesWarning",
    "LazyMatrix",
    "MutualInfoDisplay",
    "ParallelMutualInfoSelector",
    "__version__",
    "align",
    "get_config",
    "mutual_info_classif",
    "mutual_info_classif_test",
    "mutual_info_regression",
    "mutual_info_regression_test",
    "open_matrix",
    "read_targets",
]

# Names are imported when they are asked for, by PEP 562: scikit-learn and SciPy take 1.2 s, which
# the help and the version of the command line do not need.
_MODULE_OF = {
    "DroppedSamplesWarning": "_alignment",
    "LazyMatrix": "matrices",
    "MutualInfoDisplay": "_display",
    "ParallelMutualInfoSelector": "_selector",
    "__version__": "_version",
    "align": "tables",
    "get_config": "kernels",
    "mutual_info_classif": "_functions",
    "mutual_info_classif_test": "_test_functions",
    "mutual_info_regression": "_functions",
    "mutual_info_regression_test": "_test_functions",
    "open_matrix": "matrices",
    "read_targets": "tables",
}
_ROOMS = frozenset(
    {
        "execution",
        "kernels",
        "matrices",
        "planning",
        "scoring",
        "sharding",
        "significance",
        "tables",
        "targets",
    }
)

if not TYPE_CHECKING:  # else a type checker takes every name for known

    def __getattr__(name: str) -> object:
        if name in _MODULE_OF:
            found = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
            globals()[name] = found
            return found
        if name in _ROOMS:
            return import_module(f"{__name__}.{name}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_MODULE_OF, *_ROOMS})
