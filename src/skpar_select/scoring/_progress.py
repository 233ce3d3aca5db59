"""Sinks that report how far a fit is: a line of text, and the callbacks of scikit-learn 1.9."""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, TypeAlias, TypeVar

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


# Of a shorter fit, and of a smaller share of a fit, no time can be told: the first blocks wait for
# files and workers, and a first estimate of twice the time was seen.
_SHORT_SECONDS = 2.0
_LEAST_SHARE = 0.05


class Progress(Sink):
    """Says on a stream how far a fit is, and for how long it will last.

    Parameters
    ----------
    stream : text stream, default=None
        None is the standard error stream of the process that works.
    clock : callable, default=time.monotonic
        Gives the seconds since some time.
    """

    def __init__(
        self, stream: TextIO | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream = stream
        self.clock = clock

    def begin(self, plan: Plan) -> None:
        """Start the clock."""
        self.start(plan.n_features, "features")

    def write(self, columns: Index, result: Result) -> None:
        """Say how far it is."""
        self.advance(len(columns))

    def start(self, n_total: int, unit: str) -> None:
        """Start the clock for so many units of any kind."""
        self.started = self.clock()
        self.n_done, self.n_total, self.unit = 0, n_total, unit

    def advance(self, n_units: int) -> None:
        """Take note of so many units more."""
        self.n_done += n_units
        self.show()

    @abstractmethod
    def show(self) -> None:
        """Say how far it is, if that is due."""

    @property
    def out(self) -> TextIO:
        """Where it is said."""
        return sys.stderr if self.stream is None else self.stream

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return self.clock() - self.started

    def described(self) -> str:
        """Return how much is done, and how long the rest will take where that can be told."""
        text = f"{self.n_done:,} of {self.n_total:,} {self.unit}"
        elapsed, share = self.elapsed(), self.n_done / self.n_total
        if elapsed < _SHORT_SECONDS:
            return text
        if self.n_done == self.n_total:
            return f"{text} in {duration(elapsed)}"
        if share < _LEAST_SHARE:
            return text
        return f"{text}, {duration(elapsed * (1 - share) / share)} left"


class ProgressLine(Progress):
    """A line that is drawn again in its place: for a terminal."""

    WIDTH = 30

    def show(self) -> None:
        """Draw the line."""
        done, total = self.n_done, self.n_total
        bar = "#" * round(self.WIDTH * done / total)
        text = f"[{bar:.<{self.WIDTH}}] {self.described()}"
        self.out.write(f"\r{text:<79}" + ("\n" if done == total else ""))
        self.out.flush()

    def close(self, complete: bool) -> None:
        """Leave the line, where the work stopped in the midst of it."""
        if not complete and 0 < self.n_done < self.n_total:
            self.out.write("\n")


class ProgressLog(Progress):
    """A line of text for each tenth, and after half a minute without one: for a file.

    A short fit, of which many tenths are complete at once, gets fewer.
    """

    FEWEST_SECONDS = 0.5
    MOST_SECONDS = 30.0

    def start(self, n_total: int, unit: str) -> None:
        """Start the clock for so many units of any kind."""
        super().start(n_total, unit)
        self._tenths, self._said = 0, self.started

    def show(self) -> None:
        """Write a line, if a tenth is complete or there was none for long."""
        now, tenths = self.clock(), 10 * self.n_done // self.n_total
        least = self.FEWEST_SECONDS if tenths > self._tenths else self.MOST_SECONDS
        if now - self._said >= least or self.n_done == self.n_total:
            self._tenths, self._said = tenths, now
            self.out.write(f"{100 * self.n_done // self.n_total:3} %: {self.described()}\n")
            self.out.flush()


def progress_on(stream: TextIO | None = None) -> Progress:
    """Return what suits a stream: a line that is drawn again, or a log of lines."""
    out = sys.stderr if stream is None else stream
    # A notebook draws a line again, though it is no terminal.
    drawn = out.isatty() or type(out).__module__.startswith("ipykernel.")
    return ProgressLine(stream) if drawn else ProgressLog(stream)


Verbose: TypeAlias = int | Progress


def progress_of(verbose: Verbose) -> Progress | None:
    """Return the progress that `verbose` asks for: an object as it is, for a number what suits."""
    if isinstance(verbose, Progress):
        return verbose
    return progress_on() if verbose else None


def duration(seconds: float) -> str:
    """Write a time as a person does, in its two largest units.

    Examples
    --------
    >>> duration(0.3), duration(42.4), duration(60 * 12.2), duration(60 * 135)
    ('1 s', '42 s', '12 min', '2 h 15 min')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


class CallbackTasks(Sink):
    """Reports a fit to scikit-learn's callbacks and, as a task of it, every block."""

    def __init__(self, estimator: Any, X: Any, y: Any) -> None:
        self.estimator = estimator
        self.data = {"X": X, "y": y}
        self.fit: Any = None
        self.n_blocks = 0
        self.n_planned = 0

    def begin(self, plan: Plan) -> None:
        """Open the task of the whole fit."""
        self._begin(plan.n_blocks)

    def write(self, columns: Index, result: Result) -> None:
        """Report that a block is done."""
        if self.n_blocks == self.n_planned:
            # Narrower ones than were planned come from another process that scores the same, and
            # after workers have died.
            return
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
        self.n_planned = n_blocks
        self.fit = self.estimator._init_callback_context(
            max_subtasks=n_blocks, sequential_subtasks=False
        )
        self.fit.call_on_fit_task_begin(estimator=self.estimator, **self.data)


@contextmanager
def progress_sinks(estimator: Any, X: Any, y: Any) -> Iterator[tuple[Sink, ...]]:
    """Give the sinks that report the progress of a fit, for as long as it lasts.

    The estimator's ``verbose`` asks for a line.
    """
    line = progress_of(estimator.verbose)
    lines = () if line is None else (line,)
    # Before scikit-learn 1.9 no estimator has callbacks.
    tasks = (CallbackTasks(estimator, X, y),) if hasattr(estimator, "set_callbacks") else ()
    yield (*lines, *tasks)
    for task in tasks:
        task.end_fit()
