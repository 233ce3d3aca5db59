"""Numbers of whatever holds them; what is no number is refused, all columns in one error."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array

from skpar_select._exact import exact_floats, is_beyond_exact, not_exact
from skpar_select._wording import counted, listing
from skpar_select.frames import Frame, Kind, floats, kinds_of_columns

_NAMED = 5

# Columns that are searched for missing values at a time, where other columns are refused.
_LOOKED_AT = 256

_OF_TEXT = (
    "encode text, with sklearn.preprocessing.OrdinalEncoder for example, or as a type of categories "
    "that discrete_features='from_dtype' takes"
)
_OF_TIMES = "make dates and times numbers, such as days since a date"
# scikit-learn's checks of an estimator look for what float() says.
_OF_OTHERS = (
    "take the numbers from other objects (to float() an argument must be a string or a real number)"
)
_OF_MISSING = "fill what misses, or say by `missing` of the selector what becomes of it"


def numbers_of_frame(frame: Frame) -> Any:
    """Return a table if its columns are numbers, and an array if any of them holds objects."""
    n_samples, n_features = frame.data.shape
    if not n_features:
        raise ValueError(
            f"X has shape {(n_samples, n_features)}. At least one sample and one feature are "
            "needed. Check how its columns were chosen."
        )
    repeated = frame.repeated_names()
    if repeated:
        raise ValueError(
            f"X has {counted(len(repeated), 'column name')} more than once: "
            f"{listing(repeated, most=_NAMED)}. A name must stand for one column. Rename them, or "
            "pass an array, X.to_numpy() for example."
        )
    values = frame.as_array()
    if values is not None:
        if values.dtype.kind == "f":
            _check_exact(frame)
        return values
    kinds = frame.kinds()
    of_objects = [at for at, kind in enumerate(kinds) if kind == "objects"]
    objects = frame.objects(of_objects) if of_objects else np.empty((n_samples, 0), dtype=object)
    for at, kind in zip(of_objects, kinds_of_columns(objects), strict=True):
        kinds[at] = kind
    if set(kinds) != {"number"}:
        raise _not_numbers(frame.names, kinds, lambda some: _floats_of(frame.part(some)))
    _check_exact(frame)
    if not of_objects:
        return frame.data
    if len(of_objects) == n_features:
        return floats(objects)
    others = np.setdiff1d(np.arange(n_features), of_objects)
    values = np.empty((n_samples, n_features), order="F")
    values[:, of_objects] = floats(objects)
    values[:, others] = _floats_of(frame.part(others.tolist()))
    return values


def numbers_of_array(X: Any) -> Any:
    """Return what is no known table as an array of numbers, if it is not one already."""
    if issparse(X):
        return X
    if isinstance(X, np.ma.MaskedArray):
        X = without_mask(X)
    names: Any = None
    if isinstance(X, list | tuple):
        values = np.asarray(X)
        # NumPy writes numbers beside text as text.
        X = np.asarray(X, dtype=object) if values.dtype.kind == "U" and values.ndim == 2 else values
    elif hasattr(X, "columns") and hasattr(X, "dtypes"):
        names, X = list(X.columns), np.asarray(X)
    elif not isinstance(X, np.ndarray) and isinstance(getattr(X, "dtype", None), np.dtype):
        # Another library's array: only what may hide dates or text is looked into.
        X = np.asarray(X) if X.dtype.kind not in "biufc" else X
    if not isinstance(X, np.ndarray) or X.dtype.kind in "biufc" or X.ndim != 2:
        return X
    kinds = kinds_of_columns(X)
    if not set(kinds) <= {"number"}:
        names = [_Place(at) for at in range(len(kinds))] if names is None else names
        raise _not_numbers(names, kinds, lambda some: floats(X[:, some]))
    return floats(X)


def _check_exact(frame: Frame) -> None:
    """Refuse whole numbers that become float64 beside other types or nulls, and would be rounded."""
    # "Int64" and "int64[pyarrow]" are types that may hold nulls.
    names = [str(dtype).lower().removesuffix("[pyarrow]") for dtype in frame.types]
    alone = len(set(names)) == 1
    large = []
    for at, name in enumerate(names):
        if name not in ("int64", "uint64"):
            continue
        cells = frame.column(at)
        whole = all(isinstance(one, int) for one in cells)
        if isinstance(cells, np.ndarray):
            whole = cells.dtype.kind in "iu"  # others become float64
        if not (alone and whole) and is_beyond_exact(cells):
            large.append(at)
    if large:
        shown = listing([frame.names[at] for at in large], most=_NAMED)
        raise not_exact(f"X, {counted(len(large), 'column')} of it ({shown}),")


def without_mask(X: Any) -> Any:
    """Write NaN where a masked array has a mask."""
    if not np.ma.is_masked(X):
        return X.data
    if X.dtype.kind in "biu":
        return np.ma.MaskedArray(exact_floats(X.filled(0)), X.mask).filled(np.nan)
    if X.dtype.kind == "f":
        return X.filled(np.nan)
    values = np.array(X.data, dtype=object)
    values[np.ma.getmaskarray(X)] = None
    return values


def _floats_of(X: Any) -> Any:
    return check_array(X, dtype=np.float64, ensure_all_finite=False)


class NotNumbersError(ValueError, TypeError):
    """Columns hold something else than numbers; scikit-learn raises either, for one or the other."""


class _Place(int):
    """The position of a column without a name, as an error shows it."""

    def __repr__(self) -> str:
        return f"column {int(self)}"


def _not_numbers(
    names: Sequence[Any], kinds: Sequence[Kind], floats_of: Callable[[list[int]], Any]
) -> NotNumbersError:
    """Describe all columns that are no numbers, and those with missing values, in one error."""
    of_kind = {
        kind: [at for at, found in enumerate(kinds) if found == kind]
        for kind in ("text", "time", "other")
    }
    numbers = [at for at, kind in enumerate(kinds) if kind == "number"]
    missing: list[int] = []
    for start in range(0, len(numbers), _LOOKED_AT):
        some = numbers[start : start + _LOOKED_AT]
        missing.extend(np.array(some)[np.isnan(floats_of(some)).any(axis=0)].tolist())
    faults, remedies = [], []
    for found, what, remedy in (
        (of_kind["text"], ("text column", ""), _OF_TEXT),
        (of_kind["time"], ("column", " of dates or times"), _OF_TIMES),
        (of_kind["other"], ("column", " of neither numbers nor text"), _OF_OTHERS),
        (missing, ("column", " with missing values"), _OF_MISSING),
    ):
        if found:
            noun, rest = what
            shown = listing([names[at] for at in found], most=_NAMED)
            faults.append(f"{counted(len(found), noun)}{rest}: {shown}")
            remedies.append(remedy)
    return NotNumbersError(
        f"X has {'; '.join(faults)}. All columns must be numbers. Leave these out or "
        f"{'; '.join(remedies)}."
    )
