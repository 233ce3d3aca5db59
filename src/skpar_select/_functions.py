"""mutual_info_regression and mutual_info_classif: drop-ins for scikit-learn's functions."""

from typing import Any

from sklearn.utils import column_or_1d
from sklearn.utils._param_validation import validate_params

from skpar_select._inputs import check_input, in_order_of
from skpar_select._memory import parse_memory
from skpar_select._parameters import OF_FUNCTIONS
from skpar_select._typing import FloatArray, Marginals, Task
from skpar_select.execution import choose_executor
from skpar_select.scoring import MutualInformation, Targets, score_columns


@validate_params(OF_FUNCTIONS, prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
def mutual_info_regression(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    n_neighbors: int = 3,
    copy: bool = True,
    random_state: Any = None,
    n_jobs: int | None = None,
    marginals: Marginals = "raw",
) -> FloatArray:
    """Estimate mutual information with a continuous target.

    A drop-in for scikit-learn's function of this name, which takes matrices in files too.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
        The matrix, or an object that :func:`skpar_select.open_matrix` takes in the place of a path.
        Never written into.
    y : array-like of shape (n_samples,)
        The target, of real numbers. A Series of pandas whose index holds the ids of a matrix in a
        file is put into its order.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,);
        column indices; or names. ``"auto"`` is all for a sparse matrix and none for any other.
    n_neighbors : int, default=3
        The number of neighbours, below n_samples. More lower the variance of the estimate and
        raise its bias.
    copy : bool, default=True
        Of no effect; there to be called as scikit-learn's function.
    random_state : int, RandomState instance or None, default=None
        Keys the tiny noise that breaks ties. An int gives the same scores in every call.
    n_jobs : int or None, default=None
        The number of threads. None means 1 unless a ``joblib.parallel_config`` surrounds the
        call; -1 means all processors.
    marginals : {"raw", "rank"}, default="raw"
        Whether `y` and continuous columns are scored as they are, as scikit-learn does, or by their
        ranks, ties broken at random. A column passed through a rising function then has the same score.

    Returns
    -------
    mi : ndarray of float64 of shape (n_features,)
        In nats, at least 0.

    Raises
    ------
    ValueError
        If `X` or `y` is not finite, their lengths differ, `n_neighbors` is too large, a sparse `X`
        has columns that are not discrete, or `discrete_features` does not fit the columns, which is
        an IndexError too.
    TypeError
        If `X` is a path.

    See Also
    --------
    mutual_info_classif : The same for class labels.
    ParallelMutualInfoSelector : Keeps the best columns.

    References
    ----------
    .. [1] A. Kraskov, H. Stoegbauer and P. Grassberger, "Estimating mutual information",
       Phys. Rev. E 69, 066138 (2004), doi:10.1103/PhysRevE.69.066138.
    .. [2] B. C. Ross, "Mutual information between discrete and continuous data sets",
       PLoS ONE 9(2), e87357 (2014), doi:10.1371/journal.pone.0087357.

    Examples
    --------
    >>> import numpy as np
    >>> from skpar_select import mutual_info_regression
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = X[:, 1] + 0.1 * rng.normal(size=200)
    >>> int(mutual_info_regression(X, y, random_state=0).argmax())
    1
    """
    return scored_by_function(
        X,
        y,
        "regression",
        discrete_features,
        n_jobs,
        n_neighbors=n_neighbors,
        random_state=random_state,
        marginals=marginals,
    )["score"]


@validate_params(OF_FUNCTIONS, prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
def mutual_info_classif(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    n_neighbors: int = 3,
    copy: bool = True,
    random_state: Any = None,
    n_jobs: int | None = None,
    marginals: Marginals = "raw",
) -> FloatArray:
    """Estimate mutual information with class labels.

    A drop-in for scikit-learn's function of this name, which takes matrices in files too.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
        The matrix, or an object that :func:`skpar_select.open_matrix` takes in the place of a path.
        Never written into.
    y : array-like of shape (n_samples,)
        The class labels, of any type. A Series of pandas whose index holds the ids of a matrix in
        a file is put into its order.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,);
        column indices; or names. ``"auto"`` is all for a sparse matrix and none for any other.
    n_neighbors : int, default=3
        The number of neighbours, below n_samples. In a class of no more members than that, one
        less than its members are used.
    copy : bool, default=True
        Of no effect; there to be called as scikit-learn's function.
    random_state : int, RandomState instance or None, default=None
        Keys the tiny noise that breaks ties. An int gives the same scores in every call.
    n_jobs : int or None, default=None
        The number of threads. None means 1 unless a ``joblib.parallel_config`` surrounds the
        call; -1 means all processors.
    marginals : {"raw", "rank"}, default="raw"
        Whether continuous columns are scored as they are, as scikit-learn does, or by their ranks,
        ties broken at random. A column passed through a rising function then has the same score.

    Returns
    -------
    mi : ndarray of float64 of shape (n_features,)
        In nats, at least 0.

    Raises
    ------
    ValueError
        If `X` is not finite, `y` holds no labels, their lengths differ, `n_neighbors` is too
        large, a sparse `X` has columns that are not discrete, or `discrete_features` does not fit
        the columns, which is an IndexError too.
    TypeError
        If `X` is a path.

    See Also
    --------
    mutual_info_regression : The same for a target of real numbers.
    ParallelMutualInfoSelector : Keeps the best columns.

    References
    ----------
    .. [1] B. C. Ross, "Mutual information between discrete and continuous data sets",
       PLoS ONE 9(2), e87357 (2014), doi:10.1371/journal.pone.0087357.

    Examples
    --------
    >>> import numpy as np
    >>> from skpar_select import mutual_info_classif
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = np.where(X[:, 2] > 0, "old", "young")
    >>> int(mutual_info_classif(X, y, random_state=0).argmax())
    2
    """
    return scored_by_function(
        X,
        y,
        "classification",
        discrete_features,
        n_jobs,
        n_neighbors=n_neighbors,
        random_state=random_state,
        marginals=marginals,
    )["score"]


def scored_by_function(
    X: Any,
    y: Any,
    task: Task,
    discrete_features: Any,
    n_jobs: int | None,
    **options: Any,
) -> dict[str, FloatArray]:
    """Score a matrix as a function of scikit-learn's form; `options` are those of the scorer."""
    matrix, discrete = check_input(X, discrete_features)
    if matrix.is_sparse and not discrete.all():
        raise ValueError(
            "Sparse matrix `X` can't have continuous features. This function counts all columns "
            "of a sparse matrix as discrete, as scikit-learn's does. Take the selector, which "
            "scores continuous ones too, or pass X.toarray(), or discrete_features=True."
        )
    y = column_or_1d(in_order_of(matrix, y), warn=True)
    targets = Targets(y, matrix.shape[0], task=task, omit=False)
    scorer = MutualInformation(targets, task=task, discrete=discrete, **options)
    executor = choose_executor(n_jobs, prefer=scorer.prefers)
    return score_columns(matrix, scorer, executor, memory_budget=parse_memory("auto"))
