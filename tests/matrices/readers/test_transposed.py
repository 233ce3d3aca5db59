"""Matrices that are stored as features x samples."""

import numpy as np
import pytest
from containers import LAYOUTS, TURNED, values_of, write_transposed
from numpy.testing import assert_array_equal
from scipy import sparse

from skpar_select import open_matrix
from skpar_select.matrices import ArrayMatrix, SparseMatrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.readers import ContiguousMatrix, TransposedMatrix
from skpar_select.testing import MatrixConformance


class TestTransposed(MatrixConformance):
    @pytest.fixture(params=LAYOUTS)
    def case(self, request, write_h5):
        path = write_h5(values_of().T.copy(), **LAYOUTS[request.param] | chunks(request.param))
        return open_matrix(path, feature_names=None, sample_ids=None, **TURNED), values_of()


def chunks(layout):
    held = LAYOUTS[layout].get("chunks")
    return {} if held is None else {"chunks": held[::-1]}


class SmallContiguousMatrix(ContiguousMatrix):
    """The same with a buffer of a few values, so that every read is cut."""

    tile_bytes = 64
    near_bytes = 8


class TestTransposedOfSmallReads(MatrixConformance):
    @pytest.fixture
    def case(self, tmp_path):
        (tmp_path / "x.bin").write_bytes(values_of().T.tobytes())
        file, shape = FileSnapshot(tmp_path / "x.bin"), values_of().T.shape
        stored = SmallContiguousMatrix(file, 0, shape, values_of().dtype, "x")
        return TransposedMatrix(stored), values_of()


class TestTransposedInMemory(MatrixConformance):
    @pytest.fixture(params=[ArrayMatrix, lambda v: SparseMatrix(sparse.csc_array(v))])
    def case(self, request):
        return TransposedMatrix(request.param(values_of().T)), values_of()


@pytest.mark.parametrize(
    ("options", "order"),
    [({}, "column-major"), ({"chunks": (4, 5), "compression": "gzip"}, "chunked")],
)
def test_layout__is_that_of_the_same_bytes(tmp_path, options, order):
    path = write_transposed(tmp_path / "x.h5", values_of(), **options)
    matrix, stored = open_matrix(path, **TURNED), open_matrix(path)
    layout = matrix.layout
    assert layout.order == order
    assert layout.chunks == ((options and (5, 4)) or None)
    assert layout.n_rows == 19
    assert layout.stored_bytes == stored.layout.stored_bytes
    assert layout.chunk_column_bytes == stored.layout.chunk_row_bytes
    assert layout.chunk_row_bytes == stored.layout.chunk_column_bytes


def test_fetch__does_the_input_alone(tmp_path, read_bytes):
    path = write_transposed(tmp_path / "x.h5", values_of(), chunks=(4, 5), compression="gzip")
    matrix = open_matrix(path, **TURNED)
    block = matrix.fetch(range(3, 9))
    n_reads = len(read_bytes)
    assert_array_equal(block.decode(), values_of()[:, 3:9])
    assert len(read_bytes) == n_reads > 0


def test_read__of_columns_reads_rows_of_the_file(tmp_path, read_bytes):
    matrix = open_matrix(write_transposed(tmp_path / "x.h5", values_of()), **TURNED)
    matrix.read(range(3, 9))
    assert read_bytes == [6 * 19 * 4]
    assert np.isfortran(matrix.read(range(3, 9)))


def test_fingerprint_parts__are_those_of_the_stored_values():
    one, other = (TransposedMatrix(ArrayMatrix(values)) for values in (np.eye(3), np.zeros((3, 3))))
    assert_array_equal(list(one.fingerprint_parts())[-1], np.eye(3))
    assert_array_equal(list(other.fingerprint_parts())[-1], np.zeros((3, 3)))
