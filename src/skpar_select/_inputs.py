"""What a fit is handed, checked: a matrix, which of its columns are discrete, and targets."""

from typing import Any, NamedTuple

from sklearn.utils import _safe_indexing
from sklearn.utils.validation import validate_data

from skpar_select._alignment import aligned_target
from skpar_select._caller import warn_caller
from skpar_select._typing import IndexArray, Task
from skpar_select._validation import (
    check_lazy_matrix,
    check_matrix,
    check_not_empty,
)
from skpar_select._warnings import warn_of_constant, warn_of_labels, warn_of_missing_targets
from skpar_select.frames import discrete_by_dtype, with_codes
from skpar_select.matrices import Matrix, as_matrix, held_matrix
from skpar_select.scoring import Confounders, DiscreteFeatures, Targets


class Input(NamedTuple):
    """A matrix that was checked, and its discrete columns."""

    matrix: Matrix
    discrete: DiscreteFeatures


def check_input(X: Any, discrete_features: Any, *, estimator: Any = None) -> Input:
    """Check a matrix of any kind; an estimator gets the number and names of its columns.

    Raises ValueError or TypeError if `X` or `discrete_features` breaks a rule.
    """
    given = discrete_features(X) if callable(discrete_features) else discrete_features
    by_dtype = asks_for_dtypes(given)
    held = held_matrix(X)
    if held is not None:
        if estimator is None:
            check_not_empty(held)
        else:
            check_lazy_matrix(held, estimator, reset=True)
        matrix: Matrix = held
        given = held.dtype.kind == "b" if by_dtype else given
    else:
        if by_dtype:
            given, X = discrete_by_dtype(X), with_codes(X)
        X = check_matrix(X, estimator)
        matrix = as_matrix(X, getattr(estimator, "feature_names_in_", None))
    discrete = DiscreteFeatures(
        given,
        matrix.shape[1],
        sparse=matrix.is_sparse,
        feature_names=lambda: matrix.feature_names,
        # Of an array it is scikit-learn's rule; of a file nobody has seen that it is sparse.
        doubted=held is not None,
    )
    return Input(matrix, discrete)


def check_targets(y: Any, matrix: Matrix, *, task: Task | None, omit: bool) -> Targets:
    """Check the targets of a fit, in the order of the matrix where an index of `y` holds its ids.

    `task` is None where a score function decides what a target is, `omit` leaves out samples
    without one, with a warning.
    """
    y = in_order_of(matrix, y)
    targets = Targets(y, matrix.shape[0], task=task, omit=omit)
    if task == "regression":
        warn_of_labels(y)
    if task is not None:
        warn_of_constant(y)
    warn_of_missing_targets(targets.n_missing, targets.n_samples, targets.names)
    return targets


def check_confounders(strata: Any, covariates: Any, matrix: Matrix, *, n_knots: int) -> Confounders:
    """Check what is held fixed, in the order of the matrix as targets are."""
    strata, covariates = (
        in_order_of(matrix, strata, "strata"),
        in_order_of(matrix, covariates, "covariates"),
    )
    return Confounders(strata, covariates, matrix.shape[0], n_knots=n_knots)


def in_order_of(matrix: Matrix, y: Any, label: str = "y") -> Any:
    """Put targets of pandas whose index holds the ids of a matrix that was opened into its order."""
    if y is None:
        return None
    ordered = aligned_target(y, lambda: matrix.sample_ids, lambda: matrix.stored_ids)
    if ordered is not y:
        warn_caller(
            f"{label} was put into the order of the matrix by the sample ids in its index. Other steps of a "
            f"pipeline take {label} by position. Pass {label}.loc[X.sample_ids], which is in that order."
        )
    return ordered


def asks_for_dtypes(discrete_features: Any) -> bool:
    """Return whether the types of the columns say which are discrete."""
    # An array would be compared value by value.
    return isinstance(discrete_features, str) and discrete_features == "from_dtype"


def columns_of_frame(X: Any, columns: IndexArray, *, estimator: Any) -> Any:
    """Return some columns of a data frame as they are, if its names are those of the fit."""
    validate_data(estimator, X, reset=False, skip_check_array=True)
    return _safe_indexing(X, columns, axis=1)
