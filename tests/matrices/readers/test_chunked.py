"""Chunks that are decoded past h5py: read once, decoded later, checked against their places."""

import os

import h5py
import numpy as np
import pytest
from containers import LAYOUTS, VIEWS, values_of
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.matrices import LazyMatrix
from skpar_select.matrices.formats._hdf5 import open_dataset
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import ChunkedMatrix
from skpar_select.testing import MatrixConformance

# lzf is left to HDF5.
DECODED_HERE = ["rows", "squares", "columns"]
VALUES = np.random.default_rng(0).normal(size=(12, 9)).astype(np.float32)


def chunked(path):
    with FileSession(path) as session:
        matrix = open_dataset(session, "data")
    assert type(matrix) is ChunkedMatrix
    return matrix


class TestChunked(MatrixConformance):
    @pytest.fixture(params=DECODED_HERE)
    def case(self, request, write_h5):
        return chunked(write_h5(values_of(), **LAYOUTS[request.param])), values_of()


def stored_bytes(path, name="data"):
    with h5py.File(path) as file:
        return file[name].id.get_storage_size()


@pytest.mark.parametrize("layout", DECODED_HERE)
@pytest.mark.parametrize("rows", [np.s_[:], *VIEWS.values()], ids=["all", *VIEWS])
def test_read__takes_no_byte_twice(write_h5, read_bytes, layout, rows):
    path = write_h5(values_of(), **LAYOUTS[layout])
    matrix = LazyMatrix(chunked(path))[rows]
    expected = matrix.layout.stored_bytes
    matrix.read(np.s_[:])
    assert sum(read_bytes) == expected <= stored_bytes(path)


def test_read__of_scattered_columns_decodes_only_overlapping_chunks(write_h5, read_bytes):
    path = write_h5(np.ones((40, 1000), "f4"), chunks=(40, 10), compression="gzip")
    open_matrix(path).read(np.array([3, 17, 15, 402, 408, 977]))
    assert len(read_bytes) == 4


@pytest.mark.parametrize("layout", ["contiguous", *DECODED_HERE])
def test_fetch__reads_all_and_decoding_nothing(write_h5, read_bytes, layout):
    values = values_of()
    matrix = open_matrix(write_h5(values, **LAYOUTS[layout]))[::2]
    block = matrix.fetch(range(4, 12))
    n_reads = len(read_bytes)
    assert_array_equal(block.decode(), values[::2, 4:12])
    assert len(read_bytes) == n_reads > 0


def test_read__short_of_bytes_names_file_dataset_and_place(write_h5, monkeypatch):
    matrix = open_matrix(write_h5(values_of(), **LAYOUTS["squares"]))
    assert matrix.layout.stored_bytes
    monkeypatch.setattr(os, "preadv", lambda *args: 0)
    message = (
        r"matrix\.h5', dataset 'data': the chunk of rows 0 to 4, columns 4 to 7 cannot be read "
        r"\(the file ends \d+ bytes too early\)"
    )
    for read in (matrix[3:5].read, matrix[3:5].fetch):
        with pytest.raises(OSError, match=message):
            read(range(4, 8))


def test_read__of_a_damaged_checksum_names_file_dataset_and_place(write_h5):
    path = write_h5(values_of(), chunks=(5, 4), fletcher32=True)
    with h5py.File(path) as file:
        place = file["data"].id.get_chunk_info_by_coord((5, 8)).byte_offset
    data = bytearray(path.read_bytes())
    data[place] ^= 255
    path.write_bytes(data)
    matrix = open_matrix(path)
    message = (
        r"matrix\.h5', dataset 'data': the chunk of rows 5 to 9, columns 8 to 11 cannot be read "
        r"\(its checksum \(fletcher32\) does not fit\)"
    )
    with pytest.raises(OSError, match=message):
        matrix.read(np.s_[8:12])
    block = matrix.fetch(np.s_[8:12])
    with pytest.raises(OSError, match=message):
        block.decode()
    assert matrix.read(np.s_[0:8]).shape == (19, 8)


def gzipped(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=VALUES, chunks=(5, 4), compression="gzip")
        info = file["data"].id.get_chunk_info_by_coord((5, 4))
    return info.byte_offset, info.size


def test_read__of_a_damaged_gzip_chunk_names_file_dataset_and_place(tmp_path):
    path = tmp_path / "x.h5"
    offset, size = gzipped(path)
    with open(path, "r+b") as file:
        file.seek(offset + size - 1)
        last = file.read(1)[0]
        file.seek(offset + size - 1)
        file.write(bytes([last ^ 1]))
    message = (
        r"x\.h5', dataset 'data': the chunk of rows 5 to 9, columns 4 to 7 cannot be read \(gzip: "
        r".*incorrect data check\)"
    )
    with pytest.raises(OSError, match=message):
        open_matrix(path).read(np.array([5]))
    assert open_matrix(path).read(np.array([0, 8])).shape == (12, 2)


def test_layout__of_chunks_outside_the_file_is_refused(tmp_path):
    gzipped(tmp_path / "x.h5")
    matrix = chunked(tmp_path / "x.h5")
    stamp = matrix.file.stamp
    # As if the file had been 150 bytes shorter when it was opened.
    matrix.file.stamp = stamp._replace(size=stamp.size - 150)
    with pytest.raises(
        OSError, match=r"chunks are missing, or outside the file, the first at \(5, 4\)\."
    ):
        matrix.layout  # noqa: B018  # asking is what is tested


def test_index__of_chunks_is_read_once(tmp_path, opens):
    gzipped(tmp_path / "x.h5")
    matrix = open_matrix(tmp_path / "x.h5")
    matrix.read(np.s_[:])
    assert len(opens) > 1
    opens.clear()
    assert_array_equal(matrix[::2].read(np.s_[2:5]), VALUES[::2, 2:5])
    assert not opens
    os.utime(tmp_path / "x.h5", ns=(1, 1))
    with pytest.raises(OSError, match="has changed since it was opened"):
        matrix.read(np.s_[:])


def test_index__is_not_taken_for_that_of_another_file_of_the_same_size_and_time(tmp_path):
    path, times = tmp_path / "x.h5", (9, 9)
    for order in ([0, 2, 4], [4, 2, 0]):
        with h5py.File(path, "w") as file:
            data = file.create_dataset("data", (4, 6), "f8", chunks=(4, 2))
            for column in order:
                data[:, column : column + 2] = column
        os.utime(path, times)
        assert open_matrix(path).read(np.s_[:])[0].tolist() == [0, 0, 2, 2, 4, 4]
