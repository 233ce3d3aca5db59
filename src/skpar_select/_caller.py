"""Warnings that point to the line of whoever called the package, not to a line inside it."""

import sys
import warnings

# Between a user's line and one of the package lie modules of scikit-learn, which wrap `fit` or run a
# pipeline, joblib's memory, which a pipeline may have, and what makes contexts.
_BETWEEN = frozenset({"skpar_select", "sklearn", "joblib", "contextlib"})


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside the package and the libraries that call it.

    ``skip_file_prefixes`` of :func:`warnings.warn` does this from Python 3.12 on.
    """
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _root(frame.f_globals) in _BETWEEN:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _root(names: dict[str, object]) -> str:
    return str(names.get("__name__")).partition(".")[0]
