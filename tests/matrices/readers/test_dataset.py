"""Datasets that HDF5 itself reads: one rectangle at a time, of a file that is open for that."""

import os
from contextlib import contextmanager

import h5py
import numpy as np
import pytest
from containers import LAYOUTS, VIEWS, values_of
from numpy.testing import assert_array_equal

from skpar_select import open_matrix
from skpar_select.matrices import LazyMatrix
from skpar_select.matrices.formats._hdf5 import open_dataset
from skpar_select.matrices.io._file import FileSnapshot
from skpar_select.matrices.io._session import FileSession
from skpar_select.matrices.readers import DatasetMatrix
from skpar_select.testing import MatrixConformance


class SmallDatasetMatrix(DatasetMatrix):
    """The same with a buffer of a few values, so that every read is cut."""

    tile_bytes = 64
    near_bytes = 8
    near_rows = 1


class CutDatasetMatrix(DatasetMatrix):
    """A dataset whose file is cut short while it is read."""

    @contextmanager
    def open_reader(self):
        with super().open_reader() as reader:

            def read(rows, columns, out):
                reader(rows, columns, out)
                os.truncate(self.file.path, 2000)

            yield read


def by_h5py(path, kind=DatasetMatrix):
    with h5py.File(path) as file:
        data = file["data"]
        shape, dtype, chunks = data.shape, data.dtype, data.chunks
        stored = data.id.get_storage_size()
    label = f"'{path}', dataset 'data'"
    return kind(FileSnapshot(path), "data", shape, dtype, chunks, stored, label, "by HDF5")


class TestDataset(MatrixConformance):
    @pytest.fixture(params=LAYOUTS)
    def case(self, request, write_h5):
        return by_h5py(write_h5(values_of(), **LAYOUTS[request.param])), values_of()


class TestSmallDataset(MatrixConformance):
    @pytest.fixture(params=[(layout, view) for layout in LAYOUTS for view in VIEWS], ids="-".join)
    def case(self, request, write_h5):
        layout, view = request.param
        path = write_h5(values_of(), **LAYOUTS[layout])
        rows = np.arange(len(values_of()))[VIEWS[view]]
        return LazyMatrix(by_h5py(path, SmallDatasetMatrix), rows=rows), values_of()[rows]


def test_open_dataset__leaves_lzf_to_hdf5(write_h5):
    with FileSession(write_h5(values_of(), **LAYOUTS["row panels"])) as session:
        assert type(open_dataset(session, "data")) is DatasetMatrix


def test_read__file_cut_while_it_is_read(write_h5):
    matrix = by_h5py(write_h5(values_of()), CutDatasetMatrix)
    with pytest.raises(OSError, match="has changed since it was opened"):
        matrix.read(range(23))


def test_read__of_a_damaged_chunk_names_file_dataset_and_place(write_h5):
    path = write_h5(values_of(), chunks=(5, 4), fletcher32=True)
    with h5py.File(path) as file:
        place = file["data"].id.get_chunk_info_by_coord((5, 8)).byte_offset
    data = bytearray(path.read_bytes())
    data[place] ^= 255
    path.write_bytes(data)
    matrix = by_h5py(path)
    message = r"matrix\.h5', dataset 'data': rows 0 to 18, columns 8 to 11 cannot be read"
    with pytest.raises(OSError, match=message):
        matrix.read(range(8, 12))
    assert matrix.read(range(8)).shape == (19, 8)


def test_read__missing_file(write_h5):
    matrix = by_h5py(write_h5(values_of()))
    os.remove(matrix.file.path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        matrix.read(range(23))


def test_read__of_numbers_that_are_truth_values(write_h5):
    matrix = open_matrix(write_h5(values_of("?")))
    assert_array_equal(matrix, values_of("?"))
