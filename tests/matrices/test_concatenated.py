"""Matrices one after another: each keeps its own layout, and no block lies in two of them."""

from dataclasses import replace

import numpy as np
import pytest
from containers import values_of, write_hdf5, write_wide
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.matrices import ArrayMatrix, ConcatenatedMatrix, LazyMatrix
from skpar_select.testing import MatrixConformance

ORDER = np.random.default_rng(0).permutation(23)


def concatenated(values, borders=(4, 9), order=None):
    blocks = np.split(values if order is None else values[:, np.argsort(order)], borders, axis=1)
    parts = [ArrayMatrix(block) for block in blocks]
    return ConcatenatedMatrix(parts, "X", f"{len(parts)} blocks", order=order)


class TestConcatenated(MatrixConformance):
    @pytest.fixture(params=[None, ORDER], ids=["in order", "out of order"])
    def case(self, request):
        return concatenated(values_of(), order=request.param), values_of()


class TestConcatenatedOfTypes(MatrixConformance):
    @pytest.fixture
    def case(self):
        parts = [values_of("i2")[:, :8], values_of("f4")[:, 8:9], values_of("?")[:, 9:]]
        matrix = ConcatenatedMatrix([ArrayMatrix(part) for part in parts], "X", "3 blocks")
        return matrix, np.hstack(parts)


class TestConcatenatedOfFiles(MatrixConformance):
    @pytest.fixture
    def case(self, tmp_path):
        paths = write_wide(tmp_path / "x.h5", values_of(), shuffled=False)
        parts = [open_matrix(path) for path in paths]
        return ConcatenatedMatrix(parts, "X", "3 files"), values_of()


def test_types__that_differ_become_one_that_holds_all(tmp_path):
    values = values_of("i2")
    one = write_hdf5(tmp_path / "1.h5", values)
    two = write_hdf5(tmp_path / "2.h5", values_of("f4"), chunks=(4, 3), compression="gzip")
    X = open_matrix([one, two], feature_names=None)
    assert X.dtype == np.float32
    assert_array_equal(X, np.hstack([values, values_of("f4")]))
    # Each part is planned for by the layout that it has alone, and what its conversion holds.
    first, second = (part.matrix for part in X.parts)
    assert [list(part.columns) for part in X.parts] == [list(range(23)), list(range(23, 46))]
    assert (first.dtype, second.dtype) == (np.float32, np.float32)
    alone = open_matrix(one, "data").layout
    assert first.layout == replace(alone, dtype=np.dtype("f4"), value_bytes=2)
    assert_array_equal(first.read(range(23)), values)
    assert second.layout == open_matrix(two, "data").layout
    assert second.layout.order == "chunked"
    assert second.layout.decode_bytes > 0
    # A block of both would be decoded as it is read, and copied to its place.
    assert X.layout.decode_bytes == 0
    assert X.layout.read_bytes > second.layout.decode_bytes


def test_fetch__of_columns_of_one_part_does_the_input_alone(tmp_path, read_bytes):
    options = {"chunks": (5, 2), "compression": "gzip"}
    paths = write_wide(tmp_path / "x.h5", values_of(), shuffled=False, **options)
    X = open_matrix(paths)
    block = X.fetch(range(4, 9))
    n_reads = len(read_bytes)
    assert_array_equal(block.decode(), values_of()[:, 4:9])
    assert len(read_bytes) == n_reads > 0


def test_parts__of_parts_are_read_where_they_are():
    values = values_of()
    inner = concatenated(values, order=ORDER)
    outer = ConcatenatedMatrix([inner, ArrayMatrix(values)], "X", "2 matrices")
    assert [part.matrix.shape for part in outer.parts] == [(19, 4), (19, 5), (19, 14), (19, 23)]
    whole = outer.read(range(46))
    for part in outer.parts:
        # A block is a view of the part that holds it.
        assert np.shares_memory(part.matrix.read(range(2), range(19)), part.matrix.read(range(2)))
        assert_array_equal(part.matrix.read(range(part.matrix.shape[1])), whole[:, part.columns])


def test_parts__tell_where_their_columns_are():
    parts = concatenated(values_of(), order=ORDER).parts
    assert [part.matrix.shape for part in parts] == [(19, 4), (19, 5), (19, 14)]
    for part in parts:
        assert_array_equal(ORDER[part.columns], np.sort(ORDER[part.columns]))


def test_parts__of_parts_are_no_deeper_than_one():
    inner = concatenated(values_of(), borders=(4,))
    outer = ConcatenatedMatrix([inner, ArrayMatrix(values_of())], "X", "2 blocks")
    assert_array_equal(outer.read(range(46)), np.hstack([values_of(), values_of()]))


def test_files__are_each_named_once(tmp_path):
    path = write_hdf5(tmp_path / "x.h5", values_of())
    X = open_matrix([path, path], feature_names=None)
    assert [file.path for file in X.files] == [str(path)]


def test_shape__of_more_than_can_be_counted_is_refused():
    class Huge(ArrayMatrix):
        def __init__(self):
            super().__init__(np.zeros((1, 1), "f4"))
            self.shape = (0, 2**62)

    assert LazyMatrix(Huge()).shape == (0, 2**62)
    with pytest.raises(ValueError, match=r"two has shape \(0, 9223372036854775808\)"):
        ConcatenatedMatrix([Huge(), Huge()], "two", "2 blocks")
