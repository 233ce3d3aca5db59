"""One rule for all formats: a matrix is two-dimensional, real, and of a size that can be counted."""

import re
import sys

import h5py
import numpy as np
import pytest
from containers import write_anndata

from skpar_select import open_matrix
from skpar_select.matrices.io._checks import check_matrix_shape, is_matrix


def in_hdf5(path, values):
    path = path.with_suffix(".h5")
    with h5py.File(path, "w") as file:
        file["data"] = values
    return path, {"dataset": "data"}, "'{path}', dataset 'data'"


def in_anndata(path, values):
    path = write_anndata(path.with_suffix(".h5ad"), np.zeros((2, 2)))
    with h5py.File(path, "a") as file:
        del file["X"]
        file["X"] = values
    return path, {}, "'{path}', dataset 'X'"


def in_npy(path, values):
    np.save(path.with_suffix(".npy"), values)
    return path.with_suffix(".npy"), {}, "'{path}'"


@pytest.mark.parametrize("write", [in_hdf5, in_anndata, in_npy])
@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            np.zeros(5),
            "has shape (5,). A matrix has two dimensions, samples x features. Name or store a "
            "two-dimensional array.",
        ),
        (
            np.zeros((2, 2, 2)),
            "has shape (2, 2, 2). A matrix has two dimensions, samples x features. Name or store "
            "a two-dimensional array.",
        ),
        (np.zeros((2, 2), "S4"), "holds text (|S4)."),
        (np.zeros((2, 2), "c8"), "holds complex numbers (complex64)."),
        (np.zeros((2, 2), [("a", "f4")]), "holds compound values ([('a', '<f4')])."),
    ],
    ids=["one axis", "three axes", "text", "complex", "compound"],
)
def test_rule__is_told_in_the_same_words_by_every_format(write, values, message, tmp_path):
    path, options, label = write(tmp_path / "x", values)
    if "holds" in message:
        message += (
            " A matrix holds real numbers, and objects are never unpickled. Name a numeric array, "
            "or store the numeric columns as one."
        )
    whole = f"{label.format(path=path)} {message}"
    with pytest.raises(ValueError, match=f"^{re.escape(whole)}$"):
        open_matrix(path, **options)


@pytest.mark.parametrize("dtype", ["?", "i1", "u8", "f2", ">f8"])
def test_check_matrix_shape__takes_real_numbers(dtype):
    dtype = np.dtype(dtype)
    assert is_matrix((3, 4), dtype)
    assert check_matrix_shape((np.int64(3), 4), dtype, "x") == (3, 4)
    assert check_matrix_shape((0, 4), dtype, "x") == (0, 4)


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [(None, "f4"), ((), "f4"), ((3,), "f4"), ((3, 4, 5), "f4"), ((3, 4), "U3"), ((3, 4), "O")],
)
def test_is_matrix__is_false_of_what_is_refused(shape, dtype):
    assert not is_matrix(shape, np.dtype(dtype))
    with pytest.raises(ValueError, match=r"^x has shape|^x holds"):
        check_matrix_shape(shape, np.dtype(dtype), "x")


@pytest.mark.parametrize(
    ("shape", "n_bytes"),
    [
        ((sys.maxsize, 1), 4 * sys.maxsize),
        ((2**33, 2**31), 2**66),
        ((0, 2**63), 0),
        ((2**63, 0), 0),
    ],
)
def test_check_matrix_shape__refuses_what_cannot_be_counted(shape, n_bytes):
    message = rf"x has shape {re.escape(str(shape))}, which are {n_bytes} bytes of float32"
    with pytest.raises(ValueError, match=message):
        check_matrix_shape(shape, np.dtype("f4"), "x")


def test_check_matrix_shape__takes_as_much_as_can_be_counted():
    shape = (1, sys.maxsize)
    assert check_matrix_shape(shape, np.dtype("i1"), "x") == shape


def declared(path, shape, dtype="f4"):
    """Write no more than the shape of a matrix."""
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape, dtype, chunks=(1, 1))
    return path


def declared_sparse(path, shape, encoding="csc_matrix"):
    write_anndata(path, np.zeros((2, 2), "f4"), encoding)
    with h5py.File(path, "a") as file:
        file["X"].attrs["shape"] = np.array(shape, "u8")
    return path


def declared_npy(path, shape):
    with open(path, "wb") as file:
        header = {"descr": "<f4", "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
    return path


@pytest.mark.parametrize(
    ("write", "name", "shape", "n_bytes"),
    [
        (declared, "x.h5", (2**33, 2**31), 2**66),
        (declared_npy, "x.npy", (10**30, 0), 0),
        (declared_npy, "x.npy", (0, 2**63), 0),
        (declared_sparse, "x.h5ad", (2**64 - 1, 2), (2**64 - 1) * 8),
    ],
)
def test_shape__that_cannot_be_counted_is_refused(write, name, shape, n_bytes, tmp_path):
    write(tmp_path / name, shape)
    stored = shape[::-1] if write is declared_sparse else shape
    message = rf"has shape {re.escape(str(stored))}, which are {n_bytes} bytes of float32"
    with pytest.raises(ValueError, match=message):
        open_matrix(tmp_path / name)


def test_shape__of_several_files_that_cannot_be_counted_is_refused(tmp_path):
    paths = [declared_npy(tmp_path / f"{i}.npy", (0, 2**62)) for i in range(2)]
    assert open_matrix(paths[0]).shape == (0, 2**62)
    for options in ({"sample_ids": []}, {"align": "order"}):
        with pytest.raises(ValueError, match=r"2 files, .* has shape \(0, 9223372036854775808\)"):
            open_matrix(paths, **options)
