"""What each parameter may be, in the words of scikit-learn's validation."""

from numbers import Integral, Real
from os import PathLike
from typing import Any

from sklearn.utils._param_validation import HasMethods, Interval, Options, RealNotInt, StrOptions

from skpar_select.execution import Executor
from skpar_select.scoring import Progress, ScoreStore
from skpar_select.significance import MOST_NEIGHBORS


def _one_of(*options: str) -> StrOptions:
    # A set that keeps its order, so that every error lists them alike.
    return StrOptions(dict.fromkeys(options).keys())


_POSITIVE = Interval(Integral, 1, None, closed="left")
_SHARE = Interval(RealNotInt, 0, 1, closed="right")

_RATE = Interval(Real, 0, 1, closed="right")

_OF_BOTH: dict[str, Any] = {
    "n_neighbors": [_POSITIVE],
    "marginals": [_one_of("raw", "rank")],
    "random_state": ["random_state"],
    "n_jobs": [Integral, None],
}

OF_FUNCTIONS: dict[str, Any] = {
    "X": "no_validation",  # it is checked with more kinds of matrices in mind
    "y": ["array-like"],
    "discrete_features": [_one_of("auto"), "boolean", "array-like"],
    "copy": ["boolean"],
    **_OF_BOTH,
}

_OF_TESTS: dict[str, Any] = {
    # Of more the null is not tabulated.
    "test_neighbors": [_one_of("auto"), Interval(Integral, 1, MOST_NEIGHBORS, closed="both")],
}

OF_CLASSIF_TEST: dict[str, Any] = {**OF_FUNCTIONS, **_OF_TESTS}

OF_REGRESSION_TEST: dict[str, Any] = {**OF_CLASSIF_TEST, "test": [_one_of("mi", "combined")]}

OF_SELECTOR: dict[str, Any] = {
    "k": [_one_of("all", "auto"), Interval(Integral, 0, None, closed="left"), _SHARE],
    "threshold": [Interval(Real, None, None, closed="neither"), None],
    "percentile": [Interval(Real, 0, 100, closed="both"), None],
    "fdr": [_RATE, None],
    "fwer": [_RATE, None],
    "fpr": [_RATE, None],
    "fdr_method": [_one_of("bh", "by")],
    "task": [_one_of("regression", "classification")],
    "score_func": [callable, None],
    "discrete_features": [_one_of("auto", "from_dtype"), "boolean", "array-like", callable],
    "missing": [_one_of("raise", "omit", "skip")],
    "min_observed": [_POSITIVE, _SHARE],
    "aggregate": [_one_of("max", "mean")],
    "pvalues": ["boolean"],
    "test": [_one_of("mi", "combined")],
    "n_permutations": [Interval(Integral, 0, None, closed="left")],
    "covariate_knots": [Options(Integral, {0}), Interval(Integral, 3, None, closed="left")],
    "memory_budget": [_POSITIVE, str],
    "executor": [HasMethods("submit"), Executor, None],
    "store": [str, PathLike, ScoreStore, None],
    "verbose": ["verbose", Progress],
    **_OF_BOTH,
    **_OF_TESTS,
}
