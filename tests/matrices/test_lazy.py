"""Lazy matrices: views of rows, arrays of them, columns, and what scikit-learn asks of them."""

import os
import pickle

import h5py
import joblib
import numpy as np
import pandas as pd
import pytest
from containers import (
    DTYPES,
    KINDS,
    LAYOUTS,
    N_FEATURES,
    N_SAMPLES,
    VIEWS,
    names_of,
    opened,
    values_of,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn.utils import indexable

from skpar_select import open_matrix
from skpar_select.matrices import ArrayMatrix, Layout, LazyMatrix, Matrix
from skpar_select.testing import MatrixConformance


class TestLazy(MatrixConformance):
    @pytest.fixture(params=[(layout, view) for layout in LAYOUTS for view in VIEWS], ids="-".join)
    def case(self, request, write_h5):
        layout, view = request.param
        values = values_of()
        path = write_h5(values, **LAYOUTS[layout])
        matrix = open_matrix(path, feature_names="features", sample_ids="samples")
        return matrix[VIEWS[view]], values[VIEWS[view]]


class TestLazyOfAnArray(MatrixConformance):
    @pytest.fixture(params=VIEWS)
    def case(self, request):
        rows = np.arange(N_SAMPLES)[VIEWS[request.param]]
        return LazyMatrix(ArrayMatrix(values_of()), rows=rows), values_of()[rows]


class Unread(Matrix):
    """A matrix of zeros that notes what is read of it."""

    def __init__(self, n_samples, n_features):
        self.shape = n_samples, n_features
        self.dtype = np.dtype("f4")
        self.asked = []

    def layout_of(self, rows, columns):
        return Layout(shape=(len(rows), len(columns)), dtype=self.dtype, order="row-major")

    def read(self, columns, rows=None):
        self.asked.append((columns, rows))
        return np.zeros((len(rows), len(columns)), self.dtype)


@pytest.fixture
def matrix(write_h5):
    path = write_h5(values_of())
    return open_matrix(path, feature_names="features", sample_ids="samples")


@pytest.mark.parametrize("view", VIEWS)
def test_rows__of_a_view_are_composed_and_read_nothing(matrix, view):
    source = Unread(N_SAMPLES, N_FEATURES)
    unread = LazyMatrix(source)[VIEWS[view]]
    assert isinstance(unread, LazyMatrix)
    assert unread[1:].shape == values_of()[VIEWS[view]][1:].shape
    assert not source.asked
    rows = matrix[VIEWS[view]]
    for again in ([0, 2, 2], np.s_[::-2], np.arange(len(rows)) > 2):
        assert_array_equal(rows[again], values_of()[VIEWS[view]][again])
        assert list(rows[again].sample_ids) == list(matrix.sample_ids[VIEWS[view]][again])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_rows_and_columns__in_any_order_are_those_of_the_array(matrix, data):
    rows = data.draw(st.lists(st.integers(-N_SAMPLES, N_SAMPLES - 1), max_size=30))
    columns = data.draw(st.lists(st.integers(0, N_FEATURES - 1), max_size=30))
    got = matrix[np.array(rows, dtype=int)].read(np.array(columns, dtype=np.intp))
    assert_array_equal(got, values_of()[np.ix_(rows, columns)])


def test_rows__repeated_beside_a_gap_are_not_taken_for_a_run(matrix):
    # As many rows as from the first to the last, but not all of these.
    assert_array_equal(matrix[[3, 5, 5]], values_of()[[3, 5, 5]])
    assert_array_equal(matrix.read(np.array([3, 5, 5])), values_of()[:, [3, 5, 5]])


def test_rows__of_a_slice_stay_a_slice(matrix):
    assert len(pickle.dumps(matrix[2:][1:9:2])) < len(pickle.dumps(matrix[2:])) + 20
    assert matrix[2:][1:9:2].stored_rows == range(3, 11, 2)


def test_rows__beside_an_ellipsis_are_rows(matrix):
    assert_array_equal(matrix[[3, 1], ...], values_of()[[3, 1]])
    assert_array_equal(matrix[[3, 1], :], values_of()[[3, 1]])


def test_rows__by_one_integer_is_an_array(matrix):
    assert_array_equal(matrix[-2], values_of()[-2])
    assert matrix[4].shape == (N_FEATURES,)


def test_matrix__iterates_over_its_rows(matrix):
    assert_array_equal(list(matrix), values_of())


@pytest.mark.parametrize(
    ("key", "message"),
    [
        (N_SAMPLES, "row 19 is out of range: the matrix has 19 samples"),
        ([0, -20], "row -20 is out of range: the matrix has 19 samples"),
        ([True, False], "boolean mask has 2 entries, but the matrix has 19 samples"),
        ([0.5], "no selection of rows"),
        ("f0", "no selection of rows"),
        ([[0, 1]], "no selection of rows"),
        (True, r"X\[True\] is no selection of rows"),
    ],
)
def test_rows__wrong_ones_raise(matrix, key, message):
    with pytest.raises(IndexError, match=message):
        matrix[key]


@pytest.mark.parametrize("columns", [[23], [-1], [0, 400]])
def test_read__wrong_columns_raise(matrix, columns):
    for read in (matrix.read, matrix.fetch):
        with pytest.raises(IndexError, match=r"column .* is out of range.*has 23 features"):
            read(np.array(columns))


@pytest.mark.parametrize("columns", [range(24), range(-1, 3), range(23, 0, -1), range(2, -2, -1)])
def test_read__wrong_ranges_raise(matrix, columns):
    with pytest.raises(IndexError, match=r"column .* is out of range.*has 23 features"):
        matrix.read(columns)


def test_array__loads_the_whole(matrix):
    assert_array_equal(np.asarray(matrix), values_of())
    assert np.asarray(matrix, dtype=np.float64).dtype == np.float64
    with pytest.raises(ValueError, match="copy=False"):
        matrix.__array__(copy=False)


def test_frame__of_a_matrix_is_that_of_its_array(matrix):
    # broke once: "DataFrame constructor not properly called!"
    expected = pd.DataFrame(values_of(), index=matrix.sample_ids, columns=matrix.feature_names)
    frame = pd.DataFrame(matrix, index=matrix.sample_ids, columns=matrix.feature_names)
    pd.testing.assert_frame_equal(frame, expected)
    pd.testing.assert_frame_equal(pd.DataFrame(matrix[:3]), pd.DataFrame(values_of()[:3]))


def test_frame__of_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"takes 92 TB; at most .* are allowed"):
        pd.DataFrame(LazyMatrix(Unread(10**12, N_FEATURES)))


