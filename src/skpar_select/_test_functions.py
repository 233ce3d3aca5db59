"""mutual_info_regression_test and mutual_info_classif_test: scores with p-values, for scikit-learn's selectors."""

from typing import Any, Literal

import numpy as np
from sklearn.utils._param_validation import validate_params

from skpar_select._functions import scored_by_function
from skpar_select._parameters import OF_CLASSIF_TEST, OF_REGRESSION_TEST
from skpar_select._typing import FloatArray, Marginals, TestOf
from skpar_select.scoring import IndependenceTest


@validate_params(OF_REGRESSION_TEST, prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
def mutual_info_regression_test(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    n_neighbors: int = 3,
    copy: bool = True,
    random_state: Any = None,
    n_jobs: int | None = None,
    marginals: Marginals = "raw",
    test: TestOf = "mi",
    test_neighbors: int | Literal["auto"] = "auto",
) -> tuple[FloatArray, FloatArray]:
    """Estimate mutual information with a continuous target, and test whether there is any.

    What scikit-learn's ``SelectFdr``, ``SelectFwe``, ``SelectFpr`` and ``GenericUnivariateSelect`` take for a
    score function.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
        As of :func:`mutual_info_regression`.
    y : array-like of shape (n_samples,)
        The target, of real numbers. At least 20 samples are needed.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,);
        column indices; or names. ``"auto"`` is all for a sparse matrix and none for any other.
    n_neighbors : int, default=3
        The number of neighbours of the scores.
    copy : bool, default=True
        Of no effect; there to be called as scikit-learn's functions.
    random_state : int, RandomState instance or None, default=None
        Keys the breaking of ties. An int gives the same result in every call.
    n_jobs : int or None, default=None
        The number of threads. None means 1 unless a ``joblib.parallel_config`` surrounds the
        call; -1 means all processors.
    marginals : {"raw", "rank"}, default="raw"
        Whether the scores are of quantities as they are, or of their ranks. The test is always of ranks.
    test : {"mi", "combined"}, default="mi"
        ``"combined"`` is twice the smaller of the p-values of mutual information and of Spearman's rank
        correlation, which finds weak monotonic relations, too.
    test_neighbors : int or "auto", default="auto"
        The neighbours of the test: ``"auto"`` is 3 below 100 samples, else the root of their number, at
        most 30.

    Returns
    -------
    mi : ndarray of float64 of shape (n_features,)
        In nats, at least 0.
    pvalues : ndarray of float64 of shape (n_features,)
        The probability that a column that tells nothing scores as much, for exchangeable samples. Below 1e-6
        it is extrapolated, and below 1e-308 it is 0.

    Raises
    ------
    ValueError
        As :func:`mutual_info_regression`, and if there are too few samples.

    See Also
    --------
    ParallelMutualInfoSelector : Keeps the best columns by error rates, too, of files and within strata.

    References
    ----------
    .. [1] A. Kraskov, H. Stoegbauer and P. Grassberger, "Estimating mutual information",
       Phys. Rev. E 69, 066138 (2004), doi:10.1103/PhysRevE.69.066138.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.feature_selection import SelectFdr
    >>> from skpar_select import mutual_info_regression_test
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 50))
    >>> y = X[:, 7] - X[:, 3] + 0.1 * rng.normal(size=200)
    >>> SelectFdr(mutual_info_regression_test, alpha=0.01).fit(X, y).get_support(indices=True)
    array([3, 7])
    """
    results = scored_by_function(
        X,
        y,
        "regression",
        discrete_features,
        n_jobs,
        n_neighbors=n_neighbors,
        random_state=random_state,
        marginals=marginals,
        test=IndependenceTest(test_neighbors, combined=test == "combined"),
    )
    return results["score"], np.exp(results["log_pvalue"])


@validate_params(OF_CLASSIF_TEST, prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
def mutual_info_classif_test(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    n_neighbors: int = 3,
    copy: bool = True,
    random_state: Any = None,
    n_jobs: int | None = None,
    marginals: Marginals = "raw",
    test_neighbors: int | Literal["auto"] = "auto",
) -> tuple[FloatArray, FloatArray]:
    """Estimate mutual information with class labels, and test whether there is any.

    What scikit-learn's ``SelectFdr``, ``SelectFwe``, ``SelectFpr`` and ``GenericUnivariateSelect`` take for a
    score function.

    Parameters
    ----------
    X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
        As of :func:`mutual_info_classif`.
    y : array-like of shape (n_samples,)
        The class labels, of any type. At least 20 samples are needed.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,);
        column indices; or names. ``"auto"`` is all for a sparse matrix and none for any other.
    n_neighbors : int, default=3
        The number of neighbours of the scores.
    copy : bool, default=True
        Of no effect; there to be called as scikit-learn's functions.
    random_state : int, RandomState instance or None, default=None
        Keys the breaking of ties. An int gives the same result in every call.
    n_jobs : int or None, default=None
        The number of threads. None means 1 unless a ``joblib.parallel_config`` surrounds the
        call; -1 means all processors.
    marginals : {"raw", "rank"}, default="raw"
        Whether the scores are of quantities as they are, or of their ranks. The test is always of ranks.
    test_neighbors : int or "auto", default="auto"
        The neighbours of the test: ``"auto"`` is 3 below 100 samples, else the root of their number, at
        most 30.

    Returns
    -------
    mi : ndarray of float64 of shape (n_features,)
        In nats, at least 0.
    pvalues : ndarray of float64 of shape (n_features,)
        The probability that a column that tells nothing scores as much, for exchangeable samples. Below 1e-6
        it is extrapolated, and below 1e-308 it is 0.

    Raises
    ------
    ValueError
        As :func:`mutual_info_classif`, and if there are too few samples.

    See Also
    --------
    ParallelMutualInfoSelector : Keeps the best columns by error rates, too, of files and within strata.

    References
    ----------
    .. [1] B. C. Ross, "Mutual information between discrete and continuous data sets",
       PLoS ONE 9(2), e87357 (2014), doi:10.1371/journal.pone.0087357.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.feature_selection import SelectFdr
    >>> from skpar_select import mutual_info_classif_test
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 50))
    >>> y = np.where(X[:, 7] > X[:, 3], "old", "young")
    >>> SelectFdr(mutual_info_classif_test, alpha=0.01).fit(X, y).get_support(indices=True)
    array([3, 7])
    """
    results = scored_by_function(
        X,
        y,
        "classification",
        discrete_features,
        n_jobs,
        n_neighbors=n_neighbors,
        random_state=random_state,
        marginals=marginals,
        test=IndependenceTest(test_neighbors),
    )
    return results["score"], np.exp(results["log_pvalue"])
