"""The selector: it stores parameters, has the columns scored, and decides which to keep."""

import warnings
from os import PathLike
from typing import Any, ClassVar, Literal

from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted

from skpar_select._inputs import asks_for_dtypes, columns_of_frame
from skpar_select._memory import parse_memory
from skpar_select._outcome import HasScores, Outcome
from skpar_select._parameters import OF_SELECTOR
from skpar_select._pools import SharesExecutor
from skpar_select._problem import Problem, scorer_of
from skpar_select._typing import (
    Aggregate,
    FdrMethod,
    FloatArray,
    Marginals,
    Missing,
    TestOf,
)
from skpar_select._validation import (
    check_k_is_no_function,
    check_lazy_matrix,
)
from skpar_select.execution import choose_executor
from skpar_select.matrices import held_matrix
from skpar_select.scoring import (
    CallbackSupportMixin,
    Progress,
    Scorer,
    ScoreStore,
    open_store,
    progress_of,
    progress_sinks,
    score_columns,
    with_callbacks,
)
from skpar_select.tables import data_frame, read_columns


class ParallelMutualInfoSelector(HasScores, SharesExecutor, CallbackSupportMixin, BaseEstimator):
    """Keep the columns that share most mutual information with a target.

    Every column is scored alone, in parallel over blocks of columns, from memory or streamed
    from a file. A score depends on nothing but the column, the target, the parameters and the
    seed: not on the number of workers, the width of a block or the container.

    Parameters
    ----------
    k : int, float, "all" or "auto", default="auto"
        How many columns to keep: a number; a fraction of them in (0, 1], rounded to the nearest
        number and up to 1; ``"all"``; or ``"auto"``: 10 without another rule, else no limit.
    threshold : float, default=None
        The least score to keep, in nats by the built-in kernel.
    percentile : float, default=None
        The percentage of best scores to keep, in [0, 100]. Of `k`, `threshold`,
        `percentile`, `fdr`, `fwer` and `fpr`, all that are given must hold.
    fdr : float, default=None
        The share of false columns among those that are kept, on average, at most: their q-values are at
        most `fdr`.
    fwer : float, default=None
        The probability that any false column is kept, at most (Bonferroni).
    fpr : float, default=None
        The probability that a column that tells nothing is kept, at most: p-values are below `fpr`.
    fdr_method : {"bh", "by"}, default="bh"
        How q-values are computed: after Benjamini and Hochberg, which holds for columns that are independent
        or positively related, or after Benjamini and Yekutieli, whatever their relations, at
        a cost of power.
    task : {"regression", "classification"}, default="regression"
        Whether the target is a number or a class label. Never guessed: integer ages are not
        classes.
    score_func : callable, default=None
        None for the package's own mutual information. Otherwise a function of scikit-learn's
        form, ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``, which gets `y` as it was
        given and blocks of columns, and sees no more than these. `task`, `discrete_features`,
        `n_neighbors`, `marginals` and `random_state` do not reach it: use :func:`functools.partial`.
    discrete_features : {"auto", "from_dtype"}, bool, array-like or callable, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,); column
        indices; names; or a function of `X` that gives one of these, such as
        :func:`sklearn.compose.make_column_selector`. ``"auto"`` is all for a sparse matrix, in
        memory or in a file, and none for any other. ``"from_dtype"`` is the columns of a data frame
        that are of bools or categories, text categories included, and all of a matrix of bools.
    missing : {"raise", "omit", "skip"}, default="raise"
        What NaN means. ``"raise"``: an error that counts them. ``"omit"``: each column is scored on
        the samples where it and the target are there, exactly as if these were all (pairwise
        deletion). ``"skip"``: the same for the target, but a column that lacks a value is not
        scored. A score that is not taken is NaN and ranks last. Infinity is always an error. A
        `score_func` gets the columns as they are, less those that are not scored.
    min_observed : int or float, default=0.5
        With ``missing="omit"``, the fewest samples that a column must have to be scored: a number,
        or a share of the samples with a target, in (0, 1].
    aggregate : {"max", "mean"}, default="max"
        How the scores of several targets become the score that decides. A score that is NaN does
        not count.
    n_neighbors : int, default=3
        The number of neighbours by which densities are estimated, below n_samples.
    marginals : {"raw", "rank"}, default="raw"
        Whether quantities are scored as they are, with scikit-learn's numbers, or by their ranks, of
        ties broken at random. Then no outlier squeezes the others, a column or target passed through
        a function that keeps the order has the same scores, to the last bit, and there is `rho_`.
        Discrete columns and class labels stay as they are.
    pvalues : bool, default=False
        Whether p-values are computed even where no rule asks for them.
    test : {"mi", "combined"}, default="mi"
        What p-values are of: of the mutual information of ranks, whose null does not depend on
        distributions; or, for quantities, ``"combined"``: twice the smaller of that and the p-value of `rho_`,
        which finds weak monotonic relations, too.
    test_neighbors : int or "auto", default="auto"
        The neighbours of the test. More find more, but for fine structure. ``"auto"`` is 3
        below 100 samples, else the root of their number, at most 30.
    n_permutations : int, default=0
        With `score_func`, p-values by so many permutations of the target at most; a column that tells
        nothing stops after some tens.
    covariate_knots : int, default=0
        The knots of the cubic splines by which each covariate is regressed out, from 3 on, at its quantiles;
        0 is a straight line.
    random_state : int, RandomState instance or None, default=None
        Keys the tiny noise that breaks ties, and permutations. An int gives the same in every fit.
    memory_budget : int or str, default="auto"
        The most that reading and scoring may hold at a time over all workers, in bytes or as
        text such as ``"2GB"``. ``"auto"`` is a quarter of the available memory.
    n_jobs : int or None, default=None
        The number of workers. None means 1 unless a ``joblib.parallel_config`` surrounds the
        call; -1 means all processors. Inside an outer pool, as in a grid search, it is at most
        what that leaves. They are threads; a `score_func` that keeps Python's lock for longer than
        2 seconds goes on in processes.
    executor : concurrent.futures.Executor, distributed.Client, RayExecutor or None, default=None
        Where blocks are scored instead: a pool of Python's, loky's or MPI's, or a cluster of Dask or
        Ray. `n_jobs` is then how many at a time; None is as many as it has workers, and
        `memory_budget` is for each host. Clones share it, and a pickle leaves it behind.
    store : str, path-like, ScoreStore or None, default=None
        A folder where finished blocks are kept, by the content of matrix and target and the parameters
        that matter. A fit that was stopped goes on from there, whatever `n_jobs`, `memory_budget` or
        `executor`; a second one, and a grid search over the rules, score nothing again. It holds at
        most 1 GiB; entries that were used longest ago go first. With `random_state` None
        it keeps and takes the scores of ``random_state=0``. Results of a `score_func` are kept
        if it is one of an installed package. None keeps nothing.
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
        The p-values, where they are asked for or `score_func` gives them; of several targets the smallest,
        times their number, which is valid however they depend on each other (Bonferroni). Below
        1e-6 they are extrapolated.
    log_pvalues_ : ndarray of shape (n_features,) or None
        Their natural logarithms, which stay apart where `pvalues_` are 0.
    log_pvalues_by_target_ : ndarray of shape (n_targets, n_features) or None
        Those for each target, before they are joined, where `y` has two dimensions.
    qvalues_ : ndarray of shape (n_features,) or None
        The least `fdr` that keeps each column, by `fdr_method`.
    noise_floor_ : ndarray of shape (n_features,), or (n_targets, n_features), or None
        With p-values of the built-in scores, the score that noise exceeds in one of n_features such columns.
    scores_by_target_ : ndarray of shape (n_targets, n_features) or None
        The scores for each target, where `y` has two dimensions.
    n_observed_ : ndarray of int of shape (n_features,), or (n_targets, n_features)
        How many samples each score rests on; for each target where `y` has two dimensions.
    rho_ : ndarray of shape (n_features,), or (n_targets, n_features), or None
        Spearman's rank correlations, from -1 to 1, of the very ranks that were scored or tested, where
        the target is a number and `marginals="rank"` or there are p-values; for each target where `y`
        has two dimensions. NaN of discrete and of constant columns, and where there is no score.
    target_names_ : list of str or None
        The columns of `y`, where it is a data frame.
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
    Changing a rule, from `k` to `fdr_method`, after `fit` changes the selection; nothing is scored
    again. Of equal scores at the border of the best `k`, the highest column index wins.

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

    _parameter_constraints: ClassVar[dict[str, Any]] = OF_SELECTOR

    def __init__(
        self,
        k: Any = "auto",
        *,
        threshold: float | None = None,
        percentile: float | None = None,
        fdr: float | None = None,
        fwer: float | None = None,
        fpr: float | None = None,
        fdr_method: FdrMethod = "bh",
        task: Any = "regression",
        score_func: Any = None,
        discrete_features: Any = "auto",
        missing: Missing = "raise",
        min_observed: int | float = 0.5,
        aggregate: Aggregate = "max",
        n_neighbors: int = 3,
        marginals: Marginals = "raw",
        pvalues: bool = False,
        test: TestOf = "mi",
        test_neighbors: int | Literal["auto"] = "auto",
        n_permutations: int = 0,
        covariate_knots: int = 0,
        random_state: Any = None,
        memory_budget: int | str = "auto",
        n_jobs: int | None = None,
        executor: Any = None,
        store: str | PathLike[str] | ScoreStore | None = None,
        verbose: int | Progress = 0,
    ) -> None:
        self.k = k
        self.threshold = threshold
        self.percentile = percentile
        self.fdr = fdr
        self.fwer = fwer
        self.fpr = fpr
        self.fdr_method = fdr_method
        self.task = task
        self.score_func = score_func
        self.discrete_features = discrete_features
        self.missing = missing
        self.min_observed = min_observed
        self.aggregate = aggregate
        self.n_neighbors = n_neighbors
        self.marginals = marginals
        self.pvalues = pvalues
        self.test = test
        self.test_neighbors = test_neighbors
        self.n_permutations = n_permutations
        self.covariate_knots = covariate_knots
        self.random_state = random_state
        self.memory_budget = memory_budget
        self.n_jobs = n_jobs
        self.executor = executor
        self.store = store
        self.verbose = verbose

    @with_callbacks  # type: ignore[untyped-decorator]  # so is this
    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
    def fit(
        self, X: Any, y: Any = None, *, strata: Any = None, covariates: Any = None
    ) -> "ParallelMutualInfoSelector":
        """Score every column of `X` against `y`.

        Parameters
        ----------
        X : array-like, sparse matrix, data frame or LazyMatrix of shape (n_samples, n_features)
            The matrix. Neither copied nor changed. An ``h5py.Dataset``, a Zarr or dask array and an
            AnnData object are read as :func:`open_matrix` reads them.
        y : array-like of shape (n_samples,) or (n_samples, n_targets)
            The target, or several, each scored for itself in one pass over the columns; required. Of a
            series or frame of pandas whose index holds the sample ids of a lazy matrix, the rows are
            matched by id.
        strata : array-like of shape (n_samples,) or (n_samples, n_columns), default=None
            Labels, such as batch and sex, within which columns are scored; a score is the mean over the
            strata, weighted by their samples. Of several columns each combination is a stratum.
        covariates : array-like of shape (n_samples,) or (n_samples, n_covariates), default=None
            Numbers that are regressed out of target and columns, within strata, before these are scored.
            Equal values are set apart at random first, which would else be in the order of a covariate.

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
        for name in Outcome._fields:
            # Should this fit fail, old scores must not stand beside new names.
            self.__dict__.pop(name, None)
        problem = Problem.of(self, X, y, strata, covariates)
        with progress_sinks(self, X, y) as sinks:
            results = self._score(problem, sinks=sinks)
        self._keep(results, problem.targets.facts)
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
            A data frame where ``set_output`` asks for one, or ``discrete_features="from_dtype"``
            and `X` is one. That of a lazy matrix has its sample ids for the index.

        Raises
        ------
        ValueError
            If the selected columns of a lazy matrix exceed `memory_budget`; the message says what
            they need.
        """
        check_is_fitted(self, "scores_")
        held = held_matrix(X)
        if held is None:
            if asks_for_dtypes(self.discrete_features) and hasattr(X, "columns"):
                # Categories stay what they are: their codes in another frame may be others.
                return columns_of_frame(X, self.get_support(indices=True), estimator=self)
            with warnings.catch_warnings():
                # scikit-learn's warning of the same event does not say why.
                warnings.filterwarnings("ignore", "No features were selected")
                selected = super().transform(X)
            self._warn_of_none_selected()
            return selected
        check_lazy_matrix(held, self, reset=False)
        self._warn_of_none_selected()
        values = read_columns(
            held,
            self.get_support(indices=True),
            choose_executor(self.n_jobs, prefer="threads"),
            memory_budget=parse_memory(self.memory_budget),
            progress=progress_of(self.verbose),
            allow_nan=self.missing != "raise",
        )
        # scikit-learn's own wrapping takes the index of a data frame alone.
        wanted = _get_output_config("transform", self)["dense"]
        return data_frame(values, held.sample_ids) if wanted == "pandas" else values

    def _validate_params(self) -> None:
        check_k_is_no_function(self.k, parameter="score_func")
        super()._validate_params()

    def _score(self, problem: Problem, **more: Any) -> dict[str, FloatArray]:
        matrix, scorer, _ = problem
        executor = choose_executor(self.n_jobs, prefer=scorer.prefers, engine=self.executor)
        budget, store = parse_memory(self.memory_budget), open_store(self.store)
        return score_columns(matrix, scorer, executor, memory_budget=budget, store=store, **more)

    def _scorer(self, *checked: Any) -> Scorer:
        return scorer_of(self, *checked)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.missing != "raise"
        return tags