def test_nbytes__are_those_of_the_array(matrix):
    assert matrix.nbytes == values_of().nbytes
    assert matrix[::2, 3:5].nbytes == values_of()[::2, 3:5].nbytes


def test_array__refuses_what_does_not_fit():
    matrix = LazyMatrix(Unread(10**12, N_FEATURES))
    with pytest.raises(ValueError, match=r"takes 92 TB; at most .* are allowed.*X\[rows\]"):
        np.asarray(matrix)
    assert np.asarray(matrix[:5]).shape == (5, N_FEATURES)


def test_repr__tells_file_dataset_shape_type_and_layout(write_h5):
    matrix = open_matrix(write_h5(values_of(), name="g/x", chunks=(5, 4), compression="gzip"))
    text = repr(matrix[:4])
    for part in ("matrix.h5", "g/x", "4 samples x 23 features", "float32", "5 x 4, gzip"):
        assert part in text


def test_matrix__is_indexable_for_model_selection(matrix):
    assert indexable(matrix, np.arange(N_SAMPLES))[0] is matrix


def test_matrix__pickles_without_values_and_with_its_stamp(matrix):
    view = matrix[::2]
    assert_array_equal(pickle.loads(pickle.dumps(view)), values_of()[::2])
    before = joblib.hash(view)
    path = matrix.files[0].path
    os.utime(path, ns=(1, 1))
    assert joblib.hash(open_matrix(path)[::2]) != before


def test_matrix__may_be_read_in_other_processes(matrix):
    parts = joblib.Parallel(n_jobs=2)(
        joblib.delayed(np.asarray)(matrix[rows]) for rows in (np.s_[:9], np.s_[9:])
    )
    assert_array_equal(np.vstack(parts), values_of())


def test_read__leaves_no_file_open(matrix):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        matrix[[3, 1]].read(np.array([1, 9]))
    assert len(os.listdir("/proc/self/fd")) == before


