"""Any function of scikit-learn's form as a scorer."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from sklearn.utils import check_random_state

from skpar_select._cached import CachedProperty
from skpar_select._finite import check_finite, count_non_finite
from skpar_select._typing import FloatArray, Index, IndexArray, Prefer, Result, ScoreFunc
from skpar_select._validation import least_observed
from skpar_select.planning import Needs
from skpar_select.scoring._function_identity import identity_of
from skpar_select.scoring._permuted import PermutedTarget, permutation_log_pvalues
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._targets import TargetGroup, Targets

# scikit-learn's mutual information peaks at 8.0 times a float32 block (measured), that is at
# four arrays of float64; no other function of its form was seen above that.
COPIES = 4

# As wide as may be: f_regression took 79 ms for 2,000 x 20,000 in one block, 118 ms in blocks of
# 2,000, and 157 in blocks of 500, in row-major order; a call takes 0.3 ms, whatever the block.
FEWEST_COLUMNS = 2**31

# A block with one strong column takes as many calls as there are permutations. So many columns of
# 2,000 samples took f_regression 12 s with up to 10,000 permutations, 22 with three strong ones.
# Wider blocks would save little of that, and nothing is seen or stored before the first is done.
FEWEST_PERMUTED_COLUMNS = 2**14

# The block in double precision, and the columns that remain of it, twice while they become fewer.
PERMUTED_COPIES = 3

# Of the smallest positive float64, 2**-1074. Not calculated from it: some libraries set the
# processor to take it for 0.
_LEAST_LOG_PVALUE = -1074 * np.log(2)

# A p-value may be above 1 by rounding.
_ROUNDING = 1e-9


class FunctionScorer(Scorer):
    """Scores blocks by a function ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``.

    The target reaches it in the type that it was given in. Results are ``score`` and, where the
    function gives p-values, their natural logarithm ``log_pvalue``.

    Parameters
    ----------
    score_func : callable
    targets : Targets
    min_observed : int, float or None, default=None
        Unless it is None, NaN is missing: columns with fewer values, or a smaller share, are not
        scored. The function gets NaN where a value is missing.
    n_permutations : int, default=0
        Above 0, ``log_pvalue`` comes from so many permutations of the target at most, and not
        from the function: larger scores are better.
        Blocks are in double precision then, so that no rounding passes for a better score.
    strata : ndarray of int of shape (n_samples,) or None, default=None
        Samples are permuted within these.
    random_state : int, RandomState instance or None, default=None
        Keys the permutations.
    """

    prefers: ClassVar[Prefer] = "either"
    takes_sparse: ClassVar[bool] = True

    def __init__(
        self,
        score_func: ScoreFunc,
        targets: Targets,
        *,
        min_observed: int | float | None = None,
        n_permutations: int = 0,
        strata: IndexArray | None = None,
        random_state: Any = None,
    ) -> None:
        self.score_func = score_func
        self._targets = targets
        self._least = [least_observed(min_observed, group.n_samples) for group in targets.groups]
        self._min_observed = min_observed
        self._omits = min_observed is not None
        self._n_permutations = n_permutations
        self._strata = strata
        self._random_state = random_state

    @CachedProperty
    def seed(self) -> int:
        """Keys the permutations."""
        return int(check_random_state(self._random_state).randint(np.iinfo(np.int32).max))

    def prepare(self) -> None:
        """Draw the seed, if permutations need one."""
        if self._n_permutations:
            self.seed  # noqa: B018  # which keeps it

    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Count the targets, and the copies that functions make."""
        n_targets, permutes = len(self._targets), self._n_permutations > 0
        return Needs(
            shared_bytes=100 * n_samples * n_targets,
            # Permuted: the target, the order of strata, random numbers, and places by them.
            worker_bytes=100 * n_samples * permutes,
            value_bytes=8 * (COPIES + PERMUTED_COPIES * permutes),
            fewest_columns=FEWEST_PERMUTED_COLUMNS if permutes else FEWEST_COLUMNS,
            result_bytes=24 * n_targets * (1 + self._omits),
        )

    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block by the function, for one target after the other."""
        check_finite(values, columns, allow_nan=self._omits)
        values = _in_double(values) if self._n_permutations else _portable(values)
        results: dict[str, FloatArray] = {}
        for group, least in zip(self._targets.groups, self._least, strict=True):
            block = group.select(values)
            n_observed = group.n_samples - count_non_finite(block)[0] if self._omits else None
            for position, target in zip(group.positions, group.values, strict=True):
                scored = self._score_observed(block, target, n_observed, least)
                if n_observed is not None:
                    scored["n_observed"] = n_observed.astype(np.float64)
                if self._n_permutations:
                    key = self.seed, position
                    scored["log_pvalue"] = self._log_pvalues(
                        block, PermutedTarget(target, self._strata_of(group), key), scored["score"]
                    )
                for name, numbers in scored.items():
                    shape = len(columns), len(self._targets)
                    results.setdefault(name, np.full(shape, np.nan))[:, position] = numbers
        if self._targets.several:
            return results
        return {name: numbers[:, 0] for name, numbers in results.items()}

    def fingerprint_parts(self) -> Iterator[tuple[str, Any]] | None:
        """Yield the targets and the code of the function, or None where that is not known."""
        identity = identity_of(self.score_func)
        if identity is None:
            return None
        yielded = [("score_func", part) for part in identity]
        yielded += [("target", part) for part in self._targets.fingerprint_parts()]
        yielded += [("min_observed", self._min_observed), ("n_permutations", self._n_permutations)]
        if self._n_permutations:
            yielded += [("strata", self._strata), ("random_state", str(self.seed).encode())]
        return iter(yielded)

    def _strata_of(self, group: TargetGroup) -> IndexArray | None:
        return None if self._strata is None else group.select(self._strata)

    def _log_pvalues(
        self, block: Any, permuted: PermutedTarget, observed: FloatArray
    ) -> FloatArray:
        return permutation_log_pvalues(
            block,
            permuted,
            lambda columns, target: self._score(columns, target)["score"],
            observed,
            self._n_permutations,
        )

    def _score_observed(
        self, block: Any, target: Any, n_observed: IndexArray | None, least: int | None
    ) -> dict[str, FloatArray]:
        """Score the columns that have enough values; the function sees no others."""
        if n_observed is None or least is None or (n_observed >= least).all():
            return self._score(block, target)
        enough = np.flatnonzero(n_observed >= least)
        results = {"score": np.full(block.shape[1], np.nan)}
        if len(enough):
            for name, numbers in self._score(block[:, enough], target).items():
                results.setdefault(name, np.full(block.shape[1], np.nan))[enough] = numbers
        return results

    def _score(self, block: Any, target: Any) -> dict[str, FloatArray]:
        width = block.shape[1]
        result = self.score_func(block, target)
        if not isinstance(result, tuple) and not (
            isinstance(result, list) and np.ndim(result[:1]) > 1
        ):
            return {"score": self._checked(result, width, "scores")}
        if len(result) != 2:
            raise ValueError(
                f"score_func={self._name} returned {len(result)} things. It must return "
                "scores or (scores, pvalues). Wrap it in a function that does."
            )
        scores, pvalues = result
        checked = {"score": self._checked(scores, width, "scores")}
        # A function that can give p-values may say that it has none.
        if pvalues is not None and not self._n_permutations:
            checked["log_pvalue"] = self._logarithms(self._checked(pvalues, width, "pvalues"))
        return checked

    def _logarithms(self, pvalues: FloatArray) -> FloatArray:
        """Take the logarithms of p-values; NaN, of no test, stays."""
        is_outside = (pvalues < 0) | (pvalues > 1 + _ROUNDING)
        if is_outside.any():
            raise ValueError(
                f"score_func={self._name} returned the p-value {pvalues[is_outside][0]}, expected "
                "numbers from 0 to 1, or NaN for no test. If the second result is no p-value, wrap "
                "the function in one that returns the scores alone."
            )
        logarithms = np.full(pvalues.shape, _LEAST_LOG_PVALUE)
        np.log(np.minimum(pvalues, 1.0), out=logarithms, where=pvalues != 0)
        return logarithms

    def _checked(self, values: Any, width: int, what: str) -> FloatArray:
        array = np.asarray(values)
        if array.shape != (width,) or array.dtype.kind not in "biuf":
            raise ValueError(
                f"score_func={self._name} returned {what} of shape {array.shape} and type "
                f"{array.dtype} for a block of {width} columns, expected shape ({width},) and "
                "numbers. It must return one number for each column. Correct the function."
            )
        return array.astype(np.float64)

    @property
    def _name(self) -> str:
        # A functools.partial names the function that it wraps.
        function = getattr(self.score_func, "func", self.score_func)
        return str(getattr(function, "__qualname__", repr(function)))


def _in_double(values: Any) -> Any:
    """Return the block in the widest type of its kind, which scikit-learn scores in float64.

    In float32 the sums of `f_classif` over 5,000 values of 0.8 and 0.82 made equal scores differ by
    seven times their size, and by whether the block lies by rows or by columns, so that observed
    and permuted scores would not be of one kind.
    """
    kind = values.dtype.kind
    return values.astype(f"{kind}8" if kind in "fiu" else values.dtype, copy=False)


def _portable(values: Any) -> Any:
    """Return the block in a type that scikit-learn's functions take: native, at least float32."""
    dtype = values.dtype
    if dtype.kind == "f":
        dtype = np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    return values.astype(dtype.newbyteorder("="), copy=False)
