"""``.npy`` files: their headers, and what they do not hold."""

import numpy as np
import pytest
from containers import KINDS, opened, values_of, write_npy
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.testing import MatrixConformance


class TestNpyMatrix(MatrixConformance):
    @pytest.fixture(params=[kind for kind in KINDS if kind.startswith("npy")])
    def case(self, request, tmp_path):
        values = values_of()
        return opened(request.param, tmp_path, values), values


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros(3), r"has shape \(3,\).*two dimensions"),
        (np.zeros((2, 2), "c8"), r"holds complex numbers \(complex64\)"),
        (np.zeros((2, 2), [("a", "f4")]), "holds compound values .*'a'"),
        (np.zeros((2, 2), "U3"), r"holds text \(<U3\)"),
        (np.zeros((2, 2), "M8[s]"), r"holds dates \(datetime64"),
        (np.array([[None, 1]]), r"holds text or objects \(object.*never unpickled"),
    ],
)
def test_open__refuses_what_is_no_matrix(tmp_path, array, message):
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(ValueError, match=message):
        open_matrix(tmp_path / "x.npy")


def test_open__refuses_a_file_cut_short(tmp_path):
    path = write_npy(tmp_path / "x.npy", values_of())
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises((OSError, ValueError), match=r"x\.npy'.*All values must be there"):
        open_matrix(path)


@pytest.mark.parametrize("byte", [6, 9, 12, 40])
def test_open__refuses_a_damaged_header(tmp_path, byte):
    path = write_npy(tmp_path / "x.npy", values_of())
    damaged = bytearray(path.read_bytes())
    damaged[byte] ^= 7
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"x\.npy' (has|holds)"):
        open_matrix(path)


def test_open__finds_one_array_and_no_names(tmp_path):
    path = write_npy(tmp_path / "x.npy", values_of())
    with pytest.raises(ValueError, match=r"dataset='data' is not in .*Leave dataset out"):
        open_matrix(path, "data")
    with pytest.raises(ValueError, match=r"sample_ids='ids' is not in .*Give the names"):
        open_matrix(path, sample_ids="ids")
    assert open_matrix(path).sample_ids is None
    assert open_matrix(path).feature_names is None
    assert open_matrix(path, sample_ids="auto").sample_ids is None


def test_open__reads_version_2(tmp_path):
    with open(tmp_path / "x.npy", "wb") as file:
        np.lib.format.write_array(file, values_of(), version=(2, 0))
    assert_array_equal(open_matrix(tmp_path / "x.npy"), values_of())


def test_open__in_fortran_order_is_read_by_columns(tmp_path):
    path = write_npy(tmp_path / "x.npy", np.asfortranarray(values_of()))
    matrix = open_matrix(path)
    assert matrix.layout.order == "column-major"
    assert matrix.description == "contiguous by columns"
    path = write_npy(tmp_path / "y.npy", values_of())
    assert open_matrix(path).layout.order == "row-major"


@pytest.mark.parametrize(
    "header",
    [b"(" * 5000, b"-" * 9000, b"[" * 9000, b"{'descr': '<f8', " + b"'" * 200, b"\xff" * 100],
)
def test_header__that_python_cannot_parse_is_refused(header, tmp_path):
    path = tmp_path / "x.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ValueError, match=r"x\.npy' has a damaged header \(.+\)\. .*numpy\.save"):
        open_matrix(path)


def test_header__that_says_less_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((24, 18)))
    path.write_bytes(path.read_bytes().replace(b"(24, 18)", b"(24, 10)"))
    with pytest.raises(ValueError, match="would end at byte 2048, and the file has 3584"):
        open_matrix(path)
