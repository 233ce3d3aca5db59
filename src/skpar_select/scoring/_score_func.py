"""Any function of scikit-learn's form as a scorer."""

from typing import Any, ClassVar

import numpy as np

from skpar_select._finite import check_finite
from skpar_select._typing import FloatArray, Index, Prefer, Result, ScoreFunc
from skpar_select._validation import check_target
from skpar_select.planning import Needs
from skpar_select.scoring._scorer import Scorer

# scikit-learn's mutual information peaks at 8.0 times a float32 block (measured), that is at
# four arrays of float64; no other function of its form was seen above that.
COPIES = 4


class FunctionScorer(Scorer):
    """Scores blocks by a function ``(X_block, y) -> scores`` or ``-> (scores, pvalues)``.

    The target reaches it in the type that it was given in.
    """

    prefers: ClassVar[Prefer] = "processes"
    takes_sparse: ClassVar[bool] = True

    def __init__(self, score_func: ScoreFunc, y: Any, n_samples: int) -> None:
        self.score_func = score_func
        self.y = check_target(y, n_samples, task=None)

    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Count the target, and the copies that functions make."""
        return Needs(shared_bytes=100 * n_samples, value_bytes=8 * COPIES)

    def __call__(self, values: Any, columns: Index) -> Result:
        """Score a block by the function."""
        check_finite(values, columns)
        result = self.score_func(_portable(values), self.y)
        if not isinstance(result, tuple) and not (
            isinstance(result, list) and np.ndim(result[:1]) > 1
        ):
            return {"score": self._checked(result, len(columns), "scores")}
        if len(result) != 2:
            raise ValueError(
                f"score_func={self._name} returned {len(result)} things. It must return "
                "scores or (scores, pvalues). Wrap it in a function that does."
            )
        scores, pvalues = result
        checked = {"score": self._checked(scores, len(columns), "scores")}
        # A function that can give p-values may say that it has none.
        if pvalues is not None:
            checked["pvalue"] = self._checked(pvalues, len(columns), "pvalues")
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
