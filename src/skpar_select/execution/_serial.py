"""One task after the other, in the calling thread."""

from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any

from skpar_select.execution._base import Executor, Result, prepared


class SerialExecutor(Executor):
    """Runs without a pool."""

    def map_unordered(
        self,
        function: Callable[[Any], Result],
        tasks: Iterable[Any],
        *,
        prepare: Callable[[Any], Any] | None = None,
    ) -> Generator[Result, None, None]:
        """Yield the results in the order of the tasks."""
        call = function if prepare is None else partial(prepared, prepare, function)
        for task in tasks:
            yield call(task)
