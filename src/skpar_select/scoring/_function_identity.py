"""What a function of a module does, as far as its code tells: so that its results can be kept."""

import functools
import sys
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

    It is known of a function that stands by its name in a module with a file: the name, the
    content of that file, and the versions of NumPy, SciPy and scikit-learn. What else it calls
    is not looked at. Of a notebook, a lambda or a closure it is not known.
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
    if module is None or module.__name__ == "__main__" or vars(module).get(name) is not function:
        return None
    try:
        code = Path(module.__file__ or "").read_bytes()
    except (AttributeError, OSError):
        return None
    versions = [library.__version__ for library in (numpy, scipy, sklearn)]
    return iter([f"{module.__name__}.{name}", code, *versions, *given])
