"""Datasets of one dimension, read so that what is missing or too much is an error."""

import os
import zlib

import h5py
import numpy as np
import pytest
from containers import values_of, write_anndata

from skpar_select import open_matrix
from skpar_select.matrices.io._lines import open_line, read_line

NUMBERS = np.arange(1000, dtype=np.int32)
OPTIONS = {
    "contiguous": {},
    "gzip": {"chunks": (300,), "compression": "gzip", "shuffle": True},
    "by HDF5": {"chunks": (300,), "compression": "lzf"},
    "longer chunk": {"chunks": (3000,), "maxshape": (None,), "compression": "gzip"},
}


def write(path, values, userblock=0, **options):
    with h5py.File(path, "w", userblock_size=userblock) as file:
        file.create_dataset("x", data=values, **options)
    return path


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("userblock", [0, 512])
@pytest.mark.parametrize("dtype", ["i4", ">f8", "?", "S5"])
def test_read__gives_some_values(options, userblock, dtype, tmp_path):
    values = NUMBERS.astype(dtype)
    path = write(tmp_path / "x.h5", values, userblock, **options)
    with h5py.File(path) as file, open_line(file["x"], "x") as line:
        for start, stop in [(0, 1000), (0, 1), (299, 301), (650, 1000), (5, 5)]:
            np.testing.assert_array_equal(line.read(start, stop), values[start:stop])


def test_read__of_nothing_is_empty(tmp_path):
    for values in (NUMBERS[:0], np.array([], h5py.string_dtype())):
        path = write(tmp_path / "x.h5", values)
        with h5py.File(path) as file:
            assert not len(read_line(file["x"], "x"))


def test_read__of_text_that_ends_with_zero(tmp_path):
    # As C and PyTables write it.
    with h5py.File(tmp_path / "x.h5", "w") as file:
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(6)
        space = h5py.h5s.create_simple((2,))
        h5py.h5d.create(file.id, b"x", kind, space).write(
            h5py.h5s.ALL, h5py.h5s.ALL, np.array([b"one", b"two"], "S6")
        )
    with h5py.File(tmp_path / "x.h5") as file:
        assert read_line(file["x"], "x").tolist() == [b"one", b"two"]


@pytest.mark.parametrize("encoding", ["csr_matrix", "csc_matrix"])
@pytest.mark.parametrize("options", [{}, {"chunks": (50,), "compression": "gzip"}])
def test_read__that_falls_short_is_an_error(encoding, options, tmp_path, monkeypatch):
    # HDF5 takes what is not there for zeros.
    values = np.maximum(values_of(), 0)
    path = write_anndata(tmp_path / "x.h5ad", values, encoding, **options)
    X, original, count = open_matrix(path), os.preadv, 0

    def short(*args):
        nonlocal count
        count += 1
        return original(*args) if count < 3 else 0

    monkeypatch.setattr(os, "preadv", short)
    message = r"x\.h5ad', 'X': '(data|indices)': values 0 to [0-9]+ cannot be read \(the file ends [0-9]+ bytes"
    with pytest.raises(OSError, match=message):
        X.read(np.s_[:])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda file: file.create_dataset("x", 9, "S70000"),
            "holds text of 70000 bytes each. A name has at most 65536",
        ),
        (
            lambda file: file.create_dataset("x", 2**16, "S20000", chunks=(9,)),
            r"takes 1\.4 GB in memory.*at most 1\.1 GB",
        ),
        (
            lambda file: file.create_dataset("x", 9, "i8", chunks=(2**26,), maxshape=(None,)),
            r"in chunks of 536\.9 MB.*at most 268\.5 MB",
        ),
        (
            lambda file: file.create_dataset("x", (3, 3), "i4"),
            r"has shape \(3, 3\)\. It must have one dimension",
        ),
        (
            lambda file: file.create_dataset("x", 3, h5py.vlen_dtype(np.int32)),
            "holds object. It must be numbers or text",
        ),
    ],
)
def test_line__that_takes_too_much_or_is_none_is_refused(make, words, tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = make(file)
        if data.chunks:
            whole = zlib.compress(bytes(9))
            for start in range(0, data.shape[0], data.chunks[0]):
                data.id.write_direct_chunk((start,), whole)
        else:
            data[0] = data[0]
    with h5py.File(tmp_path / "x.h5") as file, pytest.raises(ValueError, match=words):
        read_line(file["x"], "x")
