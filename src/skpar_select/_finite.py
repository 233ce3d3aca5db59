"""Values that are not finite: found, counted, and named in an error."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from skpar_select._typing import Index, IndexArray, Names
from skpar_select._wording import counted

# Booleans that a count holds at a time.
_COUNT_BYTES = 4 * 2**20

_MOST_NAMED = 5


class NonFiniteError(ValueError):
    """A block holds NaN or infinity.

    It travels from a worker with numbers alone, the index of each column that holds any and how
    many: the caller knows the names, and counts the rest. `allow_nan` says that infinity alone is
    meant.
    """

    def __init__(
        self,
        columns: IndexArray,
        n_nan: IndexArray,
        n_infinite: IndexArray,
        allow_nan: bool = False,
    ) -> None:
        super().__init__(columns, n_nan, n_infinite, allow_nan)
        self.columns = columns
        self.n_nan = n_nan
        self.n_infinite = n_infinite
        self.allow_nan = allow_nan

    def __str__(self) -> str:
        return self.described("X", None)

    def described(self, label: str, names: Names | None) -> str:
        """Return the message, with the names of the columns where there are any."""
        kinds = {"NaN": self.n_nan, "infinity": self.n_infinite}
        found = [kind for kind, counts in kinds.items() if counts.any()]
        described = [
            (f"column {column}" if names is None else repr(names[column]))
            + f" ({', '.join(f'{counts[position]} {kind}' for kind, counts in kinds.items() if counts[position])})"
            for position, column in enumerate(self.columns)
            if position < _MOST_NAMED
        ]
        n_wrong = len(self.columns)
        rest = f" and {n_wrong - _MOST_NAMED} more" if n_wrong > _MOST_NAMED else ""
        return (
            f"{label} contains {' and '.join(found)}: "
            f"{counted(int(self.n_nan.sum() + self.n_infinite.sum()), 'value')} in "
            f"{counted(n_wrong, 'column')}, {', '.join(described)}{rest}. All values must be "
            f"finite. {' '.join(_REMEDIES[kind] for kind in reversed(found))}"
        )


_REMEDIES = {
    "NaN": (
        "Set missing='omit' in the selector to score each column on the samples where it is there, "
        "or missing='skip' to leave such columns out."
    ),
    "infinity": (
        "Replace infinity by NaN, which missing='omit' takes, or correct the values; no imputer "
        "takes infinity."
    ),
}


def check_finite(block: Any, columns: Index, *, allow_nan: bool = False) -> None:
    """Raise NonFiniteError for infinity, and for NaN unless it is allowed, in a block of columns.

    The block is an array or CSC. Memory stays below a few MB whatever its size.
    """
    values = block.data if issparse(block) else block
    if values.dtype.kind != "f" or not values.size:
        return
    # A sum is NaN or infinite if a value is, at the speed of memory; it may be so without, too.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(values.sum(dtype=np.promote_types(values.dtype, np.float32))):
            return
    report_non_finite(block, columns, allow_nan=allow_nan)


def report_non_finite(block: Any, columns: Index, *, allow_nan: bool = False) -> None:
    """Count the values of a block that are not finite, and raise if any is not allowed."""
    n_nan, n_infinite = count_non_finite(block)
    if allow_nan:
        n_nan = np.zeros_like(n_nan)
    wrong = np.flatnonzero(n_nan + n_infinite)
    if len(wrong):
        raise NonFiniteError(np.asarray(columns)[wrong], n_nan[wrong], n_infinite[wrong], allow_nan)


def count_non_finite(block: Any) -> tuple[IndexArray, IndexArray]:
    """Count NaN and infinity in each column of a block, an array or CSC."""
    n_samples, width = block.shape
    n_nan, n_infinite = np.zeros(width, dtype=np.intp), np.zeros(width, dtype=np.intp)
    if block.dtype.kind != "f":
        return n_nan, n_infinite
    if issparse(block):
        column = np.repeat(np.arange(width), np.diff(block.indptr))
        np.add.at(n_nan, column[np.isnan(block.data)], 1)
        np.add.at(n_infinite, column[np.isinf(block.data)], 1)
        return n_nan, n_infinite
    step = max(1, _COUNT_BYTES // max(1, n_samples))
    for start in range(0, width, step):
        some = slice(start, start + step)
        n_nan[some] = np.isnan(block[:, some]).sum(axis=0)
        n_infinite[some] = np.isinf(block[:, some]).sum(axis=0)
    return n_nan, n_infinite
