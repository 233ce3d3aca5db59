"""Counts the values that are not finite, where scoring has met one."""

from typing import Any, ClassVar

import numpy as np

from skpar_select._finite import NonFiniteError, count_non_finite
from skpar_select._typing import FloatArray, Index, Result
from skpar_select.planning import Needs
from skpar_select.scoring._scorer import Scorer


class NonFiniteCounter(Scorer):
    """Scores a column by how many of its values are not allowed: infinity, and NaN unless it is."""

    takes_sparse: ClassVar[bool] = True

    def __init__(self, *, allow_nan: bool) -> None:
        self.allow_nan = allow_nan

    def needs(self, n_samples: int, dtype: np.dtype[Any]) -> Needs:
        """Count the results; the masks of a block are small."""
        return Needs(result_bytes=48)

    def __call__(self, values: Any, columns: Index) -> Result:
        """Count both kinds in each column."""
        n_nan, n_infinite = count_non_finite(values)
        if self.allow_nan:
            n_nan = np.zeros_like(n_nan)
        counts = {"score": n_nan + n_infinite, "n_nan": n_nan, "n_infinite": n_infinite}
        return {name: numbers.astype(np.float64) for name, numbers in counts.items()}

    def error(self, results: dict[str, FloatArray]) -> NonFiniteError | None:
        """Return the error that says all of it, or None if there is nothing to say."""
        # Of columns that were not counted it is NaN.
        wrong = np.flatnonzero(results["score"] > 0)
        n_nan, n_infinite = (
            results[name][wrong].astype(np.intp) for name in ("n_nan", "n_infinite")
        )
        return NonFiniteError(wrong, n_nan, n_infinite) if len(wrong) else None
