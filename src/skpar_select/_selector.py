"""The selector: it stores parameters, has the columns scored, and decides which to keep."""

from numbers import Integral, Real
from os import PathLike
from typing import Any, ClassVar

from sklearn.base import BaseEstimator, _fit_context
from sklearn.feature_selection import SelectorMixin
from sklearn.utils._param_validation import Interval, RealNotInt, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skpar_select._memory import parse_memory
from skpar_select._rules import select
from skpar_select._typing import BoolArray
from skpar_select._validation import (
    check_k,
    check_lazy_matrix,
    check_matrix,
    ordered,
    warn_of_labels,
    warn_of_none_selected,
)
from skpar_select.execution import choose_executor
from skpar_select.matrices import LazyMatrix, Matrix, SparseMatrix, as_matrix
from skpar_select.scoring import (
    CallbackSupportMixin,
    DiscreteFeatures,
    FunctionScorer,
    MutualInformation,
    Progress,
    ScoreCache,
    Scorer,
    progress_of,
    progress_sinks,
    score_columns,
    with_callbacks,
)
from skpar_select.tables import read_columns, score_frame


class ParallelMutualInfoSelector(CallbackSupportMixin, SelectorMixin, BaseEstimator):
    """Keep the columns that share most mutual information with a target.

    Every column is scored alone, in parallel over blocks of columns, from memory or streamed
    from a file. A score depends on nothing but the column, the target, the parameters and the
    seed: not on the number of workers, the width of a block or the container.

    Parameters
    ----------
    k : int, float, "all" or "auto", default="auto"
        How many columns to keep: a number, which may be 0; a fraction of the columns in (0, 1],
        rounded to the nearest number and up to 1, so that 1.0 is all; ``"all"``; or ``"auto"``, which is 10 where
        no other rule is given and no limit where one is.
    threshold : float, default=None
        The least score to keep, in nats by the built-in kernel.
    percentile : float, default=None
        The percentage of best scores to keep, in [0, 100]. Of `k`, `threshold` and
        `percentile`, all that are given must hold.
    task : {"regression", "classification"}, default="regression"
        Whether the target is a number or a class label. Never guessed: integer ages are not
        classes.
    score_func : callable, default=None
        None for the package's own mutual information. Otherwise a function of scikit-learn's
        form, ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``, which gets `y` as it was
        given and blocks of columns, in a pool of processes. `task`, `discrete_features`,
        `n_neighbors` and `random_state` belong to the built-in kernel and do not reach it: use
        :func:`functools.partial`. Where it looks at more than one column at a time or draws
        random numbers for all of them, it sees the block and no more.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,); or
        column indices. ``"auto"`` is all for a sparse matrix and none for any other. Of a sparse
        matrix the continuous columns are made dense a block at a time.
    n_neighbors : int, default=3
        The number of neighbours by which densities are estimated, below n_samples.
    random_state : int, RandomState instance or None, default=None
        Keys the tiny noise that breaks ties. An int gives the same scores in every fit.
    memory_budget : int or str, default="auto"
        The most that reading and scoring may hold at a time over all workers, in bytes or as
        text such as ``"2GB"``. ``"auto"`` is a quarter of the available memory.
    n_jobs : int or None, default=None
        The number of workers: threads for the built-in kernel, processes for a `score_func`. None
        means 1 unless a ``joblib.parallel_config`` surrounds the call; -1 means all processors.
        Inside an outer pool, as in a grid search, it is at most what that leaves.
    score_cache : str, path-like or None, default=None
        A folder where scores of the built-in kernel are kept, by the content of matrix and target and
        the parameters that matter, so that a grid search over `k`, `threshold`, `percentile` or
        `n_jobs` scores each fold once, in processes too. It is made where it does not exist, and
        holds at most 1 GiB; entries that were used longest ago go first. With `random_state` None,
        scores of any noise are taken from it. None keeps nothing.
    verbose : int or Progress, default=0
        Above 0, the standard error stream shows the progress: on a terminal and in a notebook as
        a line that is drawn again, elsewhere as a line for each tenth. An object decides this
        itself: ``skpar_select.scoring.ProgressLine()`` or ``ProgressLog()``, which takes a stream.
        With scikit-learn 1.9 callbacks do it too, such as ``sklearn.callback.ProgressBar``.

    Attributes
    ----------
    scores_ : ndarray of shape (n_features,)
        The score of every column; in nats, by the built-in kernel.
    pvalues_ : ndarray of shape (n_features,) or None
        The p-values, where `score_func` gives them.
    n_features_in_ : int
        The number of columns seen in `fit`.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Their names, where `X` has any.

    See Also
    --------
    mutual_info_regression : The scores alone, for a target of real numbers.
    mutual_info_classif : The scores alone, for class labels.
    open_matrix : A file as a matrix for `fit`.

    Notes
    -----
    Changing `k`, `threshold` or `percentile` after `fit` changes the selection at once; nothing
    is scored again. Of equal scores at the border of the best `k`, the highest column index
    wins. A score that is NaN ranks last.

    References
    ----------
    .. [1] A. Kraskov, H. Stoegbauer and P. Grassberger, "Estimating mutual information",
       Phys. Rev. E 69, 066138 (2004), doi:10.1103/PhysRevE.69.066138.
    .. [2] B. C. Ross, "Mutual information between discrete and continuous data sets",
       PLoS ONE 9(2), e87357 (2014), doi:10.1371/journal.pone.0087357.

    Examples
    --------
    >>> import numpy as np
    >>> from skpar_select import ParallelMutualInfoSelector
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 50))
    >>> y = X[:, 7] - X[:, 3] + 0.1 * rng.normal(size=200)
    >>> selector = ParallelMutualInfoSelector(k=2, random_state=0).fit(X, y)
    >>> selector.get_support(indices=True)
    array([3, 7])
    >>> selector.transform(X).shape
    (200, 2)
    >>> selector.set_params(k=0.1).transform(X).shape
    (200, 5)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "k": [
            StrOptions(ordered("all", "auto")),
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
        ],
        "threshold": [Interval(Real, None, None, closed="neither"), None],
        "percentile": [Interval(Real, 0, 100, closed="both"), None],
        "task": [StrOptions(ordered("regression", "classification"))],
        "score_func": [callable, None],
        "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "memory_budget": [Interval(Integral, 1, None, closed="left"), str],
        "n_jobs": [Integral, None],
        "score_cache": [str, PathLike, None],
        "verbose": ["verbose", Progress],
    }

    def __init__(
        self,
        k: Any = "auto",
        *,
        threshold: float | None = None,
        percentile: float | None = None,
        task: Any = "regression",
        score_func: Any = None,
        discrete_features: Any = "auto",
        n_neighbors: int = 3,
        random_state: Any = None,
        memory_budget: int | str = "auto",
        n_jobs: int | None = None,
        score_cache: str | PathLike[str] | None = None,
        verbose: int | Progress = 0,
    ) -> None:
        self.k = k
        self.threshold = threshold
        self.percentile = percentile
        self.task = task
        self.score_func = score_func
        self.discrete_features = discrete_features
        self.n_neighbors = n_neighbors
        self.random_state = random_state
        self.memory_budget = memory_budget
        self.n_jobs = n_jobs
        self.score_cache = score_cache
        self.verbose = verbose

    @with_callbacks  # type: ignore[untyped-decorator]  # so is this
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
    def fit(self, X: Any, y: Any = None) -> "ParallelMutualInfoSelector":
        """Score every column of `X` against `y`.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
            The matrix. Neither copied nor changed.
        y : array-like of shape (n_samples,)
            The target; required, as the tags of the estimator say.

        Returns
        -------
        self : ParallelMutualInfoSelector
            The fitted selector.

        Raises
        ------
        ValueError
            If a parameter or the input breaks a rule; the message says which, and what to do.
        OSError
            If a file cannot be read or changed meanwhile.
        """
        self._forget_scores()
        matrix = self._matrix(X)
        check_k(self.k, matrix.shape[1])
        scorer = self._scorer(matrix, y)
        with progress_sinks(self, X, y) as sinks:
            results = score_columns(
                matrix,
                scorer,
                choose_executor(self.n_jobs, prefer=scorer.prefers),
                memory_budget=parse_memory(self.memory_budget),
                sinks=sinks,
                cache=None if self.score_cache is None else ScoreCache(self.score_cache),
            )
        self.scores_, self.pvalues_ = results["score"], results.get("pvalue")
        if self.k != 0 and (self.threshold is not None or self.percentile is not None):
            # `k` alone, unless it is 0, always keeps a column.
            self._warn_of_none_selected()
        return self

    def transform(self, X: Any) -> Any:
        """Keep the selected columns of `X`, in their order.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
            Of a lazy matrix the selected columns alone are read, by `n_jobs` threads within
            `memory_budget`, which the result counts towards.

        Returns
        -------
        X_selected : ndarray, sparse matrix or data frame of shape (n_samples, n_selected)
            A data frame where ``set_output`` asks for one.

        Raises
        ------
        ValueError
            If the selected columns of a lazy matrix exceed `memory_budget`; the message says what
            they need.
        """
        if not isinstance(X, LazyMatrix):
            return super().transform(X)
        check_is_fitted(self, "scores_")
        check_lazy_matrix(X, self, reset=False)
        self._warn_of_none_selected()
        return read_columns(
            X,
            self.get_support(indices=True),
            choose_executor(self.n_jobs, prefer="threads"),
            memory_budget=parse_memory(self.memory_budget),
            progress=progress_of(self.verbose),
        )

    def to_frame(self) -> Any:
        """Give the scores as a table, best first.

        Returns
        -------
        pandas.DataFrame of shape (n_features, 5)
            ``feature`` (the name, or x0, x1, ...), ``score``, ``selected``, ``rank`` (from 1 on)
            and ``index`` (of the column, from 0 on); and ``pvalue`` where a `score_func` gave any.
            Of equal scores the selected come first; a score that is NaN comes last.

        Raises
        ------
        ImportError
            If pandas is not installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skpar_select import ParallelMutualInfoSelector
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(200, 3))
        >>> y = X[:, 1] + X[:, 2] / 2
        >>> ParallelMutualInfoSelector(k=1, random_state=0).fit(X, y).to_frame().round(2)
          feature  score  selected  rank  index
        0      x1   0.74      True     1      1
        1      x2   0.02     False     2      2
        2      x0   0.00     False     3      0
        """
        check_is_fitted(self, "scores_")
        more = {} if self.pvalues_ is None else {"pvalue": self.pvalues_}
        return score_frame(_check_feature_names_in(self), self.scores_, self.get_support(), more)

    def _get_support_mask(self) -> BoolArray:
        check_is_fitted(self, "scores_")
        self._validate_params()  # the rules may have been changed since fit
        return select(self.scores_, k=self.k, threshold=self.threshold, percentile=self.percentile)

    def _validate_params(self) -> None:
        if callable(self.k):
            # scikit-learn's selectors take a function first.
            name = getattr(self.k, "__name__", repr(self.k))
            raise ValueError(
                f"k={name} is a function. The first argument of {type(self).__name__} is the number of "
                f"columns to keep. Write score_func={name}, or leave it out for mutual information."
            )
        super()._validate_params()

    def _forget_scores(self) -> None:
        # Should this fit fail, old scores must not stand beside new names.
        for name in ("scores_", "pvalues_"):
            self.__dict__.pop(name, None)

    def _matrix(self, X: Any) -> Matrix:
        if isinstance(X, LazyMatrix):
            check_lazy_matrix(X, self, reset=True)
            return X
        X = check_matrix(X, self)
        return as_matrix(X, getattr(self, "feature_names_in_", None))

    def _scorer(self, matrix: Matrix, y: Any) -> Scorer:
        n_samples, n_features = matrix.shape
        if self.score_func is not None:
            return FunctionScorer(self.score_func, y, n_samples)
        sparse = isinstance(matrix, SparseMatrix)
        scorer = MutualInformation(
            y,
            n_samples,
            task=self.task,
            discrete=DiscreteFeatures(self.discrete_features, n_features, sparse=sparse),
            n_neighbors=self.n_neighbors,
            random_state=self.random_state,
        )
        if self.task == "regression":
            warn_of_labels(y)
        return scorer

    def _warn_of_none_selected(self) -> None:
        if not self._get_support_mask().any():
            warn_of_none_selected(
                self.scores_, k=self.k, threshold=self.threshold, percentile=self.percentile
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse = True
        return tags
