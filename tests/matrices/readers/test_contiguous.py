"""Values row after row: every extent is read once, straight to its place."""

import os

import h5py
import numpy as np
import pytest
from containers import VIEWS, values_of
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.matrices import LazyMatrix
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.readers import ContiguousMatrix
from skpar_select.testing import MatrixConformance

OFFSET = 24


class SmallContiguousMatrix(ContiguousMatrix):
    """The same with a buffer of a few values, so that every read is cut."""

    tile_bytes = 64
    near_bytes = 8


def write(path, values, kind=ContiguousMatrix):
    path.write_bytes(bytes(OFFSET) + values.tobytes())
    return kind(FileSnapshot(path), OFFSET, values.shape, values.dtype, f"'{path}'")


class TestContiguous(MatrixConformance):
    @pytest.fixture
    def case(self, tmp_path):
        return write(tmp_path / "x.bin", values_of()), values_of()


class TestSmallContiguous(MatrixConformance):
    @pytest.fixture(params=["all", *VIEWS])
    def case(self, request, tmp_path):
        matrix = write(tmp_path / "x.bin", values_of(), SmallContiguousMatrix)
        if request.param == "all":
            return matrix, values_of()
        rows = np.arange(len(values_of()))[VIEWS[request.param]]
        return LazyMatrix(matrix, rows=rows), values_of()[rows]


def test_matrix__beyond_the_end_of_its_file_is_refused(tmp_path):
    (tmp_path / "x.bin").write_bytes(bytes(100))
    file = FileSnapshot(tmp_path / "x.bin")
    with pytest.raises(ValueError, match=r"x: its values would end at byte 108, .* file has 100"):
        ContiguousMatrix(file, 8, (5, 5), np.dtype("f4"), "x")
    assert ContiguousMatrix(file, 0, (5, 5), np.dtype("f4"), "x").shape == (5, 5)
    with pytest.raises(ValueError, match="its values would end at byte 36893488147419103232"):
        ContiguousMatrix(file, 0, (2**31, 2**31), np.dtype("f8"), "x")


@pytest.mark.parametrize("rows", [np.s_[:], *VIEWS.values()], ids=["all", *VIEWS])
def test_read__takes_no_byte_twice(tmp_path, read_bytes, rows):
    matrix = LazyMatrix(write(tmp_path / "x.bin", values_of()))[rows]
    matrix.read(np.s_[:])
    assert sum(read_bytes) == matrix.layout.stored_bytes <= values_of().nbytes


def test_read__of_all_columns_of_adjacent_rows_is_one_access(tmp_path, read_bytes):
    matrix = write(tmp_path / "x.bin", values_of())
    matrix.read(range(23), range(4, 16))
    assert read_bytes == [12 * 23 * 4]


def test_read__of_scattered_columns_costs_no_more_than_the_file(write_h5, read_bytes):
    path = write_h5(np.zeros((50, 60_000), "f4"))
    columns = np.random.default_rng(0).permutation(60_000)[:2000]
    open_matrix(path).read(columns)
    assert sum(read_bytes) <= 50 * 60_000 * 4
    read_bytes.clear()
    # 240,000 bytes a row, of which the second run is far from the first.
    open_matrix(path).read(np.array([59_000, 3, 59_100, 40]))
    assert sum(read_bytes) == 50 * (38 + 101) * 4


def test_read__of_scattered_columns_holds_a_tile_at_most(tmp_path, read_bytes):
    matrix = write(tmp_path / "x.bin", values_of(), SmallContiguousMatrix)
    columns = np.random.default_rng(0).permutation(23)
    matrix.read(columns)
    assert max(read_bytes) <= matrix.layout_of(range(19), columns).read_bytes == 64


def test_read__file_cut_while_it_is_read(tmp_path, monkeypatch):
    matrix = write(tmp_path / "x.bin", values_of())
    original = os.preadv

    def cut(*args):
        got = original(*args)
        os.truncate(tmp_path / "x.bin", 1000)
        return got

    monkeypatch.setattr(os, "preadv", cut)
    with pytest.raises(OSError, match="has changed since it was opened"):
        matrix.read(range(23))


def test_read__short_of_bytes_names_file_dataset_and_place(write_h5, monkeypatch):
    matrix = open_matrix(write_h5(values_of()))
    monkeypatch.setattr(os, "preadv", lambda *args: 0)
    message = (
        r"matrix\.h5', dataset 'data': stored row 3 from column 4 on cannot be read "
        r"\(the file ends \d+ bytes too early\)"
    )
    with pytest.raises(OSError, match=message):
        matrix[3:5].read(range(4, 8))


def test_read__missing_file(write_h5):
    matrix = open_matrix(write_h5(values_of()))
    os.remove(matrix.files[0].path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        matrix.read(np.s_[:])


def test_read__of_the_bytes_that_h5py_wrote(write_h5, opens):
    path = write_h5(values_of())
    with h5py.File(path) as file:
        assert file["data"].id.get_offset()
    matrix = open_matrix(path)
    opens.clear()
    assert_array_equal(matrix[::-1].read(range(2, 9)), values_of()[::-1, 2:9])
    assert not opens
