"""Checks of what a user hands in. Every error quotes the value, the rule and the remedy."""

import warnings
from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skpar_select._typing import Task
from skpar_select._wording import listing

_NAMED = 5


def check_matrix(X: Any, estimator: Any = None, *, reset: bool = True) -> Any:
    """Check a matrix in memory, without a copy or another type; a sparse one becomes CSC.

    Values that are not finite pass: they are found block by block, where they are scored. An
    estimator gets ``n_features_in_`` and ``feature_names_in_``, or is compared with them.
    """
    options = {"accept_sparse": "csc", "dtype": "numeric", "ensure_all_finite": False}
    try:
        if estimator is None:
            checked = check_array(X, input_name="X", **options)
        else:
            checked = validate_data(estimator, X, reset=reset, **options)
        if checked.dtype.kind == "O":
            # scikit-learn lets the objects of a polars frame pass.
            checked = checked.astype(np.float64)
    except (ValueError, TypeError) as error:
        texts = _text_columns(X)
        if texts:
            raise ValueError(
                f"X has {len(texts)} text columns: {listing(texts, most=_NAMED)}. All columns must be numbers. "
                "Leave these out or encode them, with sklearn.preprocessing.OrdinalEncoder for "
                "example."
            ) from error
        dates = _date_columns(X)
        if dates:
            raise ValueError(
                f"X has {len(dates)} columns of dates or times: {listing(dates, most=_NAMED)}. All columns must "
                "be numbers. Leave these out, or make them days since a date."
            ) from error
        raise
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
        warnings.warn(
            f"{lacks} has no feature names, but {has} has. Columns are taken to be in the same "
            "order. Give names to both, or to neither.",
            UserWarning,
            stacklevel=3,
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
    target = column_or_1d(y, warn=True)
    if len(target) != n_samples:
        raise ValueError(
            f"y has {len(target)} values, X has {n_samples} samples. There must be one value for "
            "each sample, in the same order. Check which samples they are of."
        )
    target = _without_missing(target)
    if task == "classification":
        check_classification_targets(target)
    elif task == "regression" and target.dtype.kind not in "biuf":
        raise ValueError(
            f"y holds {target.dtype.name} values such as {target[:1].tolist()[0]!r}. With "
            "task='regression' they must be numbers. Convert them, or set task='classification' if they are labels."
        )
    elif task == "regression" and (np.abs(target) > np.finfo(np.float64).max).any():
        raise ValueError(
            f"y holds {target.dtype.name} values beyond those of float64. Scores are computed in "
            "float64. Scale y."
        )
    return target


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


def check_k(k: Any, n_features: int) -> None:
    """Warn of a `k` that is larger than the number of columns."""
    if not isinstance(k, str) and k > n_features:
        warnings.warn(
            f"k={k} is greater than n_features={n_features}. At most all features can be kept, "
            "and all will be. Lower k, or set k='all'.",
            UserWarning,
            stacklevel=3,
        )


def warn_of_none_selected(scores: Any, **rules: Any) -> None:
    """Warn that no column holds by the rules."""
    given = ", ".join(f"{rule}={value!r}" for rule, value in rules.items() if value is not None)
    numbers = scores[~np.isnan(scores)]
    best = f"the best is {numbers.max():.6g}" if numbers.size else "none is a number"
    warnings.warn(
        f"No features were selected by {given}: of {scores.size} scores {best}. Every rule given "
        "must hold for a feature to be kept. Loosen one; it takes effect without a new fit.",
        UserWarning,
        stacklevel=3,
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


def _text_columns(X: Any) -> list[str]:
    if issparse(X) or not hasattr(X, "columns"):
        values = np.asarray(X) if isinstance(X, np.ndarray | list | tuple) else np.empty(0)
        if values.ndim != 2 or values.dtype.kind not in "OSU":
            return []
        return [str(column) for column in range(values.shape[1]) if _is_text(values[:, column])]
    return [str(name) for name in X.columns if _is_text(np.asarray(X[name]))]


def _date_columns(X: Any) -> list[str]:
    if issparse(X) or not hasattr(X, "columns"):
        return []
    return [str(name) for name in X.columns if np.asarray(X[name]).dtype.kind in "mM"]


def _is_text(values: Any) -> bool:
    if values.dtype.kind in "biufc":
        return False
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        return any(isinstance(value, str | bytes) for value in values.ravel()[:100_000])
    return values.dtype.kind in "SU"
