import os

import pytest

from skpar_select.tables._hdf5_output import writing_hdf5, written_hdf5
from skpar_select.tables._output import Output


def test_written_hdf5__that_hdf5_cannot_read_is_an_error_that_names_the_output(tmp_path):
    with Output(tmp_path / "x.h5") as output:
        with writing_hdf5(output) as file:
            file["data"] = [1.0, 2.0]
        os.pwrite(output.descriptor, bytes(64), 0)
        with (
            pytest.raises(OSError, match=r"x\.h5' cannot be written: what was read again is not"),
            written_hdf5(output),
        ):
            pass
    assert not list(tmp_path.iterdir())
