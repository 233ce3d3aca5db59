"""Checks of what a user hands in. Every error quotes the value, the rule and the remedy."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skpar_select._caller import warn_caller
from skpar_select._numbers import numbers_of_array, numbers_of_frame, without_mask
from skpar_select._typing import Array, BoolArray, IndexArray, Task
from skpar_select._wording import counted, quote
from skpar_select.frames import Kind, as_frame, floats, kinds_of_columns


def check_matrix(X: Any, estimator: Any = None, *, reset: bool = True) -> Any:
    """Check a matrix in memory, without a copy or another type; a sparse one becomes CSC.

    What is missing in objects, in columns that may hold nulls and behind a mask becomes NaN. Values
    that are not finite pass: they are found block by block, where they are scored. An estimator
    gets ``n_features_in_`` and ``feature_names_in_``, or is compared with them. Columns of text,
    of dates and of other things are refused, all at once, whoever made the table.
    """
    options: dict[str, Any] = {"accept_sparse": "csc", "dtype": "numeric"}
    options |= {"ensure_all_finite": False, "input_name": "X"}
    frame = as_frame(X)
    values = numbers_of_array(X) if frame is None else numbers_of_frame(frame)
    if estimator is None:
        checked = check_array(values, **options)
    elif frame is None or values is X:
        del options["input_name"]
        checked = validate_data(estimator, values, reset=reset, **options)
    else:
        # The names are those of the table, the values no longer.
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        checked = check_array(values, estimator=estimator, **options)
    if checked.dtype.kind not in "biuf":
        raise ValueError(
            f"X holds values of type {checked.dtype}. All columns must be real numbers. Convert "
            "them, with X.astype(float) for example."
        )
    return checked


def check_not_empty(X: Any) -> None:
    """Refuse a lazy matrix without samples or features."""
    if 0 in X.shape:
        raise ValueError(
            f"X has shape {X.shape}. At least one sample and one feature are needed. Check how "
            f"{X.label} was sliced."
        )


def check_lazy_matrix(X: Any, estimator: Any, *, reset: bool) -> None:
    """Do for a lazy matrix what scikit-learn's ``validate_data`` does, without loading it."""
    check_not_empty(X)
    (_, n_features), names = X.shape, X.feature_names
    if reset:
        estimator.n_features_in_ = n_features
        if names is not None:
            estimator.feature_names_in_ = names
        elif hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        return
    if n_features != estimator.n_features_in_:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting "
            f"{estimator.n_features_in_} features as input. The columns must be those of the fit. "
            "Pass the matrix that holds them."
        )
    fitted = getattr(estimator, "feature_names_in_", None)
    if names is not None and fitted is not None:
        differing = np.flatnonzero(names != fitted)
        if len(differing):
            first = differing[0]
            raise ValueError(
                f"{counted(len(differing), 'feature name')} differ{'s' if len(differing) == 1 else ''} "
                f"from those of the fit, the first at column {first}: {names[first]!r}, not "
                f"{fitted[first]!r}. Names and their order must be those of the fit. Pass the matrix "
                "that holds them so."
            )
    elif (names is None) != (fitted is None):
        has, lacks = ("the fit", "X") if names is None else ("X", "the fit")
        warn_caller(
            f"{lacks} has no feature names, but {has} has. Columns are taken to be in the same "
            "order. Give names to both, or to neither.",
        )


def target_columns(y: Any) -> tuple[list[Any] | None, list[str] | None]:
    """Split a target of two dimensions into its columns, and give their names, if they have any.

    The columns are None for a target of one dimension.
    """
    if issparse(y):
        raise TypeError("y is a sparse matrix. A target is a dense array. Pass y.toarray().")
    if hasattr(y, "columns") and hasattr(y, "shape"):
        names = [str(name) for name in y.columns]
        columns = [y[name] for name in y.columns]
    else:
        array = y if isinstance(y, np.ndarray) else np.asarray(y)
        if array.ndim != 2:
            return None, None
        names, columns = None, [array[:, column] for column in range(array.shape[1])]
    if not columns:
        raise ValueError("y has no columns. Scores are taken against a target. Pass at least one.")
    return columns, names


def check_target(
    y: Any, n_samples: int, *, task: Task | None, omit: bool = False, label: str = "y"
) -> tuple[IndexArray | None, Array]:
    """Check one target, and leave out its missing values if `omit` says so.

    Its type stays, so that a score function gets it as it was given. `task` is None where a score
    function alone decides what a target must be, besides that its length fits and no value is
    infinite.

    Returns
    -------
    rows, values
        The samples that have a value, or None if all have one; and the values.
    """
    if y is None:
        raise ValueError(
            "The selector requires y to be passed, but the target y is None. Scores are taken "
            "against a target. Pass one value for each sample."
        )
    if not _is_sequence(y):
        raise ValueError(
            f"{label}={quote(y)} is a {type(y).__name__}: y should be a 1d array, of one value for each sample. "
            "Pass a list, an array or a Series, or an array of two dimensions for several targets."
        )
    holder = type(getattr(y, "dtype", None)).__name__
    target = column_or_1d(without_mask(y) if isinstance(y, np.ma.MaskedArray) else y)
    if len(target) != n_samples:
        raise ValueError(
            f"{label} has {len(target)} values, X has {n_samples} samples. There must be one value "
            "for each sample, in the same order. Check which samples they are of."
        )
    rows, target = _with_values(target, omit=omit, label=label)
    if task == "classification":
        check_classification_targets(target)
        return rows, target
    if task == "regression" and target.dtype.kind not in "biuf":
        kind = kinds_of_columns(target[:, np.newaxis])[0]
        if kind != "number":
            raise _no_numbers(target, kind, holder, label)
        target = floats(target)
    if task == "regression" and (np.abs(target) > np.finfo(np.float64).max).any():
        raise ValueError(
            f"{label} holds {target.dtype.name} values beyond those of float64. Scores are computed in "
            "float64. Scale y."
        )
    return rows, target


