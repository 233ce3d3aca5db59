"""What a function of an installed package does: so that its results can be kept."""

import functools
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import scipy
import sklearn

# Of other arguments of a functools.partial, the text need not tell what they are.
_PLAIN = (bool, bytes, float, int, str, type(None))


def identity_of(function: Callable[..., Any]) -> Iterator[Any] | None:
    """Yield what tells a function from another, or None where that is not known.

    It is known of a function that stands by its name in a module of an installed package with a
    version: the name, that version, the file of the module, and the versions of NumPy, SciPy and
    scikit-learn. A module that its author is at work on may run other code than its file holds.
    """
    given: list[Any] = []
    while isinstance(function, functools.partial):
        arguments = [*function.args, *function.keywords.values()]
        if not all(type(value) in _PLAIN for value in arguments):
            return None
        given += [repr(function.args), repr(sorted(function.keywords.items()))]
        function = function.func
    name = getattr(function, "__qualname__", "")
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if module is None or vars(module).get(name) is not function:
        return None
    package = sys.modules.get(module.__name__.partition(".")[0])
    version = getattr(package, "__version__", None)
    file = Path(getattr(module, "__file__", None) or "")
    if not isinstance(version, str) or not _is_installed(file):
        return None
    try:
        code = file.read_bytes()
    except OSError:
        return None
    versions = [library.__version__ for library in (numpy, scipy, sklearn)]
    return iter([f"{module.__name__}.{name}", version, code, *versions, *given])


def _is_installed(file: Path) -> bool:
    folders = (sysconfig.get_path(name) for name in ("purelib", "platlib"))
    return any(file.is_relative_to(folder) for folder in folders)