def test_fingerprint_parts__tell_rows_apart(matrix):
    def rows_of(view):
        return [bytes(part) for part in view.fingerprint_parts() if not hasattr(part, "path")]

    views = [matrix, matrix[:5], matrix[::-1], matrix[[0, 1]], matrix[[1, 0]]]
    assert len({b"|".join(rows_of(view)) for view in views}) == 5


def test_parts__have_the_rows_of_the_view(tmp_path):
    view = opened("wide", tmp_path, values_of())[[5, 0, 5]]
    assert len(view.parts) == 3
    for part in view.parts:
        read = part.matrix.read(range(part.matrix.shape[1]))
        assert_array_equal(read, values_of()[[5, 0, 5]][:, part.columns])


class TestReadOfColumns:
    @pytest.fixture
    def lazy(self, write_h5):
        self.values = np.arange(60.0).reshape(10, 6)
        return open_matrix(write_h5(self.values))

    def test_mask__reads_the_columns_it_marks(self, lazy):
        # broke once: the mask was read as the columns 0 and 1
        mask = np.array([False, True, False, False, True, True])
        assert_array_equal(lazy.read(mask), self.values[:, mask])

    @pytest.mark.parametrize("columns", [np.s_[::2], np.s_[::-1], np.s_[5:1:-2]])
    def test_slice_with_a_step__reads_what_numpy_does(self, lazy, columns):
        assert_array_equal(lazy.read(columns), self.values[:, columns])
        assert_array_equal(lazy[::2].read(columns), self.values[::2, columns])

    @pytest.mark.parametrize("columns", [[1.7], [b"a"], 1, [[0, 1]], [True, False]])
    def test_what_names_no_columns__is_refused(self, lazy, columns):
        with pytest.raises(IndexError, match=r"names no columns. .* mask of 6 entries"):
            lazy.read(columns)


@pytest.mark.parametrize("key", [..., (), np.s_[:], np.s_[..., :]], ids=repr)
def test_getitem__of_everything_is_the_matrix(write_h5, key):
    matrix = open_matrix(write_h5(values_of()))
    assert_array_equal(np.asarray(matrix[key]), values_of())


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("kind", KINDS)
def test_rows__of_every_kind(kind, view, tmp_path):
    values = values_of()
    matrix = opened(kind, tmp_path, values)
    assert list(matrix.feature_names) == names_of(values)[1]
    rows, expected = matrix[VIEWS[view]], values[VIEWS[view]]
    assert list(rows.sample_ids) == list(np.array(names_of(values)[0])[VIEWS[view]])
    for columns in (np.s_[:], np.s_[2:9], np.array([22, 3, 4, 3, 11])):
        assert_array_equal(rows.read(columns), expected[:, columns])
    arrived = pickle.loads(pickle.dumps(rows))
    assert_array_equal(arrived.fetch(range(3, 14)).decode(), expected[:, 3:14])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_type__of_every_kind_is_that_of_the_file(kind, dtype, tmp_path):
    values = values_of(dtype)
    matrix = opened(kind, tmp_path, values)
    # Several files and blocks are joined in the type of this machine; Zarr 3 and Parquet store no other.
    native = kind.startswith(("wide", "hdfstore", "parquet", "zarr", "held zarr", "held anndata"))
    assert matrix.dtype.newbyteorder("=" if native else "|") == (
        np.dtype(dtype).newbyteorder("=" if native else "|")
    )
    assert_array_equal(matrix.read(np.array([5, 1, 20])), values[:, [5, 1, 20]])


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.startswith(("held dask", "held anndata in"))]
)
def test_read__of_a_changed_file_raises(kind, tmp_path):
    matrix = opened(kind, tmp_path, values_of())
    opened(kind, tmp_path, values_of() + 1)
    with pytest.raises(OSError, match=r"has changed since it was opened"):
        matrix.read(np.s_[:])


def test_open_matrix__real_file(real_matrix):
    matrix = open_matrix(real_matrix, feature_names="features", sample_ids="samples")
    assert matrix.shape == (8085, 71)
    assert matrix.feature_names[0] == "cg16867657"
    some = matrix[[8084, 3, 3]].read(np.array([70, 0]))
    with h5py.File(real_matrix) as file:
        assert_array_equal(some, file["data"][:][[8084, 3, 3]][:, [70, 0]])
