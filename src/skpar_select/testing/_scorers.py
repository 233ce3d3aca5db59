"""The suite that every scorer passes."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, ClassVar, get_args

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import issparse

from skpar_select._finite import NonFiniteError
from skpar_select._typing import Array, Index, Prefer, Result
from skpar_select.planning import Needs
from skpar_select.scoring import Scorer

Case = tuple[Scorer, Any]

# More columns than are seen here lie before the block: an index is no position.
_FAR = 10**9


class ScorerConformance:
    """What every :class:`~skpar_select.scoring.Scorer` promises, as tests for pytest.

    Derive a class whose name begins with ``Test``, and give it a fixture ``case`` that returns a
    scorer and a block that it takes: an array, or a sparse matrix in CSC format, of at least 8
    columns. Parametrize the fixture to have several scorers pass the suite.

    Attributes
    ----------
    rtol : float, default=0.0
        How much two scores of a column may differ between blocks. Keep it at 0 unless the scorer
        hands the block to a library whose sums depend on the shape of the whole, as a product of
        matrices does.
    takes_nan : bool, default=False
        Whether NaN is a missing value for the scorer, and so no error.
    any_index : bool, default=True
        Whether the scorer takes any index of a column. Set it to False where it was made for a
        matrix of so many columns as the block has.

    Examples
    --------
    >>> import numpy as np
    >>> import pytest
    >>> from skpar_select.planning import Needs
    >>> from skpar_select.scoring import Scorer
    >>> from skpar_select.testing import ScorerConformance
    >>> class Largest(Scorer):
    ...     def needs(self, n_samples, dtype):
    ...         return Needs()
    ...
    ...     def __call__(self, values, columns):
    ...         return {"score": values.max(axis=0).astype(np.float64)}
    >>> class TestLargest(ScorerConformance):
    ...     @pytest.fixture
    ...     def case(self):
    ...         return Largest(), np.random.default_rng(0).integers(0, 9, (20, 8))
    """

    rtol: ClassVar[float] = 0.0
    takes_nan: ClassVar[bool] = False
    any_index: ClassVar[bool] = True

    @pytest.fixture
    def case(self) -> Case:
        """Return a scorer, and a block that it takes."""
        raise NotImplementedError

    def test_needs__are_counts(self, case: Case) -> None:
        """What the planner gets is not negative, and the same every time."""
        scorer, values = case
        needs = scorer.needs(values.shape[0], values.dtype)
        assert type(needs) is Needs
        assert all(isinstance(count, int) and count >= 0 for count in asdict(needs).values())
        assert needs.fewest_columns >= 1
        assert needs.result_bytes >= 8 * len(scorer(values, range(values.shape[1])))
        assert scorer.needs(values.shape[0], values.dtype) == needs
        assert all(
            asdict(scorer.needs(2 * values.shape[0], values.dtype))[name] >= count
            for name, count in asdict(needs).items()
        )

    def test_scorer__says_where_it_runs_and_what_it_takes(self, case: Case) -> None:
        """A preference that an executor can be chosen by."""
        scorer, values = case
        assert scorer.prefers in get_args(Prefer)
        assert isinstance(scorer.takes_sparse, bool)
        assert scorer.takes_sparse or not issparse(values)

    def test_result__has_named_columns_of_float64(self, case: Case) -> None:
        """A number for each column, or for each target too, under the same names for every block."""
        scorer, values = case
        names = list(scorer(values, range(values.shape[1])))
        assert "score" in names
        for columns in _blocks(values.shape[1], 3):
            result = scorer(_cut(values, columns), columns)
            assert list(result) == names
            for numbers in result.values():
                assert isinstance(numbers, np.ndarray)
                assert numbers.dtype == np.float64
                assert numbers.shape[:1] == (len(columns),)
                assert numbers.ndim <= 2

    @pytest.mark.parametrize("width", [1, 2, 3, 7])
    def test_scores__do_not_depend_on_the_width_of_blocks(self, case: Case, width: int) -> None:
        """A block of one column gives what the whole gives."""
        scorer, values = case
        whole = _whole(scorer, values)
        for columns in _blocks(values.shape[1], width):
            self._same(scorer(_cut(values, columns), columns), _of(whole, columns))

    def test_scores__do_not_depend_on_the_other_columns(self, case: Case) -> None:
        """The same column beside others gives the same."""
        scorer, values = case
        whole, n_features = _whole(scorer, values), values.shape[1]
        for column in range(n_features):
            # Its neighbours are replaced by other columns of the block; its index stays.
            order = np.roll(np.arange(n_features), 3)
            order[column] = column
            result = scorer(_cut(values, order), np.arange(n_features))
            self._same(_of(result, [column]), _of(whole, [column]))

    def test_scores__of_scattered_columns_are_the_same(self, case: Case) -> None:
        """A column is its index, not its position: in any order, and repeated."""
        scorer, values = case
        whole, n_features = _whole(scorer, values), values.shape[1]
        shuffled = np.random.default_rng(0).permutation(n_features)
        for columns in (shuffled, shuffled[:3], np.r_[n_features - 1, 0, 2, 2]):
            self._same(scorer(_cut(values, columns), columns), _of(whole, columns))

    def test_index__may_be_a_range_or_an_array_of_any_size(self, case: Case) -> None:
        """Both say the same; a matrix may have more columns than memory holds."""
        scorer, values = case
        n_features = values.shape[1]
        starts = (0, _FAR) if self.any_index else (0,)
        for start in starts:
            columns = range(start, start + n_features)
            self._same(scorer(values, columns), scorer(values, np.array(columns)))

    def test_scores__do_not_depend_on_the_order_of_calls(self, case: Case) -> None:
        """Called before, after or again, the same."""
        scorer, values = case
        blocks = list(_blocks(values.shape[1], 3))
        first = [scorer(_cut(values, columns), columns) for columns in blocks]
        for columns, expected in reversed(list(zip(blocks, first, strict=True))):
            self._same(scorer(_cut(values, columns), columns), expected, rtol=0)

    def test_scores__do_not_depend_on_the_thread(self, case: Case) -> None:
        """Several threads call one scorer at once."""
        scorer, values = case
        blocks = [*_blocks(values.shape[1], 2)] * 8
        expected = [scorer(_cut(values, columns), columns) for columns in blocks]
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda columns: scorer(_cut(values, columns), columns), blocks))
        for result, one in zip(got, expected, strict=True):
            self._same(result, one, rtol=0)

    @pytest.mark.parametrize("order", ["C", "F", "steps"])
    def test_scores__do_not_depend_on_the_memory_order(self, case: Case, order: str) -> None:
        """By rows, by columns, and a view that skips both."""
        scorer, values = case
        if issparse(values):
            pytest.skip("the block is sparse")
        if order == "steps":
            spread = np.zeros((2 * values.shape[0], 2 * values.shape[1]), dtype=values.dtype)
            spread[::2, ::2] = values
            block = spread[::2, ::2]
        else:
            block = np.asfortranarray(values) if order == "F" else np.ascontiguousarray(values)
        self._same(_whole(scorer, block), _whole(scorer, values))

    def test_input__is_read_only(self, case: Case) -> None:
        """A block that cannot be written into is scored, and stays as it is."""
        scorer, values = case
        block = values.copy()
        arrays = [block.data, block.indices, block.indptr] if issparse(block) else [block]
        columns = np.arange(values.shape[1])
        for array in (*arrays, columns):
            array.flags.writeable = False
        self._same(scorer(block, columns), _whole(scorer, values))
        assert_array_equal(_dense(block), _dense(values))
        writeable = values.copy()
        scorer(writeable, range(values.shape[1]))
        assert_array_equal(_dense(writeable), _dense(values))

    def test_pickle__scores_the_same(self, case: Case) -> None:
        """A copy in another process, made before or after a call, is no other scorer."""
        scorer, values = case
        before = pickle.loads(pickle.dumps(scorer))
        expected = _whole(scorer, values)
        after = pickle.loads(pickle.dumps(scorer))
        for copied in (before, after):
            self._same(_whole(copied, values), expected, rtol=0)
            assert copied.prefers == scorer.prefers
            assert copied.takes_sparse == scorer.takes_sparse
            assert copied.needs(values.shape[0], values.dtype) == scorer.needs(
                values.shape[0], values.dtype
            )

    @pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
    def test_values__that_are_not_finite_are_refused_by_column(
        self, case: Case, wrong: float
    ) -> None:
        """The error names the columns by their index in the matrix, and how many values."""
        scorer, values = case
        if values.dtype.kind != "f":
            pytest.skip("a block of this type holds no NaN")
        if np.isnan(wrong) and self.takes_nan:
            pytest.skip("NaN is a missing value")
        n_features = values.shape[1]
        block = values.copy()
        if issparse(block):
            block = block.tolil()
        block[0, 1] = block[2, 1] = block[1, n_features - 1] = wrong
        if issparse(block):
            block = block.tocsc()
        columns = np.arange(n_features)[::-1]
        with pytest.raises(NonFiniteError) as raised:
            scorer(block, columns)
        for error in (raised.value, pickle.loads(pickle.dumps(raised.value))):
            assert error.columns.tolist() == [n_features - 2, 0]
            counts = [error.n_nan.tolist(), error.n_infinite.tolist()]
            assert counts == ([[2, 1], [0, 0]] if np.isnan(wrong) else [[0, 0], [2, 1]])
        # It works again after an error.
        self._same(_whole(scorer, values), _whole(pickle.loads(pickle.dumps(scorer)), values))

    def test_fingerprint__is_known_and_stays_or_is_unknown(self, case: Case) -> None:
        """It does not change by scoring or by a pickle; each call gives the parts anew."""
        scorer, values = case
        parts = scorer.fingerprint_parts()
        if parts is None:
            assert pickle.loads(pickle.dumps(scorer)).fingerprint_parts() is None
            return
        first = [(name, _frozen(part)) for name, part in parts]
        assert first
        scorer(values, range(values.shape[1]))
        for again in (scorer, pickle.loads(pickle.dumps(scorer))):
            parts = again.fingerprint_parts() or iter(())
            assert [(name, _frozen(part)) for name, part in parts] == first

    def _same(self, got: Result, expected: Result, rtol: float | None = None) -> None:
        assert list(got) == list(expected)
        for name, numbers in got.items():
            tolerance = self.rtol if rtol is None else rtol
            if tolerance:
                assert_allclose(numbers, expected[name], rtol=tolerance)
            else:
                assert_array_equal(numbers, expected[name])


def _whole(scorer: Scorer, values: Any) -> Result:
    return scorer(values, range(values.shape[1]))


def _of(result: Result, columns: Any) -> Result:
    positions = np.asarray(columns)
    return {name: numbers[positions] for name, numbers in result.items()}


def _cut(values: Any, columns: Index) -> Any:
    if isinstance(columns, range):
        return values[:, columns.start : columns.stop]
    return values[:, columns]


def _blocks(n_features: int, width: int) -> list[range]:
    return [range(start, min(start + width, n_features)) for start in range(0, n_features, width)]


def _dense(values: Any) -> Array:
    dense: Array = values.toarray() if issparse(values) else values
    return dense


def _frozen(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        return part.dtype.str, part.shape, part.tobytes()
    return part
