"""The suite that every matrix passes."""

import copy
import os
import pickle
import threading
from collections.abc import Callable
from typing import Any, get_args

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy.sparse import issparse

from skpar_select._typing import Array, Index
from skpar_select.matrices import LazyMatrix, Matrix
from skpar_select.matrices._layout import Order
from skpar_select.matrices.io._file import FileSnapshot

ADDRESS_BYTES = 3_000
"""The most that a matrix pickles to for each of its files, or besides its values in memory."""

Case = tuple[Matrix, Array]

# Selections of n columns or rows; there are at least 6.
_RANGES: dict[str, Callable[[int], Index]] = {
    "all": lambda n: range(n),
    "first": lambda n: range(1),
    "middle": lambda n: range(n // 4 - 1, n // 2 + 1),
    "last": lambda n: range(n - 3, n),
    "empty range": lambda n: range(2, 2),
    "steps": lambda n: range(1, n, 2),
    "reversed": lambda n: range(n - 1, -1, -1),
}
_ARRAYS: dict[str, Callable[[int], Any]] = {
    "none": lambda n: [],
    "one": lambda n: [4],
    "both ends": lambda n: [n - 1, 0],
    "adjacent": lambda n: [3, 4, 5],
    "repeated": lambda n: [n // 3, n // 3, 1, n - 3, n // 3],
    "every": lambda n: range(n),
}


class MatrixConformance:
    """What every :class:`~skpar_select.matrices.Matrix` promises, as tests for pytest.

    Derive a class whose name begins with ``Test``, and give it a fixture ``case`` that returns a
    matrix and the array of the values that it holds. Parametrize the fixture to have several
    matrices pass the suite. The array has at least 6 rows and 6 columns, and the type of the
    matrix.

    Where the matrix reads files, the suite sets their times of change for a moment, so they must
    be files of the test alone, as below ``tmp_path``.

    Examples
    --------
    >>> import numpy as np
    >>> import pytest
    >>> from skpar_select.matrices import Layout, Matrix
    >>> from skpar_select.testing import MatrixConformance
    >>> class Counting(Matrix):
    ...     in_memory = True
    ...
    ...     def __init__(self, n_samples, n_features):
    ...         self.shape = n_samples, n_features
    ...         self.dtype = np.dtype(float)
    ...
    ...     def layout_of(self, rows, columns):
    ...         return Layout(shape=(len(rows), len(columns)), dtype=self.dtype, order="memory")
    ...
    ...     def read(self, columns, rows=None):
    ...         rows = range(self.shape[0]) if rows is None else rows
    ...         return np.add.outer(100.0 * np.asarray(rows), np.asarray(columns))
    >>> class TestCounting(MatrixConformance):
    ...     @pytest.fixture
    ...     def case(self):
    ...         return Counting(8, 9), np.add.outer(100.0 * np.arange(8), np.arange(9))
    """

    @pytest.fixture
    def case(self) -> Case:
        """Return a matrix, and the array of its values."""
        raise NotImplementedError

    def test_matrix__knows_its_shape_and_type(self, case: Case) -> None:
        """The shape and the type are those of the values."""
        matrix, expected = case
        assert isinstance(matrix, Matrix)
        assert matrix.shape == expected.shape
        assert matrix.dtype == expected.dtype
        assert isinstance(matrix.dtype, np.dtype)
        assert isinstance(matrix.is_sparse, bool)
        assert len(matrix.stored_rows) == expected.shape[0]

    def test_matrix__describes_itself_in_words(self, case: Case) -> None:
        """The label and the description are a few words, without a line break."""
        matrix, _ = case
        for words in (matrix.label, matrix.description):
            assert isinstance(words, str)
            assert words
            assert words == words.strip()
            assert "\n" not in words

    def test_names__are_texts_one_for_each_row_and_column(self, case: Case) -> None:
        """Names and ids are arrays of text of the right length, or None."""
        matrix, expected = case
        lengths = expected.shape[::-1]
        for names, length in zip((matrix.feature_names, matrix.sample_ids), lengths, strict=True):
            if names is not None:
                assert isinstance(names, np.ndarray)
                assert names.shape == (length,)
                assert all(type(name) is str for name in names)

    def test_layout__is_that_of_the_matrix(self, case: Case) -> None:
        """The layout has the matrix' shape and type, and a valid order."""
        matrix, expected = case
        layout = matrix.layout
        assert layout.shape == expected.shape
        assert layout.dtype == expected.dtype
        assert layout.order in get_args(Order)
        assert (layout.order == "memory") == matrix.in_memory
        assert not layout.views or matrix.in_memory
        assert (layout.chunks is not None) == (layout.order == "chunked")
        assert layout.n_bytes == expected.nbytes
        if matrix.files:
            assert not matrix.in_memory
            assert layout.stored_bytes > 0

    @pytest.mark.parametrize("rows", ["all", "steps", "both ends", "none"])
    def test_layout__of_rows_and_columns_counts_what_they_touch(
        self, case: Case, rows: str
    ) -> None:
        """Every selection of rows and columns has a layout, which is no larger than the whole."""
        matrix, expected = case
        whole = matrix.layout
        selected = _select(rows, expected.shape[0])
        for columns in (*_RANGES, *_ARRAYS):
            index = _select(columns, expected.shape[1])
            layout = matrix.layout_of(selected, index)
            assert layout.shape == (len(selected), len(index))
            assert layout.dtype == expected.dtype
            assert layout.order == whole.order
            assert 0 <= layout.stored_bytes <= whole.stored_bytes
            if layout.chunks is not None:
                assert 0 <= layout.rows_per_chunk_row <= layout.chunks[0]

    @pytest.mark.parametrize("columns", [*_RANGES, *_ARRAYS])
    def test_read__gives_columns_in_the_order_asked_for(self, case: Case, columns: str) -> None:
        """A read takes columns in any order, repeated, or none."""
        matrix, expected = case
        index = _select(columns, expected.shape[1])
        block = matrix.read(index)
        assert_array_equal(block, _taken(expected, None, index), strict=True)

    @pytest.mark.parametrize("rows", [*_RANGES, *_ARRAYS])
    def test_read__gives_rows_in_the_order_asked_for(self, case: Case, rows: str) -> None:
        """A read takes rows in any order, repeated, or none."""
        matrix, expected = case
        selected = _select(rows, expected.shape[0])
        for columns in ("all", "middle", "reversed", "repeated", "none"):
            index = _select(columns, expected.shape[1])
            block = matrix.read(index, selected)
            assert_array_equal(block, _taken(expected, selected, index), strict=True)

    @pytest.mark.parametrize("columns", ["all", "middle", "last", "both ends", "repeated", "none"])
    def test_fetch__decodes_to_what_read_gives(self, case: Case, columns: str) -> None:
        """A fetched block decodes to the values that a read gives."""
        matrix, expected = case
        index = _select(columns, expected.shape[1])
        for rows in (None, "steps", "reversed", "repeated", "none"):
            selected = None if rows is None else _select(rows, expected.shape[0])
            block = matrix.fetch(index, selected).decode()
            assert_array_equal(block, _taken(expected, selected, index), strict=True)

    def test_fetch__decodes_in_another_thread(self, case: Case) -> None:
        """The thread that decodes need not be the one that fetched."""
        matrix, expected = case
        blocks = [matrix.fetch(range(start, start + 3)) for start in (0, 3)]
        decoded: list[Array] = []
        thread = threading.Thread(target=lambda: decoded.extend(b.decode() for b in blocks))
        thread.start()
        thread.join()
        assert_array_equal(np.hstack(decoded), expected[:, :6])

    @pytest.mark.parametrize("columns", ["all", "middle", "repeated"])
    def test_native__is_the_block_for_a_score_function(self, case: Case, columns: str) -> None:
        """A native block is an array or a sparse matrix of the same values."""
        matrix, expected = case
        index = _select(columns, expected.shape[1])
        native = matrix.fetch(index).native()
        dense = native.toarray() if issparse(native) else native
        assert_array_equal(dense, _taken(expected, None, index), strict=True)

    def test_pickle__is_an_address(self, case: Case) -> None:
        """A matrix pickles small, without values of a file, and is read where it arrives."""
        matrix, expected = case
        matrix.read(range(matrix.shape[1]))
        allowed = ADDRESS_BYTES * max(1, len(matrix.files))
        if matrix.in_memory:
            # Its values are nowhere else; a sparse one has a position for each.
            allowed += expected.size * (expected.itemsize + 8)
        state = pickle.dumps(matrix)
        assert len(state) < allowed
        arrived = pickle.loads(state)
        assert arrived.shape == matrix.shape
        assert arrived.layout == matrix.layout
        assert_array_equal(arrived.read(range(matrix.shape[1])), expected, strict=True)
        for names, sent in (
            (arrived.feature_names, matrix.feature_names),
            (arrived.sample_ids, matrix.sample_ids),
        ):
            assert_array_equal(names, sent)

    def test_read__leaves_no_file_open(self, case: Case) -> None:
        """A matrix holds no handle between two reads."""
        matrix, expected = case
        matrix.read(range(expected.shape[1]))
        before = _open_files()
        for _ in range(3):
            matrix.read(np.array([1, 4]), np.array([3, 1]))
            matrix.fetch(range(2, 5)).decode()
        assert _open_files() == before

    def test_read__leaves_the_matrix_as_it_was(self, case: Case) -> None:
        """Neither reading nor asking for names changes a matrix, nor does writing to a block."""
        matrix, expected = case
        before = joblib.hash(matrix)
        block = matrix.read(np.array([1, 2]))
        if not matrix.layout.views:
            # What is no view belongs to whoever has read it.
            block[...] = 0
        assert matrix.feature_names is None or len(matrix.feature_names)
        assert matrix.sample_ids is None or len(matrix.sample_ids)
        assert_array_equal(matrix.read(range(expected.shape[1])), expected)
        assert joblib.hash(matrix) == before

    def test_read__may_be_done_by_threads_at_once(self, case: Case) -> None:
        """Threads that read at once get what each of them asked for."""
        matrix, expected = case
        n_features = expected.shape[1]
        wrong: list[Index] = []

        def read(columns: Index) -> None:
            for _ in range(5):
                if not np.array_equal(matrix.read(columns), _taken(expected, None, columns)):
                    wrong.append(columns)

        blocks = [range(4), range(4, n_features), np.array([n_features - 1, 1])]
        threads = [threading.Thread(target=read, args=[block]) for block in blocks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_parts__hold_every_column_once(self, case: Case) -> None:
        """Parts have all rows, and each column of the whole lies in exactly one of them."""
        matrix, expected = case
        held = [np.asarray(part.columns) for part in matrix.parts]
        assert sorted(np.concatenate(held).tolist()) == list(range(expected.shape[1]))
        for part, columns in zip(matrix.parts, held, strict=True):
            assert isinstance(part.matrix, Matrix)
            assert part.matrix.shape == (expected.shape[0], len(columns))
            assert np.can_cast(part.matrix.dtype, expected.dtype)

    def test_parts__give_the_values_of_the_whole(self, case: Case) -> None:
        """A part, read by itself, gives what the whole gives for its columns."""
        matrix, expected = case
        rows = np.array([3, 0, 3])
        for part in matrix.parts:
            width = part.matrix.shape[1]
            assert_array_equal(
                part.matrix.read(range(width)), expected[:, np.asarray(part.columns)]
            )
            some = part.matrix.read(range(width - 1, -1, -1), rows)
            assert_array_equal(some, expected[np.ix_(rows, np.asarray(part.columns)[::-1])])
            assert {file.path for file in part.matrix.files} <= {f.path for f in matrix.files}

    @pytest.mark.parametrize("columns", ["all", "middle", "reversed", "both ends", "none"])
    def test_view__of_rows_and_columns_gives_what_the_array_does(
        self, case: Case, columns: str
    ) -> None:
        """A view of a matrix has its values, and parts with each column once, as the file has them."""
        matrix, expected = case
        index = _select(columns, expected.shape[1])
        for rows in ("all", "reversed", "repeated"):
            selected = _select(rows, expected.shape[0])
            view = LazyMatrix(matrix, rows=selected, columns=index)
            taken = _taken(expected, selected, index)
            assert view.shape == view.layout.shape == taken.shape
            assert view.is_sparse == matrix.is_sparse
            assert_array_equal(view.read(range(len(index))), taken, strict=True)
            held = [np.asarray(part.columns) for part in view.parts]
            assert sorted(np.concatenate(held).tolist()) == list(range(len(index)))
            for part in view.parts:
                width = part.matrix.shape[1]
                layout = part.matrix.layout
                assert layout.stored_bytes <= matrix.layout.stored_bytes
                if layout.chunks is not None:
                    covered = [column for piece in layout.chunk_columns for column in piece]
                    assert covered == list(range(width))
                assert_array_equal(
                    part.matrix.fetch(range(width)).decode(), _taken(taken, None, part.columns)
                )

    def test_fingerprint_parts__are_equal_for_equal_content(self, case: Case) -> None:
        """What a fingerprint is made of is the same each time, and that of a copy too."""
        matrix, _ = case
        before = _comparable(matrix)
        assert before
        matrix.read(range(matrix.shape[1]))
        for same in (matrix, copy.copy(matrix), pickle.loads(pickle.dumps(matrix))):
            assert _comparable(same) == before

    def test_check_unchanged__refuses_a_file_that_changed(self, case: Case) -> None:
        """A file that is no longer the one that was opened first is noticed, and read no more."""
        matrix, expected = case
        matrix.check_unchanged()
        for file in matrix.files[-1:]:
            _touch(file.path)
            with pytest.raises(OSError, match="changed"):
                matrix.check_unchanged()
            with pytest.raises(OSError, match="changed"):
                matrix.read(range(expected.shape[1]))
            with pytest.raises(OSError, match="changed"):
                matrix.fetch(range(expected.shape[1])).decode()


def _select(name: str, length: int) -> Index:
    if name in _RANGES:
        return _RANGES[name](length)
    return np.asarray(_ARRAYS[name](length), dtype=np.intp)


def _taken(expected: Array, rows: Index | None, columns: Index) -> Array:
    taken = expected if rows is None else expected[np.asarray(rows, dtype=np.intp)]
    return taken[:, np.asarray(columns, dtype=np.intp)]


def _comparable(matrix: Matrix) -> list[object]:
    """Return the parts of a fingerprint as values that compare by content."""
    parts: list[object] = []
    for part in matrix.fingerprint_parts():
        if isinstance(part, np.ndarray):
            parts.append((part.dtype.str, part.shape, part.tobytes()))
        elif isinstance(part, FileSnapshot):
            parts.append((part.path, part.stamp.elsewhere()))
        else:
            assert isinstance(part, bytes)
            parts.append(part)
    return parts


def _open_files() -> int:
    """Count the files that this process has open, where the system shows them."""
    folder = "/proc/self/fd"
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0


def _touch(path: str) -> None:
    """Change what the system notes of a file, but not the times that anyone may set."""
    status = os.stat(path)
    # The clock of a file system goes in steps of some milliseconds.
    while os.stat(path).st_ctime_ns == status.st_ctime_ns:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
