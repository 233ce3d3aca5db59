"""From a source and a target to scores: the whole path, as one function."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions, validate_params

from skpar_select._blocks import bytes_per_column, plan_blocks
from skpar_select._execution import n_workers, run
from skpar_select._memory import parse_memory
from skpar_select._typing import Array, BoolArray, FloatArray, Progress, ScoreFunc, Task
from skpar_select._validation import (
    check_finite,
    check_matrix,
    check_n_neighbors,
    check_target,
    discrete_mask,
)
from skpar_select.kernels import mutual_information, prepare_target
from skpar_select.sources import LazyMatrix, Source, SparseSource, as_source


@dataclass(frozen=True)
class _Block:
    """What a worker is sent: the address of a block, and its place in the matrix."""

    source: Source
    columns: slice


def score_columns(
    source: Source,
    y: Any,
    *,
    task: Task,
    score_func: ScoreFunc | None,
    discrete_features: Any,
    n_neighbors: int,
    random_state: Any,
    memory_budget: int | str,
    n_jobs: int | None,
    progress: Progress | None = None,
) -> tuple[FloatArray, FloatArray | None]:
    """Score every column of a source against a target.

    Parameters
    ----------
    source : Source
        The matrix, of shape (n_samples, n_features).
    y : array-like of shape (n_samples,)
        The target.
    task : {"regression", "classification"}
        What `y` is.
    score_func : callable or None
        A function ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``; None for the
        package's own mutual information.
    discrete_features : {"auto"}, bool or array-like
        Which columns are discrete. Of the own kernel, as are the two that follow.
    n_neighbors : int
        The number of neighbours.
    random_state : int, RandomState instance or None
        Keys the noise that breaks ties.
    memory_budget : int or str
        The most that all workers may hold at a time.
    n_jobs : int or None
        The number of workers.
    progress : callable, default=None
        Called here as ``progress(n_done, n_total)``, in columns, after each finished block.

    Returns
    -------
    scores : ndarray of shape (n_features,)
        In nats, by the own kernel.
    pvalues : ndarray of shape (n_features,) or None
        Where `score_func` gives them.
    """
    n_samples, n_features = source.shape
    budget = parse_memory(memory_budget)
    target = check_target(y, n_samples, task=task, score_func=score_func)
    scorer: Any
    if score_func is not None:
        scorer = partial(_score_by_function, score_func, target)
    else:
        options = (discrete_features, n_neighbors, random_state)
        scorer = _kernel_scorer(source, target, task, *options)
    if source.in_memory:
        check_finite(source.native(), names=source.feature_names, where=source.where)
    blocks = plan_blocks(
        n_features=n_features,
        bytes_per_column=bytes_per_column(
            n_samples=n_samples,
            itemsize=source.dtype.itemsize,
            in_memory=source.in_memory,
            blocks_are_views=source.blocks_are_views,
            score_func=score_func is not None,
        ),
        bytes_per_worker=source.buffer_bytes,
        chunk_columns=source.chunk_columns,
        n_workers=n_workers(n_jobs),
        memory_budget=budget,
    )
    finished = run(
        scorer,
        (_Block(source.part(columns), columns) for columns in blocks),
        n_jobs=n_jobs,
        prefer="threads" if score_func is None else "processes",
    )
    return _assemble(finished, blocks, n_features, progress)


def _assemble(
    finished: Iterator[tuple[int, tuple[FloatArray, FloatArray | None]]],
    blocks: list[slice],
    n_features: int,
    progress: Progress | None,
) -> tuple[FloatArray, FloatArray | None]:
    scores, pvalues = np.full(n_features, np.nan), np.full(n_features, np.nan)
    n_filled, n_pvalues = np.zeros(n_features, dtype=np.intp), 0
    for index, (block_scores, block_pvalues) in finished:
        columns = blocks[index]
        scores[columns] = block_scores
        n_filled[columns] += 1
        if block_pvalues is not None:
            pvalues[columns] = block_pvalues
            n_pvalues += len(block_pvalues)
        if progress is not None:
            progress(int(n_filled.sum()), n_features)
    if not (n_filled == 1).all():
        raise RuntimeError(
            f"{np.count_nonzero(n_filled != 1)} of {n_features} columns were not scored exactly "
            "once. The pool must give every block once. Run again with n_jobs=1, and report this."
        )
    if n_pvalues not in (0, n_features):
        raise ValueError(
            f"score_func gave p-values for {n_pvalues} of {n_features} columns. It must give them "
            "for all or for none. Return (scores, pvalues) for every block."
        )
    return scores, pvalues if n_pvalues else None


def _kernel_scorer(
    source: Source,
    target: Array,
    task: Task,
    discrete_features: Any,
    n_neighbors: int,
    random_state: Any,
) -> Any:
    n_samples, n_features = source.shape
    mask = discrete_mask(discrete_features, n_features, sparse=isinstance(source, SparseSource))
    discrete_target = task == "classification"
    if not (discrete_target and mask.all()):
        # Of discrete pairs no distance is taken, so that any number will do.
        check_n_neighbors(n_neighbors, n_samples)
    codes = np.unique(target, return_inverse=True)[1] if discrete_target else None
    seed = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    prepared = prepare_target(
        target.astype(np.float64) if codes is None else codes,
        discrete=discrete_target,
        n_neighbors=max(1, min(n_neighbors, n_samples - 1)),
        seed=seed,
    )
    return partial(_score_by_kernel, prepared, mask)


def _score_by_kernel(target: Any, mask: BoolArray, block: _Block) -> tuple[FloatArray, None]:
    columns, values = block.columns, block.source.read(slice(None))
    _check_block(values, block)
    scores = mutual_information(values, target, discrete=mask[columns], first_column=columns.start)
    return scores, None


def _score_by_function(
    score_func: ScoreFunc, y: Array, block: _Block
) -> tuple[FloatArray, FloatArray | None]:
    values = block.source.native()
    _check_block(values, block)
    result = score_func(_portable(values), y)
    pvalues: Any = None
    if isinstance(result, tuple) or (isinstance(result, list) and np.ndim(result[:1]) > 1):
        if len(result) != 2:
            raise ValueError(
                f"score_func={_name(score_func)} returned {len(result)} things. It must return "
                "scores or (scores, pvalues). Wrap it in a function that does."
            )
        result, pvalues = result
    width = block.columns.stop - block.columns.start
    scores = _checked(result, width, score_func, "scores")
    return scores, None if pvalues is None else _checked(pvalues, width, score_func, "pvalues")


def _checked(values: Any, width: int, score_func: ScoreFunc, what: str) -> FloatArray:
    array = np.asarray(values)
    if array.shape != (width,) or array.dtype.kind not in "biuf":
        raise ValueError(
            f"score_func={_name(score_func)} returned {what} of shape {array.shape} and type "
            f"{array.dtype} for a block of {width} columns, expected shape ({width},) and "
            "numbers. It must return one number for each column. Correct the function."
        )
    return array.astype(np.float64)


def _check_block(values: Any, block: _Block) -> None:
    # What is in memory was checked before the work began.
    if not block.source.in_memory:
        source, first = block.source, block.columns.start
        check_finite(values, names=source.feature_names, first_column=first, where=source.where)


def _portable(values: Any) -> Any:
    """Give the block in a type that scikit-learn's functions take: native, at least float32."""
    dtype = values.dtype
    if dtype.kind == "f":
        dtype = np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    return values.astype(dtype.newbyteorder("="), copy=False)


