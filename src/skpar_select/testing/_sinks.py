"""The suite that every sink passes."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import pytest

from skpar_select._typing import Index, Result
from skpar_select.execution import SerialExecutor
from skpar_select.matrices import Layout
from skpar_select.planning import Needs, Plan, plan_reads
from skpar_select.scoring import Sink

N_FEATURES = 40


class SinkConformance:
    """What every :class:`~skpar_select.scoring.Sink` promises, as tests for pytest.

    Derive a class whose name begins with ``Test``, and give it a fixture ``sink`` that returns a
    sink that has not begun. It gets a plan for 40 columns.

    Attributes
    ----------
    names : tuple of str, default=("score", "log_pvalue")
        The named columns of the results that it is given. ``"score"`` is always among them.

    Examples
    --------
    >>> import pytest
    >>> from skpar_select.scoring import Sink
    >>> from skpar_select.testing import SinkConformance
    >>> class Counter(Sink):
    ...     n_columns = 0
    ...
    ...     def write(self, columns, result):
    ...         self.n_columns += len(columns)
    >>> class TestCounter(SinkConformance):
    ...     @pytest.fixture
    ...     def sink(self):
    ...         return Counter()
    """

    names: ClassVar[tuple[str, ...]] = ("score", "log_pvalue")

    @pytest.fixture
    def sink(self) -> Sink:
        """Return a sink that has not begun."""
        raise NotImplementedError

    @pytest.fixture
    def plan(self) -> Plan:
        """Return a plan for 40 columns, several blocks of them."""
        layout = Layout(shape=(10, N_FEATURES), dtype=np.dtype(float), order="memory", views=True)
        plan = plan_reads([layout], Needs(), SerialExecutor(), memory_budget=10**6, scratch_bytes=0)
        assert plan.n_features == N_FEATURES
        assert plan.n_blocks > 5
        return plan

    @pytest.mark.parametrize("order", ["in order", "backwards", "shuffled"])
    def test_blocks__come_in_any_order(self, sink: Sink, plan: Plan, order: str) -> None:
        """The executor gives them as they finish."""
        blocks: list[Index] = list(plan.strategies[0].blocks())
        if order == "backwards":
            blocks.reverse()
        if order == "shuffled":
            shuffled = np.random.default_rng(0).permutation(len(blocks))
            blocks = [blocks[position] for position in shuffled]
        self._run(sink, plan, blocks)

    def test_blocks__may_be_of_scattered_columns(self, sink: Sink, plan: Plan) -> None:
        """Of a data frame, say, whose columns of one type lie between others."""
        every = np.random.default_rng(0).permutation(N_FEATURES)
        self._run(sink, plan, np.array_split(every, plan.n_blocks))

    def test_results__are_not_changed(self, sink: Sink, plan: Plan) -> None:
        """Other sinks get the same ones, which are read-only here."""
        sink.begin(plan)
        for columns in plan.strategies[0].blocks():
            result = self._result(columns)
            before = {name: numbers.copy() for name, numbers in result.items()}
            sink.write(columns, result)
            assert list(result) == list(before)
            for name, numbers in result.items():
                np.testing.assert_array_equal(numbers, before[name])
        sink.close(complete=True)

    @pytest.mark.parametrize("n_written", [0, 1, 3])
    def test_error__may_end_it_at_any_time(self, sink: Sink, plan: Plan, n_written: int) -> None:
        """It raises nothing of its own, which would hide what happened."""
        sink.begin(plan)
        for columns in list(plan.strategies[0].blocks())[:n_written]:
            sink.write(columns, self._result(columns))
        sink.close(complete=False)

    def _run(self, sink: Sink, plan: Plan, blocks: Sequence[Index]) -> None:
        sink.begin(plan)
        for columns in blocks:
            sink.write(columns, self._result(columns))
        sink.close(complete=True)

    def _result(self, columns: Index) -> Result:
        numbers = np.asarray(columns, dtype=np.float64)
        result = {name: numbers / (position + 2) for position, name in enumerate(self.names)}
        for values in result.values():
            values.flags.writeable = False
        return result