def _no_numbers(target: Any, kind: Kind, holder: str, label: str) -> ValueError:
    value: Any = target[:1].astype(str)[0] if target.dtype.kind in "mM" else target[0]
    what = {"text": "text", "time": "dates or times"}.get(kind, "objects")
    remedy = (
        "Make them numbers, such as days since a date."
        if kind == "time"
        else "Convert them, or set task='classification' if they are labels."
    )
    if holder in ("CategoricalDtype", "Categorical", "Enum"):
        what = "categories"
    shown = repr(str(value)) if isinstance(value, str) else str(value)
    return ValueError(
        f"{label} holds {what} such as {shown}. With task='regression' they must be numbers. {remedy}"
    )


def check_n_neighbors(n_neighbors: int, n_samples: int, parameter: str = "n_neighbors") -> None:
    """Refuse more neighbours than a sample can have."""
    if n_neighbors >= n_samples:
        raise ValueError(
            f"{parameter}={n_neighbors} is too large for n_samples={n_samples}: it must be below, "
            f"as a sample has only the others for neighbours. Use more than {n_neighbors} samples"
            + (f", or set {parameter} to {n_samples - 1} or lower." if n_samples > 1 else ".")
        )


def least_observed(min_observed: int | float | None, n_samples: int) -> int | None:
    """Return how many samples of a column must be there: a number, or a share of all as one."""
    if min_observed is None or not isinstance(min_observed, float | np.floating):
        if min_observed is not None and min_observed > n_samples:
            raise ValueError(
                f"min_observed={min_observed} is more than the {n_samples} samples with a target. "
                "No column could be scored. Lower it, or give a share of the samples such as 0.5."
            )
        return min_observed
    return max(1, math.ceil(min_observed * n_samples))


def check_n_samples(n_samples: int) -> None:
    """Refuse a single sample, where no neighbour is looked for."""
    if n_samples < 2:
        raise ValueError(
            f"X has n_samples={n_samples}. Two columns share something only where they vary. Pass at "
            "least 2 samples."
        )


def check_k_is_no_function(k: Any, *, parameter: str) -> None:
    """Refuse a function as the first argument, which scikit-learn's selectors take."""
    if callable(k):
        name = getattr(k, "__name__", repr(k))
        raise ValueError(
            f"k={name} is a function. The first argument is the number of columns to keep. Write "
            f"{parameter}={name}, or leave it out for mutual information."
        )


def check_k(k: Any, n_features: int) -> None:
    """Warn of a `k` that is larger than the number of columns."""
    if not isinstance(k, str) and k > n_features:
        warn_caller(
            f"k={k} is greater than n_features={n_features}. At most all features can be kept, "
            "and all will be. Lower k, or set k='all'.",
        )


def _with_values(target: Any, *, omit: bool, label: str) -> tuple[IndexArray | None, Array]:
    if target.dtype.kind == "O":
        missing = np.array([is_missing(value) for value in target], dtype=bool)
    elif target.dtype.kind in "mM":
        missing = np.isnat(target)
    elif target.dtype.kind in "fc":
        missing = np.isnan(target)
        _refuse_values(np.isinf(target), "infinity", label, "Leave these samples out of X and y.")
    else:
        return None, target
    if not missing.any():
        return None, _numbers(target)
    if not omit:
        remedy = "Leave these samples out of X and y, or set missing='omit'."
        _refuse_values(missing, "NaN", label, remedy)
    if missing.all():
        raise ValueError(
            f"{label} has no value: all {len(target)} are NaN. Scores are taken against a target. "
            "Pass one that has values."
        )
    rows = np.flatnonzero(~missing)
    return rows, _numbers(target[rows])


def _refuse_values(where: BoolArray, what: str, label: str, remedy: str) -> None:
    if where.any():
        raise ValueError(
            f"{label} contains {what}: {where.sum()} of {len(where)} values, the first at position "
            f"{np.flatnonzero(where)[0]}. Every sample needs a target. {remedy}"
        )


def is_missing(value: Any) -> bool:
    # pandas' NA and NaT compare to nothing; they are known by name, as pandas is optional.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _is_sequence(y: Any) -> bool:
    """Return whether a target holds one value after another, as lists and all kinds of arrays do."""
    if np.isscalar(y) or isinstance(y, Mapping) or getattr(y, "ndim", 1) == 0:
        return False
    return hasattr(y, "__getitem__") or hasattr(y, "__array__")


def _numbers(target: Any) -> Any:
    if target.dtype.kind != "O" or any(isinstance(value, str) for value in target):
        return target
    # A data frame's column of numbers may come as objects.
    try:
        return np.asarray(target.tolist())
    except ValueError:
        return target