def _name(score_func: ScoreFunc) -> str:
    function = getattr(score_func, "func", score_func)
    return str(getattr(function, "__qualname__", repr(function)))


_CONSTRAINTS: dict[str, list[Any]] = {
    "X": ["array-like", "sparse matrix", LazyMatrix],
    "y": ["array-like"],
    "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
    "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    "copy": ["boolean"],
    "random_state": ["random_state"],
    "n_jobs": [Integral, None],
}


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
def mutual_info_regression(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    n_neighbors: int = 3,
    copy: bool = True,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> FloatArray:
    """Estimate mutual information with a continuous target.

    A drop-in for scikit-learn's function of this name, which takes lazy matrices too.

    Parameters
    ----------
    X : array-like, sparse matrix or LazyMatrix of shape (n_samples, n_features)
        The matrix. Never written into.
    y : array-like of shape (n_samples,)
        The target, of real numbers.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,); or
        column indices. ``"auto"`` is all for a sparse matrix and none for any other.
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

    Returns
    -------
    mi : ndarray of float64 of shape (n_features,)
        In nats, at least 0.

    Raises
    ------
    ValueError
        If `X` or `y` is not finite, their lengths differ, `n_neighbors` is too large, or
        `discrete_features` does not fit the columns, which is an IndexError too.

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
    return _estimate(X, y, "regression", discrete_features, n_neighbors, random_state, n_jobs)


@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]  # scikit-learn is untyped
def mutual_info_classif(
    X: Any,
    y: Any,
    *,
    discrete_features: Any = "auto",
    n_neighbors: int = 3,
    copy: bool = True,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> FloatArray:
    """Estimate mutual information with class labels.

    A drop-in for scikit-learn's function of this name, which takes lazy matrices too.

    Parameters
    ----------
    X : array-like, sparse matrix or LazyMatrix of shape (n_samples, n_features)
        The matrix. Never written into.
    y : array-like of shape (n_samples,)
        The class labels, of any type.
    discrete_features : {"auto"}, bool or array-like, default="auto"
        Which columns are discrete: all or none; a boolean mask of shape (n_features,); or
        column indices. ``"auto"`` is all for a sparse matrix and none for any other.
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

    Returns
    -------
    mi : ndarray of float64 of shape (n_features,)
        In nats, at least 0.

    Raises
    ------
    ValueError
        If `X` is not finite, `y` holds no labels, their lengths differ, `n_neighbors` is too
        large, or `discrete_features` does not fit the columns, which is an IndexError too.

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
    return _estimate(X, y, "classification", discrete_features, n_neighbors, random_state, n_jobs)


def _estimate(
    X: Any,
    y: Any,
    task: Task,
    discrete_features: Any,
    n_neighbors: int,
    random_state: Any,
    n_jobs: int | None,
) -> FloatArray:
    scores, _ = score_columns(
        as_source(X if isinstance(X, Source) else check_matrix(X)),
        y,
        task=task,
        score_func=None,
        discrete_features=discrete_features,
        n_neighbors=n_neighbors,
        random_state=random_state,
        memory_budget="auto",
        n_jobs=n_jobs,
    )
    return scores
