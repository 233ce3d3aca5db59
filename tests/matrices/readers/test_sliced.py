import pickle

import numpy as np
import pytest
from containers import values_of
from numpy.testing import assert_array_equal

from skpar_select import ParallelMutualInfoSelector
from skpar_select.matrices import held_matrix
from skpar_select.matrices.readers import SlicedMatrix
from skpar_select.testing import MatrixConformance

da = pytest.importorskip("dask.array")


@pytest.fixture
def values():
    return values_of()


def block_of(block_info=None):
    rows, columns = (slice(*place) for place in block_info[None]["array-location"])
    return values_of()[rows, columns]


def computed(values, chunks):
    """Return an array of dask whose graph holds no values."""
    chunks = da.core.normalize_chunks(chunks, values.shape)
    return da.map_blocks(block_of, chunks=chunks, dtype=values.dtype)


class TestDask(MatrixConformance):
    @pytest.fixture(params=[(5, 4), (-1, 3), (2, -1), ((3, 9, 1, 6), (10, 2, 11))], ids=str)
    def case(self, values, request):
        array = computed(values, request.param)
        return held_matrix(array), values

    def test_pickle__is_an_address(self, case):
        """A graph has a few bytes for each chunk, so that no size is promised."""
        matrix, values = case
        arrived = pickle.loads(pickle.dumps(matrix))
        assert_array_equal(arrived.read(range(23)), values)

    def test_read__leaves_the_matrix_as_it_was(self, case):
        """A graph notes what it has been asked, so that its pickle changes; its values do not."""
        matrix, values = case
        matrix.read(np.array([1, 2]))[...] = 0
        assert_array_equal(matrix.read(range(23)), values)


def test_chunk__is_computed_once_where_a_block_is_whole_chunks(values):
    calls = []

    def count(block):
        calls.append(block.shape)
        return block

    array = da.from_array(values, chunks=(5, 4)).map_blocks(
        count, dtype=values.dtype, meta=values[:0]
    )
    X = held_matrix(array)
    assert_array_equal(X.read(range(4, 12)), values[:, 4:12])
    assert len(calls) == 8


def test_unknown_chunks__are_refused_with_the_way(values):
    array = da.from_array(values, chunks=(5, 23))
    unknown = array[array[:, 0] > 0]
    with pytest.raises(ValueError, match=r"unknown sizes.*compute_chunk_sizes\(\)"):
        held_matrix(unknown)
    X = held_matrix(unknown.compute_chunk_sizes())
    assert_array_equal(np.asarray(X), values[values[:, 0] > 0])


def test_sparse_chunks__are_made_dense(values):
    sparse = pytest.importorskip("scipy.sparse")
    array = da.from_array(values, chunks=(5, 4)).map_blocks(sparse.csr_matrix)
    assert_array_equal(np.asarray(held_matrix(array)), values)


def test_masked_chunks__are_refused(values):
    array = da.ma.masked_greater(da.from_array(values, chunks=(5, 4)), 0)
    with pytest.raises(ValueError, match=r"is masked.*da?sk\.array\.ma\.filled"):
        held_matrix(array).read(range(3))
    X = held_matrix(da.ma.filled(array, np.nan))
    assert np.isnan(np.asarray(X)).any()


def test_chunks__of_another_type_or_shape_than_is_said_are_refused(values):
    wide = da.from_array(values, chunks=(5, 4))
    other = wide.map_blocks(
        lambda block: block.astype("f8"), dtype="i4", meta=np.zeros((0, 0), "i4")
    )
    with pytest.raises(ValueError, match=r"says that its values are int32, and a chunk .* float64"):
        held_matrix(other).read(range(3))
    short = wide.map_blocks(lambda block: block[:1], dtype=values.dtype, meta=values[:0])
    with pytest.raises(ValueError, match=r"came with the shape \(1, 4\)"):
        held_matrix(short).read(range(4))


def test_fingerprint__is_made_of_the_values(values):
    def parts(array):
        return [np.asarray(part).tobytes() for part in held_matrix(array).fingerprint_parts()]

    named = da.from_array(values, chunks=(5, 4), name="x")
    other = da.from_array(values + 1, chunks=(5, 4), name="x")
    assert parts(named) != parts(other)
    assert parts(named) == parts(da.from_array(values, chunks=(5, 4), name="y"))


def test_fit__is_that_of_the_array(values):
    y = values[:, 7]
    X = held_matrix(da.from_array(values, chunks=(7, 5)))
    selector = ParallelMutualInfoSelector(3, random_state=0, n_jobs=2)
    expected = selector.fit(values, y).scores_.copy()
    assert_array_equal(selector.fit(X, y).scores_, expected)


def test_frame__is_refused_with_the_way():
    dataframe = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    frame = dataframe.from_pandas(
        pandas.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), npartitions=1
    )
    with pytest.raises(TypeError, match=r"DataFrame of dask.*to_dask_array\(lengths=True\)"):
        held_matrix(frame)
    X = held_matrix(frame.to_dask_array(lengths=True))
    assert_array_equal(np.asarray(X), [[1, 3], [2, 4]])


def test_sliced__is_what_its_name_says(values):
    matrix = SlicedMatrix(values, (5, 4), (range(0, 25, 5), range(0, 28, 4)), "x", "an array")
    assert_array_equal(matrix.read(range(23)), values)
