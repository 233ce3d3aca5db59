"""Which tables are known: by the module of their type, so that no library is imported for them."""

import sys
from typing import Any

import numpy as np

from skpar_select._origins import Origin, origins
from skpar_select.frames._arrow import ArrowFrame
from skpar_select.frames._base import Frame
from skpar_select.frames._pandas import PandasFrame
from skpar_select.frames._polars import PolarsFrame

_FRAMES: dict[Origin, type[Frame]] = {
    ("pandas", "DataFrame"): PandasFrame,
    ("polars", "DataFrame"): PolarsFrame,
    ("pyarrow", "Table"): ArrowFrame,
    ("pyarrow", "RecordBatch"): ArrowFrame,
}


def as_frame(X: Any) -> Frame | None:
    """Return a table as one of these classes, or None for what is no known table.

    Raises TypeError for a table that is not computed yet.
    """
    for name in origins(X):
        if name in _FRAMES:
            return _FRAMES[name](X, sys.modules[name[0]])
        if name == ("polars", "LazyFrame"):
            raise TypeError(
                "A LazyFrame of polars was given, which holds no values yet. The values must be "
                "there. Pass what its collect() gives."
            )
    return None


def discrete_by_dtype(X: Any) -> list[int]:
    """Return the positions of the columns whose type says that they are discrete.

    These are truth values and categories (Categorical and Enum, dictionaries of Arrow) of a data
    frame of pandas or polars or a table of Arrow, and all columns of an array of truth values.

    Examples
    --------
    >>> import numpy as np
    >>> discrete_by_dtype(np.zeros((3, 2), dtype=bool)), discrete_by_dtype(np.zeros((3, 2)))
    ([0, 1], [])
    """
    frame = as_frame(X)
    if frame is not None:
        return [at for at, dtype in enumerate(frame.types) if frame.is_discrete(dtype)]
    is_bool = np.dtype(bool) == getattr(X, "dtype", None)
    return list(range(X.shape[1])) if is_bool and len(X.shape) == 2 else []


def with_codes(X: Any) -> Any:
    """Return a table with its columns of categories as numbers, what misses as NaN.

    Anything else is returned as it is; nothing is changed in place. The numbers follow from the
    table alone, so that scores are the same in every process.
    """
    frame = as_frame(X)
    if frame is None:
        return X
    categories = [at for at, dtype in enumerate(frame.types) if frame.is_category(dtype)]
    return frame.with_codes(categories) if categories else X
