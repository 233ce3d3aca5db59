"""Checks of what a user hands in. Every error quotes the value, the rule and the remedy."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skpar_select._caller import warn_caller
from skpar_select._numbers import numbers_of_array, numbers_of_frame, without_mask
from skpar_select._typing import Task
from skpar_select._wording import listing
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
                f"{len(differing)} feature names differ from those of the fit, the first at "
                f"column {first}: {names[first]!r}, not {fitted[first]!r}. Names and their order "
                "must be those of the fit. Pass the matrix that holds them so."
            )
    elif (names is None) != (fitted is None):
        has, lacks = ("the fit", "X") if names is None else ("X", "the fit")
        warn_caller(
            f"{lacks} has no feature names, but {has} has. Columns are taken to be in the same "
            "order. Give names to both, or to neither.",
        )


def check_target(y: Any, n_samples: int, *, task: Task | None) -> Any:
    """Check a target; its type stays, so that a score function gets it as it was given.

    `task` is None where a score function alone decides what a target must be, besides that its
    length fits and no value is missing.
    """
    if y is None:
        raise ValueError(
            "The selector requires y to be passed, but the target y is None. Scores are taken "
            "against a target. Pass one value for each sample."
        )
    if issparse(y):
        raise TypeError(
            "y is a sparse matrix. A target is a dense one-dimensional array. Pass "
            "y.toarray().ravel()."
        )
    holder = type(getattr(y, "dtype", None)).__name__
    target = column_or_1d(without_mask(y) if isinstance(y, np.ma.MaskedArray) else y, warn=True)
    if len(target) != n_samples:
        raise ValueError(
            f"y has {len(target)} values, X has {n_samples} samples. There must be one value for "
            "each sample, in the same order. Check which samples they are of."
        )
    target = _without_missing(target)
    if task == "classification":
        check_classification_targets(target)
        return target
    if task == "regression" and target.dtype.kind not in "biuf":
        kind = kinds_of_columns(target[:, np.newaxis])[0]
        if kind != "number":
            raise _no_numbers(target, kind, holder)
        target = floats(target)
    if task == "regression" and (np.abs(target) > np.finfo(np.float64).max).any():
        raise ValueError(
            f"y holds {target.dtype.name} values beyond those of float64. Scores are computed in "
            "float64. Scale y."
        )
    return target


def _no_numbers(target: Any, kind: Kind, holder: str) -> ValueError:
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
        f"y holds {what} such as {shown}. With task='regression' they must be numbers. {remedy}"
    )


def warn_of_labels(y: Any) -> None:
    """Warn of a target of two distinct values, which is about to be scored as numbers."""
    values = np.asarray(y)
    for column in values.T if values.ndim == 2 else [values]:
        distinct: list[Any] = []
        for value in column.ravel().tolist():
            if not _is_missing(value) and value not in distinct:
                distinct.append(value)
            if len(distinct) > 2:
                break
        if len(distinct) == 2:
            warn_caller(
                f"y holds two distinct values, {listing(distinct)}, and task='regression' scores it "
                "as numbers. Classes must be named as such. Set task='classification' if these are "
                "labels."
            )
            return


def check_n_neighbors(n_neighbors: int, n_samples: int) -> None:
    """Refuse more neighbours than a sample can have."""
    if n_neighbors >= n_samples:
        raise ValueError(
            f"n_neighbors={n_neighbors} is too large for n_samples={n_samples}: it must be below, "
            f"as a sample has only the others for neighbours. Use more than {n_neighbors} samples"
            + (f", or set n_neighbors to {n_samples - 1} or lower." if n_samples > 1 else ".")
        )


def check_n_samples(n_samples: int) -> None:
    """Refuse a single sample, where no neighbour is looked for."""
    if n_samples < 2:
        raise ValueError(
            f"X has n_samples={n_samples}. Two columns share something only where they vary. Pass at "
            "least 2 samples."
        )


def ordered(*options: str) -> Any:
    """Return options as a set that keeps its order, so that scikit-learn's errors list them alike."""
    return dict.fromkeys(options).keys()


def check_k(k: Any, n_features: int) -> None:
    """Warn of a `k` that is larger than the number of columns."""
    if not isinstance(k, str) and k > n_features:
        warn_caller(
            f"k={k} is greater than n_features={n_features}. At most all features can be kept, "
            "and all will be. Lower k, or set k='all'.",
        )


def warn_of_none_selected(scores: Any, **rules: Any) -> None:
    """Warn that no column holds by the rules."""
    given = ", ".join(f"{rule}={value!r}" for rule, value in rules.items() if value is not None)
    numbers = scores[~np.isnan(scores)]
    best = f"the best is {numbers.max():.6g}" if numbers.size else "none is a number"
    warn_caller(
        f"No features were selected by {given}: of {scores.size} scores {best}. Every rule given "
        "must hold for a feature to be kept. Loosen one; it takes effect without a new fit.",
    )


def _without_missing(target: Any) -> Any:
    if target.dtype.kind == "O":
        missing = np.array([_is_missing(value) for value in target], dtype=bool)
        infinite = np.zeros(len(target), dtype=bool)
    elif target.dtype.kind in "fc":
        missing, infinite = np.isnan(target), np.isinf(target)
    else:
        return target
    for what, where in (("NaN", missing), ("infinity", infinite)):
        if where.any():
            raise ValueError(
                f"y contains {what}: {where.sum()} of {len(target)} values, the first at position "
                f"{np.flatnonzero(where)[0]}. Every sample needs a target. Leave these samples "
                "out of X and y."
            )
    return _numbers(target)


def _is_missing(value: Any) -> bool:
    # pandas' NA and NaT compare to nothing; they are known by name, as pandas is optional.
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def _numbers(target: Any) -> Any:
    if target.dtype.kind != "O" or any(isinstance(value, str) for value in target):
        return target
    # A data frame's column of numbers may come as objects.
    try:
        return np.asarray(target.tolist())
    except ValueError:
        return target
