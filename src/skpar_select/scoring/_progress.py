"""Sinks that report how far a fit is: a line of text, and the callbacks of scikit-learn 1.9."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeVar

from skpar_select._typing import Index, Result
from skpar_select.planning import Plan
from skpar_select.scoring._sinks import Sink

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupportMixin
    from sklearn.callback import with_callbacks as with_callbacks
except ImportError:  # before scikit-learn 1.9
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    class CallbackSupportMixin:  # type: ignore[no-redef]  # stands in for it
        """An empty class: this scikit-learn has no callbacks."""

    def with_callbacks(method: _Method) -> _Method:
        """Return the method as it is."""
        return method


class ProgressLine(Sink):
    """A line that is drawn again after each block; where it cannot be, one for each tenth."""

    def __init__(self, stream: TextIO, *, width: int = 30) -> None:
        self.stream = stream
        self.width = width

    def begin(self, plan: Plan) -> None:
        """Start the clock."""
        self.start(plan.n_features, "features")

    def write(self, columns: Index, result: Result) -> None:
        """Draw the line."""
        self.advance(len(columns))

    def close(self, complete: bool) -> None:
        """Leave the line, where the work stopped in the midst of it."""
        if not complete and self.stream.isatty() and self.n_done:
            self.stream.write("\n")

    def start(self, n_total: int, unit: str) -> None:
        """Start the clock for so many units of any kind."""
        self.started = time.monotonic()
        self.n_done, self.n_total, self.unit = 0, n_total, unit

    def advance(self, n_units: int) -> None:
        """Draw the line with so many units more."""
        before, self.n_done = self.n_done, self.n_done + n_units
        done, total = self.n_done, self.n_total
        bar = "#" * round(self.width * done / total)
        left = (time.monotonic() - self.started) * (total - done) / done
        text = f"[{bar:.<{self.width}}] {done:,} of {total:,} {self.unit}, {left:.0f} s left"
        if self.stream.isatty():
            self.stream.write(f"\r{text:<79}" + ("\n" if done == total else ""))
        elif 10 * done // total > 10 * before // total:
            self.stream.write(f"{text}\n")
        self.stream.flush()


class CallbackTasks(Sink):
    """Reports a fit to scikit-learn's callbacks and, as a task of it, every block."""

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self.fit: Any = None
        self.n_blocks = 0

    def begin(self, plan: Plan) -> None:
        """Open the task of the whole fit."""
        self._begin(plan.n_blocks)

    def write(self, columns: Index, result: Result) -> None:
        """Report that a block is done."""
        task = self.fit.subcontext(task_name="block", task_id=self.n_blocks)
        task.call_on_fit_task_begin(estimator=self.estimator)
        task.call_on_fit_task_end(estimator=self.estimator)
        self.n_blocks += 1

    def end_fit(self) -> None:
        """Report that the fit is complete, without blocks where its scores were in the cache."""
        if self.fit is None:
            self._begin(0)
        self.fit.call_on_fit_task_end(estimator=self.estimator, **self.data)

    def _begin(self, n_blocks: int) -> None:
        self.fit = self.estimator._init_callback_context(
            max_subtasks=n_blocks, sequential_subtasks=False
        )
        self.fit.call_on_fit_task_begin(estimator=self.estimator, **self.data)


@contextmanager
def progress_sinks(estimator: Any, X: Any, y: Any) -> Iterator[tuple[Sink, ...]]:
    """Give the sinks that report the progress of a fit, for as long as it lasts.

    The estimator's ``verbose`` asks for the line.
    """
    lines = (ProgressLine(sys.stderr),) if estimator.verbose else ()
    # Before scikit-learn 1.9 no estimator has callbacks.
    tasks = (CallbackTasks(estimator, X, y),) if hasattr(estimator, "set_callbacks") else ()
    yield (*lines, *tasks)
    for task in tasks:
        task.end_fit()
