"""The contract of a sink, and the sink that every fit has: the assembler.

A sink receives the results of blocks, always in the thread that called, in any order of blocks:

- ``begin(plan)`` before the first block;
- ``write(columns, result)`` for every block: the index of each of its columns, and the named
  results;
- ``close(complete)`` once at the end: after all blocks, or after an error.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from skpar_select._typing import BoolArray, FloatArray, Index, Result
from skpar_select.matrices.io._selection import as_range, as_slice, compose
from skpar_select.planning import Plan


class Sink(ABC):
    """Receives the results of blocks."""

    def begin(self, plan: Plan) -> None:  # noqa: B027  # not every sink needs the plan
        """Take note of the plan, before the first block."""

    @abstractmethod
    def write(self, columns: Index, result: Result) -> None:
        """Take the results of a block."""

    def close(self, complete: bool) -> None:  # noqa: B027  # not every sink has an end
        """End, after all blocks or after an error."""


@contextmanager
def open_sinks(sinks: Sequence[Sink], plan: Plan) -> Iterator[Callable[[Index, Result], None]]:
    """Begin all sinks, give what writes to each, and close them however it ends."""
    for sink in sinks:
        sink.begin(plan)

    def write(columns: Index, result: Result) -> None:
        for sink in sinks:
            sink.write(columns, result)

    try:
        yield write
    except BaseException:
        for sink in sinks:
            sink.close(complete=False)
        raise
    for sink in sinks:
        sink.close(complete=True)


class Assembler(Sink):
    """Puts the results of all blocks together, and checks that every column came exactly once.

    Attributes
    ----------
    results : dict of str to ndarray of float64 of shape (n_features,) or (n_features, n_targets)
        The named results; of columns that are not there, NaN.
    """

    def __init__(self, n_features: int) -> None:
        self._n_features = n_features
        self._n_written = np.zeros(n_features, dtype=np.uint8)
        self._came: dict[str, BoolArray] = {}
        self.results: dict[str, FloatArray] = {}

    def write(self, columns: Index, result: Result) -> None:
        """Copy the results of a block that was scored to their positions."""
        self._n_written[as_slice(columns)] += 1
        self.fill(columns, result)

    def fill(self, columns: Index, result: Result) -> None:
        """Copy results that are known already to their positions."""
        positions = as_slice(columns)
        for name, values in result.items():
            if name not in self.results:
                self.results[name] = np.full((self._n_features, *values.shape[1:]), np.nan)
                self._came[name] = np.zeros(self._n_features, dtype=bool)
            self.results[name][positions] = values
            self._came[name][positions] = True

    def missing(self, columns: Index) -> Index:
        """Return those of some columns whose results are not there."""
        if "score" not in self._came:
            return columns
        return as_range(compose(columns, np.flatnonzero(self.lacks(columns))))

    def lacks(self, columns: Index) -> BoolArray:
        """Return for each column whether its results are not there."""
        came = self._came.get("score")
        return np.ones(len(columns), bool) if came is None else ~came[as_slice(columns)]

    def check(self, columns: Index) -> None:
        """Check that of these columns nothing is missing and nothing was scored twice."""
        n_wrong = len(self.missing(columns)) + int(np.count_nonzero(self._n_written > 1))
        if n_wrong:
            raise RuntimeError(
                f"{n_wrong} of {len(columns)} columns were not scored exactly once. The "
                "executor must give every block once. Run again with n_jobs=1, and report this."
            )
        if not self.results:
            # No column was asked for.
            return
        # A column without a score, as one with too few values, needs nothing else either.
        scored = ~np.isnan(self.results["score"])
        while scored.ndim > 1:
            scored = np.any(scored, axis=-1)
        for name, came in self._came.items():
            if (scored & ~came).any():
                raise ValueError(
                    f"The scorer gave {name} for {came.sum()} of {self._n_features} columns. It "
                    "must give the same for all. Return (scores, pvalues) for every block, or "
                    "scores alone."
                )
