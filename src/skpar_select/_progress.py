"""Who is told how far a fit is: a line of text, or the callbacks of scikit-learn 1.9."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TextIO, TypeVar

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupportMixin
    from sklearn.callback import with_callbacks as with_callbacks
except ImportError:  # before scikit-learn 1.9
    _Method = TypeVar("_Method", bound=Callable[..., Any])

    class CallbackSupportMixin:  # type: ignore[no-redef]  # stands in for it
        """Nothing: this scikit-learn has no callbacks."""

    def with_callbacks(method: _Method) -> _Method:
        """Give the method as it is."""
        return method


class Progress(Protocol):
    """What scoring tells of itself, always in the thread that called."""

    def begin(self, n_blocks: int, n_features: int) -> None:
        """Take note of the plan, before the first block."""

    def end(self, block: int, n_columns: int) -> None:
        """Take note of a block that is done; blocks end in any order."""


class ProgressLine:
    """A line that is drawn again after each block; where it cannot be, one for each tenth.

    Parameters
    ----------
    stream : text stream
        Where to.
    width : int, default=30
        Characters of the bar.
    """

    def __init__(self, stream: TextIO, *, width: int = 30) -> None:
        self.stream = stream
        self.width = width
        self.n_done = self.n_features = 0

    def begin(self, n_blocks: int, n_features: int) -> None:
        """Start the clock."""
        self.started = time.monotonic()
        self.n_done, self.n_features = 0, n_features

    def end(self, block: int, n_columns: int) -> None:
        """Draw the line."""
        before, self.n_done = self.n_done, self.n_done + n_columns
        done, total = self.n_done, self.n_features
        bar = "#" * round(self.width * done / total)
        left = (time.monotonic() - self.started) * (total - done) / done
        text = f"[{bar:.<{self.width}}] {done:,} of {total:,} features, {left:.0f} s left"
        if self.stream.isatty():
            self.stream.write(f"\r{text:<79}" + ("\n" if done == total else ""))
        elif 10 * done // total > 10 * before // total:
            self.stream.write(f"{text}\n")
        self.stream.flush()

    def close(self) -> None:
        """Leave the line, where the work stopped in the midst of it."""
        if self.stream.isatty() and 0 < self.n_done < self.n_features:
            self.stream.write("\n")


class CallbackTasks:
    """Tells scikit-learn's callbacks of a fit and, as a task of it, of every block.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        Whose fit it is.
    X, y : matrix and target
        As they were given.
    """

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self.fit: Any = None

    def begin(self, n_blocks: int, n_features: int) -> None:
        """Open the task of the whole fit."""
        self.fit = self.estimator._init_callback_context(
            max_subtasks=n_blocks, sequential_subtasks=False
        )
        self.fit.call_on_fit_task_begin(estimator=self.estimator, **self.data)

    def end(self, block: int, n_columns: int) -> None:
        """Tell that a block is done."""
        task = self.fit.subcontext(task_name="block", task_id=block)
        task.call_on_fit_task_begin(estimator=self.estimator)
        task.call_on_fit_task_end(estimator=self.estimator)

    def close(self) -> None:
        """Tell that the fit is complete, without blocks where its scores were known before."""
        if self.fit is None:
            self.begin(0, 0)
        self.fit.call_on_fit_task_end(estimator=self.estimator, **self.data)


class _Several:
    def __init__(self, *told: Progress) -> None:
        self.told = told

    def begin(self, n_blocks: int, n_features: int) -> None:
        for progress in self.told:
            progress.begin(n_blocks, n_features)

    def end(self, block: int, n_columns: int) -> None:
        for progress in self.told:
            progress.end(block, n_columns)


@contextmanager
def progress_of(estimator: Any, X: Any, y: Any) -> Iterator[Progress]:
    """Give what is to be told of a fit, for as long as it lasts.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        Whose fit it is; its ``verbose`` asks for the line.
    X, y : matrix and target
        As they were given.
    """
    line = ProgressLine(sys.stderr) if estimator.verbose else None
    tasks = CallbackTasks(estimator, X, y) if hasattr(estimator, "set_callbacks") else None
    try:
        yield _Several(*(told for told in (line, tasks) if told is not None))
    finally:
        if line is not None:
            line.close()
    if tasks is not None:
        tasks.close()
