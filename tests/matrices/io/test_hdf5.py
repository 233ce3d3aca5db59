"""Errors while an HDF5 file is open: h5py's own get the name of the file, all others stay."""

import h5py
import numpy as np
import pytest

from skpar_select.matrices.io._hdf5 import open_hdf5


@pytest.fixture
def path(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        data = file.create_dataset("data", (4,), "f8", chunks=(4,), compression="gzip")
        data.id.write_direct_chunk((0,), b"no gzip")
    return str(tmp_path / "x.h5")


def test_open_hdf5__names_the_file_in_errors_of_h5py(path):
    message = (
        r"x\.h5' cannot be read \(OSError: .*\)\. It must be a whole HDF5 file\. Copy it again"
    )
    with pytest.raises(OSError, match=message), open_hdf5(path) as file:
        file["data"][:]
    message = r"x\.h5' cannot be read \(ValueError: .*\)\. It must be a whole HDF5 file"
    with pytest.raises(OSError, match=message), open_hdf5(path) as file:
        file["data"].id.read_direct_chunk((0,), out=np.empty(1, np.uint8))


@pytest.mark.parametrize("error", [OSError("another file"), ValueError("another rule")])
def test_open_hdf5__leaves_other_errors(error, path):
    with pytest.raises(type(error), match=rf"^{error}$"), open_hdf5(path):
        raise error
