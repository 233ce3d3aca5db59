"""Any function of scikit-learn's form as a scorer."""

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from skpar_select._finite import check_finite, count_non_finite
from skpar_select._typing import FloatArray, Index, IndexArray, Prefer, Result, ScoreFunc
from skpar_select._validation import least_observed
from skpar_select.planning import Needs
from skpar_select.scoring._function_identity import identity_of
from skpar_select.scoring._scorer import Scorer
from skpar_select.scoring._targets import Targets

# scikit-learn's mutual information peaks at 8.0 times a float32 block (measured), that is at
# four arrays of float64; no other function of its form was seen above that.
COPIES = 4

# As wide as may be: f_regression took 79 ms for 2,000 x 20,000 in one block, 118 ms in blocks of
# 2,000, and 157 in blocks of 500, in row-major order; a call takes 0.3 ms, whatever the block.
FEWEST_COLUMNS = 2**31


class FunctionScorer(Scorer):
    """Scores blocks by a function ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``.

    The target reaches it in the type that it was given in.
    """

    prefers: ClassVar[Prefer] = "either"
    takes_sparse: ClassVar[bool] = True

    def __init__(
        self,
        score_func: ScoreFunc,
        targets: Targets,
        *,
        min_observed: int | float | None = None,
    ) -> None:
        self.score_func = score_func
        self._targets = targets
        self._least = [least_observed(min_observed, group.n_samples) for group in targets.groups]
        self._min_observed = min_observed
        self._omits = min_observed is not None

    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Count the targets, and the copies that functions make."""
        n_targets = len(self._targets)
        return Needs(
            shared_bytes=100 * n_samples * n_targets,
            value_bytes=8 * COPIES,
            fewest_columns=FEWEST_COLUMNS,
            result_bytes=24 * n_targets * (1 + self._omits),
        )

    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block by the function, for one target after the other."""
        check_finite(values, columns, allow_nan=self._omits)
        values = _portable(values)
        results: dict[str, FloatArray] = {}
        for group, least in zip(self._targets.groups, self._least, strict=True):
            block = group.select(values)
            n_observed = group.n_samples - count_non_finite(block)[0] if self._omits else None
            for position, target in zip(group.positions, group.values, strict=True):
                scored = self._score_observed(block, target, n_observed, least)
                if n_observed is not None:
                    scored["n_observed"] = n_observed.astype(np.float64)
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
        return iter([*yielded, ("min_observed", self._min_observed)])

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
        if pvalues is not None:
            checked["pvalue"] = self._checked(pvalues, width, "pvalues")
        return checked

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


def _portable(values: Any) -> Any:
    """Return the block in a type that scikit-learn's functions take: native, at least float32."""
    dtype = values.dtype
    if dtype.kind == "f":
        dtype = np.dtype(np.float64 if dtype.itemsize > 4 else np.float32)
    return values.astype(dtype.newbyteorder("="), copy=False)
